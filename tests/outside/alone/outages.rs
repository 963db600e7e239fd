//! Connections that fail at the same time, and a TPNS that stays unreachable.

use std::collections::BTreeMap;

use tpns_sim::{Fault, FaultKind};

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
            let timeout = if fault.kind == FaultKind::Hang { "5000" } else { "15000" };
            let world = World::new(ledger, &[("TPNS_TIMEOUT_MS", timeout)]).await;
            world.stage.tpns.fault(fault.clone().times(8));
            // No call is answered before all eight have failed.
            world.stage.tpns.fault(Fault::delay(200).forever());
            let delivery = world.batch(&logins(400)).await;
            // All are accepted. What hung may take effect later, so it is delivered once more.
            let in_doubt = if fault.kind == FaultKind::Hang { 160 } else { 0 };
            let mut expected = BTreeMap::from([("applied", 400 - in_doubt)]);
            if in_doubt > 0 {
                expected.insert("retry tpns_in_doubt", in_doubt);
            }
            assert_eq!(delivery.counts(), expected, "{ledger:?}, {fault:?}");
            assert_eq!(delivery.reported.len(), in_doubt, "{ledger:?}, {fault:?}");
            assert_eq!(world.stage.calls().len(), 20 + 8, "{ledger:?}, {fault:?}: each of the eight once more");
        }
    }
}

/// 100 calls with three attempts each would be 300. A connection from Init that breaks says nothing of TPNS, so its call
/// is made once more.
#[tokio::test]
async fn an_unreachable_tpns_is_not_called_any_more_after_some_calls() {
    for (concurrency, most) in [("1", 7), ("8", 60)] {
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
