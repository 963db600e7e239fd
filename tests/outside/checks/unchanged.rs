//! Logins that change nothing: once a check has confirmed a device, they make no call.

use fastrand::Rng;

use super::{NONE, TABLE, World, account};
use crate::stage::{at, deletion, function, login, logout, logout_of};

impl World {
    /// Delivers these events, and then their checks. Returns how many calls the events made.
    async fn settle(&self, events: &[String]) -> usize {
        let before = self.stage.calls().len();
        assert_eq!(self.batch(events).await, NONE);
        let calls = self.stage.calls().len() - before;
        self.check().await;
        calls
    }
}

#[tokio::test]
async fn a_repeated_login_of_a_confirmed_device_makes_no_call() {
    let world = World::new().await;
    assert_eq!(world.settle(&[login(1, "t", &["aa", "bb"])]).await, 1);
    assert_eq!(world.settle(&[login(2, "t", &["aa", "bb"]), login(3, "t", &["aa", "bb"])]).await, 0);
    assert_eq!(world.settle(&[login(2, "t", &["aa", "bb"])]).await, 0, "a duplicate, stale by now");
    assert_eq!(world.bound("t"), ["aa/0", "bb/1"]);
    assert_eq!(world.sent().len(), 3, "each delivery is checked");
    // Of the second batch the newer one; the other two were superseded.
    let unchanged: Vec<_> = world.stage.lines("batch done").iter().map(|line| line["unchanged"].as_u64()).collect();
    assert_eq!(unchanged, [None, Some(1), None]);
}

#[tokio::test]
async fn before_its_check_a_repeated_login_makes_a_call() {
    let world = World::new().await;
    for n in 1..4 {
        let calls = world.stage.calls().len();
        assert_eq!(world.batch(&[login(n, "t", &["aa"])]).await, NONE);
        assert_eq!(world.stage.calls().len(), calls + 1);
    }
}

#[tokio::test]
async fn what_is_lost_at_tpns_is_repaired_by_the_check_of_a_repeated_login() {
    let world = World::new().await;
    world.settle(&[login(1, "t", &["aa"])]).await;
    world.stage.tpns.set_bindings("android", "t", [account("bb", 0)]);
    assert_eq!(world.settle(&[login(2, "t", &["aa"])]).await, 0);
    assert_eq!(world.bound("t"), ["aa/0"]);
}

/// After each of these, the login is sent again.
#[tokio::test]
async fn a_login_after_anything_else_makes_a_call() {
    for between in [
        logout(2, "t"),
        logout_of(2, "t", "aa"),
        login(2, "t", &["cc"]),
        // A part of the accounts: nothing is left behind of it in what the row remembers.
        login(2, "t", &["aa"]),
        deletion(2, "aa"),
        // Older than the login.
        deletion(0, "aa"),
    ] {
        let world = World::new().await;
        world.settle(&[login(1, "t", &["aa", "bb"])]).await;
        assert_eq!(world.batch(std::slice::from_ref(&between)).await, NONE);
        let before = world.stage.calls().len();
        assert_eq!(world.batch(&[login(3, "t", &["aa", "bb"])]).await, NONE);
        assert_eq!(world.stage.calls().len() - before, 1, "{between}");
        assert_eq!(world.bound("t"), ["aa/0", "bb/1"], "{between}");
    }
}

#[tokio::test]
async fn unknown_bindings_leave_a_device_unconfirmed() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
    world.stage.tpns.set_bindings("android", "t", [account("aa", 0), account("sdk", 9)]);
    world.check().await;
    assert_eq!(world.settle(&[login(2, "t", &["aa"])]).await, 1);
}

/// Without checks nothing would repair a drift.
#[tokio::test]
async fn without_a_check_queue_a_confirmed_device_gets_its_calls() {
    let mut world = World::new().await;
    world.settle(&[login(1, "t", &["aa"])]).await;
    let endpoint = world.aws.url();
    let settings = [("LEDGER_TABLE", TABLE), ("AWS_ENDPOINT_URL", endpoint.as_str())];
    world.stage.function = function(&world.stage.tpns.apps_document(), &settings);
    let before = world.stage.calls().len();
    assert_eq!(world.batch(&[login(2, "t", &["aa"])]).await, NONE);
    assert_eq!(world.stage.calls().len(), before + 1);
}

/// The row of a deletion might have expired.
#[tokio::test]
async fn a_confirmation_by_an_old_login_does_not_count() {
    let world = World::new().await;
    world.settle(&[login(1, "t", &["aa"])]).await;
    let old = format!("1{:019}.0.e", at(0) - 31 * 86_400_000);
    world.aws.with_table(TABLE, |table| {
        table.change_all(|row| {
            if row.text("confirmed").is_some() {
                row.insert("confirmed", old.as_str());
            }
        });
    });
    assert_eq!(world.settle(&[login(2, "t", &["aa"])]).await, 1);
    // Its check has confirmed it by the newer login.
    assert_eq!(world.settle(&[login(3, "t", &["aa"])]).await, 0);
}

/// Nine of ten events repeat the login of their device, as with an app that reports each start. No more than 15 % of them
/// may reach TPNS.
#[tokio::test]
async fn of_a_stream_of_nine_repeats_in_ten_few_items_reach_tpns() {
    const DEVICES: usize = 40;
    let world = World::new().await;
    let mut rng = Rng::with_seed(19);
    let mut accounts = [0_u32; DEVICES];
    let (mut events, mut items) = (0, 0);
    let sent = || world.stage.calls().iter().map(|(.., items)| items).sum::<usize>();
    for second in 0..40 {
        let batch = accounts.iter_mut().enumerate().map(|(device, account)| {
            *account += u32::from(second > 0 && rng.u8(..10) == 0);
            login(second, &format!("t{device}"), &[&format!("a{device}-{account}")])
        });
        let batch: Vec<_> = batch.collect();
        let before = sent();
        assert_eq!(world.batch(&batch).await, NONE);
        items += sent() - before;
        events += batch.len();
        world.check().await;
    }
    assert!(items * 100 <= events * 15, "{items} of {events}");
}
