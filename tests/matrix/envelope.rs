//! The envelopes in which events arrive, and how the response to each of them is read.

use bytes::Bytes;
use lambda_sim::{
    Outcome,
    answer::{Why, interpret},
    event::SqsEvent,
};
use serde_json::{Value, json};

use crate::{
    contract_event::{ContractEvent, sns},
    scene::{BatchEvent, STRAY},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Envelope {
    /// SQS bodies that are bare events.
    Sqs,
    /// The same from a FIFO queue, with a group for each device or account.
    Fifo,
    /// SQS bodies that are EventBridge events.
    SqsBridge,
    /// SQS bodies that are SNS notifications of bare events.
    SqsSns,
    /// SQS bodies that are SNS notifications of EventBridge events.
    SqsSnsBridge,
    /// EventBridge events in an array, as the payload.
    Array,
    /// One EventBridge event, as the payload.
    Object,
}

/// The envelopes that hold more than one event.
pub(crate) const BATCHES: [Envelope; 6] =
    [Envelope::Sqs, Envelope::Fifo, Envelope::SqsBridge, Envelope::SqsSns, Envelope::SqsSnsBridge, Envelope::Array];

impl Envelope {
    pub(crate) fn is_queue(self) -> bool {
        !matches!(self, Self::Array | Self::Object)
    }

    /// The payload with these events.
    pub(crate) fn payload(self, events: &[&BatchEvent]) -> Bytes {
        let bridges = || events.iter().map(|event| contract_event(event).bridge()).collect::<Vec<_>>();
        match self {
            Self::Array => json!(bridges()).to_string().into(),
            Self::Object => bridges().remove(0).to_string().into(),
            _ => self.queue_payload(events),
        }
    }

    fn queue_payload(self, events: &[&BatchEvent]) -> Bytes {
        let queue = if self == Self::Fifo { "auth-events.fifo" } else { "auth-events" };
        let mut batch = SqsEvent::of_queue(format!("arn:aws:sqs:us-east-2:123456789012:{queue}"));
        for event in events {
            let group = event.change.token().unwrap_or_else(|| &event.change.accounts()[0].account).replace('@', ".");
            batch = batch.message(self.message(&event.id, self.body(event), &group));
        }
        let stray = r#"{"type":"user.logout","id":"stray","app":"windows","token":"t"}"#.to_owned();
        batch.message(self.message(STRAY, stray, STRAY)).to_bytes()
    }

    fn message(self, id: &str, body: String, group: &str) -> lambda_sim::Message {
        let message = lambda_sim::Message::new(id, body);
        if self == Self::Fifo { message.group(group) } else { message }
    }

    fn body(self, event: &BatchEvent) -> String {
        match self {
            Self::Sqs | Self::Fifo => contract_event(event).bare().to_string(),
            Self::SqsSns => sns(&contract_event(event).bare()).to_string(),
            Self::SqsSnsBridge => sns(&contract_event(event).bridge()).to_string(),
            Self::SqsBridge | Self::Array | Self::Object => contract_event(event).bridge().to_string(),
        }
    }

    /// The ids of the reported messages, including the stray one. For EventBridge all of `events` or none: Lambda
    /// retries the invocation or does not.
    pub(crate) fn reported(self, outcome: &Outcome, events: &[&BatchEvent]) -> Result<Vec<String>, String> {
        let mut ids: Vec<_> = events.iter().map(|event| event.id.clone()).collect();
        match (self.is_queue(), outcome) {
            (true, Outcome::Response { body }) => {
                ids.push(STRAY.to_owned());
                let verdict = interpret(body, &ids);
                match verdict.why {
                    Why::Partial | Why::EmptyList => Ok(verdict.fails),
                    why => Err(format!("not a valid partial batch response: {why:?}")),
                }
            }
            (false, Outcome::Response { body }) if body.as_ref() == b"null" => Ok(Vec::new()),
            (false, Outcome::FunctionError { body, .. }) if error_type(body) == "EventsNotApplied" => Ok(ids),
            (_, other) => Err(format!("neither a response nor the function's own error: {other:?}")),
        }
    }
}

fn error_type(body: &[u8]) -> String {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    body["errorType"].as_str().unwrap_or_default().to_owned()
}

/// Events of `before` are a second older.
fn contract_event(event: &BatchEvent) -> ContractEvent<'_> {
    let occurred_at = if event.id.starts_with('b') { "2026-11-22T08:00:01Z" } else { "2026-11-22T08:00:02Z" };
    ContractEvent { id: &event.id, occurred_at, app: Some(event.app), change: &event.change }
}
