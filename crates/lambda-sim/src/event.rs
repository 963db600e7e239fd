//! The JSON of an SQS invocation, field by field as Lambda sends it (Lambda developer guide, "Using Lambda with Amazon
//! SQS", example events).

use std::collections::BTreeMap;

use bytes::Bytes;
use serde::Serialize;

use crate::{
    ids::md5_hex,
    message::{Message, STRING, md5_of_attributes},
};

/// A standard queue of AWS's example account.
pub const EXAMPLE_QUEUE_ARN: &str = "arn:aws:sqs:us-east-2:123456789012:my-queue";

/// `SenderId` of AWS's example event.
const SENDER_ID: &str = "AIDAIENQZJOLO23YVJ4VO";

/// An event of [`EXAMPLE_QUEUE_ARN`] from (message id, body) pairs, all delivered for the first time just now.
pub fn sqs_event(messages: &[(&str, &str)]) -> Bytes {
    let messages: Vec<Message> = messages.iter().map(|(id, body)| Message::new(*id, *body)).collect();
    event_of(EXAMPLE_QUEUE_ARN, &messages)
}

/// Builds an event with everything a queue could have put on its messages.
#[derive(Clone, Debug)]
pub struct SqsEvent {
    queue_arn: String,
    messages: Vec<Message>,
}

impl SqsEvent {
    /// An event of the queue `queue_arn`; a function recognises FIFO by the ARN's `.fifo`.
    pub fn of_queue(queue_arn: impl Into<String>) -> Self {
        Self { queue_arn: queue_arn.into(), messages: Vec::new() }
    }

    /// Adds a message.
    #[must_use]
    pub fn message(mut self, message: Message) -> Self {
        self.messages.push(message);
        self
    }

    /// Adds messages.
    #[must_use]
    pub fn messages(mut self, messages: impl IntoIterator<Item = Message>) -> Self {
        self.messages.extend(messages);
        self
    }

    /// The payload to invoke a function with.
    pub fn to_bytes(&self) -> Bytes {
        event_of(&self.queue_arn, &self.messages)
    }
}

/// The payload with `messages` of the queue `queue_arn`.
pub fn event_of(queue_arn: &str, messages: &[Message]) -> Bytes {
    let records = messages.iter().map(|message| Record::new(queue_arn, message)).collect();
    to_json(&Event { records })
}

/// How many bytes `message` adds to the payload, the comma before it included.
pub(crate) fn record_len(queue_arn: &str, message: &Message) -> usize {
    to_json(&Record::new(queue_arn, message)).len() + 1
}

/// `arn:partition:sqs:REGION:account:name`.
fn region_of(queue_arn: &str) -> &str {
    queue_arn.split(':').nth(3).unwrap_or_default()
}

#[expect(clippy::expect_used, reason = "text and maps keyed by text always have a JSON form")]
fn to_json(value: &impl Serialize) -> Bytes {
    Bytes::from(serde_json::to_vec(value).expect("text and maps keyed by text have a JSON form"))
}

#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "Records")]
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Record<'a> {
    message_id: &'a str,
    receipt_handle: &'a str,
    body: &'a str,
    attributes: SystemAttributes<'a>,
    message_attributes: BTreeMap<&'a str, MessageAttribute<'a>>,
    md5_of_body: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    md5_of_message_attributes: Option<String>,
    event_source: &'static str,
    #[serde(rename = "eventSourceARN")]
    event_source_arn: &'a str,
    aws_region: &'a str,
}

/// Set by SQS; every value is text, numbers included.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct SystemAttributes<'a> {
    approximate_receive_count: String,
    sent_timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    sequence_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_group_id: Option<&'a str>,
    sender_id: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_deduplication_id: Option<&'a str>,
    approximate_first_receive_timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter_queue_source_arn: Option<&'a str>,
    #[serde(rename = "AWSTraceHeader", skip_serializing_if = "Option::is_none")]
    aws_trace_header: Option<&'a str>,
}

/// Set by the sender.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageAttribute<'a> {
    string_value: &'a str,
    // Reserved by SQS, always empty, yet always sent.
    string_list_values: [(); 0],
    binary_list_values: [(); 0],
    data_type: &'static str,
}

impl<'a> Record<'a> {
    fn new(queue_arn: &'a str, message: &'a Message) -> Self {
        let attribute = |(name, text): (&'a String, &'a String)| {
            let attribute = MessageAttribute {
                string_value: text,
                string_list_values: [],
                binary_list_values: [],
                data_type: STRING,
            };
            (name.as_str(), attribute)
        };
        Self {
            message_id: &message.message_id,
            receipt_handle: &message.receipt_handle,
            body: &message.body,
            attributes: SystemAttributes::new(message),
            message_attributes: message.attributes.iter().map(attribute).collect(),
            md5_of_body: md5_hex(message.body.as_bytes()),
            md5_of_message_attributes: (!message.attributes.is_empty()).then(|| md5_of_attributes(&message.attributes)),
            event_source: "aws:sqs",
            event_source_arn: queue_arn,
            aws_region: region_of(queue_arn),
        }
    }
}

impl<'a> SystemAttributes<'a> {
    pub(crate) fn new(message: &'a Message) -> Self {
        Self {
            approximate_receive_count: message.receive_count.to_string(),
            sent_timestamp: message.sent.as_millis().to_string(),
            sequence_number: message.sequence_number.as_deref(),
            message_group_id: message.group_id.as_deref(),
            sender_id: SENDER_ID,
            message_deduplication_id: message.deduplication_id.as_deref(),
            approximate_first_receive_timestamp: message.first_received.as_millis().to_string(),
            dead_letter_queue_source_arn: message.dead_letter_source_arn.as_deref(),
            aws_trace_header: message.trace_header.as_deref(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_standard_event_is_the_example_of_the_lambda_guide() {
        let message = Message {
            receipt_handle: "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...".into(),
            first_received: Timestamp::from_millis(1_545_082_649_185),
            attributes: [("myAttribute".to_owned(), "myValue".to_owned())].into(),
            ..Message::new("059f36b4-87a3-44ab-83d2-661975830a7d", "Test message.")
                .sent_at(Timestamp::from_millis(1_545_082_649_183))
        };
        let event: Value = serde_json::from_slice(&event_of(EXAMPLE_QUEUE_ARN, &[message])).unwrap();
        assert_eq!(
            event,
            json!({"Records": [{
                "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
                "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
                "body": "Test message.",
                "attributes": {
                    "ApproximateReceiveCount": "1",
                    "SentTimestamp": "1545082649183",
                    "SenderId": "AIDAIENQZJOLO23YVJ4VO",
                    "ApproximateFirstReceiveTimestamp": "1545082649185"
                },
                "messageAttributes": {"myAttribute": {
                    "stringValue": "myValue", "stringListValues": [], "binaryListValues": [], "dataType": "String"
                }},
                "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
                "md5OfMessageAttributes": event["Records"][0]["md5OfMessageAttributes"],
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
                "awsRegion": "us-east-2"
            }]})
        );
    }

    #[test]
    fn the_length_of_an_event_is_the_sum_of_its_records() {
        let messages: Vec<Message> = (0..3).map(|n| Message::new(format!("m{n}"), "\"quoted\"\n")).collect();
        let records: usize = messages.iter().map(|message| record_len(EXAMPLE_QUEUE_ARN, message)).sum();
        // One comma fewer than records, and the brackets around them.
        assert_eq!(event_of(EXAMPLE_QUEUE_ARN, &messages).len(), records - 1 + r#"{"Records":[]}"#.len());
    }
}
