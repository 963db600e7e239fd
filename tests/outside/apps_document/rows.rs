//! Which rows of the ledger belong to which app when the apps document is changed: an app is identified by its AccessID
//! and access point, not by its name.

use std::collections::BTreeMap;

use lambda_sim::{Fault as AwsFault, Operation, aws::dynamodb::Item};

use super::world::{ANDROID, App, IOS, NONE, TABLE, World, deletion, deliver, login, logout, reasons};
use crate::stage::at;

const PHONE: App = ("phone", "android", 0);
const MOVED: App = ("android", "android", 1);
/// android and ios with each other's name.
const SWAPPED: [App; 2] = [("ios", "android", 0), ("android", "ios", 0)];

/// A version in the released format.
fn version(second: u32, rank: u8, id: &str) -> String {
    format!("1{:019}.{rank}.{id}", at(second))
}

impl World {
    /// The attributes of a row that are text.
    fn row(&self, key: &str) -> BTreeMap<String, String> {
        let row = self.aws.with_table(TABLE, |table| table.get(key).cloned()).unwrap();
        let row = row.unwrap_or_else(|| panic!("no row {key}"));
        row.iter().filter_map(|(name, _)| Some((name.to_owned(), row.text(name)?.to_owned()))).collect()
    }

    fn keys(&self) -> Vec<String> {
        let keys = |table: &mut lambda_sim::aws::dynamodb::Table| {
            table.items().map(|item| item.text("pk").unwrap().to_owned()).collect::<Vec<_>>()
        };
        let mut keys = self.aws.with_table(TABLE, keys).unwrap();
        keys.sort();
        keys
    }

    fn identity(&self, (_, at_tpns, place): App) -> String {
        let access_id = self.document(&[(at_tpns, at_tpns, place)])[at_tpns]["access_id"].clone();
        format!("app:{access_id}@{}", self.tpns[place].address())
    }
}

#[tokio::test]
async fn a_renamed_app_keeps_its_rows() {
    // In a sandbox that notices the change, and in one that starts after it.
    for same in [true, false] {
        let world = World::new().await;
        world.put(&[ANDROID, IOS]);
        let sandbox = world.with_ledger();
        let first = [logout("android", 5, "t"), deletion(Some("android"), 5, "gone"), login("ios", 5, "u", "b")];
        assert_eq!(deliver(&sandbox, &first).await, NONE);
        world.put(&[PHONE, IOS]);
        let sandbox = if same { sandbox } else { world.with_ledger() };
        let stale = [login("phone", 4, "t", "a"), login("phone", 4, "v", "gone"), login("ios", 4, "u", "c")];
        assert_eq!(deliver(&sandbox, &stale).await, NONE);
        assert_eq!((world.bound(ANDROID, "t"), world.bound(ANDROID, "v")), (vec![], vec![]), "{same}");
        assert_eq!(world.bound(IOS, "u"), ["b"], "{same}");
        // And back again.
        world.put(&[ANDROID]);
        let sandbox = world.with_ledger();
        assert_eq!(deliver(&sandbox, &[login("android", 3, "t", "a")]).await, NONE);
        assert_eq!(world.bound(ANDROID, "t"), NONE, "{same}");
    }
}

#[tokio::test]
async fn apps_that_swap_their_names_keep_their_own_rows() {
    let world = World::new().await;
    world.put(&[ANDROID, IOS]);
    assert_eq!(deliver(&world.with_ledger(), &[logout("android", 5, "t"), login("ios", 1, "t", "b")]).await, NONE);
    world.put(&SWAPPED);
    let stale = [login("ios", 4, "t", "a"), login("android", 2, "t", "c")];
    assert_eq!(deliver(&world.with_ledger(), &stale).await, NONE);
    assert_eq!(world.bound(ANDROID, "t"), NONE, "signed out of the app that is now named ios");
    assert_eq!(world.bound(IOS, "t"), ["c"], "the app that is now named android");
}

#[tokio::test]
async fn an_app_at_another_access_point_has_rows_of_its_own() {
    let world = World::new().await;
    world.put(&[ANDROID]);
    assert_eq!(deliver(&world.with_ledger(), &[logout("android", 5, "t"), deletion(None, 5, "a")]).await, NONE);
    world.put(&[MOVED]);
    let sandbox = world.with_ledger();
    assert_eq!(deliver(&sandbox, &[login("android", 4, "t", "a")]).await, NONE);
    assert_eq!(world.bound(MOVED, "t"), ["a"], "another access point, for which the ledger has no row of the device");
    let [own, other] = [world.identity(ANDROID), world.identity(MOVED)];
    let row = world.row("apps");
    assert_eq!(row[&own], "android");
    assert_eq!(row[&other], format!("android@{}", &other["app:".len()..]));
    assert_eq!(world.keys().len(), 4, "{:?}", world.keys());
    // Both at the same time: each has its own rows.
    world.put(&[MOVED, PHONE]);
    let sandbox = world.with_ledger();
    let both = [login("phone", 4, "t", "b"), login("android", 3, "t", "c")];
    assert_eq!(deliver(&sandbox, &both).await, NONE);
    assert_eq!((world.bound(ANDROID, "t"), world.bound(MOVED, "t")), (vec![], vec!["a".to_owned()]));
}

#[tokio::test]
async fn rows_of_the_released_format_are_read() {
    for before in [None, Some(&[ANDROID, IOS][..])] {
        let world = World::new().await;
        // printf '0\0gone\0android' | sha256sum
        let gone = "account#android#810130687dc8125a310dec7c1fe41231f718d9b61cda1b5a26ace1602966a50b";
        world.aws.with_table(TABLE, |table| {
            let out =
                Item::new().with("owner", version(5, 1, "e1")).with("accounts", "{}").with("expires_at", 1_i64 << 40);
            table.put("device#android#t", out);
            let bound = Item::new().with("owner", version(5, 0, "e2")).with("accounts", r#"{"0":"b"}"#);
            table.put("device#ios#u", bound.with("expires_at", 1_i64 << 40));
            table.put(gone, Item::new().with("deleted", version(5, 2, "e3")).with("expires_at", 1_i64 << 40));
        });
        let mut names = ("android", "ios");
        world.put(&[ANDROID, IOS]);
        if let Some(before) = before {
            // The new version runs once, and then the app is renamed.
            world.put(before);
            assert_eq!(deliver(&world.with_ledger(), &[login("android", 1, "w", "x")]).await, NONE);
            world.put(&[PHONE, ("tablet", "ios", 0)]);
            names = ("phone", "tablet");
        }
        let stale = [login(names.0, 4, "t", "a"), login(names.1, 4, "u", "c"), login(names.0, 4, "v", "gone")];
        assert_eq!(deliver(&world.with_ledger(), &stale).await, NONE);
        assert_eq!((world.bound(ANDROID, "t"), world.bound(ANDROID, "v")), (vec![], vec![]), "{names:?}");
        assert_eq!(world.bound(IOS, "u"), ["b"], "{names:?}");
    }
}

#[tokio::test]
async fn two_sandboxes_that_use_an_app_for_the_first_time_agree_on_its_rows() {
    let world = World::new().await;
    // The quick one starts while it can't read the table, so it writes nothing in its Init; and it has no cold start while
    // the slow one's Init is held, which ends after 1.5 s.
    world.put(&[PHONE]);
    let quick = world.with_ledger();
    world.aws.fail_next(Operation::BatchGetItem, usize::MAX, AwsFault::AccessDenied);
    assert_eq!(deliver(&quick, &[]).await, NONE);
    world.aws.clear_faults();
    world.put(&[ANDROID, IOS]);
    let slow = world.with_ledger();
    // It is about to record that the rows of its app are named android.
    let gate = world.aws.hold(Operation::UpdateItem, 1);
    let bodies = [login("android", 1, "t", "a")];
    let overtaken = deliver(&slow, &bodies);
    let overtaking = async {
        gate.reached().await;
        assert_eq!(deliver(&quick, &[logout("phone", 2, "t")]).await, NONE);
        gate.release();
    };
    let (failed, ()) = futures_util::future::join(overtaken, overtaking).await;
    assert_eq!((failed, world.bound(ANDROID, "t")), (vec![], vec![]));
    assert_eq!(world.row("apps")[&world.identity(ANDROID)], "phone");
    assert_eq!(world.row("apps")[&world.identity(IOS)], "ios");
    assert_eq!(world.keys(), ["apps", "device#phone#t"]);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_is_found_in_the_row() {
    let world = World::new().await;
    world.put(&[ANDROID]);
    world.aws.fail_next(Operation::UpdateItem, 1, AwsFault::CloseAfterwards);
    assert_eq!(deliver(&world.with_ledger(), &[login("android", 1, "t", "a")]).await, NONE);
    assert_eq!(world.keys(), ["apps", "device#android#t"]);
}

#[tokio::test]
async fn the_app_keys_are_read_once_per_sandbox_and_never_guessed() {
    let world = World::new().await;
    world.put(&[ANDROID]);
    let sandbox = world.with_ledger();
    for (operation, fault, reason) in [
        (Operation::BatchGetItem, AwsFault::AccessDenied, "ledger_unreachable"),
        (Operation::BatchGetItem, AwsFault::Throttling, "ledger_throttled"),
        (Operation::UpdateItem, AwsFault::AccessDenied, "ledger_unreachable"),
    ] {
        world.aws.fail_next(operation, usize::MAX, fault);
        assert_eq!(
            deliver(&sandbox, &[logout("android", 1, "t"), deletion(Some("android"), 1, "a")]).await,
            ["m0", "m1"]
        );
        assert_eq!(reasons(&sandbox).last().unwrap(), reason);
        world.aws.clear_faults();
    }
    assert_eq!((world.keys().len(), world.calls(ANDROID, 4), world.calls(ANDROID, 5)), (0, 0, 0));
    // A row that the function did not write.
    for (name, value) in [("app:1@localhost", 5_i64.into()), ("revision", "x".into())] {
        let value: lambda_sim::aws::dynamodb::AttributeValue = value;
        world.aws.with_table(TABLE, |table| table.put("apps", Item::new().with(name, value)));
        assert_eq!(deliver(&sandbox, &[logout("android", 1, "t")]).await, ["m0"], "{name}");
        assert_eq!(reasons(&sandbox).last().unwrap(), "ledger_unreadable", "{name}");
    }
    world.aws.with_table(TABLE, |table| _ = table.remove("apps"));
    let reads = |world: &World| world.requests(Operation::BatchGetItem);
    assert_eq!(deliver(&sandbox, &[deletion(Some("android"), 1, "a")]).await, NONE);
    let before = reads(&world);
    assert_eq!(deliver(&sandbox, &[deletion(Some("android"), 1, "b")]).await, NONE);
    assert_eq!(reads(&world), before, "the keys are already known");
}
