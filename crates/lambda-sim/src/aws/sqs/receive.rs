//! What a receiver asks for: `ReceiveMessage`, `DeleteMessageBatch`, `ChangeMessageVisibilityBatch` and
//! `GetQueueAttributes` (SQS API reference). A long poll is answered at once, also when there is nothing.

use std::time::Duration;

use data_encoding::BASE64;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::error::SqsError;
use super::{MAX_ENTRIES, Queues, Refusal, check_ids, find, wire};
use crate::aws::error::ErrorAnswer;
use crate::clock::Timestamp;
use crate::event::SystemAttributes;
use crate::ids::md5_hex;
use crate::message::{AttributeValue, Message};
use crate::queue::{Queue, ReceiptError};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receive {
    queue_url: Option<String>,
    max_number_of_messages: Option<usize>,
    visibility_timeout: Option<u64>,
    #[serde(default)]
    message_attribute_names: Vec<String>,
    #[serde(default)]
    message_system_attribute_names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receipts {
    queue_url: Option<String>,
    #[serde(default)]
    entries: Vec<Receipt>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Receipt {
    id: Option<String>,
    receipt_handle: Option<String>,
    visibility_timeout: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Ask {
    queue_url: Option<String>,
    #[serde(default)]
    attribute_names: Vec<String>,
}

pub(in crate::aws) fn receive_message(queues: &mut Queues, body: &[u8], now: Timestamp) -> Result<Value, ErrorAnswer> {
    Ok(receive(queues, body, now)?)
}

pub(in crate::aws) fn delete_message_batch(
    queues: &mut Queues,
    body: &[u8],
    now: Timestamp,
) -> Result<Value, ErrorAnswer> {
    Ok(each(queues, body, |queue, receipt| queue.delete(handle(receipt), now).map(|_| ()))?)
}

pub(in crate::aws) fn change_message_visibility_batch(
    queues: &mut Queues,
    body: &[u8],
    now: Timestamp,
) -> Result<Value, ErrorAnswer> {
    let change = |queue: &mut Queue, receipt: &Receipt| {
        let timeout = Duration::from_secs(receipt.visibility_timeout.unwrap_or_default());
        queue.change_visibility(handle(receipt), timeout, now)
    };
    Ok(each(queues, body, change)?)
}

pub(in crate::aws) fn get_queue_attributes(
    queues: &mut Queues,
    body: &[u8],
    now: Timestamp,
) -> Result<Value, ErrorAnswer> {
    Ok(attributes(queues, body, now)?)
}

fn receive(queues: &mut Queues, body: &[u8], now: Timestamp) -> Result<Value, Refusal> {
    let request: Receive = wire::parse(body)?;
    let queue = find(queues, request.queue_url.as_deref())?;
    let most = request.max_number_of_messages.unwrap_or(1);
    if !(1..=MAX_ENTRIES).contains(&most) {
        return Err(SqsError::MostMessages(most).into());
    }
    let timeout = request.visibility_timeout.map_or_else(|| queue.visibility_timeout(), Duration::from_secs);
    let messages = queue.receive(most, timeout, now);
    if messages.is_empty() {
        return Ok(json!({}));
    }
    let asked_for = |names: &[String], name: &str| names.iter().any(|asked| asked == "All" || asked == name);
    let message = |message: &Message| {
        let mut system = serde_json::to_value(SystemAttributes::new(message)).unwrap_or_default();
        if let Some(system) = system.as_object_mut() {
            system.retain(|name, _| asked_for(&request.message_system_attribute_names, name));
        }
        let own = message.attributes.iter().filter(|(name, _)| asked_for(&request.message_attribute_names, name));
        let own = own.map(|(name, attribute)| {
            let value = match &attribute.value {
                AttributeValue::Text(text) => json!({"DataType": attribute.data_type, "StringValue": text}),
                AttributeValue::Binary(bytes) => {
                    json!({"DataType": attribute.data_type, "BinaryValue": BASE64.encode(bytes)})
                }
            };
            (name.clone(), value)
        });
        json!({
            "MessageId": message.message_id,
            "ReceiptHandle": message.receipt_handle,
            "MD5OfBody": md5_hex(message.body.as_bytes()),
            "Body": &*message.body,
            "Attributes": system,
            "MessageAttributes": own.collect::<Map<_, _>>(),
        })
    };
    Ok(json!({"Messages": messages.iter().map(message).collect::<Vec<_>>()}))
}

/// Does the same to the message behind each receipt, and answers by id.
fn each(
    queues: &mut Queues,
    body: &[u8],
    mut change: impl FnMut(&mut Queue, &Receipt) -> Result<(), ReceiptError>,
) -> Result<Value, Refusal> {
    let request: Receipts = wire::parse(body)?;
    let queue = find(queues, request.queue_url.as_deref())?;
    check_ids(request.entries.iter().map(|entry| entry.id.as_deref()))?;
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for receipt in &request.entries {
        match change(queue, receipt) {
            Ok(()) => successful.push(json!({"Id": receipt.id})),
            Err(error) => {
                let code = match error {
                    ReceiptError::Invalid => "ReceiptHandleIsInvalid",
                    ReceiptError::NotInFlight => "MessageNotInflight",
                    ReceiptError::Expired | ReceiptError::VisibilityTimeout => "InvalidParameterValue",
                };
                let message = error.to_string();
                failed.push(json!({"Id": receipt.id, "Code": code, "SenderFault": true, "Message": message}));
            }
        }
    }
    Ok(json!({"Successful": successful, "Failed": failed}))
}

fn handle(receipt: &Receipt) -> &str {
    receipt.receipt_handle.as_deref().unwrap_or_default()
}

fn attributes(queues: &mut Queues, body: &[u8], now: Timestamp) -> Result<Value, Refusal> {
    let request: Ask = wire::parse(body)?;
    let queue = find(queues, request.queue_url.as_deref())?;
    let depth = queue.depth(now);
    let redrive = queue.dead_letter_queue().map(|dead| json!({"deadLetterTargetArn": dead.arn()}).to_string());
    let known = [
        ("ApproximateNumberOfMessages", Some(depth.visible.to_string())),
        ("ApproximateNumberOfMessagesNotVisible", Some(depth.in_flight.to_string())),
        ("ApproximateNumberOfMessagesDelayed", Some(depth.delayed.to_string())),
        ("QueueArn", Some(queue.arn().to_owned())),
        ("RedrivePolicy", redrive),
    ];
    if let Some(name) = request.attribute_names.iter().find(|name| known.iter().all(|(known, _)| known != name)) {
        return Err(SqsError::AttributeName(name.clone()).into());
    }
    let wanted = known.into_iter().filter(|(name, _)| request.attribute_names.iter().any(|asked| asked == name));
    let wanted = wanted.filter_map(|(name, value)| Some((name.to_owned(), value?.into())));
    Ok(json!({"Attributes": wanted.collect::<Map<_, _>>()}))
}
