//! The operator_type 5 of a deletion takes the account from every device, also from one that a newer login gave it to. As
//! long as it may be under way, a check of such a device is not completed.

use lambda_sim::{Fault as AwsFault, Operation};
use tpns_sim::Fault;

use super::{NONE, World, account, counted::CHECK_AFTER};
use crate::stage::{deletion, login};

/// A login, and then a deletion of its account that is older.
async fn world(fault: Option<Fault>) -> World {
    let world = World::with(&[("CHECK_AFTER", &format!("{CHECK_AFTER}s"))]).await;
    assert_eq!(world.batch(&[login(5, "t", &["aa"])]).await, NONE);
    fault.into_iter().for_each(|fault| world.stage.tpns.fault(fault));
    world.batch(&[deletion(2, "aa")]).await;
    world.stage.tpns.settle().await;
    assert_eq!(world.bound("t"), ["aa/0"], "bound again, or still");
    world
}

#[tokio::test]
async fn a_check_is_completed_when_an_older_deletion_can_not_be_under_way_any_more() {
    let world = world(None).await;
    assert_eq!(world.deliver_sent(2 * CHECK_AFTER).await, ["m0"], "TPNS agrees, but for how long?");
    world.age(CHECK_AFTER / 2);
    assert_eq!(world.deliver_sent(2 * CHECK_AFTER).await, ["m0"]);
    world.age(CHECK_AFTER / 2);
    assert_eq!(world.deliver_sent(2 * CHECK_AFTER).await, NONE);
    // One that TPNS has accepted makes no call.
    assert_eq!(world.batch(&[deletion(2, "aa")]).await, NONE);
    assert_eq!(world.deliver_sent(2 * CHECK_AFTER).await, NONE);
    assert_eq!(world.drifts(), NONE);
    assert!(world.stage.lines("check failed").is_empty());
}

#[tokio::test]
async fn a_deletion_that_tpns_has_not_accepted_is_under_way_with_each_delivery() {
    let refuses = Fault::status(503).operator_type(5).forever();
    let world = world(Some(refuses)).await;
    // The second one is older still: its delivery sends the first one to TPNS.
    for delivered in [deletion(2, "aa"), deletion(1, "aa")] {
        world.age(2 * CHECK_AFTER);
        assert_eq!(world.deliver_sent(2 * CHECK_AFTER).await, NONE);
        assert!(!world.batch(&[delivered]).await.is_empty());
        assert_eq!(world.deliver_sent(2 * CHECK_AFTER).await, ["m0"]);
    }
}

#[tokio::test]
async fn a_deletion_spares_a_device_that_a_newer_login_gave_the_account_to() {
    let world = World::new().await;
    // The id was registered again, and its login came first. The call of the deletion is lost or not.
    assert_eq!(world.batch(&[login(5, "t", &["aa"])]).await, NONE);
    assert_eq!(world.check().await, 1);
    assert_eq!(world.batch(&[deletion(2, "aa")]).await, NONE);
    assert_eq!(world.bound("t"), ["aa/0"], "bound again behind the operator_type 5");
    let sent: String = world.sent().concat();
    assert_eq!(sent.matches(r#"{"app":"android","token":"t"}"#).count(), 2, "its device is checked, too: {sent}");
    world.check().await;
    assert_eq!(world.bound("t"), ["aa/0"]);
}

#[tokio::test]
async fn a_deletion_whose_newer_device_can_not_be_checked_is_not_sent() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(5, "t", &["aa"])]).await, NONE);
    world.aws.fail_next(Operation::SendMessageBatch, usize::MAX, AwsFault::AccessDenied);
    assert_eq!(world.batch(&[deletion(2, "aa")]).await, ["m0"]);
    assert!(world.stage.calls().iter().all(|call| call.0 != "android" || call.1 != 5), "{:?}", world.stage.calls());
    assert_eq!(world.bound("t"), ["aa/0"]);
}

#[tokio::test]
async fn devices_without_a_row_lose_a_deleted_account() {
    let world = World::new().await;
    world.stage.tpns.set_bindings("android", "old", [account("aa", 0), account("bb", 1)]);
    world.stage.tpns.fault(Fault::lost_effect().operator_type(5).app("android"));
    assert_eq!(world.batch(&[deletion(1, "aa")]).await, NONE);
    assert_eq!(world.bound("old"), ["aa/0", "bb/1"]);
    assert_eq!(world.check().await, 2);
    assert_eq!(world.bound("old"), ["bb/1"]);
}
