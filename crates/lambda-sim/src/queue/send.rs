//! Sending: what SQS takes, and the FIFO deduplication window.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use super::config::MAX_DELAY;
use super::{Entry, Queue, SendError, attributes};
use crate::clock::Timestamp;
use crate::ids;
use crate::message::{Message, MessageAttribute, attributes_len};

/// A message of body and attributes may have this many bytes (SQS quotas, 1 MiB since August 2025).
pub(crate) const MAX_MESSAGE_LEN: usize = 1024 * 1024;
/// A deduplication id is remembered for five minutes from the first message that bore it (SQS guide, "Exactly-once processing").
const DEDUPLICATION_WINDOW: Duration = Duration::from_mins(5);
/// AWS's example sequence number; they have twenty digits and grow, not necessarily by one.
const FIRST_SEQUENCE_NUMBER: u128 = 18_849_496_460_467_696_128;

/// What to send; see [`Queue::send`].
#[derive(Clone, Debug)]
pub struct SendMessage {
    body: Arc<str>,
    group_id: Option<String>,
    deduplication_id: Option<String>,
    delay: Option<Duration>,
    attributes: BTreeMap<String, MessageAttribute>,
    trace_header: Option<String>,
}

impl SendMessage {
    /// A message with `body` and nothing else.
    pub fn new(body: impl Into<Arc<str>>) -> Self {
        Self {
            body: body.into(),
            group_id: None,
            deduplication_id: None,
            delay: None,
            attributes: BTreeMap::new(),
            trace_header: None,
        }
    }

    /// `MessageGroupId`: needed in FIFO, fairness in standard queues.
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

    /// `DelaySeconds` of this message, standard queues only.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = Some(delay);
        self
    }

    /// Puts a message attribute on it.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: MessageAttribute) -> Self {
        self.attributes.insert(name.into(), value);
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

    pub(crate) fn attributes(&self) -> &BTreeMap<String, MessageAttribute> {
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
    /// The message's id; of the first one when this was a duplicate.
    pub message_id: String,
    /// FIFO only; of the first one when this was a duplicate.
    pub sequence_number: Option<String>,
    /// FIFO: accepted but not added, for the deduplication id was used within five minutes.
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
    /// Adds a message, visible after its delay.
    ///
    /// # Errors
    /// [`SendError`] for what SQS refuses; the queue is as before then.
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
        let delay = message.delay.unwrap_or(self.config.delay);
        let sent = self.append(message, now, now.plus(delay));
        Ok(sent)
    }

    /// Adds without asking.
    fn append(&mut self, message: SendMessage, now: Timestamp, visible_at: Timestamp) -> Sent {
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
        self.entries.insert(serial, Entry { message, visible_at });
        sent
    }

    /// Moves every message of the dead-letter queue back here, in its order, and says how many (`StartMessageMoveTask`).
    ///
    /// Each becomes a new message: new id, new `SentTimestamp`, receive count zero (SQS guide, "Configuring a dead-letter queue redrive").
    pub fn redrive_dead_letters(&mut self, now: Timestamp) -> usize {
        let Some((_, dead_letters)) = &mut self.dead_letters else { return 0 };
        let parked = std::mem::take(&mut dead_letters.entries);
        let count = parked.len();
        for Message { body, group_id, deduplication_id, attributes, trace_header, .. } in
            parked.into_values().map(|entry| entry.message)
        {
            self.append(
                SendMessage { body, group_id, deduplication_id, delay: None, attributes, trace_header },
                now,
                now,
            );
        }
        count
    }

    /// Whether [`send`](Self::send) would take `message`.
    ///
    /// # Errors
    /// [`SendError`] for what SQS refuses.
    pub fn check(&self, message: &SendMessage) -> Result<(), SendError> {
        check_content(message)?;
        if self.fifo { self.check_fifo(message) } else { check_standard(message) }
    }

    fn check_fifo(&self, message: &SendMessage) -> Result<(), SendError> {
        if message.group_id.is_none() {
            return Err(SendError::NoGroup);
        }
        if message.delay.is_some() {
            return Err(SendError::WrongKind("a delay of a single message", "standard"));
        }
        if message.deduplication_id.is_none() && !self.config.content_based_deduplication {
            return Err(SendError::NoDeduplicationId);
        }
        Ok(())
    }
}

fn check_standard(message: &SendMessage) -> Result<(), SendError> {
    if message.deduplication_id.is_some() {
        return Err(SendError::WrongKind("a deduplication id", "FIFO"));
    }
    if message.delay.is_some_and(|delay| delay > MAX_DELAY) {
        return Err(SendError::Delay);
    }
    Ok(())
}

fn check_content(message: &SendMessage) -> Result<(), SendError> {
    if message.body.is_empty() {
        return Err(SendError::EmptyBody);
    }
    if let Some(c) = message.body.chars().find(|c| !allowed(*c)) {
        return Err(SendError::InvalidCharacter(c));
    }
    if message.attributes.len() > 10 {
        return Err(SendError::TooManyAttributes(message.attributes.len()));
    }
    for (name, attribute) in &message.attributes {
        attributes::check(name, attribute)?;
    }
    let len = message.size();
    if len > MAX_MESSAGE_LEN {
        return Err(SendError::TooLong(len));
    }
    let ids = [("MessageGroupId", &message.group_id), ("MessageDeduplicationId", &message.deduplication_id)];
    for (parameter, id) in ids {
        let valid = |id: &String| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        if let Some(value) = id.as_ref().filter(|id| !valid(id)) {
            return Err(SendError::Id { parameter, value: value.clone() });
        }
    }
    Ok(())
}

/// Whether a text may have this character: `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF` (SQS API reference,
/// `SendMessage`).
pub(super) fn allowed(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}
