//! A failed message is delivered again after a delay of its own, not after the queue's visibility timeout.

mod killer;

use std::{sync::Arc, time::Duration};

use lambda_sim::{
    AwsApi, Fault as AwsFault, Garbling, Message, Operation, Queue, RunningAwsApi, SendMessage, SqsEvent,
};
use serde_json::{Value, json};
use test_support::trigger::TriggerQueue;
use tpns_sim::Fault;

use crate::stage::{Stage, login, logout};

const VISIBILITY: Duration = Duration::from_secs(180);
const CHANGE: Operation = Operation::ChangeMessageVisibilityBatch;

/// A function with the default delays, unless the settings say otherwise, and its queue.
async fn world_with(name: &str, settings: &[(&str, &str)]) -> (Stage, TriggerQueue) {
    let aws = Arc::new(AwsApi::start().await.unwrap());
    let endpoint = aws.url();
    let defaults = [("AWS_ENDPOINT_URL", endpoint.as_str()), ("TPNS_MAX_ATTEMPTS", "1"), ("RETRY_MAX_DELAY", "10m")];
    let stage = Stage::with(&[&defaults, settings].concat()).await;
    let queue = Queue::builder(name).visibility_timeout(VISIBILITY).dead_letter_after(297);
    let queue = TriggerQueue::new(aws, queue.build().unwrap(), stage.function.clone());
    (stage, queue)
}

async fn world() -> (Stage, TriggerQueue) {
    world_with("auth-events", &[]).await
}

fn changes(aws: &RunningAwsApi) -> usize {
    aws.requests().iter().filter(|request| request.operation == Some(CHANGE)).count()
}

/// The lines about delays that were not set.
fn problems(stage: &Stage) -> Vec<(u64, String)> {
    let printed = stage.printed();
    let lines = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let problem = |line: Value| {
        assert_eq!(line["level"], "WARN");
        let text = line["message"]
            .as_str()?
            .strip_prefix("redelivery: the queue's visibility timeout applies instead of a delay: ")?;
        Some((line["messages"].as_u64()?, text.to_owned()))
    };
    let is_problem = |line: &Value| line["message"].as_str().is_some_and(|text| text.starts_with("redelivery: "));
    lines.filter(is_problem).filter_map(problem).collect()
}

#[tokio::test]
async fn a_logout_whose_first_call_gets_a_503_is_accepted_after_one_or_two_seconds() {
    let (stage, queue) = world().await;
    for n in 0..20 {
        let token = format!("t{n}");
        stage.tpns.fault(Fault::status(503).token(&token));
        let sent = queue.clock.now();
        queue.send(logout(n, &token));
        assert!(queue.next().await.unwrap().acknowledged.is_empty());
        assert_eq!(queue.next().await.unwrap().acknowledged.len(), 1);
        let waited = queue.clock.now().as_millis() - sent.as_millis();
        assert!((1000..=2000).contains(&waited), "{waited} ms");
    }
    assert_eq!(problems(&stage), []);
    let delayed: Vec<_> = stage.lines("batch done").iter().map(|line| line["delayed"].as_u64()).collect();
    assert_eq!(delayed, [Some(1), None].repeat(20), "how many messages of the invocation have a delay");
}

#[tokio::test]
async fn sqs_is_not_called_when_nothing_fails() {
    let (stage, queue) = world().await;
    for n in 0..15 {
        queue.send(login(1, &format!("t{n}"), &["x"]));
    }
    while let Some(delivered) = queue.next().await {
        assert_eq!(delivered.acknowledged.len(), delivered.messages.len());
    }
    assert_eq!(queue.aws.requests(), []);
    assert!(!stage.printed().contains(r#""delayed""#));
}

#[tokio::test]
async fn each_failed_message_has_the_delay_of_its_own_cause_and_number_of_deliveries() {
    let (stage, queue) = world().await;
    stage.tpns.fault(Fault::status(503).operator_type(4).forever());
    stage.tpns.fault(Fault::ret_code(1_008_003).app("ios").forever());
    let ios = login(1, "t3", &["x"]).replace("android", "ios");
    for body in [login(1, "t1", &["x"]), logout(1, "t2"), ios.clone(), "not JSON".to_owned()] {
        queue.send(body);
    }
    let first = queue.next().await.unwrap();
    assert_eq!(first.acknowledged, [login(1, "t1", &["x"])]);
    let delays = queue.delays(&first.messages);
    for ((body, seconds), (expected, range)) in
        delays.iter().zip([(&logout(1, "t2"), 1..=2), (&ios, 15..=30), (&"not JSON".to_owned(), 1..=2)])
    {
        assert!(body == expected && range.contains(seconds), "{delays:?}");
    }
    assert_eq!((delays.len(), changes(&queue.aws)), (3, 1));
    // Later deliveries of the logout.
    for range in [2..=4, 4..=8, 8..=16] {
        queue.clock.advance(Duration::from_secs(1));
        let delivered = loop {
            let delivered = queue.next().await.unwrap();
            if delivered.messages.iter().any(|message| *message.body == *logout(1, "t2")) {
                break delivered;
            }
        };
        let delays = queue.delays(&delivered.messages);
        // Before its third delivery is handled, it is hidden for the rest of the invocation.
        let seconds = delays.iter().rfind(|(body, _)| *body == logout(1, "t2")).unwrap().1;
        assert!(range.contains(&seconds), "{seconds} is not in {range:?}");
    }
}

#[tokio::test]
async fn tpns_may_ask_for_a_longer_delay() {
    let (stage, queue) = world().await;
    stage.tpns.fault(Fault::status(429).retry_after("1200"));
    queue.send(logout(1, "t1"));
    let delivered = queue.next().await.unwrap();
    assert_eq!(queue.delays(&delivered.messages), [(logout(1, "t1"), 1200)]);
}

#[tokio::test]
async fn what_failed_is_hidden_in_calls_of_ten() {
    let (stage, queue) = world().await;
    stage.tpns.fault(Fault::status(503).forever());
    let arn = queue.with(|queue| queue.arn().to_owned());
    let now = queue.clock.now();
    for n in 0..25 {
        queue.send(logout(1, &format!("t{n}")));
    }
    let messages = queue.with(|queue| queue.receive(25, VISIBILITY, now));
    stage.invoke(SqsEvent::of_queue(arn).messages(messages.clone()).to_bytes()).await;
    let mut entries: Vec<_> = queue.aws.requests().iter().map(|request| request.entries).collect();
    entries.sort_unstable();
    assert_eq!(entries, [5, 10, 10]);
    assert_eq!(queue.delays(&messages).len(), 25);
    assert_eq!(queue.with(|queue| queue.depth(now.plus(Duration::from_secs(2))).visible), 25);
}

#[tokio::test]
async fn if_sqs_refuses_the_visibility_timeout_applies_and_one_line_says_so() {
    const NO_PERMISSION: &str =
        "SQS refused the call (AccessDenied); check the role's sqs:ChangeMessageVisibility on the queue";
    for (fault, problem) in [
        (AwsFault::AccessDenied, NO_PERMISSION),
        (AwsFault::Garbled(Garbling::OtherIds), "SQS did not report the result of an entry"),
        (
            AwsFault::Garbled(Garbling::Page(403)),
            "SQS refused the call (an error without a code, HTTP 403); check the role's sqs:ChangeMessageVisibility on the queue",
        ),
    ] {
        let (stage, queue) = world().await;
        stage.tpns.fault(Fault::status(503).times(2));
        queue.aws.fail_next(CHANGE, 1, fault);
        for token in ["t1", "t2"] {
            queue.send(logout(1, token));
        }
        let delivered = queue.next().await.unwrap();
        assert!(delivered.acknowledged.is_empty());
        assert_eq!(problems(&stage), [(2, problem.to_owned())], "{fault:?}");
        while queue.next().await.is_some() {}
        assert_eq!(queue.with(|queue| queue.dead_letter_queue().unwrap().messages().count()), 0);
        assert_no_handle(&stage, &delivered.messages);
    }
}

#[tokio::test]
async fn a_throttled_call_is_made_again() {
    let (stage, queue) = world().await;
    stage.tpns.fault(Fault::status(503));
    queue.aws.fail_next(CHANGE, 1, AwsFault::Throttling);
    queue.send(logout(1, "t1"));
    let delivered = queue.next().await.unwrap();
    assert_eq!((queue.delays(&delivered.messages).len(), changes(&queue.aws), problems(&stage)), (2, 2, Vec::new()));
}

/// The visibility timeout of one of them ran out during the invocation.
#[tokio::test]
async fn if_sqs_refuses_an_entry_the_others_have_their_delay() {
    let (stage, queue) = world().await;
    stage.tpns.fault(Fault::status(503));
    queue.send(logout(1, "t1"));
    queue.clock.advance(Duration::from_secs(1));
    let mut messages = queue.receive();
    queue.send(logout(1, "t2"));
    queue.clock.advance(VISIBILITY - Duration::from_secs(1));
    messages.extend(queue.receive());
    queue.clock.advance(Duration::from_secs(1));
    let delivered = queue.deliver(messages).await;
    assert!(delivered.acknowledged.is_empty());
    assert_eq!(problems(&stage), [(1, "SQS refused an entry (MessageNotInflight)".to_owned())]);
    assert_eq!(stage.lines("batch done")[0]["delayed"], 1);
    assert_no_handle(&stage, &delivered.messages);
}

#[tokio::test]
async fn a_silent_sqs_does_not_delay_the_answer_beyond_the_deadline() {
    let aws = AwsApi::start().await.unwrap();
    aws.fail_next(CHANGE, usize::MAX, AwsFault::Hang);
    let endpoint = aws.url();
    let settings = [
        ("AWS_ENDPOINT_URL", &*endpoint),
        ("TPNS_MAX_ATTEMPTS", "1"),
        ("RETRY_MAX_DELAY", "10m"),
        ("DEADLINE_RESERVE_MS", "4000"),
    ];
    let stage = Stage::within(Duration::from_secs(8), &settings).await;
    stage.tpns.fault(Fault::status(503).forever());
    assert_eq!(stage.batch(&[logout(1, "t1")]).await, ["m0"]);
    let [(1, problem)] = &problems(&stage)[..] else { panic!("{}", stage.printed()) };
    assert!(problem.contains("no answer in time") || problem == "there was no time left", "{problem}");
}

#[tokio::test]
async fn without_a_queue_arn_or_a_receipt_handle_the_visibility_timeout_applies() {
    let (stage, queue) = world().await;
    stage.tpns.fault(Fault::status(503).forever());
    queue.send(logout(1, "t1"));
    queue.send(logout(1, "t2"));
    let messages = queue.receive();
    let event: Value =
        serde_json::from_slice(&lambda_sim::event_of(&queue.with(|queue| queue.arn().to_owned()), &messages)).unwrap();
    let invoke = async |change: &dyn Fn(&mut Value)| {
        let mut event = event.clone();
        event["Records"].as_array_mut().unwrap().iter_mut().for_each(change);
        let before = (problems(&stage).len(), queue.aws.requests().len());
        let answer = stage.invoke(event.to_string()).await;
        assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 2);
        let problems = problems(&stage).split_off(before.0);
        (problems, queue.aws.requests().split_off(before.1).iter().map(|request| request.entries).collect::<Vec<_>>())
    };
    let of_arn = "eventSourceARN is not the ARN of an SQS queue".to_owned();
    for arn in [json!("events"), json!("arn:aws:sns:us-east-2:123456789012:events"), json!(7), Value::Null] {
        assert_eq!(
            invoke(&|record| record["eventSourceARN"] = arn.clone()).await,
            (vec![(2, of_arn.clone())], vec![]),
            "{arn}"
        );
    }
    let of_handle = "the record has no receiptHandle".to_owned();
    for handle in [Value::Null, json!(""), json!({})] {
        let none = invoke(&|record| record["receiptHandle"] = handle.clone()).await;
        assert_eq!(none, (vec![(2, of_handle.clone())], vec![]), "{handle}");
    }
    let of_one = messages[0].message_id.as_str();
    let without_one = |record: &mut Value| {
        if record["messageId"] == of_one {
            record.as_object_mut().unwrap().remove("receiptHandle");
        }
    };
    assert_eq!(invoke(&without_one).await, (vec![(1, of_handle)], vec![1]), "the other one has its delay");
    assert_no_handle(&stage, &messages);
}

#[tokio::test]
async fn a_fifo_group_that_is_held_is_delivered_again_as_a_whole_and_in_its_order() {
    let (stage, queue) = world_with("auth-events.fifo", &[]).await;
    stage.tpns.fault(Fault::status(503).token("t1"));
    let send = |body: String, group: &str| {
        queue.send_message(SendMessage::new(body.as_str()).group(group).deduplication_id(body));
    };
    let of_group = [1, 3, 4, 5].map(|second| login(second, "t1", &["x"]));
    send(of_group[0].clone(), "t1");
    send(logout(2, "t2"), "t2");
    send(of_group[1].clone(), "t1");
    send(of_group[2].clone(), "t1");
    let first = queue.next().await.unwrap();
    assert_eq!(first.acknowledged, [logout(2, "t2")]);
    let delays = queue.delays(&first.messages);
    let (bodies, seconds): (Vec<_>, Vec<_>) = delays.into_iter().unzip();
    assert_eq!(bodies, of_group[..3]);
    assert!((1..=2).contains(&seconds[0]) && seconds == [seconds[0]; 3], "{seconds:?}");
    send(of_group[3].clone(), "t1");
    assert_eq!(queue.next().await.unwrap().acknowledged, of_group);
}

/// Otherwise it would keep its group back for as long as its own delay.
#[tokio::test]
async fn a_rejected_message_of_a_fifo_queue_has_the_shortest_delay() {
    let (_stage, queue) = world_with("auth-events.fifo", &[]).await;
    queue.send_message(SendMessage::new("not JSON").group("g").deduplication_id("1"));
    for second in 1..=12_u32 {
        queue.send_message(SendMessage::new(logout(second, "t1")).group("g").deduplication_id(format!("m{second}")));
        let delivered = queue.next().await.unwrap();
        assert_eq!(delivered.acknowledged, [logout(second, "t1")]);
        let bad = &delivered.messages[..1];
        assert_eq!(queue.delays(bad), [("not JSON".to_owned(), 1)], "delivery {second}");
        queue.clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn with_a_longest_delay_of_0_the_visibility_timeout_applies_to_everything() {
    let (stage, queue) = world_with("auth-events", &[("RETRY_MAX_DELAY", "0")]).await;
    stage.tpns.fault(Fault::status(503));
    queue.send(logout(1, "t1"));
    let sent = queue.clock.now();
    assert!(queue.next().await.unwrap().acknowledged.is_empty());
    assert_eq!(queue.next().await.unwrap().acknowledged.len(), 1);
    assert_eq!(queue.clock.now(), sent.plus(VISIBILITY));
    assert_eq!((queue.aws.requests(), problems(&stage)), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn events_straight_from_eventbridge_have_no_delay() {
    let (stage, queue) = world().await;
    stage.tpns.fault(Fault::status(503).forever());
    let event = json!({"id": "6f0c2a4e-1b3d-4c5f-8a7b-9c0d1e2f3a40", "detail-type": "user.logout",
                       "time": "2026-11-22T08:00:00Z", "detail": {"app": "android", "token": "t"}});
    stage.outcome(event.to_string()).await;
    assert_eq!((queue.aws.requests(), problems(&stage)), (Vec::new(), Vec::new()));
}

fn assert_no_handle(stage: &Stage, messages: &[Message]) {
    let printed = stage.printed();
    for message in messages {
        let handle = &message.receipt_handle;
        assert!(!printed.contains(&handle[..40]) && !printed.contains(&handle[handle.len() - 40..]));
    }
}
