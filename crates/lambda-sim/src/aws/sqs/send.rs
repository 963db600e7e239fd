//! `SendMessageBatch` (SQS API reference).
//!
//! The reference does not say whether an entry or the whole batch fails. As SQS answered to the AWS-validated tests of
//! LocalStack, characters, attributes and ids fail the entry, and a missing body or FIFO id fails the batch.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Queues, check_ids, error::SqsError};
use crate::{
    aws::{
        error::{ErrorAnswer, parse},
        fault::EntryFault,
        operation::Operation,
    },
    ids::md5_hex,
    message::md5_of_attributes,
    queue::{MAX_MESSAGE_LEN, SendError, SendMessage},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct SendMessageBatch {
    queue_url: String,
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Entry {
    id: String,
    message_body: String,
    #[serde(default)]
    message_attributes: BTreeMap<String, Attribute>,
    #[serde(default)]
    message_system_attributes: SystemAttributes,
    message_deduplication_id: Option<String>,
    message_group_id: Option<String>,
}

/// The one system attribute that SQS takes from a sender.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct SystemAttributes {
    #[serde(rename = "AWSTraceHeader")]
    trace_header: Option<Attribute>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    #[serde(rename = "DataType")]
    _data_type: Text,
    string_value: String,
}

/// Of the types of attributes the one that is modelled.
#[derive(Debug, Deserialize)]
enum Text {
    String,
}

impl Entry {
    fn message(&self) -> SendMessage {
        let mut message = SendMessage::new(self.message_body.as_str());
        if let Some(id) = &self.message_group_id {
            message = message.group(id);
        }
        if let Some(id) = &self.message_deduplication_id {
            message = message.deduplication_id(id);
        }
        for (name, attribute) in &self.message_attributes {
            message = message.attribute(name, &attribute.string_value);
        }
        if let Some(header) = &self.message_system_attributes.trace_header {
            message = message.trace_header(&header.string_value);
        }
        message
    }
}

impl Queues {
    pub(in crate::aws) fn send_message_batch(
        &mut self,
        body: &[u8],
        faults: &[EntryFault],
    ) -> Result<Value, ErrorAnswer> {
        let SendMessageBatch { queue_url, entries } = parse(Operation::SendMessageBatch, body)?;
        let now = self.now();
        let queue = self.find(&queue_url)?;
        check_ids(entries.iter().map(|entry| entry.id.as_str()))?;
        let messages: Vec<_> = entries.iter().map(Entry::message).collect();
        let len = messages.iter().map(SendMessage::size).sum();
        if len > MAX_MESSAGE_LEN {
            return Err(SqsError::BatchTooLong(len).into());
        }
        for (position, message) in messages.iter().enumerate() {
            if let Err(error @ (SendError::EmptyBody | SendError::NoGroup | SendError::NoDeduplicationId)) =
                queue.check(message)
            {
                return Err(SqsError::InBatch(error).into());
            }
            if faults.iter().any(|fault| fault.fails_the_call && fault.hits(position, message.body())) {
                return Err(SqsError::Entry(SendError::InvalidCharacter('\u{fffe}')).into());
            }
        }
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for (position, (Entry { id, .. }, message)) in entries.iter().zip(messages).enumerate() {
            if let Some(fault) = faults.iter().find(|fault| fault.hits(position, message.body())) {
                let EntryFault { code, sender_fault, .. } = fault;
                failed.push(json!({"Id": id, "Code": code, "SenderFault": sender_fault, "Message": "as planned"}));
                continue;
            }
            let body_digest = md5_hex(message.body().as_bytes());
            let attributes = message.attributes();
            let attributes_digest = (!attributes.is_empty()).then(|| md5_of_attributes(attributes));
            match queue.send(message, now) {
                Ok(sent) => successful.push(json!({
                    "Id": id,
                    "MessageId": sent.message_id,
                    "MD5OfMessageBody": body_digest,
                    "MD5OfMessageAttributes": attributes_digest,
                    "SequenceNumber": sent.sequence_number,
                })),
                Err(error) => {
                    let error = SqsError::Entry(error);
                    let (_, code) = error.kind_and_code();
                    failed.push(json!({"Id": id, "Code": code, "SenderFault": true, "Message": error.to_string()}));
                }
            }
        }
        Ok(json!({"Successful": successful, "Failed": failed}))
    }
}
