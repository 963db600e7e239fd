//! With a queue: redelivery of failed messages only, dead letters, and the order of groups.

use std::{collections::BTreeMap, time::Duration};

use aws_lc_rs::digest::{SHA256, digest};
use lambda_sim::{ManualClock, Message, Queue, SendMessage, SqsEvent, queue::SendError};
use serde_json::{Value, json};
use tpns_sim::Fault;

use crate::stage::{Stage, login, logout};

const VISIBILITY: Duration = Duration::from_secs(120);

fn queue(name: &str) -> Queue {
    Queue::builder(name).visibility_timeout(VISIBILITY).dead_letter_after(5).build().unwrap()
}

#[tokio::test]
async fn only_what_failed_is_redelivered() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
    stage.tpns.fault(Fault::item_code(1_008_004).token("t1"));
    let clock = ManualClock::starting_now();
    let mut queue = queue("auth-events");
    for n in 0..3 {
        queue.send(login(1, &format!("t{n}"), &["x"]).as_str(), clock.now()).unwrap();
    }
    let run = stage.source(queue, clock).run_until_empty(10).await.unwrap();
    assert!(run.emptied);
    let delivered: Vec<_> = run.batches.iter().map(|batch| batch.delivered().len()).collect();
    assert_eq!(delivered, [3, 1]);
    let items: Vec<_> = stage.calls().into_iter().map(|(.., items)| items).collect();
    assert_eq!(items, [3, 1]);
    assert_eq!(stage.bound("android", "t1"), ["x/0"]);
}

#[tokio::test]
async fn only_messages_that_can_never_be_applied_end_in_the_dead_letter_queue() {
    let stage = Stage::new().await;
    let clock = ManualClock::starting_now();
    let mut queue = queue("auth-events");
    for body in ["not JSON", &login(1, "t1", &["x"]), r#"{"type":"user.login","token":"t2"}"#] {
        queue.send(body, clock.now()).unwrap();
    }
    let mut source = stage.source(queue, clock);
    let run = source.run_until_empty(50).await.unwrap();
    assert!(run.emptied);
    let dead: Vec<_> =
        source.queue().dead_letter_queue().unwrap().messages().map(|message| message.body.to_string()).collect();
    assert_eq!(dead, ["not JSON", r#"{"type":"user.login","token":"t2"}"#]);
    let counts: Vec<_> =
        stage.lines("event failed").iter().map(|line| line["receive_count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    assert_eq!(stage.calls().len(), 1);
}

#[tokio::test]
async fn a_fifo_queue_keeps_the_order_of_a_group_through_failures() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
    let clock = ManualClock::starting_now();
    let mut queue = Queue::builder("auth-events.fifo")
        .visibility_timeout(VISIBILITY)
        .content_based_deduplication()
        .dead_letter_after(5)
        .build()
        .unwrap();
    // Each device: alice, signed out, bob; every other batch has failing calls.
    for (second, who) in [(1, Some("alice")), (2, None), (3, Some("bob"))] {
        for token in ["t1", "t2", "t3", "t4", "t5"] {
            let body = who.map_or_else(|| logout(second, token), |who| login(second, token, &[who]));
            queue.send(SendMessage::new(body).group(token), clock.now()).unwrap();
        }
    }
    stage.tpns.fault(Fault::status(503).times(2));
    stage.tpns.fault(Fault::ret_code(1_008_004).skip(1).times(2));
    let mut source = stage.source(queue, clock);
    let run = source.run_until_empty(50).await.unwrap();
    assert!(run.emptied);
    for batch in &run.batches {
        assert!(batch.fifo_order_breaks().is_empty(), "{batch:?}");
    }
    for token in ["t1", "t2", "t3", "t4", "t5"] {
        assert_eq!(stage.bound("android", token), ["bob/0"], "{token}");
    }
    assert!(source.queue().dead_letter_queue().unwrap().messages().next().is_none());
}

#[tokio::test]
async fn duplicates_and_the_order_within_a_batch_do_not_matter() {
    for seed in 0..5_u64 {
        let stage = Stage::new().await;
        let clock = ManualClock::starting_now();
        let mut queue =
            Queue::builder("auth-events").visibility_timeout(VISIBILITY).seed(seed).shuffled().build().unwrap();
        for body in [
            login(1, "t1", &["alice"]),
            logout(2, "t1"),
            login(3, "t1", &["bob"]),
            login(3, "t1", &["bob"]),
            logout(4, "t2"),
        ] {
            queue.send(body.as_str(), clock.now()).unwrap();
        }
        assert!(stage.source(queue, clock).run_until_empty(10).await.unwrap().emptied);
        assert_eq!(stage.bound("android", "t1"), ["bob/0"], "seed {seed}");
    }
}

/// Two devices and a different fault for each batch, until everything is applied.
#[tokio::test]
async fn no_message_is_lost_whatever_fails() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "2"), ("TPNS_TIMEOUT_MS", "1000")]).await;
    let clock = ManualClock::starting_now();
    let mut queue = Queue::builder("auth-events").visibility_timeout(VISIBILITY).build().unwrap();
    let mut expected = BTreeMap::new();
    for n in 0..30 {
        let token = format!("t{n}");
        queue.send(login(1, &token, &["x"]).as_str(), clock.now()).unwrap();
        expected.insert(token, ());
    }
    for fault in [
        Fault::status(502),
        Fault::hang(),
        Fault::reset(),
        Fault::truncated(),
        Fault::malformed(),
        Fault::disconnect(),
        Fault::result_length(-1),
        Fault::result_length(1),
        Fault::ret_code(1_008_028),
        Fault::ret_code(1_008_003),
        Fault::ok_words(),
    ] {
        stage.tpns.fault(fault);
    }
    let run = stage.source(queue, clock).run_until_empty(100).await.unwrap();
    assert!(run.emptied);
    let bound: BTreeMap<_, _> =
        stage.tpns.bindings().remove("android").unwrap().into_keys().map(|token| (token, ())).collect();
    assert_eq!(bound, expected);
    assert_eq!(stage.function.violations(), []);
}

/// Events without `id` and `occurred_at`: A signs out, B signs in, B signs out.
fn without_ids() -> [String; 3] {
    let logout = json!({"type": "user.logout", "app": "android", "token": "t"}).to_string();
    let login = json!({"type": "user.login", "app": "android", "token": "t", "account_list": [{"account": "b"}]});
    [logout.clone(), login.to_string(), logout]
}

/// Sends them one second apart, and lets the function read the queue before each of them.
async fn one_by_one(stage: &Stage, queue: Queue, deduplicated: impl Fn(usize) -> Option<String>) {
    let clock = ManualClock::starting_now();
    let mut source = stage.source(queue, clock.clone());
    for (n, body) in without_ids().into_iter().enumerate() {
        let message = SendMessage::new(body).group("t");
        let message = match deduplicated(n) {
            Some(id) => message.deduplication_id(id),
            None => message,
        };
        source.queue_mut().send(message, clock.now()).unwrap();
        assert!(source.run_until_empty(10).await.unwrap().emptied);
        clock.advance(Duration::from_secs(1));
    }
}

#[tokio::test]
async fn content_based_deduplication_drops_a_logout_and_the_log_warns_of_it() {
    let stage = Stage::new().await;
    let queue = Queue::builder("auth-events.fifo").content_based_deduplication().build().unwrap();
    one_by_one(&stage, queue, |_| None).await;
    assert_eq!(stage.bound("android", "t"), ["b/0"], "what SQS drops, the function can't know");
    assert_eq!(warnings(&stage), 2, "one for each invocation that there was");
}

#[tokio::test]
async fn with_a_deduplication_id_for_each_event_no_logout_is_dropped() {
    let stage = Stage::new().await;
    // As created by the template.
    let mut queue = Queue::builder("auth-events.fifo").build().unwrap();
    let refused = queue.send(SendMessage::new("{}").group("t"), ManualClock::starting_now().now());
    assert_eq!(refused.unwrap_err(), SendError::NoDeduplicationId);
    one_by_one(&stage, queue, |n| Some(format!("event-{n}"))).await;
    assert_eq!(stage.bound("android", "t"), [""; 0]);
    assert_eq!(warnings(&stage), 0);
}

/// The number of warnings; each has to say what to do.
fn warnings(stage: &Stage) -> usize {
    let printed = stage.printed();
    let lines = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let lines: Vec<_> = lines.filter(|line| line["reason"] == "deduplicated_by_content").collect();
    for line in &lines {
        assert_eq!(line["level"], "WARN", "{line}");
        assert!(line["message"].as_str().unwrap().contains("send each event with an id"), "{line}");
    }
    lines.len()
}

#[tokio::test]
async fn a_warning_is_logged_where_deduplication_by_content_can_drop_an_event() {
    let by_content = |text: &str| {
        let digest = digest(&SHA256, text.as_bytes());
        digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let [bare, ..] = without_ids();
    let with = |name: &str, value: Value| {
        let mut event: Value = serde_json::from_str(&bare).unwrap();
        event[name] = value;
        event.to_string()
    };
    let sns = json!({"Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf320", "Message": bare})
        .to_string();
    let bridge = json!({"id": "6f0c2a4e-1b3d-4c5f-8a7b-9c0d1e2f3a40", "detail-type": "user.logout",
                        "time": "2026-11-22T08:00:00Z", "detail": {"app": "android", "token": "t"}})
    .to_string();
    let (with_id, with_time) = (with("id", json!("1")), with("occurred_at", json!(crate::stage::at(1))));
    for (what, queue, body, id, expected) in [
        ("bare", "auth-events.fifo", &bare, by_content(&bare), 1),
        ("empty id", "auth-events.fifo", &with("id", json!("")), by_content(&with("id", json!(""))), 1),
        ("SNS with the digest of its Message", "auth-events.fifo", &sns, by_content(&bare), 1),
        ("SNS with the digest of it all", "auth-events.fifo", &sns, by_content(&sns), 0),
        ("EventBridge", "auth-events.fifo", &bridge, by_content(&bridge), 0),
        ("with an id", "auth-events.fifo", &with_id, by_content(&with_id), 0),
        ("with a time", "auth-events.fifo", &with_time, by_content(&with_time), 0),
        ("with a deduplication id", "auth-events.fifo", &bare, "e1".to_owned(), 0),
        ("with the digest of something else", "auth-events.fifo", &bare, by_content("e1"), 0),
        ("a standard queue", "auth-events", &bare, by_content(&bare), 0),
    ] {
        let stage = Stage::new().await;
        // Several in one batch are one line.
        let messages =
            ["m0", "m1"].map(|id_of_it| Message::new(id_of_it, body.as_str()).group("t").deduplication_id(&id));
        let event = SqsEvent::of_queue(format!("arn:aws:sqs:us-east-1:123456789012:{queue}")).messages(messages);
        assert_eq!(stage.invoke(event.to_bytes()).await, json!({"batchItemFailures": []}), "{what}: it is applied");
        assert_eq!(warnings(&stage), expected, "{what}");
    }
}
