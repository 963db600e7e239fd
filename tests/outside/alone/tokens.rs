//! Many logouts of one device that TPNS refuses: because of the token they share, or of the account of one of them.

use tpns_sim::Fault;

use super::{Delivery, Ledger, World, with_id};
use crate::stage::{login, logout_of};

/// With the ledger, a device is signed out of this number of accounts one by one; of more than 200, it is signed out of
/// all.
const FEW: usize = 150;

/// The code as TPNS returns it for an item, and for a call that contains the item.
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
    for (ledger, count) in [(Ledger::Off, 1000), (Ledger::On, FEW), (Ledger::On, 1000)] {
        for code in [1_008_006, 1_008_029] {
            for fault in refusals(code) {
                let what = format!("{ledger:?}, {count} logouts, {fault:?}");
                let world = World::new(ledger, &[("DEADLINE_RESERVE_MS", "8000")]).await;
                world.stage.tpns.fault(fault.token("t").forever());
                let delivery = world.batch(&logouts(count)).await;
                let calls = world.stage.calls().len();
                assert!(calls <= 3, "{what}: {calls} calls");
                assert_all_parked(&world, &delivery, count, code, &what);
            }
        }
    }
}

#[tokio::test]
async fn the_neighbour_of_a_token_that_tpns_does_not_know_is_signed_out() {
    for (ledger, count) in [(Ledger::Off, 300), (Ledger::On, FEW)] {
        for fault in refusals(1_008_006) {
            let what = format!("{ledger:?}, {fault:?}");
            let world = World::new(ledger, &[("DEADLINE_RESERVE_MS", "8000")]).await;
            // A device whose login the ledger knows would not share the call.
            let signed_in = ledger == Ledger::Off;
            if signed_in {
                assert_eq!(world.batch(&[login(1, "neighbour", &["x", "y"])]).await.reported, [""; 0], "{what}");
            }
            let before = world.stage.calls().len();
            world.stage.tpns.fault(fault.token("t").forever());
            let mut bodies = logouts(count);
            bodies.push(logout_of(2, "neighbour", "x"));
            let delivery = world.batch(&bodies).await;
            assert_eq!(delivery.outcome(count), "applied", "{what}");
            let left = if signed_in { vec!["y/1".to_owned()] } else { Vec::new() };
            assert_eq!(world.stage.bound("android", "neighbour"), left, "{what}");
            let calls = world.stage.calls().len() - before;
            assert!(calls <= 8, "{what}: {calls} calls");
            assert_all_parked(&world, &delivery, count, 1_008_006, &what);
        }
    }
}

#[tokio::test]
async fn of_many_logouts_of_a_device_the_one_with_the_account_that_tpns_refuses_is_found_by_halving() {
    for (ledger, count) in [(Ledger::Off, 300), (Ledger::On, FEW)] {
        for fault in refusals(1_008_007) {
            let what = format!("{ledger:?}, {fault:?}");
            let world = World::new(ledger, &[]).await;
            world.stage.tpns.fault(fault.account("a77").forever());
            let mut bodies = logouts(count);
            bodies.push(logout_of(2, "neighbour", "x"));
            let delivery = world.batch(&bodies).await;
            assert_eq!(delivery.counts(), [("applied", count), ("parked tpns_bad_input", 1)].into(), "{what}");
            assert_eq!(delivery.reported, [""; 0], "{what}");
            assert_eq!(world.parked()[0][0], "e77", "{what}");
            let calls = world.stage.calls().len();
            assert!(calls <= 30, "{what}: {calls} calls");
        }
    }
}
