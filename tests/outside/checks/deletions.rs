//! The operator_type 5 of a deletion takes the account from every device, also from one that a newer login gave it to. As
//! long as it may be under way, a check of such a device is not completed.

use tpns_sim::Fault;

use super::{NONE, World, counted::CHECK_AFTER};
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
