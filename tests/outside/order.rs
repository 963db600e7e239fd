//! Which of two events is newer.

mod age;

use std::time::{Duration, UNIX_EPOCH};

use lambda_sim::{
    Message, Timestamp,
    aws::dynamodb::Item,
    event::{SqsEvent, sqs_event},
};
use serde_json::{Value, json};

use crate::{
    ledger::{NONE, TABLE, World},
    stage::{Stage, at, failures, function, login, logout},
};

const STANDARD: &str = "arn:aws:sqs:us-east-1:123456789012:auth-events";
const FIFO: &str = "arn:aws:sqs:us-east-1:123456789012:auth-events.fifo";

/// A message of a batch.
struct Sent {
    id: &'static str,
    body: String,
    /// In seconds, counted as in [`at`].
    sent: u32,
    sequence_number: Option<&'static str>,
}

fn sent(id: &'static str, sent: u32, body: impl ToString) -> Sent {
    Sent { id, body: body.to_string(), sent, sequence_number: None }
}

fn numbered(id: &'static str, number: &'static str, body: impl ToString) -> Sent {
    Sent { sequence_number: Some(number), ..sent(id, 10, body) }
}

/// An event that leaves as many fields as possible to its envelopes; `changes` adds fields and, with null, removes
/// them.
fn event(kind: &str, account: Option<&str>, changes: Value) -> Value {
    let mut event = json!({"type": kind, "app": "android", "token": "t"});
    if let Some(account) = account {
        event["account_list"] = json!([{"account": account}]);
    }
    if let Value::Object(changes) = changes {
        event.as_object_mut().unwrap().extend(changes);
    }
    event
}

fn signs_in(account: &str) -> Value {
    event("user.login", Some(account), json!({}))
}

fn signs_out() -> Value {
    event("user.logout", None, json!({}))
}

fn occurred(second: u32, mut event: Value) -> Value {
    event["occurred_at"] = json!(at(second));
    event
}

fn named(id: &str, mut event: Value) -> Value {
    event["id"] = json!(id);
    event
}

fn rfc3339(second: u32) -> String {
    let since = Duration::from_millis(u64::try_from(at(second)).unwrap());
    humantime::format_rfc3339_seconds(UNIX_EPOCH + since).to_string()
}

fn in_sns(second: u32, message: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "n", "TopicArn": "arn:aws:sns:us-east-1:123456789012:accounts",
           "Message": message.to_string(), "Timestamp": rfc3339(second)})
}

fn on_the_bus(second: u32, mut event: Value) -> Value {
    let kind = event.as_object_mut().unwrap().remove("type").unwrap();
    json!({"version": "0", "id": format!("b{second}"), "detail-type": kind, "source": "x", "account": "123456789012",
           "time": rfc3339(second), "region": "us-east-1", "resources": [], "detail": event})
}

fn payload(queue: &str, messages: &[Sent]) -> bytes::Bytes {
    let message = |sent: &Sent| {
        let message = Message::new(sent.id, sent.body.clone());
        let message = message.sent_at(Timestamp::from_millis(u64::try_from(at(sent.sent)).unwrap()));
        match sent.sequence_number {
            Some(number) => message.group("t").sequence_number(number).deduplication_id(sent.id),
            None => message,
        }
    };
    SqsEvent::of_queue(queue).messages(messages.iter().map(message)).to_bytes()
}

/// Each: a name, the queue, the batch, and what is bound in the end, with or without a ledger; with a ledger also if
/// each message is delivered in a batch of its own.
fn table() -> Vec<(&'static str, &'static str, Vec<Sent>, &'static [&'static str])> {
    let ahead = |event| occurred(240, event);
    vec![
        (
            "a login by a clock ahead of the right one's logout",
            STANDARD,
            vec![sent("l", 0, ahead(signs_in("a"))), sent("o", 60, occurred(60, signs_out()))],
            &[],
        ),
        (
            "the same through SNS",
            STANDARD,
            vec![
                sent("l", 100, in_sns(0, &ahead(signs_in("a")))),
                sent("o", 100, in_sns(60, &occurred(60, signs_out()))),
            ],
            &[],
        ),
        (
            "the same over the bus",
            STANDARD,
            vec![
                sent("l", 100, on_the_bus(0, ahead(signs_in("a")))),
                sent("o", 100, on_the_bus(60, occurred(60, signs_out()))),
            ],
            &[],
        ),
        (
            "a logout by a clock ahead, then a login",
            STANDARD,
            vec![sent("o", 0, ahead(signs_out())), sent("l", 60, occurred(60, signs_in("b")))],
            &["b/0"],
        ),
        (
            "SNS's Timestamp, of a login that SQS delivers last",
            STANDARD,
            vec![sent("o", 50, in_sns(1, &signs_out())), sent("l", 51, in_sns(0, &signs_in("a")))],
            &[],
        ),
        (
            "SNS's Timestamp around EventBridge's time",
            STANDARD,
            vec![
                sent("o", 50, in_sns(30, &on_the_bus(1, signs_out()))),
                sent("l", 51, in_sns(20, &on_the_bus(0, signs_in("a")))),
            ],
            &[],
        ),
        (
            "SQS's SentTimestamp, of a login that comes first in the batch",
            STANDARD,
            vec![sent("l", 9, signs_in("b")), sent("o", 8, signs_out())],
            &["b/0"],
        ),
        (
            "two logins of one FIFO queue at the same time, whose message ids sort the other way",
            FIFO,
            vec![
                numbered("z", "18849496460467696100", signs_in("a")),
                numbered("a", "18849496460467696101", signs_in("b")),
            ],
            &["b/0"],
        ),
        (
            "a FIFO queue's numbers against ids that sort the other way",
            FIFO,
            vec![
                numbered("1", "18849496460467696100", named("9", occurred(5, signs_in("a")))),
                numbered("2", "18849496460467696101", named("10", occurred(5, signs_in("b")))),
            ],
            &["b/0"],
        ),
        (
            "a FIFO queue's numbers of different length",
            FIFO,
            vec![numbered("1", "99", occurred(5, signs_in("a"))), numbered("2", "100", occurred(5, signs_in("b")))],
            &["b/0"],
        ),
        (
            "at the same time the logout wins, whatever the numbers: a redriven login gets a new one",
            FIFO,
            vec![
                numbered("1", "18849496460467696100", occurred(5, signs_out())),
                numbered("2", "18849496460467696101", occurred(5, signs_in("a"))),
            ],
            &[],
        ),
    ]
}

#[tokio::test]
async fn the_newer_event_wins_in_one_batch() {
    for (name, queue, messages, bound) in table() {
        let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
        assert_eq!(failures(&stage.invoke(payload(queue, &messages)).await), NONE, "{name}");
        assert_eq!(stage.bound("android", "t"), bound, "{name}");
    }
}

#[tokio::test]
async fn the_newer_event_wins_over_batches_in_either_order() {
    for reversed in [false, true] {
        for (name, queue, mut messages, bound) in table() {
            if reversed {
                messages.reverse();
            }
            let world = World::new().await;
            for message in &messages {
                let answer = world.stage.invoke(payload(queue, std::slice::from_ref(message))).await;
                assert_eq!(failures(&answer), NONE, "{name}");
            }
            assert_eq!(world.stage.bound("android", "t"), bound, "{name}, reversed: {reversed}");
        }
    }
}

#[tokio::test]
async fn a_clock_that_is_ahead_is_counted_and_logged_once_per_invocation() {
    let stage = Stage::new().await;
    let ahead = |id| sent(id, 0, occurred(240, signs_in("a")));
    stage.invoke(payload(STANDARD, &[ahead("1"), sent("2", 300, occurred(299, signs_out())), ahead("3")])).await;
    assert_eq!(stage.metrics()[0]["ClockAhead"], 2);
    let lines = stage.lines(
        "occurred_at: is later than the time the event was sent, which is used instead; set the producer's clock",
    );
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["level"], &lines[0]["reason"]), (&json!("WARN"), &json!("clock_ahead")));
    assert_eq!((&lines[0]["events"], &lines[0]["most_ahead_ms"]), (&json!(2), &json!(240_000)));
    stage.invoke(payload(STANDARD, &[sent("1", 0, signs_in("a"))])).await;
    assert_eq!(stage.metrics()[1]["ClockAhead"], 0, "a time that the envelope gives is not ahead");
}

#[tokio::test]
async fn an_event_superseded_by_another_of_the_same_time_is_counted() {
    for (name, messages, tied) in [
        (
            "login and logout in one second",
            vec![sent("1", 9, occurred(5, signs_out())), sent("2", 9, occurred(5, signs_in("b")))],
            1,
        ),
        (
            "two logins in one second",
            vec![sent("1", 9, occurred(5, signs_in("a"))), sent("2", 9, occurred(5, signs_in("b")))],
            1,
        ),
        ("a second apart", vec![sent("1", 9, occurred(5, signs_in("a"))), sent("2", 9, occurred(6, signs_in("b")))], 0),
        ("nothing lost", vec![sent("1", 9, occurred(5, signs_in("a")))], 0),
    ] {
        let world = World::new().await;
        for message in &messages {
            world.stage.invoke(payload(STANDARD, std::slice::from_ref(message))).await;
        }
        let lines = world.stage.metrics();
        let over_batches: i64 = lines.iter().filter_map(|line| line["TiedTimes"].as_i64()).sum();
        let stage = Stage::new().await;
        stage.invoke(payload(STANDARD, &messages)).await;
        // In a batch it is known which one is superseded; across batches only if that one is delivered last.
        assert_eq!(stage.metrics()[0]["TiedTimes"], tied, "{name}");
        assert!(over_batches <= tied, "{name}");
    }
}
