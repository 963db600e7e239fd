//! The ledger: exact order across invocations and processes, on a queue that delivers events late, twice and shuffled.
//!
//! Every read that is not consistent returns the state before the last write.

mod keys;
mod other_stores;
mod rows;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use lambda_sim::{AwsApi, Fault as AwsFault, Function, Operation, Outcome, RunningAwsApi, aws::dynamodb::Item};
use serde_json::Value;
use tpns_sim::Fault;

use crate::stage::{Stage, at, deletion, failures, function, login, logout, logout_of, numbered, with_ledger_keys};

pub(crate) const TABLE: &str = "ledger";
pub(crate) const NONE: [&str; 0] = [];

/// A function with a ledger, and the services it uses.
pub(crate) struct World {
    pub(crate) aws: RunningAwsApi,
    pub(crate) stage: Stage,
    /// A second process on the same table.
    other: Arc<Function>,
    /// The requests to AWS before the test.
    before: usize,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_keys(&[]).await
    }

    /// With these keys in the apps document.
    async fn with_keys(keys: &[&str]) -> Self {
        let aws = AwsApi::start().await.unwrap();
        aws.create_table(TABLE, "pk");
        aws.stale_reads(true);
        let endpoint = aws.url();
        let settings = [("LEDGER_TABLE", TABLE), ("AWS_ENDPOINT_URL", &endpoint), ("TPNS_MAX_ATTEMPTS", "1")];
        let mut stage = Stage::with(&settings).await;
        let other = function(&with_ledger_keys(&stage.tpns.apps_document(), keys), &settings);
        if !keys.is_empty() {
            stage.function = function(&with_ledger_keys(&stage.tpns.apps_document(), keys), &settings);
        }
        // Each process reads the app keys once (`apps_document`).
        for each in [&stage.function, &other] {
            let body = deletion(0, "nobody").replace("account_list", r#"app":"android","account_list"#);
            assert_eq!(deliver(each, &[body]).await, NONE);
        }
        aws.with_table(TABLE, |table| {
            let keys: Vec<_> = table.items().map(|item| item.text("pk").unwrap().to_owned()).collect();
            keys.iter().filter(|key| *key != "apps").for_each(|key| _ = table.remove(key));
        });
        stage.tpns.reset();
        let before = aws.requests().len();
        Self { aws, stage, other, before }
    }

    pub(crate) async fn batch(&self, bodies: &[String]) -> Vec<String> {
        deliver(&self.stage.function, bodies).await
    }

    pub(crate) fn requests(&self, operation: Operation) -> usize {
        self.aws.requests()[self.before..].iter().filter(|request| request.operation == Some(operation)).count()
    }

    /// The rows of devices and accounts.
    pub(crate) fn items(&self) -> Vec<Item> {
        let is_row = |item: &&Item| item.text("pk") != Some("apps");
        self.aws.with_table(TABLE, |table| table.items().filter(is_row).cloned().collect()).unwrap()
    }

    /// The same, as text.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.items().iter().map(|item| item.to_json().to_string()).collect()
    }

    /// The reasons of the events that failed, in the log of the first process.
    pub(crate) fn reasons(&self) -> Vec<String> {
        let lines = self.stage.lines("event failed");
        lines.iter().map(|line| line["reason"].as_str().unwrap().to_owned()).collect()
    }

    fn calls_of(&self, operator_type: i64) -> usize {
        self.stage.calls().iter().filter(|call| call.1 == operator_type).count()
    }
}

async fn deliver(function: &Function, bodies: &[String]) -> Vec<String> {
    match function.invoke(numbered(bodies)).await.unwrap().outcome {
        Outcome::Response { body } => failures(&serde_json::from_slice::<Value>(&body).unwrap()),
        other => panic!("{other:?}\n{}", String::from_utf8_lossy(&function.output().unwrap())),
    }
}

/// Each: the first event, which fails at TPNS; the next one, which is applied; and what is bound after the redelivery
/// of the first.
#[tokio::test]
async fn an_event_that_is_redelivered_after_a_newer_one_changes_nothing() {
    let login_a = || login(1, "t", &["a"]);
    let cases: Vec<(&str, String, String, &[&str])> = vec![
        ("login, logout", login_a(), logout(2, "t"), &[]),
        ("login, logout of the account", login_a(), logout_of(2, "t", "a"), &[]),
        ("login, login of another account", login_a(), login(2, "t", &["b"]), &["b/0"]),
        ("login, deletion", login_a(), deletion(2, "a"), &[]),
        ("login and logout at the same time", login(2, "t", &["a"]), logout(2, "t"), &[]),
        ("login and deletion at the same time", login(2, "t", &["a"]), deletion(2, "a"), &[]),
        ("logout, login", logout(1, "t"), login(2, "t", &["b"]), &["b/0"]),
        ("logout of the account, login", logout_of(1, "t", "b"), login(2, "t", &["b"]), &["b/0"]),
        ("login of two, logout of one", login(1, "t", &["a", "b"]), logout_of(2, "t", "a"), &["b/1"]),
    ];
    for (world, (name, first, then, bound)) in [World::new().await, World::with_keys(&[keys::FIRST]).await]
        .iter()
        .flat_map(|world| cases.iter().map(move |case| (world, case.clone())))
    {
        world.stage.tpns.reset();
        world.aws.create_table(TABLE, "pk");
        world.stage.tpns.fault(Fault::status(503));
        assert_eq!(world.batch(std::slice::from_ref(&first)).await, ["m0"], "{name}");
        assert_eq!(deliver(&world.other, std::slice::from_ref(&then)).await, NONE, "{name}");
        assert_eq!(world.batch(std::slice::from_ref(&first)).await, NONE, "{name}");
        assert_eq!(world.stage.bound("android", "t"), *bound, "{name}");
        // Both again, in the wrong order.
        assert_eq!(world.batch(&[then]).await, NONE, "{name}");
        assert_eq!(deliver(&world.other, &[first]).await, NONE, "{name}");
        assert_eq!(world.stage.bound("android", "t"), *bound, "{name}, again");
    }
}

#[tokio::test]
async fn a_superseded_event_pushes_the_winning_state() {
    let world = World::new().await;
    assert_eq!(world.batch(&[logout(2, "t")]).await, NONE);
    // An older call of a killed process takes effect late.
    assert_eq!(world.rows().len(), 1);
    let calls = world.stage.calls().len();
    assert_eq!(world.batch(&[login(1, "t", &["a"])]).await, NONE);
    assert_eq!(world.stage.calls()[calls..], [("android".to_owned(), 4, 1)]);
    let lines = world.stage.lines("event superseded");
    assert_eq!(lines.len(), 1);
}

#[tokio::test]
async fn a_login_that_is_superseded_before_its_push_is_undone_after_it() {
    for (name, newer, bound) in [
        ("logout", logout(2, "t"), &[][..]),
        ("logout of the account", logout_of(2, "t", "a"), &[]),
        ("another account", login(2, "t", &["b"]), &["b/0"]),
        ("deletion", deletion(2, "a"), &[]),
    ] {
        let world = World::new().await;
        // It has merged, but does not yet know whether its account is deleted.
        let gate = world.aws.hold_answer(Operation::BatchGetItem, 1);
        let bodies = [login(1, "t", &["a"])];
        let slow = world.batch(&bodies);
        let overtaking = async {
            gate.reached().await;
            // The row is written side by side with this read.
            while world.items().is_empty() {
                tokio::time::sleep(std::time::Duration::from_millis(1)).await;
            }
            assert_eq!(deliver(&world.other, &[newer]).await, NONE, "{name}");
            gate.release();
        };
        let (failed, ()) = futures_util::future::join(slow, overtaking).await;
        assert_eq!(failed, NONE, "{name}");
        assert_eq!(world.stage.bound("android", "t"), *bound, "{name}");
        assert!(world.calls_of(2) >= 1, "{name}: the test needs the login to be pushed");
    }
}

#[tokio::test]
async fn a_process_killed_between_push_and_verify_is_repaired_by_the_redelivery() {
    let world = World::new().await;
    let gate = world.aws.hold(Operation::BatchGetItem, 2);
    let killed = async {
        let outcome = world.stage.function.invoke(numbered(&[login(1, "t", &["a"])])).await.unwrap().outcome;
        assert!(matches!(outcome, Outcome::Exited { .. }), "{outcome:?}");
    };
    let killing = async {
        gate.reached().await;
        assert_eq!(world.stage.bound("android", "t"), ["a/0"]);
        world.stage.function.kill();
        gate.release();
    };
    futures_util::future::join(killed, killing).await;
    assert_eq!(deliver(&world.other, &[logout(2, "t")]).await, NONE);
    assert_eq!(world.batch(&[login(1, "t", &["a"])]).await, NONE);
    assert_eq!(world.stage.bound("android", "t"), NONE);
}

#[tokio::test]
async fn an_event_of_a_device_that_keeps_changing_is_redelivered() {
    let world = World::new().await;
    let bodies = [login(1, "t", &["a"])];
    let slow = world.batch(&bodies);
    let meddling = async {
        // Before each read another account has signed in.
        for second in 0.. {
            let gate = world.aws.hold(Operation::BatchGetItem, 1);
            gate.reached().await;
            let accounts = format!("other{second}");
            let version = format!("1{:019}.0.meddler", 4_000_000_000_000_u64 + second);
            world.aws.with_table(TABLE, |table| {
                let key = "device#android#t";
                // The first read is of the account's row, and may happen before the device has one.
                if let Some(item) = table.get(key).cloned() {
                    let item = item.with("owner", version.as_str());
                    table.put(key, item.with("accounts", format!(r#"{{"0":"{accounts}"}}"#)));
                }
            });
            gate.release();
        }
        unreachable!("as long as the function reads, the row changes")
    };
    let failed = tokio::select! {
        failed = slow => failed,
        never = meddling => never,
    };
    assert_eq!(failed, ["m0"]);
    assert_eq!(world.reasons(), ["ledger_keeps_changing"]);
}

#[tokio::test]
async fn a_failure_of_the_table_fails_the_event_pushes_nothing_and_leaves_no_trace() {
    let world = World::new().await;
    for (n, (operation, fault, reason)) in [
        (Operation::UpdateItem, AwsFault::Throttling, "ledger_throttled"),
        (Operation::UpdateItem, AwsFault::ProvisionedThroughputExceeded, "ledger_throttled"),
        (Operation::UpdateItem, AwsFault::InternalError, "ledger_unreachable"),
        (Operation::UpdateItem, AwsFault::AccessDenied, "ledger_unreachable"),
        (Operation::UpdateItem, AwsFault::Close, "ledger_unreachable"),
        (Operation::UpdateItem, AwsFault::CloseAfterwards, "ledger_unreachable"),
        (Operation::BatchGetItem, AwsFault::Throttling, "ledger_throttled"),
        (Operation::BatchGetItem, AwsFault::ServiceUnavailable, "ledger_unreachable"),
        (Operation::BatchGetItem, AwsFault::Hang, "ledger_unreachable"),
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("{operation} {fault:?}");
        let (token, account) = (format!("t{n}"), format!("a{n}"));
        let calls = world.stage.calls().len();
        world.aws.fail_next(operation, usize::MAX, fault);
        assert_eq!(world.batch(&[login(1, &token, &[&account])]).await, ["m0"], "{name}");
        assert_eq!(world.reasons().last().unwrap(), reason, "{name}");
        assert_eq!(world.stage.lines("batch done").last().unwrap()["ledger_failed"], 1, "{name}");
        assert_eq!(world.stage.calls().len(), calls, "{name}: never without the table");
        world.aws.clear_faults();
        assert_eq!(world.batch(&[login(1, &token, &[&account])]).await, NONE, "{name}");
        assert_eq!(world.stage.bound("android", &token), [format!("{account}/0")], "{name}");
    }
    let printed = world.stage.printed();
    let errors: Vec<_> =
        printed.lines().filter(|line| line.contains("LEDGER_TABLE: ") && line.contains("ERROR")).collect();
    assert_eq!(errors.len(), 9, "once per invocation: {errors:#?}");
}

#[tokio::test]
async fn an_event_that_cannot_be_verified_is_not_acknowledged() {
    let world = World::new().await;
    // A logout of all accounts reads nothing before its push.
    world.aws.fail_next(Operation::BatchGetItem, usize::MAX, AwsFault::InternalError);
    assert_eq!(world.batch(&[logout(1, "t")]).await, ["m0"]);
    assert_eq!(world.calls_of(4), 1);
    world.aws.clear_faults();
    assert_eq!(world.batch(&[logout(1, "t")]).await, NONE);
}

#[tokio::test]
async fn a_deletion_that_tpns_has_accepted_is_not_sent_again() {
    let world = World::new().await;
    assert_eq!(world.batch(&[deletion(1, "a")]).await, NONE);
    assert_eq!(world.batch(&[login(2, "t", &["a"])]).await, NONE);
    let calls = world.calls_of(5);
    assert_eq!(world.batch(&[deletion(1, "a")]).await, NONE);
    assert_eq!(world.calls_of(5), calls);
    assert_eq!(world.stage.bound("android", "t"), ["a/0"]);
    // A deletion that TPNS has not accepted is sent again.
    world.stage.tpns.fault(Fault::status(503).operator_type(5).app("ios"));
    assert_eq!(world.batch(&[deletion(3, "a")]).await, ["m0"]);
    assert_eq!(world.calls_of(5), calls + 2);
    assert_eq!(world.batch(&[deletion(3, "a")]).await, NONE);
    assert_eq!(world.calls_of(5), calls + 3, "only the app that had not accepted it");
    assert_eq!(world.stage.bound("android", "t"), NONE);
}

#[tokio::test]
async fn a_deletion_supersedes_older_logins_of_any_device() {
    let world = World::new().await;
    assert_eq!(world.batch(&[deletion(5, "a")]).await, NONE);
    assert_eq!(deliver(&world.other, &[login(4, "t", &["a", "b"]), login(6, "u", &["a"])]).await, NONE);
    assert_eq!(world.stage.bound("android", "t"), ["b/1"]);
    assert_eq!(world.stage.bound("android", "u"), ["a/0"]);
}

#[tokio::test]
async fn a_login_that_tpns_rejects_still_removes_former_accounts_and_later_logouts_take_effect() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["a", "b"])]).await, NONE);
    assert_eq!(world.stage.bound("android", "t"), ["a/0", "b/1"]);
    world.stage.tpns.fault(Fault::item_code(1_008_007).operator_type(2).forever());
    assert_eq!(world.batch(&[login(2, "t", &["a", "c"])]).await, ["m0"]);
    assert_eq!(world.reasons(), ["tpns_bad_input"]);
    assert_eq!(world.stage.bound("android", "t"), NONE, "the account that was signed in before is signed out");
    for out in [logout_of(3, "t", "a"), logout(4, "t")] {
        assert_eq!(world.batch(&[out]).await, NONE);
        assert_eq!(world.stage.bound("android", "t"), NONE);
    }
    world.stage.tpns.reset();
    assert_eq!(world.batch(&[login(5, "t", &["a", "c"])]).await, NONE);
    assert_eq!(world.stage.bound("android", "t"), ["a/0", "c/1"]);
}

/// The same without a table and with neighbours, while TPNS fails.
#[tokio::test]
async fn a_rejected_login_fails_alone_and_is_not_completed_before_its_device_is_empty() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
    let before = [login(1, "t", &["a"]), login(1, "u", &["b"])];
    assert_eq!(stage.batch(&before).await, NONE);
    stage.tpns.fault(Fault::item_code(1_008_007).operator_type(2).token("t").forever());
    stage.tpns.fault(Fault::status(503).operator_type(4));
    let events = [login(2, "t", &["x"]), login(2, "u", &["y"]), login(3, "t", &["z"])];
    let reasons = |stage: &Stage| -> Vec<_> {
        stage.lines("event failed").iter().map(|line| line["reason"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(stage.batch(&events).await, ["m2"]);
    assert_eq!(reasons(&stage), ["tpns_unavailable"], "it is retried, not parked: a is still bound");
    assert_eq!((stage.bound("android", "t"), stage.bound("android", "u")), (vec!["a/0".into()], vec!["y/0".into()]));
    assert_eq!(stage.batch(&events[2..]).await, ["m0"]);
    assert_eq!(reasons(&stage).last().unwrap(), "tpns_bad_input");
    assert_eq!(stage.bound("android", "t"), NONE);
}
