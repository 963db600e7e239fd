//! For any payload or body: no panic, a batch keeps all its messages, and errors are one short line, since they consist
//! of field names.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tpns_account_sync::{
    apps::AppNames,
    event::Rules,
    ingress::Batch,
    ledger::State,
    plan::plan,
    redelivery::Redelivered,
};

fuzz_target!(|input: &str| {
    events_in(input);
    // The same text as the body of a message between two good ones, which must not be affected.
    let good = r#"{"type":"user.logout","token":"t","occurred_at":5}"#;
    let record = |id: &str, body: &str| serde_json::json!({"messageId": id, "body": body, "eventSource": "aws:sqs"});
    let payload = serde_json::json!({"Records": [record("a", good), record("b", input), record("c", good)]}).to_string();
    let events = events_in(&payload).expect("an SQS batch");
    assert_eq!(events.len(), 3);
    assert!(events[0] && events[2], "a neighbour was affected");
});

/// Which messages of a payload hold an event; `None` if it is not a payload of this function.
fn events_in(payload: &str) -> Option<Vec<bool>> {
    let apps = AppNames::new(["android", "ios"].into_iter().take(1 + payload.len() % 2));
    let one = AppNames::new(["android"]);
    let rules = Rules { apps: if payload.contains("messageId") { &one } else { &apps }, now: 10, max_age: i64::MAX, max_skew: i64::MAX, ledger: false };
    let batch = Batch::open(payload).ok()?;
    let mut events = Vec::new();
    let mut held = Vec::new();
    for message in &batch.messages {
        match message.event(&rules) {
            Ok(event) => {
                events.push(event);
                held.push(true);
            }
            Err(invalid) => {
                assert!(invalid.detail.len() < 400 && !invalid.detail.contains('\n'), "{invalid}");
                held.push(false);
            }
        }
    }
    let plan = plan(&State::of(&events), &Redelivered::default());
    for event in &events {
        assert!(!plan.shares(event).is_empty(), "an event without effect");
    }
    Some(held)
}
