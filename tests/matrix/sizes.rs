//! The largest possible invocations, and the memory they need.

use std::time::Duration;

use lambda_sim::{AwsApi, Message, event::SqsEvent};
use serde_json::{Value, json};
use tpns_sim::Fault;

use crate::{
    control::end_faults,
    secrets::{account, assert_no_secrets, token},
    stage::{Stage, failures},
};

/// The memory of the function in `template.yaml`.
const MEMORY: u64 = 128 << 20;
/// The largest payload that Lambda accepts.
const LARGEST_PAYLOAD: usize = 6_291_556;

/// As long as Lambda allows, so that the speed of the machine does not matter.
const TIMEOUT: Duration = Duration::from_secs(900);

async fn stage() -> Stage {
    // As deployed: at DEBUG the log would be measured.
    let settings = [("AWS_LAMBDA_LOG_LEVEL", "INFO"), ("TPNS_MAX_ATTEMPTS", "1"), ("TPNS_TIMEOUT_MS", "60000")];
    Stage::within(TIMEOUT, &settings).await
}

fn assert_small(stage: &Stage, what: &str) {
    let peak = stage.function.peak_rss_bytes().expect("the process lives");
    eprintln!("{what}: {} MiB at most", peak >> 20);
    assert!(peak < MEMORY, "{what}: {peak} bytes");
    // Guards the measurement: the process needs a few MiB at least.
    assert!(peak > 2 << 20, "{what}: {peak} bytes");
}

/// With the smallest possible events: ten thousand larger ones do not fit into the 6 MB of a payload.
#[tokio::test]
async fn ten_thousand_messages_fit_into_the_memory_of_a_small_function() {
    let stage = stage().await;
    let bodies: Vec<_> =
        (0..10_000).map(|n| format!(r#"{{"type":"user.logout","token":"t{n}","app":"ios"}}"#)).collect();

    stage.tpns.fault(Fault::status(503).forever());
    assert_eq!(stage.batch(&bodies).await.len(), 10_000, "TPNS is down: all are reported");
    assert_eq!(stage.lines("event failed").len(), 10_000);
    assert_small(&stage, "ten thousand reported");

    end_faults(&stage.tpns).await;
    let before = stage.calls().len();
    assert_eq!(stage.batch(&bodies).await, [""; 0]);
    assert_eq!(stage.calls()[before..], vec![("ios".to_owned(), 4, 20); 500]);
    assert_small(&stage, "ten thousand applied");
    assert_no_secrets(&stage.function);
}

/// With the ledger each of them is a row written and a row read.
#[tokio::test]
async fn ten_thousand_messages_fit_with_the_ledger_too() {
    let aws = AwsApi::start().await.unwrap();
    aws.create_table("ledger", "pk");
    let settings = [("AWS_LAMBDA_LOG_LEVEL", "INFO"), ("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL", &aws.url())];
    let stage = Stage::within(TIMEOUT, &settings).await;
    let bodies: Vec<_> =
        (0..10_000).map(|n| format!(r#"{{"type":"user.logout","token":"t{n}","app":"ios"}}"#)).collect();
    // If a busy machine answers a request late, its event is redelivered, as in Lambda.
    let mut left = bodies.clone();
    for _ in 0..5 {
        let failed = stage.batch(&left).await;
        left = failed.iter().map(|id| left[id[1..].parse::<usize>().unwrap()].clone()).collect();
        if left.is_empty() {
            break;
        }
    }
    assert_eq!(left, [""; 0]);
    assert_eq!(aws.with_table("ledger", |table| table.len()), Some(10_001), "and the row with the app keys");
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
        // SQS accepts 1 MiB per message.
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
    assert_no_secrets(&stage.function);
}
