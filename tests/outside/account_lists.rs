//! The accounts of a logout compared with those of the device: omitted account types, accounts that are not bound, and
//! rows that must not exceed the size of an item.

use lambda_sim::{Operation, aws::dynamodb::Item};
use serde_json::{Value, json};

use crate::{
    ledger::{NONE, TABLE, World},
    stage::{Stage, at, deletion, login, logout, logout_of},
};

/// A login or logout of these accounts; `None` omits the type.
fn event(kind: &str, second: u32, accounts: &[(&str, Option<u32>)]) -> String {
    let account = |(name, account_type): &(&str, Option<u32>)| {
        let mut account = json!({"account": name});
        if let Some(account_type) = account_type {
            account["account_type"] = json!(account_type);
        }
        account
    };
    let list: Vec<_> = accounts.iter().map(account).collect();
    json!({"type": kind, "occurred_at": at(second), "app": "android", "token": "t", "account_list": list}).to_string()
}

fn signs_in(second: u32, accounts: &[(&str, Option<u32>)]) -> String {
    event("user.login", second, accounts)
}

fn signs_out(second: u32, accounts: &[(&str, Option<u32>)]) -> String {
    event("user.logout", second, accounts)
}

/// Each: a name, the events in their order, and what is bound in the end.
fn omitted_types() -> Vec<(&'static str, Vec<String>, &'static [&'static str])> {
    const MAIL: &str = "a@example.com";
    let as_mail = |second| signs_in(second, &[(MAIL, Some(1005))]);
    let without_type = |second| signs_out(second, &[(MAIL, None)]);
    vec![
        ("a login under a type, a logout without", vec![as_mail(1), without_type(2)], &[]),
        (
            "an account under two types",
            vec![signs_in(1, &[(MAIL, None), (MAIL, Some(1005)), ("b", Some(3))]), without_type(2)],
            &["b/3"],
        ),
        ("one account of two", vec![signs_in(1, &[(MAIL, Some(1005)), ("b", None)]), without_type(2)], &["b/0"]),
        (
            "a type that is named is that type",
            vec![as_mail(1), signs_out(2, &[(MAIL, Some(0))])],
            &["a@example.com/1005"],
        ),
        ("a logout that is older than the login", vec![as_mail(3), without_type(2)], &["a@example.com/1005"]),
        (
            "a logout without types, then one of a type, then an older login",
            vec![without_type(4), signs_out(2, &[(MAIL, Some(1005))]), as_mail(3)],
            &[],
        ),
        (
            "a logout of a type, then an older one without types, then a login between them",
            vec![signs_out(4, &[(MAIL, Some(1005))]), without_type(2), as_mail(3)],
            &[],
        ),
        (
            "the same login under another type",
            vec![signs_out(4, &[(MAIL, Some(1005))]), without_type(2), signs_in(3, &[(MAIL, None)])],
            &["a@example.com/0"],
        ),
        ("a login after it", vec![as_mail(1), without_type(2), as_mail(3)], &["a@example.com/1005"]),
    ]
}

#[tokio::test]
async fn an_account_without_type_in_a_logout_is_the_devices_account_of_that_name() {
    for (name, events, bound) in omitted_types() {
        let stage = Stage::new().await;
        assert_eq!(stage.batch(&events).await, NONE, "{name}");
        assert_eq!(stage.bound("android", "t"), bound, "{name}");
        let world = World::new().await;
        for event in events {
            assert_eq!(world.batch(&[event]).await, NONE, "{name}");
        }
        assert_eq!(world.stage.bound("android", "t"), bound, "{name}, each in a batch of its own");
    }
}

/// The device's login is not known: as in TPNS's documents, an omitted type is type 0.
#[tokio::test]
async fn without_a_known_login_an_account_without_type_is_of_type_0() {
    let stage = Stage::new().await;
    assert_eq!(stage.batch(&[signs_in(1, &[("a", None), ("a", Some(7)), ("b", Some(3))])]).await, NONE);
    assert_eq!(stage.batch(&[signs_out(2, &[("a", None)])]).await, NONE);
    assert_eq!(stage.bound("android", "t"), ["b/3", "a/7"]);
    assert_eq!(stage.calls().last().unwrap(), &("android".to_owned(), 3, 1));
}

/// The reasons of the lines of applied events, and the metric.
fn unbound_nothing(stage: &Stage) -> (Vec<Value>, i64) {
    let lines = stage.lines("event applied");
    let reasons = lines.iter().filter(|line| !line["reason"].is_null());
    let metrics = stage.metrics();
    (
        reasons.map(|line| json!([line["level"], line["reason"], line["outcome"]])).collect(),
        metrics.iter().map(|line| line["AccountNotBound"].as_i64().unwrap()).sum(),
    )
}

#[tokio::test]
async fn a_logout_that_leaves_a_similar_account_bound_is_reported() {
    let reported = || (vec![json!(["WARN", "account_not_bound", "applied"])], 1);
    let quiet = || (vec![], 0);
    for (name, bound, out, expected) in [
        ("other capitals", ("A@example.com", Some(1005)), ("a@example.com", Some(1005)), reported()),
        ("another Unicode form", ("e\u{301}", None), ("\u{e9}", None), reported()),
        ("without the country's code", ("+8613700000000", None), ("13700000000", None), reported()),
        ("another type", ("a", Some(1005)), ("a", Some(0)), reported()),
        ("the account", ("a", Some(1005)), ("a", Some(1005)), quiet()),
        ("the account, its type omitted", ("a", Some(1005)), ("a", None), quiet()),
    ] {
        let world = World::new().await;
        assert_eq!(world.batch(&[signs_in(1, &[bound])]).await, NONE, "{name}");
        assert_eq!(world.batch(&[signs_out(2, &[out])]).await, NONE, "{name}");
        assert_eq!(unbound_nothing(&world.stage), expected, "{name}");
    }
}

#[tokio::test]
async fn a_logout_that_misses_one_of_two_accounts_is_reported_while_the_other_is_bound() {
    let world = World::new().await;
    assert_eq!(world.batch(&[signs_in(1, &[("a", Some(0)), ("b", Some(1))])]).await, NONE);
    assert_eq!(world.batch(&[signs_out(2, &[("a", None), ("B", None)])]).await, NONE);
    assert_eq!(unbound_nothing(&world.stage).1, 1);
}

/// The missed account is not bound either, so there is nothing to report; otherwise every logout of a fixed list of
/// accounts would be reported.
#[tokio::test]
async fn a_logout_that_leaves_no_account_bound_is_not_reported() {
    for before in [
        vec![logout(1, "t")],
        vec![login(1, "t", &["a"]), logout_of(2, "t", "a")],
        vec![login(1, "t", &["a"]), deletion(2, "a")],
        vec![],
    ] {
        let world = World::new().await;
        for event in before {
            assert_eq!(world.batch(&[event]).await, NONE);
        }
        assert_eq!(world.batch(&[signs_out(3, &[("x", None)])]).await, NONE);
        assert_eq!(unbound_nothing(&world.stage), (vec![], 0));
    }
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["a"])]).await, NONE);
    assert_eq!(world.batch(&[signs_out(2, &[("a", None), ("x", None)])]).await, NONE);
    assert_eq!(unbound_nothing(&world.stage), (vec![], 0));
}

/// A name of the maximum length in bytes.
fn long(n: usize) -> String {
    format!("{n:04}{}", "\u{10ffff}".repeat(96)).replace('\u{10ffff}', "\u{1f980}")
}

#[tokio::test]
async fn twelve_hundred_long_accounts_signed_out_of_one_device_fit_into_its_row() {
    let world = World::new().await;
    for twelfth in 0..12 {
        let names: Vec<_> = (0..100).map(|n| long(twelfth * 100 + n)).collect();
        let accounts: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
        let second = u32::try_from(twelfth).unwrap() + 10;
        assert_eq!(world.batch(&[signs_out(second, &accounts)]).await, NONE, "{twelfth}");
    }
    assert_eq!(world.batch(&[signs_in(5, &[(&long(1199), None)])]).await, NONE);
    assert_eq!(world.stage.bound("android", "t"), NONE, "it was signed out later");
    assert_eq!(world.batch(&[signs_in(30, &[(&long(1199), None)])]).await, NONE);
    assert_eq!(world.stage.bound("android", "t").len(), 1);
}

#[tokio::test]
async fn twelve_hundred_accounts_signed_out_in_one_batch_are_completed_in_it() {
    let world = World::new().await;
    let events: Vec<_> = (0..12)
        .map(|twelfth| {
            let names: Vec<_> = (0..100).map(|n| format!("account-{}", twelfth * 100 + n)).collect();
            let accounts: Vec<_> = names.iter().map(|name| (name.as_str(), None)).collect();
            signs_out(u32::try_from(twelfth).unwrap() + 10, &accounts)
        })
        .collect();
    assert_eq!(world.batch(&events).await, NONE);
    assert!(world.requests(Operation::UpdateItem) <= 2, "{}", world.requests(Operation::UpdateItem));
    assert_eq!(world.batch(&[signs_in(5, &[("account-7", None)])]).await, NONE);
    assert_eq!(world.stage.bound("android", "t"), NONE);
}

/// A row of the released format could grow until DynamoDB refused it.
#[tokio::test]
async fn a_row_that_is_full_is_reported_as_full() {
    let world = World::new().await;
    let version = format!("1{:019}.1.z", at(1));
    let item =
        (0..1000).fold(Item::new(), |item, n| item.with(format!("out:0:{}", &long(n)).as_str(), version.as_str()));
    assert!(world.aws.with_table(TABLE, |table| table.put("device#android#t", item)).is_some());
    assert_eq!(world.batch(&[signs_out(2, &[("another", None)])]).await, ["m0"]);
    assert_eq!(world.reasons(), ["ledger_row_full"]);
    assert!(world.stage.printed().contains("has reached the 400 KB of a DynamoDB item; delete the row"));
}
