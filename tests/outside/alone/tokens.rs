//! Many logouts of one device that TPNS refuses: for the token they share, or for the account of one of them.

use tpns_sim::Fault;

use super::{Delivery, Ledger, World, with_id};
use crate::stage::{login, logout_of};

/// What TPNS says of an item, and what it says of a call that holds it.
fn refusals(code: i64) -> [Fault; 2] {
    [Fault::item_code(code), Fault::ret_code(code)]
}

/// Logouts of one account each, of the device `t`.
fn logouts(count: usize) -> Vec<String> {
    let seconds = 1..=u32::try_from(count).unwrap();
    seconds.map(|second| with_id(&format!("e{second}"), &logout_of(second, "t", &format!("a{second}")))).collect()
}

fn assert_all_parked(world: &World, delivery: &Delivery, count: usize, code: i64, what: &str) {
    assert_eq!(delivery.reported, [""; 0], "{what}: {:?}", delivery.counts());
    let parked = world.parked();
    assert_eq!(parked.len(), count, "{what}");
    let as_expected = |[_, reason, detail]: &[String; 3]| {
        reason == "tpns_invalid_token" && *detail == format!("TPNS answered {code}")
    };
    assert!(parked.iter().all(as_expected), "{what}: {:?}", parked[0]);
}

#[tokio::test]
async fn a_thousand_logouts_of_a_token_that_tpns_does_not_know_are_refused_in_a_few_calls() {
    for ledger in Ledger::BOTH {
        for code in [1_008_006, 1_008_029] {
            for fault in refusals(code) {
                let what = format!("{ledger:?}, {fault:?}");
                let world = World::new(ledger, &[("DEADLINE_RESERVE_MS", "8000")]).await;
                world.stage.tpns.fault(fault.token("t").forever());
                let delivery = world.batch(&logouts(1000)).await;
                let calls = world.stage.calls().len();
                assert!(calls <= 3, "{what}: {calls} calls");
                assert_all_parked(&world, &delivery, 1000, code, &what);
            }
        }
    }
}

#[tokio::test]
async fn the_neighbour_of_a_token_that_tpns_does_not_know_is_signed_out() {
    for ledger in Ledger::BOTH {
        for fault in refusals(1_008_006) {
            let what = format!("{ledger:?}, {fault:?}");
            let world = World::new(ledger, &[("DEADLINE_RESERVE_MS", "8000")]).await;
            assert_eq!(world.batch(&[login(1, "neighbour", &["x", "y"])]).await.reported, [""; 0], "{what}");
            let before = world.stage.calls().len();
            world.stage.tpns.fault(fault.token("t").forever());
            let mut bodies = logouts(300);
            // Without the ledger its login is not known, and it shares the call of the other one.
            bodies.push(logout_of(2, "neighbour", "x"));
            let delivery = world.batch(&bodies).await;
            assert_eq!(delivery.outcome(300), "applied", "{what}");
            assert_eq!(world.stage.bound("android", "neighbour"), ["y/1"], "{what}");
            let calls = world.stage.calls().len() - before;
            assert!(calls <= 8, "{what}: {calls} calls");
            assert_all_parked(&world, &delivery, 300, 1_008_006, &what);
        }
    }
}

#[tokio::test]
async fn of_many_logouts_of_a_device_the_one_with_the_account_that_tpns_refuses_is_found_by_halving() {
    for ledger in Ledger::BOTH {
        for fault in refusals(1_008_007) {
            let what = format!("{ledger:?}, {fault:?}");
            let world = World::new(ledger, &[]).await;
            world.stage.tpns.fault(fault.account("a77").forever());
            let mut bodies = logouts(300);
            bodies.push(logout_of(2, "neighbour", "x"));
            let delivery = world.batch(&bodies).await;
            assert_eq!(delivery.counts(), [("applied", 300), ("parked tpns_bad_input", 1)].into(), "{what}");
            assert_eq!(delivery.reported, [""; 0], "{what}");
            assert_eq!(world.parked()[0][0], "e77", "{what}");
            let calls = world.stage.calls().len();
            assert!(calls <= 30, "{what}: {calls} calls");
        }
    }
}
