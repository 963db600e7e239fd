//! Accepted is not applied: what TPNS has is compared with the ledger, and repaired.

mod commute;
mod counted;
mod deletions;
mod differences;
mod repeated;
mod unchanged;

use std::sync::atomic::{AtomicU32, Ordering};

use lambda_sim::{AwsApi, Fault as AwsFault, Message, Operation, Queue, RunningAwsApi, SqsEvent};
use serde_json::{Value, json};
use tpns_sim::{Fault, model::Account};

use crate::{
    metrics::{documented, printed},
    stage::{Stage, deletion, failures, login, logout, numbered},
};

pub(crate) const TABLE: &str = "ledger";
const CHECKS: &str = "checks";
const NONE: [&str; 0] = [];

/// A function with a ledger and a check queue.
pub(crate) struct World {
    pub(crate) aws: RunningAwsApi,
    pub(crate) stage: Stage,
    arn: String,
    /// Messages of the check queue that were delivered.
    delivered: AtomicU32,
}

impl World {
    pub(crate) async fn with(settings: &[(&str, &str)]) -> Self {
        let aws = AwsApi::start().await.unwrap();
        aws.create_table(TABLE, "pk");
        let queue = Queue::builder(CHECKS).build().unwrap();
        let arn = queue.arn().to_owned();
        let url = aws.create_queue(queue);
        let endpoint = aws.url();
        let defaults = [
            ("LEDGER_TABLE", TABLE),
            ("CHECK_QUEUE_URL", &url),
            ("CHECK_AFTER", "0s"),
            ("AWS_ENDPOINT_URL", &endpoint),
            ("TPNS_MAX_ATTEMPTS", "1"),
        ];
        let stage = Stage::with(&[&defaults, settings].concat()).await;
        Self { aws, stage, arn, delivered: AtomicU32::new(0) }
    }

    async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The bodies of the checks that were sent.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.aws.with_queue(CHECKS, |queue| queue.messages().map(|each| each.body.to_string()).collect()).unwrap()
    }

    /// Delivers these checks, and returns the reported ids.
    async fn deliver(&self, bodies: &[String], deliveries: u32) -> Vec<String> {
        let mut event = SqsEvent::of_queue(&self.arn);
        for (n, body) in bodies.iter().enumerate() {
            event = event.message(Message::new(format!("m{n}"), body.clone()).received(deliveries));
        }
        failures(&self.stage.invoke(event.to_bytes()).await)
    }

    /// Delivers all checks that were sent so far and not yet delivered here, and each that is reported again, until
    /// none is. Returns how many deliveries the last one took.
    async fn check(&self) -> u32 {
        let all = self.sent();
        let new = &all[self.delivered.load(Ordering::Relaxed) as usize..];
        self.delivered.store(u32::try_from(all.len()).unwrap(), Ordering::Relaxed);
        for delivery in 1..10 {
            if self.deliver(new, delivery).await.is_empty() {
                return delivery;
            }
        }
        panic!("checks are not completed\n{}", self.stage.printed());
    }

    async fn batch(&self, bodies: &[String]) -> Vec<String> {
        self.stage.batch(bodies).await
    }

    fn bound(&self, token: &str) -> Vec<String> {
        self.stage.bound("android", token)
    }

    /// (kind, number) of the drifts in the log.
    fn drifts(&self) -> Vec<String> {
        self.stage.lines("drift repaired").iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect()
    }

    /// The sum of a metric over all lines.
    fn metric(&self, name: &str) -> u64 {
        self.stage.metrics().iter().filter_map(|line| line[name].as_u64()).sum()
    }
}

fn account(name: &str, account_type: u32) -> Account {
    Account { account: name.into(), account_type }
}

fn body(key: Value) -> String {
    json!({"checks": [key]}).to_string()
}

#[tokio::test]
async fn every_delivery_sends_one_check_for_the_batch() {
    let world = World::new().await;
    let batch = [login(1, "t", &["aa"]), login(2, "u", &["bb"]), logout(3, "t"), deletion(4, "cc")];
    assert_eq!(world.batch(&batch).await, NONE);
    let expected = json!({"checks": [
        {"app": "android", "token": "t"}, {"app": "android", "token": "u"}, {"app": "android", "account": "cc"},
    ]});
    // Each app has its own message, in one request.
    let of_ios = json!({"checks": [{"app": "ios", "account": "cc"}]});
    let mut sent: Vec<Value> = world.sent().iter().map(|body| serde_json::from_str(body).unwrap()).collect();
    sent.sort_by_key(Value::to_string);
    assert_eq!(sent, [of_ios, expected]);
    let requests = world.aws.requests();
    let sent: Vec<_> = requests.iter().filter(|one| one.operation == Some(Operation::SendMessageBatch)).collect();
    assert_eq!(sent.iter().map(|one| one.entries).collect::<Vec<_>>(), [2]);
    // Duplicates, and what is stale by now, send one, too.
    assert_eq!(world.batch(&batch).await, NONE);
    assert_eq!(world.sent().len(), 4);
    assert_eq!(world.check().await, 1);
    assert_eq!(world.drifts(), NONE);
    assert_eq!((world.metric("Checked"), world.metric("Drifted")), (8, 0));
    assert_eq!(world.metric("Received"), 8, "checks are not counted as events");
}

#[tokio::test]
async fn a_call_that_tpns_accepted_and_lost_is_repaired() {
    for (events, lost, drift, bound) in [
        (vec![login(1, "t", &["aa"])], 0, "missing", vec!["aa/0"]),
        (vec![login(1, "t", &["aa"]), logout(2, "t")], 1, "shown", vec![]),
        (vec![login(1, "t", &["aa"]), login(2, "t", &["bb"])], 1, "both", vec!["bb/0"]),
        (vec![login(1, "t", &["aa"]), deletion(2, "aa")], 1, "shown", vec![]),
    ] {
        let world = World::new().await;
        world.stage.tpns.fault(Fault::lost_effect().skip(lost).times(1).app("android"));
        for event in &events {
            assert_eq!(world.batch(std::slice::from_ref(event)).await, NONE);
        }
        assert_ne!(world.bound("t"), bound, "{drift}: the call was lost");
        assert_eq!(world.check().await, 2, "repaired, and then seen to agree");
        assert_eq!(world.bound("t"), bound);
        assert!(world.drifts().contains(&drift.to_owned()), "{drift}: {:?}", world.drifts());
        assert!(world.metric("Drifted") >= 1 && world.metric("DriftShown") <= world.metric("Drifted"));
    }
}

#[tokio::test]
async fn a_try_without_an_answer_that_takes_effect_later_is_repaired() {
    let world = World::with(&[("TPNS_MAX_ATTEMPTS", "2"), ("TPNS_TIMEOUT_MS", "3000")]).await;
    world.stage.tpns.fault(Fault::hang());
    assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
    assert_eq!(world.batch(&[logout(2, "t")]).await, NONE);
    assert_eq!(world.bound("t"), NONE);
    // The first try comes last.
    world.stage.tpns.set_bindings("android", "t", [account("aa", 0)]);
    world.check().await;
    assert_eq!(world.bound("t"), NONE);
}

/// Without a check nothing else would repair it.
#[tokio::test]
async fn without_checks_an_item_in_doubt_is_left_for_the_redelivery() {
    for settings in [vec![], vec![("LEDGER_TABLE", TABLE)]] {
        let aws = AwsApi::start().await.unwrap();
        aws.create_table(TABLE, "pk");
        let endpoint = aws.url();
        let own = [("TPNS_MAX_ATTEMPTS", "2"), ("TPNS_TIMEOUT_MS", "3000"), ("AWS_ENDPOINT_URL", endpoint.as_str())];
        let stage = Stage::with(&[&own, settings.as_slice()].concat()).await;
        stage.tpns.fault(Fault::hang());
        let login = login(1, "t", &["aa"]);
        assert_eq!(stage.batch(&[&login]).await, ["m0"]);
        assert_eq!(stage.lines("event failed")[0]["reason"], "tpns_in_doubt");
        assert_eq!(stage.batch(&[&login]).await, NONE);
    }
}

#[tokio::test]
async fn an_event_whose_check_could_not_be_sent_is_applied_and_redelivered() {
    let world = World::new().await;
    world.aws.fail_next(Operation::SendMessageBatch, usize::MAX, AwsFault::AccessDenied);
    let events = [logout(1, "t"), login(2, "u", &["aa"])];
    assert_eq!(world.batch(&events).await, ["m0", "m1"]);
    assert_eq!(world.bound("u"), ["aa/0"], "a failed check does not hold up a call");
    let lines = world.stage.lines("event failed");
    assert!(lines.iter().all(|line| line["reason"] == "check_not_sent"), "{lines:?}");
    world.aws.clear_faults();
    assert_eq!(world.batch(&events).await, NONE);
    assert_eq!(world.sent().len(), 1);
}

/// A logout that TPNS refuses until it is in the dead-letter queue is completed by its check.
#[tokio::test]
async fn an_event_that_ends_in_the_dead_letter_queue_is_completed_by_its_check() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
    world.stage.tpns.fault(Fault::status(503).times(5));
    for _ in 0..5 {
        assert_eq!(world.batch(&[logout(2, "t")]).await, ["m0"]);
    }
    assert_eq!(world.bound("t"), ["aa/0"]);
    world.check().await;
    assert_eq!(world.bound("t"), NONE);
}

#[tokio::test]
async fn a_check_that_is_delivered_early_repairs_and_is_not_completed() {
    let world = World::with(&[("CHECK_AFTER", "60s")]).await;
    assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
    world.stage.tpns.set_bindings("android", "t", [account("bb", 0)]);
    for _ in 0..2 {
        assert_eq!(world.deliver(&world.sent(), 1).await, ["m0"]);
        assert_eq!(world.bound("t"), ["aa/0"]);
    }
}

#[tokio::test]
async fn the_metrics_of_checks_are_the_documented_ones() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
    let before = world.stage.metrics().len();
    world.stage.tpns.set_bindings("android", "t", [account("bb", 0)]);
    world.check().await;
    assert_eq!(printed(&world.stage.metrics()[before..]), documented(Some("checks")));
}

/// A login that TPNS rejects stays the device's newest login: who was signed in before is not.
#[tokio::test]
async fn a_check_of_a_rejected_login_is_completed() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
    world.stage.tpns.fault(Fault::item_code(1_008_007).operator_type(2).forever());
    assert_eq!(world.batch(&[login(2, "t", &["x"])]).await, ["m0"]);
    assert_eq!(world.bound("t"), NONE);
    world.stage.tpns.set_bindings("android", "t", [account("aa", 0)]);
    assert_eq!(world.check().await, 2);
    assert_eq!(world.bound("t"), NONE);
}

#[tokio::test]
async fn a_check_while_tpns_or_the_table_fails_is_redelivered() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
    world.stage.tpns.fault(Fault::status(503).on_query());
    assert_eq!(world.deliver(&world.sent(), 1).await, ["m0"]);
    world.aws.fail_next(Operation::BatchGetItem, 3, AwsFault::AccessDenied);
    assert_eq!(world.deliver(&world.sent(), 1).await, ["m0"]);
    let reasons: Vec<_> = world.stage.lines("check failed").iter().map(|line| line["reason"].clone()).collect();
    assert_eq!(reasons, ["tpns_unavailable", "ledger_unreachable"]);
    world.aws.clear_faults();
    assert_eq!(world.deliver(&world.sent(), 1).await, NONE);
    assert_eq!(world.metric("ChecksFailed"), 2);
}

#[tokio::test]
async fn a_body_that_is_no_check_is_reported_by_itself() {
    let world = World::new().await;
    assert_eq!(world.batch(&[login(1, "t", &["aa"])]).await, NONE);
    let good = world.sent();
    for bad in [
        "{}",
        "no JSON",
        r#"{"checks":[{"app":"android"}]}"#,
        r#"{"checks":[{"app":"nowhere","token":"t"}]}"#,
        &login(2, "t", &["bb"]),
    ] {
        assert_eq!(world.deliver(&[bad.to_owned(), good[0].clone()], 1).await, ["m0"], "{bad}");
    }
    assert_eq!(world.bound("t"), ["aa/0"], "an event in the check queue is not applied");
    let reasons: Vec<_> = world.stage.lines("check failed").iter().map(|line| line["reason"].clone()).collect();
    let malformed = "malformed_check";
    assert_eq!(reasons, [malformed, malformed, malformed, "unknown_app", malformed]);
}

#[tokio::test]
async fn events_of_other_queues_and_of_eventbridge_are_no_checks() {
    let world = World::new().await;
    let check = body(json!({"app": "android", "token": "t"}));
    let answer = world.stage.invoke(numbered(&[check])).await;
    assert_eq!(failures(&answer), ["m0"]);
}
