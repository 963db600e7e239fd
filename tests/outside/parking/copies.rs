//! However often a message is delivered, there is either one copy of it in the parking queue, or it is reported and
//! there is none.

use std::time::Duration;

use lambda_sim::{AsyncInvoker, EntryFault, ManualClock, Message, Operation, Queue, SendMessage, SqsEvent};
use serde_json::{Value, json};
use tpns_sim::Fault;

use super::{AwsFault, parked, parking};
use crate::stage::{failures, fifo, login, numbered};

const FIFO: &str = "arn:aws:sqs:us-east-1:123456789012:auth-events.fifo";

/// A login as an EventBridge event.
fn good(id: Option<&str>, token: &str) -> Value {
    let mut detail: Value = serde_json::from_str(&login(1, token, &["x"])).unwrap();
    let kind = detail.as_object_mut().unwrap().remove("type");
    detail["id"] = json!("own");
    let mut event = json!({"detail-type": kind, "time": "2026-11-22T08:00:00Z", "detail": detail});
    if let Some(id) = id {
        event["id"] = json!(id);
    }
    event
}

/// An event that can never be applied.
fn bad(id: Option<&str>, token: &str) -> Value {
    let mut event = good(id, token);
    event["detail"]["app"] = json!("windows");
    event
}

#[tokio::test]
async fn no_event_of_an_array_is_parked_as_long_as_lambda_retries_it() {
    let (aws, stage) = parking("parked").await;
    stage.tpns.fault(Fault::status(503).times(2 * 3));
    let array = json!([good(Some("e1"), "t1"), bad(Some("e2"), "t2"), bad(Some("e3"), "t3")]).to_string();
    let mut invoker = AsyncInvoker::new(stage.function.clone());
    let invocation = invoker.invoke(array).await.unwrap();
    assert!(invocation.succeeded());
    assert_eq!(invocation.attempts.len(), 3);
    assert_eq!(stage.bound("android", "t1"), ["x/0"]);
    assert_eq!(parked(&aws, "parked").len(), 2);
}

#[tokio::test]
async fn no_event_of_an_array_in_the_on_failure_destination_is_parked() {
    let (aws, stage) = parking("parked").await;
    stage.tpns.fault(Fault::status(503).forever());
    let array = json!([bad(Some("e2"), "t2"), good(Some("e1"), "t1")]).to_string();
    let mut invoker = AsyncInvoker::new(stage.function.clone());
    assert_eq!(invoker.invoke(array).await.unwrap().attempts.len(), 3);
    assert_eq!((invoker.on_failure().len(), parked(&aws, "parked").len()), (1, 0));
}

#[tokio::test]
async fn an_array_with_an_event_that_cannot_be_parked_is_reported_as_a_whole() {
    let unfit = [("characters", "\u{fffe}".to_owned()), ("size", "x".repeat((1 << 20) - 10))];
    for (what, text) in unfit {
        let (aws, stage) = parking("parked").await;
        let mut array = json!([bad(Some("e1"), "t1"), bad(Some("e2"), "t2")]);
        array[1]["source"] = json!(text);
        let outcome = stage.outcome(array.to_string()).await;
        assert!(outcome.response().is_none(), "{what}: {outcome:?}");
        assert_eq!(parked(&aws, "parked").len(), 0, "{what}");
    }
}

#[tokio::test]
async fn an_array_of_which_sqs_accepts_only_some_events_is_parked_completely_in_the_end() {
    let (aws, stage) = parking("parked").await;
    aws.fail_entries_next(2, [EntryFault::body_containing("e2")]);
    let array = json!([bad(Some("e1"), "t1"), bad(Some("e2"), "t2"), bad(Some("e3"), "t3")]).to_string();
    assert_eq!(stage.invoke(array).await, Value::Null);
    let entries: Vec<_> = aws.requests().iter().map(|request| request.entries).collect();
    assert_eq!(entries, [3, 1, 1]);
    assert_eq!(parked(&aws, "parked").len(), 3);
}

#[tokio::test]
async fn an_array_that_sqs_does_not_accept_is_reported_and_not_parked() {
    for fault in [AwsFault::AccessDenied, AwsFault::Throttling, AwsFault::InternalError] {
        let (aws, stage) = parking("parked").await;
        aws.fail_next(Operation::SendMessageBatch, usize::MAX, fault);
        let array: Vec<_> = (0..15).map(|n| bad(Some(&format!("e{n}")), "t")).collect();
        assert!(stage.outcome(json!(array).to_string()).await.response().is_none(), "{fault:?}");
        aws.clear_faults();
        assert_eq!(stage.invoke(json!(array).to_string()).await, Value::Null, "{fault:?}");
        assert_eq!(parked(&aws, "parked").len(), 15, "{fault:?}");
    }
}

#[tokio::test]
async fn the_same_message_twice_is_parked_once() {
    for queue in ["parked", "parked.fifo"] {
        let (aws, stage) = parking(queue).await;
        let array = json!([bad(Some("e1"), "t1"), bad(Some("e1"), "t1"), bad(None, "t2"), bad(None, "t2")]).to_string();
        assert_eq!(stage.invoke(array).await, Value::Null);
        assert_eq!(parked(&aws, queue).len(), 2, "{queue}");
        let twice = ["bad", "bad"].map(|body| Message::new("one", body));
        let batch = SqsEvent::of_queue("arn:aws:sqs:us-east-1:123456789012:auth-events").messages(twice);
        assert_eq!(failures(&stage.invoke(batch.to_bytes()).await), [""; 0]);
        assert_eq!(parked(&aws, queue).len(), 3, "{queue}");
    }
}

/// Lambda guarantees that a batch contains each message once. If it does not, one report is for both.
#[tokio::test]
async fn a_message_whose_id_is_reported_is_not_parked() {
    let (aws, stage) = parking("parked").await;
    stage.tpns.fault(Fault::status(503).forever());
    for bodies in [["bad".to_owned(), login(1, "t1", &["x"])], [login(1, "t1", &["x"]), "bad".to_owned()]] {
        let messages = bodies.map(|body| Message::new("one", body));
        let batch = SqsEvent::of_queue("arn:aws:sqs:us-east-1:123456789012:auth-events").messages(messages);
        assert_eq!(failures(&stage.invoke(batch.to_bytes()).await), ["one"]);
    }
    assert_eq!(parked(&aws, "parked").len(), 0);
}

/// Two events without an id once had the same deduplication id, `-`, and SQS dropped the second.
#[tokio::test]
async fn different_messages_are_all_parked_in_a_fifo_queue_with_any_ids() {
    let long = "i".repeat(200);
    for ids in [
        [None, None],
        [Some(""), Some("")],
        [Some("-"), None],
        [Some("same"), Some("same")],
        [Some("with blanks"), Some("登录")],
        [Some(&*long), Some("a\nb")],
    ] {
        let (aws, stage) = parking("parked.fifo").await;
        let events = [bad(ids[0], "t1"), bad(ids[1], "t2")];
        assert_eq!(stage.invoke(json!(events).to_string()).await, Value::Null, "{ids:?}");
        assert_eq!(parked(&aws, "parked.fifo").len(), 2, "{ids:?}");
        for event in [bad(ids[0], "t3"), bad(ids[1], "t4")] {
            assert_eq!(stage.invoke(event.to_string()).await, Value::Null, "{ids:?}");
        }
        assert_eq!(parked(&aws, "parked.fifo").len(), 4, "{ids:?}");
    }
    let (aws, stage) = parking("parked.fifo").await;
    let same_id = ["bad", "worse"].map(|body| Message::new("one", body).group("g"));
    assert_eq!(failures(&stage.invoke(SqsEvent::of_queue(FIFO).messages(same_id).to_bytes()).await), [""; 0]);
    let same_body = ["m1", "m2"].map(|id| Message::new(id, "bad").group("g"));
    assert_eq!(failures(&stage.invoke(SqsEvent::of_queue(FIFO).messages(same_body).to_bytes()).await), [""; 0]);
    assert_eq!(parked(&aws, "parked.fifo").len(), 4);
}

/// The response was lost, so the same message is redelivered.
#[tokio::test]
async fn a_redelivered_message_is_parked_once_in_a_fifo_parking_queue() {
    let (aws, stage) = parking("parked.fifo").await;
    for _ in 0..3 {
        assert_eq!(stage.invoke(bad(Some("e1"), "t1").to_string()).await, Value::Null);
        assert_eq!(failures(&stage.invoke(numbered(&["bad"])).await), [""; 0]);
        assert_eq!(failures(&stage.invoke(fifo(&[("worse".into(), "g")])).await), [""; 0]);
    }
    assert_eq!(parked(&aws, "parked.fifo").len(), 3);
}

#[tokio::test]
async fn a_message_with_a_group_that_sqs_does_not_accept_is_parked_all_the_same() {
    let (aws, stage) = parking("parked.fifo").await;
    let long = "g".repeat(129);
    let groups = ["", "a b", "tökén", "a\n", long.as_str(), "fits#1"];
    let messages = groups.iter().enumerate().map(|(n, group)| Message::new(format!("m{n}"), "bad").group(*group));
    assert_eq!(failures(&stage.invoke(SqsEvent::of_queue(FIFO).messages(messages).to_bytes()).await), [""; 0]);
    let kept: Vec<_> = aws
        .with_queue("parked.fifo", |queue| queue.messages().filter_map(|message| message.group_id.clone()).collect())
        .unwrap();
    assert_eq!(kept, ["rejected", "rejected", "rejected", "rejected", "rejected", "fits#1"]);
}

/// A FIFO queue with five deliveries; TPNS is down for the given number of them.
async fn deliver(failing: u64, bodies: [String; 3]) -> (usize, Vec<String>) {
    let (aws, stage) = parking("parked").await;
    stage.tpns.fault(Fault::status(503).times(3 * failing));
    let clock = ManualClock::starting_now();
    let mut queue = Queue::builder("auth-events.fifo")
        .visibility_timeout(Duration::from_secs(120))
        .dead_letter_after(5)
        .build()
        .unwrap();
    for (n, body) in bodies.into_iter().enumerate() {
        queue.send(SendMessage::new(body).group("device").deduplication_id(n.to_string()), clock.now()).unwrap();
    }
    let mut source = stage.source(queue, clock);
    assert!(source.run_until_empty(50).await.unwrap().emptied);
    let dead = source.queue().dead_letter_queue().unwrap().messages().map(|message| message.body.to_string());
    (parked(&aws, "parked").len(), dead.collect())
}

#[tokio::test]
async fn in_a_fifo_queue_a_rejected_message_is_parked_once_after_its_predecessors_are_completed() {
    let bodies = || [login(1, "t1", &["x"]), "bad".to_owned(), login(2, "t1", &["y"])];
    for failing in [0, 1, 3] {
        assert_eq!(deliver(failing, bodies()).await, (1, vec![]), "{failing}");
    }
    // Dead-lettered with its predecessor.
    let (copies, dead) = deliver(5, bodies()).await;
    assert_eq!((copies, dead), (0, bodies().to_vec()));
    // A message before the failing one is completed.
    let bodies = || ["bad".to_owned(), login(1, "t1", &["x"]), login(2, "t1", &["y"])];
    assert_eq!(deliver(3, bodies()).await, (1, vec![]));
}

#[tokio::test]
async fn in_a_fifo_queue_a_rejected_message_does_not_wait_for_other_groups() {
    let (aws, stage) = parking("parked").await;
    stage.tpns.fault(Fault::status(503).forever());
    let batch = [(login(1, "t1", &["x"]), "g1"), ("bad".to_owned(), "g2"), ("worse".to_owned(), "g1")];
    assert_eq!(failures(&stage.invoke(fifo(&batch)).await), ["m0", "m2"]);
    let kept: Vec<_> = parked(&aws, "parked").into_iter().map(|each| each.body).collect();
    assert_eq!(kept, ["bad"]);
}
