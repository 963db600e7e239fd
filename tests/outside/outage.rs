//! While TPNS fails, it is called once in a while, and everything else goes on.

use std::time::{Duration, Instant};

use tpns_sim::Fault;

use crate::stage::{Stage, login, logout};

const INTERVAL: Duration = Duration::from_secs(1);

async fn world() -> Stage {
    Stage::with(&[("TPNS_PROBE_INTERVAL", "1s"), ("TPNS_MAX_ATTEMPTS", "3")]).await
}

/// Ten devices that only share their call.
fn batch() -> Vec<String> {
    (0..10).map(|n| login(1, &format!("t{n}"), &["x"])).collect()
}

#[tokio::test]
async fn during_an_outage_tpns_is_called_once_in_each_interval() {
    let stage = world().await;
    stage.tpns.fault(Fault::status(503).app("android").forever());
    let begun = Instant::now();
    let mut invocations = 0;
    while begun.elapsed() < 3 * INTERVAL {
        assert_eq!(stage.batch(&batch()).await.len(), 10);
        invocations += 1;
    }
    // Three tries in the first invocation, one in the second, and one in each interval since.
    let most = 3 + 1 + usize::try_from(begun.elapsed().as_secs()).unwrap();
    let calls = stage.calls().len();
    assert!((3..=most).contains(&calls) && invocations > most, "{calls} calls in {invocations} invocations");
    let lines = stage.lines("event failed");
    let not_sent = "TPNS answered 503; no call was made, since TPNS has not taken the last ones";
    assert!(lines.iter().all(|line| line["reason"] == "tpns_unavailable"));
    assert!(lines.iter().any(|line| line["detail"] == not_sent), "{:?}", lines.last());
}

#[tokio::test]
async fn the_first_call_that_is_answered_ends_it() {
    let stage = world().await;
    stage.tpns.fault(Fault::status(503).app("android").times(4));
    for _ in 0..2 {
        assert_eq!(stage.batch(&batch()).await.len(), 10);
    }
    let begun = Instant::now();
    while !stage.batch(&batch()).await.is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(30));
    }
    assert_eq!(stage.calls().len(), 5);
    assert_eq!(stage.batch(&[logout(2, "t1")]).await, [""; 0]);
}

#[tokio::test]
async fn another_app_is_called_as_always() {
    let stage = world().await;
    stage.tpns.fault(Fault::disconnect().app("android").forever());
    let ios = login(1, "t1", &["x"]).replace("android", "ios");
    for _ in 0..5 {
        assert_eq!(stage.batch(&[login(1, "t0", &["x"]), ios.clone()]).await, ["m0"]);
    }
    assert_eq!(stage.calls().iter().filter(|(app, ..)| app == "ios").count(), 5);
}

#[tokio::test]
async fn a_short_failure_within_one_invocation_changes_nothing() {
    let stage = Stage::with(&[("TPNS_PROBE_INTERVAL", "5m"), ("TPNS_MAX_ATTEMPTS", "3")]).await;
    for n in 0..3 {
        stage.tpns.fault(Fault::status(503).times(3));
        assert_eq!(stage.batch(&[logout(n, "t1")]).await, ["m0"]);
        assert_eq!(stage.batch(&[logout(n, "t1")]).await, [""; 0], "the next delivery is called for at once");
    }
}
