//! The largest invocations there are, and what they cost in memory.

use std::time::Duration;

use lambda_sim::{AwsApi, Message, event::SqsEvent};
use serde_json::{Value, json};
use tpns_sim::Fault;

use crate::{
    control::end_faults,
    secrets::{account, assert_discreet, token},
    stage::{Stage, failures},
};

/// What the function is given in `template.yaml`, and must do with.
const MEMORY: u64 = 128 << 20;
/// What Lambda takes.
const LARGEST_PAYLOAD: usize = 6_291_556;

async fn stage() -> Stage {
    // As deployed: at DEBUG it would be the log that is measured.
    Stage::with(&[("AWS_LAMBDA_LOG_LEVEL", "INFO"), ("TPNS_MAX_ATTEMPTS", "1")]).await
}

fn assert_small(stage: &Stage, what: &str) {
    let peak = stage.function.peak_rss_bytes().expect("the process lives");
    eprintln!("{what}: {} MiB at most", peak >> 20);
    assert!(peak < MEMORY, "{what}: {peak} bytes");
    // Guards the measurement: a process of this size has a few.
    assert!(peak > 2 << 20, "{what}: {peak} bytes");
}

/// As small as events can be: with larger ones, ten thousand do not fit into the 6 MB of an invocation.
#[tokio::test]
async fn ten_thousand_messages_fit_into_the_memory_of_a_small_function() {
    let stage = stage().await;
    let bodies: Vec<_> =
        (0..10_000).map(|n| format!(r#"{{"type":"user.logout","token":"t{n}","app":"ios"}}"#)).collect();

    stage.tpns.fault(Fault::status(503).forever());
    assert_eq!(stage.batch(&bodies).await.len(), 10_000, "TPNS is down: all of them come again");
    assert_eq!(stage.lines("event failed").len(), 10_000);
    assert_small(&stage, "ten thousand reported");

    end_faults(&stage.tpns).await;
    let before = stage.calls().len();
    assert_eq!(stage.batch(&bodies).await, [""; 0]);
    assert_eq!(stage.calls()[before..], vec![("ios".to_owned(), 4, 20); 500]);
    assert_small(&stage, "ten thousand applied");
    assert_discreet(&stage.function);
}

/// With the ledger each of them is a row written and a row read.
#[tokio::test]
async fn ten_thousand_messages_fit_with_the_ledger_too() {
    let aws = AwsApi::start().await.unwrap();
    aws.create_table("ledger", "pk");
    // As long as Lambda allows: how fast the machine is must not decide.
    let settings = [("AWS_LAMBDA_LOG_LEVEL", "INFO"), ("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL", &aws.url())];
    let stage = Stage::within(Duration::from_secs(900), &settings).await;
    let bodies: Vec<_> =
        (0..10_000).map(|n| format!(r#"{{"type":"user.logout","token":"t{n}","app":"ios"}}"#)).collect();
    // A request that a starved machine answers late has its event redelivered, as in Lambda.
    let mut left = bodies.clone();
    for _ in 0..5 {
        let failed = stage.batch(&left).await;
        left = failed.iter().map(|id| left[id[1..].parse::<usize>().unwrap()].clone()).collect();
        if left.is_empty() {
            break;
        }
    }
    assert_eq!(left, [""; 0]);
    assert_eq!(aws.with_table("ledger", |table| table.len()), Some(10_001), "and one that says whose they are");
    assert_small(&stage, "ten thousand with the ledger");
}

#[tokio::test]
async fn the_largest_payload_fits_too() {
    let stage = stage().await;
    let login = |n: usize, filler: usize| {
        json!({"type": "user.login", "occurred_at": "2026-11-22T08:00:02Z", "app": "android", "filler": "x".repeat(filler),
               "token": token(&n.to_string()), "account_list": [{"account": account(&n.to_string())}]})
        .to_string()
    };
    let payload = |last: usize| {
        // SQS takes a mebibyte a message.
        let fillers = [vec![(1 << 20) - 300; 5], vec![last]].concat();
        let messages =
            fillers.into_iter().enumerate().map(|(n, filler)| Message::new(format!("m{n}"), login(n, filler)));
        SqsEvent::of_queue("arn:aws:sqs:us-east-2:123456789012:auth-events").messages(messages).to_bytes()
    };
    let payload = payload(LARGEST_PAYLOAD - payload(0).len());
    assert_eq!(payload.len(), LARGEST_PAYLOAD);
    let answer: Value = stage.invoke(payload).await;
    assert_eq!(failures(&answer), [""; 0]);
    for n in 0..6 {
        let bound = stage.bound("android", &token(&n.to_string()));
        assert_eq!(bound, [format!("{}/0", account(&n.to_string()))]);
    }
    assert_small(&stage, "six megabytes in six messages");
    assert_discreet(&stage.function);
}
