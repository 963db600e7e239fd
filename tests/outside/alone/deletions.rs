//! Deletions that hang or that TPNS never accepts: which events wait for them, and for how long.

use std::time::Duration;

use tpns_sim::Fault;

use super::{Ledger, RESERVE, World, concurrently, in_app};
use crate::stage::{deletion, login, logout, logout_of};

type Settings = &'static [(&'static str, &'static str)];

/// Two functions whose timeout ends before a hanging deletion: with a call timeout longer than their own, and with the
/// default call timeout and number of attempts.
const IMPATIENT: [(u64, Settings); 2] = [(12, PATIENT), (12, &[("TPNS_TIMEOUT_MS", "3000"), RESERVE])];
const PATIENT: Settings = &[("TPNS_TIMEOUT_MS", "60000"), RESERVE];

fn cases() -> Vec<(Ledger, Duration, Settings)> {
    let cases =
        Ledger::BOTH.into_iter().flat_map(|ledger| IMPATIENT.map(|(seconds, settings)| (ledger, seconds, settings)));
    cases.map(|(ledger, seconds, settings)| (ledger, Duration::from_secs(seconds), settings)).collect()
}

#[tokio::test]
async fn no_other_event_waits_for_a_hanging_deletion() {
    let run = concurrently(cases(), async |(ledger, timeout, settings)| {
        let what = format!("{ledger:?}, {timeout:?}");
        let world = World::within(timeout, ledger, settings).await;
        let before = [login(1, "t1", &["x"]), login(1, "t3", &["y", "z"])];
        assert_eq!(world.batch(&before).await.reported, [""; 0], "{what}");
        world.stage.tpns.fault(Fault::hang().operator_type(5).forever());
        let bodies = [
            deletion(2, "gone"),
            logout(2, "t1"),
            login(2, "t2", &["x"]),
            logout_of(2, "t3", "y"),
            in_app("ios", &login(2, "t4", &["x"])),
        ];
        let delivery = world.batch(&bodies).await;
        assert_eq!(delivery.reported, ["m0"], "{what}: {:?}", delivery.outcomes);
        assert!(delivery.outcome(0).starts_with("retry "), "{what}: {}", delivery.outcome(0));
        assert_eq!(world.stage.bound("android", "t1"), [""; 0], "{what}");
        assert_eq!(world.stage.bound("android", "t2"), ["x/0"], "{what}");
        assert_eq!(world.stage.bound("android", "t3"), ["z/1"], "{what}");
        assert_eq!(world.stage.bound("ios", "t4"), ["x/0"], "{what}");
    });
    run.await;
}

#[tokio::test]
async fn only_a_newer_login_of_the_account_waits_for_a_hanging_deletion() {
    let run = concurrently(cases(), async |(ledger, timeout, settings)| {
        let what = format!("{ledger:?}, {timeout:?}");
        let world = World::within(timeout, ledger, settings).await;
        assert_eq!(world.batch(&[login(1, "t2", &["x"])]).await.reported, [""; 0], "{what}");
        world.stage.tpns.fault(Fault::hang().operator_type(5).forever());
        let mut bodies = vec![deletion(2, "gone"), login(3, "t1", &["gone"]), logout(3, "t2")];
        // More logins than a call holds, so that the one that waits has neighbours in its call.
        bodies.extend((0..30).map(|n| login(3, &format!("n{n}"), &["x"])));
        let delivery = world.batch(&bodies).await;
        assert_eq!(delivery.reported, ["m0", "m1"], "{what}: {:?}", delivery.counts());
        assert_eq!(delivery.outcome(1), "retry waits_for_another_call", "{what}");
        assert_eq!(world.stage.bound("android", "t1"), [""; 0], "{what}");
        assert_eq!(world.stage.bound("android", "t2"), [""; 0], "{what}");
        for n in 0..30 {
            assert_eq!(world.stage.bound("android", &format!("n{n}")), ["x/0"], "n{n}, {what}");
        }
    });
    run.await;
}

/// The deletion hangs in one app and is accepted in the other, where a newer login waits only for that call.
#[tokio::test]
async fn a_login_waits_for_the_deletion_in_its_own_app_only() {
    let run = concurrently(Ledger::BOTH, async |ledger| {
        let world = World::within(Duration::from_secs(12), ledger, PATIENT).await;
        world.stage.tpns.fault(Fault::hang().operator_type(5).app("android").forever());
        let bodies = [
            deletion(1, "gone"),
            in_app("ios", &login(2, "t", &["gone"])),
            login(2, "t", &["x"]),
            login(2, "held", &["gone"]),
        ];
        let delivery = world.batch(&bodies).await;
        assert_eq!(delivery.reported, ["m0", "m3"], "{ledger:?}: {:?}", delivery.outcomes);
        assert_eq!(world.stage.bound("ios", "t"), ["gone/0"], "{ledger:?}");
        assert_eq!(world.stage.bound("android", "t"), ["x/0"], "{ledger:?}");
    });
    run.await;
}

#[tokio::test]
async fn from_its_second_delivery_on_a_login_no_longer_waits_for_a_deletion_that_tpns_never_accepts() {
    for ledger in Ledger::BOTH {
        let world = World::new(ledger, &[("TPNS_MAX_ATTEMPTS", "2")]).await;
        world.stage.tpns.fault(Fault::status(503).operator_type(5).app("android").forever());
        let bodies = [
            deletion(1, "alice"),
            login(2, "t1", &["alice"]),
            login(2, "t2", &["bob"]),
            in_app("ios", &login(2, "t3", &["alice"])),
        ];
        let first = world.batch(&bodies).await;
        assert_eq!(first.outcome(0), "retry tpns_unavailable", "{ledger:?}");
        assert_eq!(first.not_applied([2, 3]), [""; 0], "{ledger:?}");
        let second = world.again(2, &bodies, &first).await;
        assert_eq!(second.reported, ["m0"], "{ledger:?}: {:?}", second.outcomes);
        assert_eq!(second.outcome(0), "retry tpns_unavailable", "{ledger:?}");
        assert_eq!(world.stage.bound("android", "t1"), ["alice/0"], "{ledger:?}");
        let third = world.again(3, &bodies, &second).await;
        assert_eq!(third.outcome(0), "retry tpns_unavailable", "{ledger:?}");
        assert_eq!(world.stage.bound("android", "t1"), ["alice/0"], "{ledger:?}");
        assert_eq!(world.stage.bound("android", "t2"), ["bob/0"], "{ledger:?}");
    }
}

#[tokio::test]
async fn from_its_second_delivery_on_a_login_waits_for_a_hanging_deletion_for_half_of_the_time() {
    let world = World::within(Duration::from_secs(14), Ledger::Off, PATIENT).await;
    world.stage.tpns.fault(Fault::hang().operator_type(5).app("android").forever());
    let bodies = [deletion(1, "alice"), login(2, "t1", &["alice"])];
    assert_eq!(world.redelivery(1, &bodies).await.reported, ["m0", "m1"]);
    assert_eq!(world.redelivery(2, &bodies).await.reported, ["m0"]);
    assert_eq!(world.stage.bound("android", "t1"), ["alice/0"]);
}

/// If the deletion is accepted, a newer login is sent after it, in any delivery.
#[tokio::test]
async fn a_login_is_sent_after_an_older_deletion_in_any_delivery() {
    for ledger in Ledger::BOTH {
        let world = World::new(ledger, &[]).await;
        world.stage.tpns.fault(Fault::delay(300).operator_type(5).forever());
        for receive_count in 1..4 {
            let (gone, back) = (2 * receive_count, 2 * receive_count + 1);
            let bodies = [deletion(gone, "alice"), login(back, "t1", &["alice"])];
            let delivery = world.redelivery(receive_count, &bodies).await;
            assert_eq!(delivery.reported, [""; 0], "{ledger:?}, {receive_count}");
            assert_eq!(world.stage.bound("android", "t1"), ["alice/0"], "{ledger:?}, {receive_count}");
        }
    }
}
