//! Latency, late effects, and late operations.

use std::time::{Duration, Instant};

use serde_json::json;
use tpns_sim::{Fault, RunningSim};

use crate::client::{Client, builder, login, started, until, until_called};

/// Long enough for a slow machine to look in time.
const LONG: Duration = Duration::from_secs(5);

fn bound(sim: &RunningSim) -> Option<String> {
    let bindings = sim.bindings();
    let accounts = bindings["android"].get("t")?;
    Some(accounts[0].account.clone())
}

#[tokio::test]
async fn the_latency_is_kept_and_overlaps_across_calls() {
    let sim = started(builder().latency(LONG)).await;
    let client = Client::of(&sim);
    let start = Instant::now();
    let (one, two, three) = (login("t1", "a"), login("t2", "a"), login("t3", "a"));
    tokio::join!(client.operate(&one), client.operate(&two), client.operate(&three));
    let took = start.elapsed();
    // One after the other they would take three times as long.
    assert!(LONG <= took && took < LONG * 3, "{took:?}");
}

#[tokio::test]
async fn a_delayed_answer_is_late_but_its_operation_is_not() {
    let sim = started(builder()).await;
    sim.fault(Fault::delay(5_000));
    let client = Client::of(&sim);
    let start = Instant::now();
    let body = login("t", "a");
    let (answer, ()) = tokio::join!(client.operate(&body), async {
        until_called(&sim).await;
        assert_eq!(bound(&sim).as_deref(), Some("a"));
        assert_eq!(sim.calls()[0].status, None);
    });
    assert_eq!(answer.codes().0, 0);
    assert!(start.elapsed() >= LONG);
    assert_eq!(sim.calls()[0].status, Some(200));
}

#[tokio::test]
async fn a_late_operation_takes_effect_after_its_client_gave_up_and_a_newer_one_overtook_it() {
    let sim = started(builder()).await;
    sim.fault(Fault::late(5_000));
    let (impatient, patient) = (Client::of(&sim), Client::of(&sim));
    let old = login("t", "old");
    tokio::select! {
        _ = impatient.operate(&old) => panic!("there must be no answer yet"),
        () = until_called(&sim) => {}
    }
    drop(impatient);
    patient.operate(&login("t", "new")).await;
    assert_eq!(bound(&sim).as_deref(), Some("new"));
    tokio::time::timeout(LONG * 10, until(|| sim.calls()[0].applied)).await.expect("it must take effect");
    assert_eq!(bound(&sim).as_deref(), Some("old"));
    let call = &sim.calls()[0];
    assert_eq!((call.status, call.applied), (None, true));
}

#[tokio::test]
async fn a_late_operation_does_not_take_effect_after_a_reset() {
    let sim = started(builder()).await;
    sim.fault(Fault::late(3_000));
    let (client, old) = (Client::of(&sim), login("t", "old"));
    let (answer, ()) = tokio::join!(client.operate(&old), async {
        until_called(&sim).await;
        sim.reset();
    });
    assert_eq!(answer.codes().0, 0);
    assert_eq!(bound(&sim), None);
    assert!(sim.calls().is_empty());
}

#[tokio::test]
async fn a_wait_of_any_length_can_be_requested() {
    let sim = started(builder().apply_delay(Duration::MAX)).await;
    let client = Client::of(&sim);
    assert_eq!(client.operate(&login("t", "a")).await.codes().0, 0);
    sim.fault(Fault::delay(u64::MAX));
    let body = login("t", "b");
    tokio::select! {
        _ = client.operate(&body) => panic!("there must be no answer yet"),
        () = until(|| sim.calls().get(1).is_some_and(|call| call.applied)) => {}
    }
    assert_eq!(bound(&sim), None);
}

#[tokio::test]
async fn accepted_operations_are_visible_only_after_the_apply_delay() {
    let sim = started(builder().apply_delay(LONG)).await;
    let client = Client::of(&sim);
    assert_eq!(client.operate(&login("t", "first")).await.codes().0, 0);
    client.operate(&login("t", "second")).await;
    assert!(sim.calls()[0].applied);
    assert_eq!(bound(&sim), None);
    sim.flush().await;
    assert_eq!(bound(&sim).as_deref(), Some("second"));
}

#[tokio::test]
async fn the_control_api_can_wait_for_pending_operations() {
    let sim = started(builder().apply_delay(LONG)).await;
    let client = Client::of(&sim);
    client.operate(&login("t", "a")).await;
    let empty = client.get("/_sim/bindings?flush=0").await.json();
    assert_eq!(empty["android"], json!({}));
    let flushed = client.get("/_sim/bindings?flush=1").await.json();
    assert_eq!(flushed["android"]["t"][0]["account"], "a");
    assert_eq!(client.get("/_sim/bindings?flush=yes").await.status, 400);
}
