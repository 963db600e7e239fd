//! Sending, and the FIFO deduplication window.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::{Entry, Queue, SendError, content};
use crate::{
    clock::Timestamp,
    ids,
    message::{Message, attributes_len},
};

/// A deduplication id is remembered for five minutes from the first message with it (SQS guide, "Exactly-once
/// processing").
const DEDUPLICATION_WINDOW: Duration = Duration::from_mins(5);
/// AWS's example sequence number; they have twenty digits and grow, not necessarily by one.
const FIRST_SEQUENCE_NUMBER: u128 = 18_849_496_460_467_696_128;

/// What to send; see [`Queue::send`].
#[derive(Clone, Debug)]
pub struct SendMessage {
    body: Arc<str>,
    group_id: Option<String>,
    deduplication_id: Option<String>,
    attributes: BTreeMap<String, String>,
    trace_header: Option<String>,
}

impl SendMessage {
    /// A message with `body` and nothing else.
    pub fn new(body: impl Into<Arc<str>>) -> Self {
        Self {
            body: body.into(),
            group_id: None,
            deduplication_id: None,
            attributes: BTreeMap::new(),
            trace_header: None,
        }
    }

    /// `MessageGroupId`: required in FIFO queues, for fairness in standard ones.
    #[must_use]
    pub fn group(mut self, group_id: impl Into<String>) -> Self {
        self.group_id = Some(group_id.into());
        self
    }

    /// `MessageDeduplicationId`, FIFO only.
    #[must_use]
    pub fn deduplication_id(mut self, id: impl Into<String>) -> Self {
        self.deduplication_id = Some(id.into());
        self
    }

    /// Adds a message attribute of the type `String`.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.attributes.insert(name.into(), text.into());
        self
    }

    /// `AWSTraceHeader`, the one system attribute that a sender may set. It does not count towards the size.
    #[must_use]
    pub fn trace_header(mut self, header: impl Into<String>) -> Self {
        self.trace_header = Some(header.into());
        self
    }

    /// Its size as SQS counts it: body and attributes, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.body.len() + attributes_len(&self.attributes)
    }

    pub(crate) fn body(&self) -> &str {
        &self.body
    }

    pub(crate) fn attributes(&self) -> &BTreeMap<String, String> {
        &self.attributes
    }
}

impl From<&str> for SendMessage {
    fn from(body: &str) -> Self {
        Self::new(body)
    }
}

/// What SQS answers to a send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// The message's id; that of the first one when this was a duplicate.
    pub message_id: String,
    /// FIFO only; that of the first one when this was a duplicate.
    pub sequence_number: Option<String>,
    /// FIFO: accepted but not added, since the deduplication id was used within five minutes.
    pub deduplicated: bool,
}

/// The deduplication ids of the last five minutes.
#[derive(Clone, Debug, Default)]
pub(super) struct Deduplication(HashMap<String, (Timestamp, Sent)>);

impl Deduplication {
    fn first(&mut self, id: &str, now: Timestamp) -> Option<&Sent> {
        self.0.retain(|_, (since, _)| now < since.plus(DEDUPLICATION_WINDOW));
        self.0.get(id).map(|(_, sent)| sent)
    }
}

impl Queue {
    /// Adds a message.
    ///
    /// # Errors
    /// [`SendError`] for what SQS refuses; the queue is unchanged then.
    pub fn send(&mut self, message: impl Into<SendMessage>, now: Timestamp) -> Result<Sent, SendError> {
        let mut message = message.into();
        self.check(&message)?;
        if self.fifo && message.deduplication_id.is_none() {
            message.deduplication_id = Some(HEXLOWER.encode(&Sha256::digest(message.body.as_bytes())));
        }
        if let Some(id) = &message.deduplication_id
            && let Some(first) = self.deduplication.first(id, now)
        {
            return Ok(Sent { deduplicated: true, ..first.clone() });
        }
        Ok(self.append(message, now))
    }

    fn append(&mut self, message: SendMessage, now: Timestamp) -> Sent {
        let serial = self.next_serial();
        let sequence_number = self.fifo.then(|| (FIRST_SEQUENCE_NUMBER + 256 * u128::from(serial)).to_string());
        let sent = Sent {
            message_id: ids::message_id(&self.arn, self.config.seed, serial),
            sequence_number: sequence_number.clone(),
            deduplicated: false,
        };
        if let Some(id) = &message.deduplication_id {
            self.deduplication.0.insert(id.clone(), (now, sent.clone()));
        }
        let message = Message {
            message_id: sent.message_id.clone(),
            receipt_handle: String::new(),
            body: message.body,
            sent: now,
            first_received: now,
            receive_count: 0,
            group_id: message.group_id,
            deduplication_id: message.deduplication_id,
            sequence_number,
            dead_letter_source_arn: None,
            trace_header: message.trace_header,
            attributes: message.attributes,
        };
        self.entries.insert(serial, Entry { message, received_at: now, visible_at: now.plus(self.config.delay) });
        sent
    }

    /// Whether [`send`](Self::send) would take `message`.
    ///
    /// # Errors
    /// [`SendError`] for what SQS refuses.
    pub fn check(&self, message: &SendMessage) -> Result<(), SendError> {
        content::check(&message.body, &message.attributes)?;
        let ids = [("MessageGroupId", &message.group_id), ("MessageDeduplicationId", &message.deduplication_id)];
        for (parameter, id) in ids {
            let valid = |id: &String| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
            if id.as_ref().is_some_and(|id| !valid(id)) {
                let rule = "has 1 to 128 alphanumeric and punctuation characters";
                return Err(SendError::Invalid(format!("{parameter} {rule}")));
            }
        }
        match (self.fifo, &message.group_id, &message.deduplication_id) {
            (false, _, Some(_)) => Err(SendError::Invalid("deduplication ids are for FIFO queues".into())),
            (true, None, _) => Err(SendError::NoGroup),
            (true, _, None) if !self.config.content_based_deduplication => Err(SendError::NoDeduplicationId),
            _ => Ok(()),
        }
    }
}
