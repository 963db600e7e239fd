//! From its third delivery on a message's items are sent in their own calls: an item of another message in the same
//! call may be the cause of the failure.

use std::collections::BTreeMap;

use tpns_sim::{Fault, FaultKind};

use super::{Ledger, World, deletion_of, ids, in_app, messages};
use crate::stage::{login, logout_of};

fn logins(names: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| login(1, &format!("{names}{n}"), &["x"])).collect()
}

fn accounts(names: &str, count: usize) -> Vec<String> {
    (0..count).map(|n| format!("{names}{n}")).collect()
}

/// The number of items of each call of this app and operator_type, in the order of the calls.
fn sizes(world: &World, app: &str, operator_type: i64) -> Vec<usize> {
    let calls = world.stage.calls().into_iter();
    calls.filter(|call| call.0 == app && call.1 == operator_type).map(|call| call.2).collect()
}

#[tokio::test]
async fn in_their_third_delivery_the_neighbours_of_an_event_that_breaks_every_call_are_applied() {
    for (ledger, concurrency, fault) in [
        (Ledger::Off, "8", Fault::reset()),
        (Ledger::On, "8", Fault::reset()),
        (Ledger::Off, "1", Fault::reset()),
        (Ledger::Off, "8", Fault::disconnect()),
        (Ledger::Off, "1", Fault::truncated()),
        (Ledger::Off, "8", Fault::hang()),
        (Ledger::On, "8", Fault::status(503)),
        (Ledger::Off, "8", Fault::ret_code(1_008_004)),
    ] {
        let what = format!("{ledger:?}, {concurrency} at a time, {fault:?}");
        let timeout = if fault.kind == FaultKind::Hang { "2000" } else { "15000" };
        let world = World::new(ledger, &[("TPNS_CONCURRENCY", concurrency), ("TPNS_TIMEOUT_MS", timeout)]).await;
        world.stage.tpns.fault(fault.token("t7").forever());
        let bodies = logins("t", 20);
        let mut delivery = world.batch(&bodies).await;
        let mut before = 0;
        for receive_count in 2..=3 {
            assert!(delivery.reported.contains(&"m7".to_owned()), "{what}");
            before = world.stage.calls().len();
            delivery = world.again(receive_count, &bodies, &delivery).await;
        }
        assert_eq!(delivery.reported, ["m7"], "{what}: {:?}", delivery.counts());
        for n in (0..20).filter(|n| *n != 7) {
            assert_eq!(world.stage.bound("android", &format!("t{n}")), ["x/0"], "t{n}, {what}");
        }
        let calls = world.stage.calls().len() - before;
        // If a kept connection breaks, it is replaced and the attempt repeated, which does not count as an attempt.
        assert!(calls <= 19 + 2 * 3, "{what}: {calls} calls, one for each and three attempts of the failing one");
    }
}

#[tokio::test]
async fn a_message_in_its_third_delivery_has_its_own_call_and_those_of_its_first_two_share_theirs() {
    for ledger in Ledger::BOTH {
        for (receive_count, expected) in [(1, vec![20; 3]), (2, vec![20; 3]), (3, [vec![20; 2], vec![1; 20]].concat())]
        {
            // One call at a time, so that their order can be seen.
            let world = World::new(ledger, &[("TPNS_CONCURRENCY", "1")]).await;
            let mut batch = messages(receive_count, &logins("old", 20));
            for (n, message) in messages(1, &logins("new", 40)).into_iter().enumerate() {
                // In between the others.
                batch.insert(n * 3 / 2, lambda_sim::Message { message_id: format!("n{n}"), ..message });
            }
            let delivery = world.deliver(batch).await;
            assert_eq!(delivery.counts(), [("applied", 60)].into(), "{ledger:?}, delivery {receive_count}");
            assert_eq!(sizes(&world, "android", 2), expected, "{ledger:?}, delivery {receive_count}");
        }
    }
}

#[tokio::test]
async fn the_items_of_one_message_in_its_third_delivery_share_its_calls() {
    for ledger in Ledger::BOTH {
        let world = World::new(ledger, &[]).await;
        let mut batch = messages(3, &[deletion_of(1, &accounts("a", 60)), deletion_of(1, &accounts("b", 5))]);
        let first = messages(1, &[deletion_of(1, &accounts("c", 2)), deletion_of(1, &accounts("d", 3))]);
        batch.extend(
            first
                .into_iter()
                .zip(["m2", "m3"])
                .map(|(message, id)| lambda_sim::Message { message_id: id.to_owned(), ..message }),
        );
        let delivery = world.deliver(batch).await;
        assert_eq!(delivery.counts(), [("applied", 4)].into(), "{ledger:?}");
        for app in ["android", "ios"] {
            let mut sizes = sizes(&world, app, 5);
            sizes.sort_unstable();
            assert_eq!(sizes, [5, 5, 20, 20, 20], "{ledger:?}, {app}: of b, of c and d, and three of a");
        }
    }
}

/// They are all merged into one item, so one call is enough for all of them, and one refusal.
#[tokio::test]
async fn the_messages_of_one_device_in_their_third_delivery_share_its_call() {
    for ledger in Ledger::BOTH {
        let world = World::new(ledger, &[]).await;
        let bodies: Vec<_> = (1..=150).map(|second| logout_of(second, "t", &format!("a{second}"))).collect();
        let delivery = world.redelivery(3, &bodies).await;
        assert_eq!(delivery.counts(), [("applied", 150)].into(), "{ledger:?}");
        assert_eq!(world.stage.calls().len(), 1, "{ledger:?}");
    }
}

#[tokio::test]
async fn messages_in_their_third_delivery_make_at_most_a_hundred_calls_of_their_own_per_app() {
    for ledger in Ledger::BOTH {
        for receive_count in [3, 5] {
            let world = World::new(ledger, &[]).await;
            let mut bodies = logins("t", 300);
            bodies.extend(logins("t", 300).iter().map(|body| in_app("ios", body)));
            let delivery = world.redelivery(receive_count, &bodies).await;
            assert_eq!(delivery.counts(), [("applied", 600)].into(), "{ledger:?}, delivery {receive_count}");
            for app in ["android", "ios"] {
                let mut calls = BTreeMap::new();
                sizes(&world, app, 2).into_iter().for_each(|size| *calls.entry(size).or_insert(0) += 1);
                let total: usize = calls.values().sum();
                let what = format!("{ledger:?}, delivery {receive_count}, {app}: {calls:?}");
                assert!(total <= 100 + 200_usize.div_ceil(20), "{what}");
                assert!(calls.get(&1).is_some_and(|lone| *lone >= 20), "{what}");
            }
        }
    }
}

/// A message beyond this limit shares its call, as before.
#[tokio::test]
async fn beyond_the_limit_a_message_that_breaks_its_call_fails_at_most_the_items_of_that_call() {
    let world = World::new(Ledger::Off, &[]).await;
    world.stage.tpns.fault(Fault::reset().token("t250").forever());
    let delivery = world.redelivery(3, &logins("t", 300)).await;
    assert!(delivery.reported.contains(&ids([250])[0]));
    assert!(delivery.reported.len() <= 20, "{:?}", delivery.counts());
}
