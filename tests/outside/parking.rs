//! Rejected events are sent to the parking queue, as received and with the reason, and only then acknowledged.

mod copies;
mod refusals;

use std::{collections::BTreeSet, time::Duration};

use lambda_sim::{AwsApi, EntryFault, Fault as AwsFault, Message, Operation, Queue, RunningAwsApi, event::SqsEvent};
use serde_json::{Value, json};
use tpns_sim::Fault;

use crate::stage::{Stage, TIMEOUT, login, numbered};

struct Parked {
    body: String,
    reason: String,
    detail: Option<String>,
    trace: Option<String>,
}

async fn parking(name: &str) -> (RunningAwsApi, Stage) {
    parking_within(TIMEOUT, name).await
}

async fn parking_within(timeout: Duration, name: &str) -> (RunningAwsApi, Stage) {
    let aws = AwsApi::start().await.unwrap();
    let url = aws.create_queue(Queue::builder(name).build().unwrap());
    let endpoint = aws.url();
    let settings = [("PARKING_QUEUE_URL", &*url), ("AWS_ENDPOINT_URL", &endpoint), ("DEADLINE_RESERVE_MS", "5000")];
    (aws, Stage::within(timeout, &settings).await)
}

fn parked(aws: &RunningAwsApi, name: &str) -> Vec<Parked> {
    aws.with_queue(name, |queue| {
        let attribute = |message: &Message, name: &str| message.attributes.get(name).cloned();
        queue
            .messages()
            .map(|message| Parked {
                body: message.body.to_string(),
                reason: attribute(message, "reason").unwrap(),
                detail: attribute(message, "detail"),
                trace: message.trace_header.clone(),
            })
            .collect()
    })
    .unwrap()
}

#[tokio::test]
async fn a_rejected_event_is_parked_as_received_with_its_reason_and_acknowledged() {
    let (aws, stage) = parking("parked").await;
    stage.tpns.fault(Fault::item_code(1_008_006).token("gone").forever());
    let bodies = [
        "not JSON é\n".to_owned(),
        login(1, "t1", &["x"]),
        login(1, "gone", &["y"]),
        r#"{"type":"user.login"}"#.to_owned(),
    ];
    assert_eq!(stage.batch(&bodies).await, [""; 0]);
    assert_eq!(stage.bound("android", "t1"), ["x/0"]);
    let parked = parked(&aws, "parked");
    let parked_reasons: Vec<_> = parked.iter().map(|each| (each.body.as_str(), each.reason.as_str())).collect();
    assert_eq!(
        parked_reasons,
        [
            (bodies[0].as_str(), "malformed_json"),
            (bodies[2].as_str(), "tpns_invalid_token"),
            (bodies[3].as_str(), "missing_field")
        ]
    );
    assert_eq!(parked[1].detail.as_deref(), Some("TPNS answered 1008006"));
    assert!(parked[2].detail.as_deref().unwrap().starts_with("token: is missing"));
    let outcomes: Vec<_> = stage.lines("event parked").iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(outcomes, [json!("parked"), json!("parked"), json!("parked")]);
}

#[tokio::test]
async fn an_event_to_be_retried_is_never_parked() {
    let (aws, stage) = parking("parked").await;
    stage.tpns.fault(Fault::status(503).forever());
    assert_eq!(stage.batch(&[login(1, "t1", &["x"]), "bad".into()]).await, ["m0"]);
    assert_eq!(parked(&aws, "parked").len(), 1);
}

#[tokio::test]
async fn events_are_parked_in_calls_of_ten() {
    let (aws, stage) = parking("parked").await;
    let bad: Vec<_> = (0..25).map(|n| format!("bad {n}")).collect();
    assert_eq!(stage.batch(&bad).await, [""; 0]);
    let mut entries: Vec<_> = aws.requests().iter().map(|request| request.entries).collect();
    entries.sort_unstable();
    assert_eq!(entries, [5, 10, 10]);
    assert_eq!(parked(&aws, "parked").len(), 25);
}

#[tokio::test]
async fn large_bodies_are_split_into_calls_of_the_maximum_size() {
    // As long as a busy machine may need for its digests.
    let (aws, stage) = parking_within(Duration::from_secs(300), "parked").await;
    let bad: Vec<_> = (0..5).map(|n| format!("{n}{}", "x".repeat(600_000))).collect();
    assert_eq!(stage.batch(&bad).await, [""; 0]);
    // On a busy machine a call may take longer than its timeout, and is repeated.
    let parked: BTreeSet<_> = parked(&aws, "parked").into_iter().map(|message| message.body).collect();
    assert_eq!(parked, bad.into_iter().collect());
    // With its attributes this message is larger than SQS accepts: it can't be parked, so it is reported.
    let whole = ["x".repeat(1 << 20), "bad".to_owned()];
    assert_eq!(stage.batch(&whole).await, ["m0"]);
}

#[tokio::test]
async fn messages_that_sqs_did_not_accept_are_reported() {
    let (aws, stage) = parking("parked").await;
    aws.fail_entries_next(1, [EntryFault::body_containing("bad 1")]);
    assert_eq!(stage.batch(&["bad 0", "bad 1", "bad 2"]).await, ["m1"]);
    aws.fail_next(Operation::SendMessageBatch, usize::MAX, AwsFault::AccessDenied);
    assert_eq!(stage.batch(&["bad 3", "bad 4"]).await, ["m0", "m1"]);
    assert_eq!(parked(&aws, "parked").len(), 2);
    aws.clear_faults();
    assert_eq!(stage.batch(&["bad 3", "bad 4"]).await, [""; 0]);
}

#[tokio::test]
async fn a_transient_failure_of_sqs_is_retried() {
    for fault in [AwsFault::InternalError, AwsFault::ServiceUnavailable, AwsFault::Throttling, AwsFault::Close] {
        let (aws, stage) = parking("parked").await;
        aws.fail_next(Operation::SendMessageBatch, 1, fault);
        assert_eq!(stage.batch(&["bad"]).await, [""; 0], "{fault:?}");
    }
}

#[tokio::test]
async fn a_hanging_sqs_never_makes_the_invocation_time_out() {
    let (aws, stage) = parking("parked").await;
    aws.fail_next(Operation::SendMessageBatch, usize::MAX, AwsFault::Hang);
    assert_eq!(stage.batch(&[login(1, "t1", &["x"]), "bad".into()]).await, ["m1"]);
    assert_eq!(stage.function.cold_starts(), 1);
}

#[tokio::test]
async fn a_fifo_parking_queue_keeps_the_groups() {
    let (aws, stage) = parking("parked.fifo").await;
    let answer = stage.invoke(crate::stage::fifo(&[("bad".into(), "g1"), ("worse".into(), "g2")])).await;
    assert_eq!(answer, json!({"batchItemFailures": []}));
    assert_eq!(parked(&aws, "parked.fifo").len(), 2);
    assert_eq!(stage.invoke(numbered(&["bad"])).await, json!({"batchItemFailures": []}), "from a standard queue, too");
}

#[tokio::test]
async fn an_event_directly_from_eventbridge_is_parked_unchanged() {
    let (aws, stage) = parking("parked").await;
    let event =
        json!({"id": "e1", "detail-type": "user.login", "time": "2026-11-22T08:00:00Z", "detail": {"token": "t"}})
            .to_string();
    assert_eq!(stage.invoke(event.clone()).await, Value::Null);
    let parked = parked(&aws, "parked");
    assert_eq!((parked[0].body.as_str(), parked[0].reason.as_str()), (event.as_str(), "missing_field"));
}

#[tokio::test]
async fn a_parked_event_keeps_its_trace() {
    let (aws, stage) = parking("parked").await;
    let header = "Root=1-67f7c400-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1";
    let message = |id: &str| Message::new(id, "nonsense");
    let event = SqsEvent::of_queue("arn:aws:sqs:us-east-1:123456789012:auth-events")
        .message(message("m0").trace_header(header))
        .message(message("m1"));
    assert_eq!(stage.invoke(event.to_bytes()).await, json!({"batchItemFailures": []}));
    let traces: Vec<_> = parked(&aws, "parked").into_iter().map(|each| each.trace).collect();
    assert_eq!(traces, [Some(header.to_owned()), None]);
}
