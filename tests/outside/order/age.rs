//! Which age an event may have, and rows of older versions.

use super::*;

/// With a ledger, logouts and deletions are applied at any age; a login is refused for its age.
#[tokio::test]
async fn a_logout_or_deletion_of_any_age_is_applied_if_the_ledger_knows_nothing_newer() {
    let days = |days: i64, mut event: Value| {
        event["occurred_at"] = json!(at(0) - days * 86_400_000);
        event.to_string()
    };
    let deletion = || json!({"type": "account.deleted", "account_list": [{"account": "a"}]});
    let logout_of = || event("user.logout", Some("a"), json!({}));
    for (name, before, old, bound) in [
        ("a logout of all", None, days(20, signs_out()), &[][..]),
        ("a logout of the account", None, days(20, logout_of()), &[]),
        ("a deletion", None, days(20, deletion()), &[]),
        ("a logout of years ago", None, days(2000, signs_out()), &[]),
        ("a logout, after a login that the ledger knows", Some(login(1, "t", &["a"])), days(20, signs_out()), &["a/0"]),
        ("a deletion, after such a login", Some(login(1, "t", &["b"])), days(20, deletion()), &["b/0"]),
    ] {
        let world = World::new().await;
        match before {
            Some(login) => assert_eq!(world.batch(&[login]).await, NONE),
            // Bound by a function without a ledger.
            None => {
                let other = function(&world.stage.tpns.apps_document(), &[]);
                other.invoke(sqs_event(&[("m", &login(1, "t", &["a"]))])).await.unwrap();
                assert_eq!(world.stage.bound("android", "t"), ["a/0"]);
            }
        }
        assert_eq!(world.batch(&[old]).await, NONE, "{name}");
        assert_eq!(world.stage.bound("android", "t"), bound, "{name}");
    }
    let world = World::new().await;
    assert_eq!(world.batch(&[days(20, signs_in("a"))]).await, ["m0"]);
    assert_eq!(world.reasons(), ["too_old"]);
}

#[tokio::test]
async fn a_logout_by_a_clock_days_ahead_is_applied_with_the_time_it_was_sent() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["a"])]).await, NONE);
    let ahead = |seconds| {
        json!({"type": "user.logout", "app": "android", "token": "t", "occurred_at": at(seconds)}).to_string()
    };
    assert_eq!(world.batch(&[ahead(10 * 86_400)]).await, NONE);
    assert_eq!(world.stage.bound("android", "t"), NONE);
    assert_eq!(world.batch(&[occurred(10 * 86_400, signs_in("a")).to_string()]).await, ["m0"]);
    assert_eq!(world.reasons(), ["in_the_future"]);
}

#[tokio::test]
async fn without_a_ledger_age_and_clock_are_refused_for_all_events() {
    let stage = Stage::with(&[("MAX_EVENT_AGE", "14d")]).await;
    for (days, reason) in [(-20, "too_old"), (20, "in_the_future")] {
        let mut logout = signs_out();
        logout["occurred_at"] = json!(at(0) + days * 86_400_000);
        assert_eq!(stage.batch(&[logout.to_string()]).await, ["m0"]);
        assert_eq!(stage.lines("event failed").last().unwrap()["reason"], reason);
    }
}

/// Rows in the format of the first released version.
#[tokio::test]
async fn rows_of_the_released_format_are_read() {
    let version = |second: u32, rank: u8, id: &str| format!("1{:019}.{rank}.{id}", at(second));
    for (name, row, event, bound) in [
        (
            "an owner",
            vec![("owner", version(5, 0, "z")), ("accounts", r#"{"0":"a"}"#.to_owned())],
            login(4, "t", &["b"]),
            &["a/0"][..],
        ),
        (
            "an owner of that very time",
            vec![("owner", version(5, 0, "z")), ("accounts", r#"{"0":"a"}"#.to_owned())],
            logout(5, "t"),
            &[],
        ),
        (
            "a logout of all",
            vec![("owner", version(5, 1, "z")), ("accounts", "{}".to_owned())],
            login(4, "t", &["b"]),
            &[],
        ),
        ("a logout of an account", vec![("out:0:b", version(5, 1, "z"))], login(4, "t", &["b"]), &[]),
    ] {
        let world = World::new().await;
        let item = row.into_iter().fold(Item::new(), |item, (name, value)| item.with(name, value.as_str()));
        world.aws.with_table(TABLE, |table| table.put("device#android#t", item));
        assert_eq!(world.batch(&[event]).await, NONE, "{name}");
        assert_eq!(world.stage.bound("android", "t"), bound, "{name}");
    }
}
