//! What fails, fails alone, and in time: whatever stops a call, an app or a row stops nothing beside it.

mod calls;
mod deliveries;
mod hangs;
mod status;
mod time;
mod tokens;

use std::{collections::BTreeMap, time::Duration};

use lambda_sim::{AwsApi, Message, RunningAwsApi, event::SqsEvent};
use serde_json::{Value, json};

use crate::stage::{Stage, at};

const TABLE: &str = "ledger";

/// A stage with a ledger or without one.
struct Scene {
    stage: Stage,
    aws: Option<RunningAwsApi>,
}

impl Scene {
    async fn new(ledger: bool, timeout: Duration, settings: &[(&str, &str)]) -> Self {
        if !ledger {
            return Self { stage: Stage::within(timeout, settings).await, aws: None };
        }
        let aws = AwsApi::start().await.unwrap();
        aws.create_table(TABLE, "pk");
        let endpoint = aws.url();
        let settings = [&[("LEDGER_TABLE", TABLE), ("AWS_ENDPOINT_URL", &endpoint)], settings].concat();
        Self { stage: Stage::within(timeout, &settings).await, aws: Some(aws) }
    }
}

/// A batch of messages `m0`, `m1` and so on that are delivered for this time.
fn delivery(count: u32, bodies: &[String]) -> bytes::Bytes {
    let messages = bodies.iter().enumerate();
    batch(messages.map(|(n, body)| Message::new(format!("m{n}"), body.clone()).received(count)))
}

fn batch(messages: impl IntoIterator<Item = Message>) -> bytes::Bytes {
    SqsEvent::of_queue("arn:aws:sqs:us-east-1:123456789012:auth-events").messages(messages).to_bytes()
}

/// The outcome and reason of each event that failed, by message.
fn failed(stage: &Stage) -> BTreeMap<String, String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let lines = stage.lines("event failed").into_iter();
    lines
        .map(|line| (word(&line["message_id"]), ["outcome", "reason"].map(|name| word(&line[name])).join(" ")))
        .collect()
}

/// A deletion of these accounts in one app.
fn deletion_of(second: u32, app: &str, accounts: &[String]) -> String {
    let list: Vec<_> = accounts.iter().map(|account| json!({"account": account})).collect();
    json!({"type": "account.deleted", "occurred_at": at(second), "app": app, "account_list": list}).to_string()
}

/// The same event of the other app.
fn on_ios(body: String) -> String {
    body.replace("\"android\"", "\"ios\"")
}
