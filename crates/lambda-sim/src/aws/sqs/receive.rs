//! What a receiver asks of SQS: `ReceiveMessage`, `DeleteMessageBatch`, `ChangeMessageVisibilityBatch` and
//! `GetQueueAttributes` (SQS API reference). A long poll is answered at once, even with nothing.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{MAX_ENTRIES, Queues, check_ids, error::SqsError};
use crate::{
    aws::{
        error::{ErrorAnswer, parse},
        operation::Operation,
    },
    clock::Timestamp,
    event::SystemAttributes,
    ids::md5_hex,
    message::Message,
    queue::{Queue, ReceiptError},
};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct ReceiveMessage {
    queue_url: String,
    max_number_of_messages: usize,
    visibility_timeout: u64,
    #[serde(rename = "WaitTimeSeconds")]
    _wait_time_seconds: u64,
    #[serde(rename = "MessageAttributeNames")]
    _message_attribute_names: [All; 1],
    #[serde(rename = "MessageSystemAttributeNames")]
    _message_system_attribute_names: [All; 1],
}

#[derive(Debug, Deserialize)]
enum All {
    All,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Receipts {
    queue_url: String,
    entries: Vec<Receipt>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Receipt {
    id: String,
    receipt_handle: String,
    visibility_timeout: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct GetQueueAttributes {
    queue_url: String,
    attribute_names: Vec<AttributeName>,
}

#[derive(Clone, Copy, Debug, Deserialize)]
enum AttributeName {
    ApproximateNumberOfMessages,
    ApproximateNumberOfMessagesNotVisible,
    RedrivePolicy,
    VisibilityTimeout,
}

impl Queues {
    pub(in crate::aws) fn receive_message(&mut self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        let request: ReceiveMessage = parse(Operation::ReceiveMessage, body)?;
        let now = self.now();
        let queue = self.find(&request.queue_url)?;
        let max = request.max_number_of_messages;
        if !(1..=MAX_ENTRIES).contains(&max) {
            return Err(SqsError::MaxNumberOfMessages(max).into());
        }
        let messages = queue.receive(max, Duration::from_secs(request.visibility_timeout), now);
        Ok(json!({"Messages": messages.iter().map(to_json).collect::<Vec<_>>()}))
    }

    pub(in crate::aws) fn delete_message_batch(&mut self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        self.with_each(Operation::DeleteMessageBatch, body, |queue, receipt, now| match receipt.visibility_timeout {
            None => Some(queue.delete(&receipt.receipt_handle, now).map(|_| ())),
            Some(_) => None,
        })
    }

    pub(in crate::aws) fn change_message_visibility_batch(&mut self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        self.with_each(Operation::ChangeMessageVisibilityBatch, body, |queue, receipt, now| {
            Some(queue.hide(&receipt.receipt_handle, Duration::from_secs(receipt.visibility_timeout?), now))
        })
    }

    /// Does the same to the message behind each receipt, and answers by id. `None` for a receipt with other parameters.
    fn with_each(
        &mut self,
        operation: Operation,
        body: &[u8],
        change: impl Fn(&mut Queue, &Receipt, Timestamp) -> Option<Result<(), ReceiptError>>,
    ) -> Result<Value, ErrorAnswer> {
        let Receipts { queue_url, entries } = parse(operation, body)?;
        let now = self.now();
        let queue = self.find(&queue_url)?;
        check_ids(entries.iter().map(|entry| entry.id.as_str()))?;
        let (mut successful, mut failed) = (Vec::new(), Vec::new());
        for receipt in &entries {
            let id = &receipt.id;
            let changed = change(queue, receipt, now);
            match changed.ok_or_else(|| ErrorAnswer::not_modelled(format_args!("{operation} with these parameters")))? {
                Ok(()) => successful.push(json!({"Id": id})),
                Err(error) => {
                    let code = match error {
                        ReceiptError::Invalid => "ReceiptHandleIsInvalid",
                        ReceiptError::NotInFlight => "MessageNotInflight",
                        ReceiptError::Expired | ReceiptError::TooLong => "InvalidParameterValue",
                    };
                    failed.push(json!({"Id": id, "Code": code, "SenderFault": true, "Message": error.to_string()}));
                }
            }
        }
        Ok(json!({"Successful": successful, "Failed": failed}))
    }

    pub(in crate::aws) fn get_queue_attributes(&mut self, body: &[u8]) -> Result<Value, ErrorAnswer> {
        let request: GetQueueAttributes = parse(Operation::GetQueueAttributes, body)?;
        let now = self.now();
        let queue = self.find(&request.queue_url)?;
        let depth = queue.depth(now);
        let redrive = || queue.dead_letter_queue().map(|dead| json!({"deadLetterTargetArn": dead.arn()}).to_string());
        let attributes = request.attribute_names.into_iter().filter_map(|name| {
            let value = match name {
                AttributeName::ApproximateNumberOfMessages => depth.visible.to_string(),
                AttributeName::ApproximateNumberOfMessagesNotVisible => depth.in_flight.to_string(),
                AttributeName::RedrivePolicy => redrive()?,
                AttributeName::VisibilityTimeout => queue.visibility_timeout().as_secs().to_string(),
            };
            Some((format!("{name:?}"), Value::from(value)))
        });
        Ok(json!({"Attributes": attributes.collect::<Map<_, _>>()}))
    }
}

fn to_json(message: &Message) -> Value {
    let attributes = message.attributes.iter();
    let attributes = attributes.map(|(name, text)| (name.clone(), json!({"DataType": "String", "StringValue": text})));
    json!({
        "MessageId": message.message_id,
        "ReceiptHandle": message.receipt_handle,
        "MD5OfBody": md5_hex(message.body.as_bytes()),
        "Body": &*message.body,
        "Attributes": SystemAttributes::new(message),
        "MessageAttributes": attributes.collect::<Map<_, _>>(),
    })
}
