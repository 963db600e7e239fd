//! Faults below HTTP, seen as bytes of a real connection.

use std::{io::ErrorKind, time::Duration};

use tokio::time::timeout;
use tpns_sim::{Death, Fault, RunningSim};

use crate::client::{Client, builder, login, raw_operate, started, until_called};

async fn with(fault: Fault) -> RunningSim {
    let sim = started(builder()).await;
    sim.fault(fault);
    sim
}

/// The announced and the received length of a truncated body.
fn lengths(bytes: &[u8]) -> (usize, usize) {
    let text = std::str::from_utf8(bytes).expect("text");
    let (head, body) = text.split_once("\r\n\r\n").expect("a whole head");
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    let announced =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    (announced.expect("a Content-Length"), body.len())
}

#[tokio::test]
async fn a_truncated_answer_ends_orderly_before_its_content_length() {
    let sim = with(Fault::truncated()).await;
    let (bytes, end) = raw_operate(sim.address(), &login("t", "a")).await;
    end.expect("an orderly end");
    let (announced, received) = lengths(&bytes);
    assert!(0 < received && received < announced, "{received} of {announced}");
    let call = &sim.calls()[0];
    assert_eq!((call.status, call.ret_code, call.applied), (Some(200), None, false));
}

#[tokio::test]
async fn a_reset_is_a_tcp_reset_after_part_of_the_body() {
    let sim = with(Fault::reset().apply(true)).await;
    let (bytes, end) = raw_operate(sim.address(), &login("t", "a")).await;
    let end = end.expect_err("a reset");
    assert_eq!(end.kind(), ErrorKind::ConnectionReset);
    let (announced, received) = lengths(&bytes);
    assert!(0 < received && received < announced, "{received} of {announced}");
    assert!(sim.calls()[0].applied);
    assert_eq!(sim.bindings()["android"].len(), 1);
}

#[tokio::test]
async fn a_disconnect_ends_before_any_byte_and_the_next_connection_works() {
    let sim = with(Fault::disconnect()).await;
    let (bytes, end) = raw_operate(sim.address(), &login("t", "a")).await;
    end.expect("an orderly end");
    assert_eq!(bytes, b"");
    let call = &sim.calls()[0];
    assert_eq!((call.status, call.fault), (None, Some("disconnect")));
    let again = Client::of(&sim).operate(&login("t", "a")).await;
    assert_eq!(again.codes().0, 0);
    assert_eq!(sim.calls()[1].connection, 2);
}

#[tokio::test]
async fn a_hanging_call_is_logged_as_soon_as_it_arrives_and_never_answered() {
    let sim = with(Fault::hang()).await;
    let (address, body) = (sim.address(), login("t", "a"));
    let call = tokio::spawn(async move { raw_operate(address, &body).await });
    timeout(Duration::from_secs(5), until_called(&sim)).await.expect("listed");
    assert_eq!((sim.calls()[0].status, sim.calls()[0].fault), (None, Some("hang")));
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!call.is_finished(), "the connection must stay open");
    // It ends with the simulator.
    drop(sim);
    let ended = timeout(Duration::from_secs(5), call).await.expect("ended");
    assert_eq!(ended.expect("no panic").0, b"");
}

#[tokio::test]
async fn a_hanging_call_does_not_affect_others() {
    let sim = with(Fault::hang()).await;
    let (address, body) = (sim.address(), login("t", "a"));
    let hanging = tokio::spawn(async move { raw_operate(address, &body).await });
    until_called(&sim).await;
    let other = Client::of(&sim).operate(&login("t", "b")).await;
    assert_eq!(other.codes().0, 0);
    hanging.abort();
}

#[tokio::test]
async fn killed_connections_die_at_their_next_use_and_new_ones_live() {
    let sim = started(builder()).await;
    let path = tpns_sim::Api::BatchOperate.path();
    for (death, patience) in [(Death::Reset, 30_000), (Death::Silence, 200)] {
        let client = Client::of(&sim);
        client.operate(&login("t", "a")).await;
        let arrived = sim.calls().len();
        assert!(sim.kill_connections(death) > 0);
        match (death, timeout(Duration::from_millis(patience), client.signed(path, &login("t", "a"))).await) {
            (Death::Reset, Ok(Err(error))) => assert!(error.is_request(), "{error:?}"),
            (Death::Silence, Err(_)) => {}
            (_, other) => panic!("{death:?}: {other:?}"),
        }
        assert_eq!(sim.calls().len(), arrived, "{death:?}: it never arrived");
        client.operate(&login("t", "a")).await;
    }
}
