//! Connections that fail at the same time, and a TPNS that stays unreachable.

use tpns_sim::Fault;

use super::{Ledger, World, in_app};
use crate::stage::login;

fn logins(count: usize) -> Vec<String> {
    (0..count).map(|n| login(1, &format!("t{n}"), &["x"])).collect()
}

/// As many as there are calls in flight: one short outage, not eight failures in a row.
#[tokio::test]
async fn calls_that_fail_at_the_same_time_are_all_retried() {
    for ledger in Ledger::BOTH {
        for fault in [Fault::reset(), Fault::disconnect(), Fault::truncated(), Fault::hang()] {
            let world = World::new(ledger, &[("TPNS_TIMEOUT_MS", "1000")]).await;
            world.stage.tpns.fault(fault.clone().times(8));
            // No call is answered before all eight have failed.
            world.stage.tpns.fault(Fault::delay(200).forever());
            let delivery = world.batch(&logins(400)).await;
            // All are accepted. Those of the eight are delivered once more, since their first try may take effect later.
            let expected = [("applied", 240), ("retry tpns_in_doubt", 160)];
            assert_eq!(delivery.counts(), expected.into(), "{ledger:?}, {fault:?}");
            assert_eq!(delivery.reported.len(), 160, "{ledger:?}, {fault:?}");
            assert_eq!(world.stage.calls().len(), 20 + 8, "{ledger:?}, {fault:?}: each of the eight once more");
        }
    }
}

/// 100 calls with three attempts each would be 300.
#[tokio::test]
async fn an_unreachable_tpns_is_not_called_any_more_after_some_calls() {
    for (concurrency, most) in [("1", 6), ("8", 60)] {
        for fault in [Fault::reset(), Fault::disconnect()] {
            let world = World::new(Ledger::Off, &[("TPNS_CONCURRENCY", concurrency)]).await;
            world.stage.tpns.fault(fault.clone().app("android").forever());
            let mut bodies = logins(2000);
            bodies.push(in_app("ios", &login(1, "neighbour", &["x"])));
            let delivery = world.batch(&bodies).await;
            let calls = world.calls_of("android");
            assert!(calls <= most, "{fault:?}, {concurrency} at a time: {calls} calls");
            assert_eq!(delivery.reported.len(), 2000, "{fault:?}, {concurrency} at a time");
            assert_eq!(world.stage.bound("ios", "neighbour"), ["x/0"], "{fault:?}, {concurrency} at a time");
        }
    }
}
