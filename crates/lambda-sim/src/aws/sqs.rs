//! `SendMessage` and `SendMessageBatch` (SQS API reference); what a receiver asks for is in `receive`.
//!
//! Where the reference doesn't say whether an entry or the whole batch fails, it is as the AWS-validated tests of LocalStack recorded it
//! from SQS: characters, attributes and ids fail the entry; what is missing (a body, a FIFO group) fails the batch.

mod error;
mod receive;
mod wire;

use std::collections::{BTreeMap, HashSet};

use serde_json::{Value, json};

use super::error::{CommonError, ErrorAnswer};
use super::fault::EntryFault;
use super::operation::Service;
use crate::clock::Timestamp;
use crate::ids::md5_hex;
use crate::message::md5_of_attributes;
use crate::queue::{MAX_MESSAGE_LEN, Queue, SendError, SendMessage, Sent};
use error::SqsError;
pub(super) use receive::{
    change_message_visibility_batch, delete_message_batch, get_queue_attributes, receive_message,
};
use wire::{Batch, Entry, Single};

const MAX_ENTRIES: usize = 10;
const MAX_ID_LEN: usize = 80;

pub(super) type Queues = BTreeMap<String, Queue>;

/// An error of SQS alone or of every service.
#[derive(Debug, thiserror::Error)]
enum Refusal {
    #[error(transparent)]
    Sqs(#[from] SqsError),
    #[error(transparent)]
    Common(#[from] CommonError),
}

impl From<Refusal> for ErrorAnswer {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Sqs(error) => error.answer(),
            Refusal::Common(error) => error.answer(Service::Sqs),
        }
    }
}

/// The number of messages in the `body` of a `SendMessageBatch`; none in what can't be read.
pub(super) fn batch_len(body: &[u8]) -> usize {
    let batch: Value = serde_json::from_slice(body).unwrap_or_default();
    batch["Entries"].as_array().map_or(0, Vec::len)
}

pub(super) fn send_message(queues: &mut Queues, body: &[u8], now: Timestamp) -> Result<Value, ErrorAnswer> {
    let request: Single = wire::parse(body).map_err(Refusal::from)?;
    let queue = find(queues, request.queue_url.as_deref()).map_err(Refusal::from)?;
    Ok(send_one(queue, &request.entry, now)?)
}

fn send_one(queue: &mut Queue, entry: &Entry, now: Timestamp) -> Result<Value, Refusal> {
    let message = entry.message()?;
    let sent = queue.send(message.clone(), now).map_err(SqsError::Send)?;
    Ok(result(&message, &sent, entry)?)
}

pub(super) fn send_message_batch(
    queues: &mut Queues,
    body: &[u8],
    faults: &[EntryFault],
    now: Timestamp,
) -> Result<Value, ErrorAnswer> {
    let request: Batch = wire::parse(body).map_err(Refusal::from)?;
    let queue = find(queues, request.queue_url.as_deref()).map_err(Refusal::from)?;
    Ok(send_all(queue, &request.entries.unwrap_or_default(), faults, now)?)
}

fn send_all(queue: &mut Queue, entries: &[Entry], faults: &[EntryFault], now: Timestamp) -> Result<Value, Refusal> {
    check_ids(entries.iter().map(|entry| entry.id.as_deref()))?;
    let messages = entries.iter().map(Entry::message).collect::<Result<Vec<_>, _>>()?;
    let total = messages.iter().map(SendMessage::size).sum();
    if total > MAX_MESSAGE_LEN {
        return Err(SqsError::BatchTooLong(total).into());
    }
    for message in &messages {
        if let Err(error @ (SendError::EmptyBody | SendError::NoGroup | SendError::NoDeduplicationId)) =
            queue.check(message)
        {
            return Err(SqsError::InBatch(error).into());
        }
    }
    for (position, message) in messages.iter().enumerate() {
        if faults.iter().any(|fault| fault.fails_the_call && fault.hits(position, message.body())) {
            return Err(SqsError::Send(SendError::InvalidCharacter('\u{fffe}')).into());
        }
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for (position, (entry, message)) in entries.iter().zip(messages).enumerate() {
        let id = entry.id.as_deref().unwrap_or_default();
        if let Some(fault) = faults.iter().find(|fault| fault.hits(position, message.body())) {
            let EntryFault { code, sender_fault, .. } = fault;
            failed.push(json!({"Id": id, "Code": code, "SenderFault": sender_fault, "Message": "as planned"}));
            continue;
        }
        match queue.send(message.clone(), now) {
            Ok(sent) => {
                let mut result = result(&message, &sent, entry)?;
                result["Id"] = id.into();
                successful.push(result);
            }
            Err(error) => {
                let error = SqsError::Send(error).answer();
                let (code, message) = (error.code, error.message);
                failed.push(json!({"Id": id, "Code": code, "SenderFault": true, "Message": message}));
            }
        }
    }
    let mut answer = json!({});
    for (key, entries) in [("Successful", successful), ("Failed", failed)] {
        if !entries.is_empty() {
            answer[key] = entries.into();
        }
    }
    Ok(answer)
}

/// The queue at the end of `url`; SQS, too, goes by its path alone.
fn find<'a>(queues: &'a mut Queues, url: Option<&str>) -> Result<&'a mut Queue, SqsError> {
    let url = url.filter(|url| !url.is_empty()).ok_or(SqsError::Missing("QueueUrl"))?;
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (rest, name) = path.rsplit_once('/').unwrap_or(("", path));
    let account = rest.rsplit('/').next().unwrap_or_default();
    let queue = queues.get_mut(name).filter(|queue| account.is_empty() || account == account_of(queue));
    queue.ok_or(SqsError::QueueDoesNotExist)
}

/// The account of an ARN such as `arn:aws:sqs:us-east-2:123456789012:name`.
pub(super) fn account_of(queue: &Queue) -> &str {
    queue.arn().split(':').nth(4).unwrap_or_default()
}

/// Of the entries of a batch.
fn check_ids<'a>(ids: impl ExactSizeIterator<Item = Option<&'a str>>) -> Result<(), SqsError> {
    if ids.len() == 0 {
        return Err(SqsError::EmptyBatch);
    }
    if ids.len() > MAX_ENTRIES {
        return Err(SqsError::TooManyEntries(ids.len()));
    }
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut seen = HashSet::new();
    for id in ids.map(Option::unwrap_or_default) {
        if id.is_empty() || id.len() > MAX_ID_LEN || !id.chars().all(valid) {
            return Err(SqsError::InvalidEntryId);
        }
        if !seen.insert(id) {
            return Err(SqsError::EntryIdRepeated(id.to_owned()));
        }
    }
    Ok(())
}

fn result(message: &SendMessage, sent: &Sent, entry: &Entry) -> Result<Value, CommonError> {
    let mut result = json!({
        "MessageId": sent.message_id,
        "MD5OfMessageBody": md5_hex(message.body().as_bytes()),
    });
    if !message.attributes().is_empty() {
        result["MD5OfMessageAttributes"] = md5_of_attributes(message.attributes()).into();
    }
    let system = entry.system_attributes()?;
    if !system.is_empty() {
        result["MD5OfMessageSystemAttributes"] = md5_of_attributes(&system).into();
    }
    if let Some(number) = &sent.sequence_number {
        result["SequenceNumber"] = number.as_str().into();
    }
    Ok(result)
}
