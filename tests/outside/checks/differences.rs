//! What a check does about bindings that are not those of the row.

use std::time::Duration;

use serde_json::json;

use super::{NONE, TABLE, World, account, body};
use crate::stage::{login, logout_of};

#[tokio::test]
async fn what_differs_by_hand_is_repaired_with_two_calls_that_commute() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
    world.check().await;
    world.stage.tpns.set_bindings("android", "t", [account("bb", 0)]);
    let calls = world.stage.calls().len();
    let check = body(json!({"app": "android", "token": "t"}));
    assert_eq!(world.deliver(std::slice::from_ref(&check), 1).await, ["m0"]);
    assert_eq!(world.bound("t"), ["aa/0"]);
    let mut types: Vec<_> = world.stage.calls()[calls..].iter().map(|call| call.1).collect();
    types.sort_unstable();
    // The query by token, operator_type 2, and operator_type 3.
    assert_eq!(types, [2, 2, 3]);
    assert_eq!(world.deliver(&[check], 2).await, NONE);
}

#[tokio::test]
async fn bindings_that_nothing_is_known_of_are_counted_or_removed() {
    for (setting, bound) in [("report", &["aa/0", "sdk/9"][..]), ("remove", &["aa/0"])] {
        let world = World::with(&[("UNKNOWN_BINDINGS", setting)]).await;
        assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
        world.stage.tpns.set_bindings("android", "t", [account("aa", 0), account("sdk", 9)]);
        world.check().await;
        assert_eq!(world.bound("t"), bound, "{setting}");
        assert!(world.metric("Unknown") >= 1, "{setting}");
    }
}

/// The app writes accounts in another way than TPNS shows them: each look would repair the same again.
#[tokio::test]
async fn an_app_most_of_whose_devices_differ_at_a_second_look_is_not_repaired() {
    let world = World::new().await;
    let logins: Vec<_> = (0..20).map(|n| login(n, &format!("t{n}"), &["aa"])).collect();
    assert_eq!(world.batch(&logins).await, NONE);
    for n in 0..20 {
        world.stage.tpns.set_bindings("android", &format!("t{n}"), [account("AA", 0)]);
    }
    let calls = world.stage.calls().len();
    let sent = world.sent();
    assert_eq!(world.deliver(&sent, 2).await, ["m0"]);
    assert_eq!(world.stage.calls().len(), calls + 1, "one query");
    let printed = world.stage.printed();
    assert_eq!(printed.matches("TPNS writes its accounts in another way").count(), 1);
}

/// An outage whose queries failed too, so that no earlier delivery repaired anything.
#[tokio::test]
async fn devices_without_accounts_or_with_earlier_ones_are_repaired_also_if_they_are_most_of_an_app() {
    let world = World::new().await;
    let logins = |from: u32, account: &str| -> Vec<_> {
        (0..20).map(|n| login(from + n, &format!("t{n}"), &[account])).collect()
    };
    assert_eq!(world.batch(&logins(0, "aa")).await, NONE);
    assert_eq!(world.batch(&logins(20, "bb")).await, NONE);
    for n in 0..20 {
        let left = (n % 2 == 1).then(|| account("aa", 0));
        world.stage.tpns.set_bindings("android", &format!("t{n}"), left);
    }
    assert_eq!(world.deliver(&world.sent(), 2).await, ["m0", "m1"]);
    assert!((0..20).all(|n| world.bound(&format!("t{n}")) == ["bb/0"]));
    assert!(!world.stage.printed().contains("in another way"));
}

/// What the row remembers is unbound with each push, until TPNS was seen to be without it.
#[tokio::test]
async fn a_row_forgets_what_tpns_is_seen_not_to_have() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["aa", "bb"])]).await, NONE);
    assert_eq!(world.batch(&[logout_of(2, "t", "aa")]).await, NONE);
    let remembers = |name: &str| {
        let rows = |table: &mut lambda_sim::aws::dynamodb::Table| {
            table.items().any(|item| item.to_json().to_string().contains(name))
        };
        world.aws.with_table(TABLE, rows).unwrap()
    };
    assert_eq!(world.batch(&[login(3, "t", &["cc"])]).await, NONE);
    assert!(remembers("had:1:bb"));
    // The row has to be older than the checks wait, in whole seconds.
    tokio::time::sleep(Duration::from_millis(2100)).await;
    assert_eq!(world.check().await, 1);
    assert!(!remembers("had:1:bb"));
    assert!(remembers("had:0:cc"));
    let calls = world.stage.calls().len();
    assert_eq!(world.batch(&[login(4, "t", &["dd"])]).await, NONE);
    assert_eq!(world.stage.calls().len(), calls + 1, "nothing else is unbound");
}
