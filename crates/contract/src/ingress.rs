//! Envelopes, recognised by shape and never guessed (docs/producers.md, "Envelopes").
//!
//! An invocation is opened in two steps, so that one bad body never harms its neighbours: [`Batch::open`] reads the
//! ids and leaves the bodies alone; [`Message::event`] then reads one body.

mod body;
mod bridge;
mod foreign;
mod repeats;
mod sns;
mod sqs;
mod text;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    event::{Event, Invalid, Millis, Rules, deliveries},
    json::Object,
};

/// An invocation, opened: ids first, bodies unread.
#[derive(Debug)]
pub struct Batch<'a> {
    /// Who invoked the function, and so how it is answered.
    pub source: Source,
    /// One for each SQS record or EventBridge event, in the order they came.
    pub messages: Vec<Message<'a>>,
    /// The ARN of the queue that it comes from.
    pub queue_arn: Option<Cow<'a, str>>,
}

/// The place of a message in its batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageIndex(pub usize);

/// Who invoked the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A standard queue's event source mapping.
    StandardQueue,
    /// A FIFO queue's: its ARN ends in `.fifo`. A message group id proves nothing, fair queues have one too.
    FifoQueue,
    /// EventBridge straight to the function.
    EventBridge,
}

/// One message of a batch, its body unread.
#[derive(Debug)]
pub struct Message<'a> {
    /// The SQS message id; of an EventBridge event its `id`, if it has one that can be read.
    pub id: Cow<'a, str>,
    content: Content<'a>,
    attributes: Option<&'a RawValue>,
    receipt_handle: Option<&'a RawValue>,
    /// Whether it came from a FIFO queue.
    fifo: bool,
}

#[derive(Debug)]
enum Content<'a> {
    /// An SQS body: a JSON string that holds JSON text. `None` where the record has no body.
    Body(Option<&'a RawValue>),
    /// An EventBridge event.
    Bridge(&'a RawValue),
}

/// An invocation that has none of the five shapes: the trigger is not set up correctly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unrecognised {
    /// Neither from SQS nor from EventBridge.
    #[error(
        "the invocation is neither an SQS batch (Records of aws:sqs) nor an EventBridge event (detail-type, detail) nor an array of such events; check the function's trigger"
    )]
    Shape,
    /// An SQS record that no answer could name.
    #[error("record {0} of the batch has no messageId, so no response could report it; the whole batch is refused")]
    NoMessageId(usize),
}

impl<'a> Batch<'a> {
    /// Recognises the invocation and reads its ids.
    ///
    /// # Errors
    /// [`Unrecognised`]: never an empty success, which would delete what could not be read.
    pub fn open(payload: &'a str) -> Result<Self, Unrecognised> {
        match payload.trim_start().as_bytes().first() {
            Some(b'[') => bridge::open_array(payload),
            Some(b'{') => Self::open_object(payload),
            _ => Err(Unrecognised::Shape),
        }
    }

    fn open_object(payload: &'a str) -> Result<Self, Unrecognised> {
        #[derive(Deserialize)]
        struct Shape<'a> {
            #[serde(borrow, rename = "Records")]
            records: Option<Vec<Object<sqs::Record<'a>>>>,
            #[serde(borrow, rename = "detail-type")]
            detail_type: Option<&'a RawValue>,
            #[serde(borrow)]
            detail: Option<&'a RawValue>,
        }
        let shape: Shape<'a> = serde_json::from_str(payload).map_err(|_| Unrecognised::Shape)?;
        match (shape.records, shape.detail_type, shape.detail) {
            (Some(records), None, None) => sqs::open(records),
            (None, Some(_), Some(_)) => bridge::open_object(payload),
            _ => Err(Unrecognised::Shape),
        }
    }
}

impl Message<'_> {
    /// Reads the body, in any of the envelopes, and checks the event in it.
    ///
    /// # Errors
    /// [`Invalid`] if this message can never be applied. Its neighbours are not affected.
    pub fn event(&self, rules: &Rules<'_>) -> Result<Event, Invalid> {
        match self.content {
            Content::Body(body) => body::event(body, &self.id, self.attributes, self.fifo, rules),
            Content::Bridge(event) => body::bridge_event(event.get(), rules),
        }
    }

    /// The message as received: the SQS body, or the EventBridge event's JSON. `None` for a body that is no text.
    #[must_use]
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self.content {
            Content::Body(body) => text::text(body?),
            Content::Bridge(event) => Some(Cow::Borrowed(event.get())),
        }
    }

    /// What SQS knows this delivery of the message by. A secret: anyone who has it can delete the message.
    #[must_use]
    pub fn receipt_handle(&self) -> Option<Cow<'_, str>> {
        self.receipt_handle.and_then(text::text).filter(|handle| !handle.is_empty())
    }

    /// How often it has been delivered, as far as SQS says; at least 1.
    #[must_use]
    pub fn deliveries(&self) -> u32 {
        deliveries(self.attributes)
    }

    /// SQS's attributes of the message, read only when they are needed. Empty if they can't be read: none of them
    /// decides the outcome of the event.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        self.attributes.and_then(|attributes| serde_json::from_str(attributes.get()).ok()).unwrap_or_default()
    }
}

/// Reads the event in a body as if it had been sent to a standard queue at that time.
///
/// # Errors
/// [`Invalid`] if it can never be applied.
pub fn sent_event(body: &str, sent: Millis, rules: &Rules<'_>) -> Result<Event, Invalid> {
    let attributes = RawValue::from_string(format!(r#"{{"SentTimestamp":"{sent}"}}"#)).ok();
    body::sent(body, attributes.as_deref(), rules)
}

/// The attributes of an SQS record that are used here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Attributes {
    /// How often the message has been delivered.
    #[serde(rename = "ApproximateReceiveCount")]
    pub receive_count: Option<String>,
    /// When it was sent to the queue, in epoch milliseconds.
    #[serde(rename = "SentTimestamp")]
    pub sent: Option<String>,
    /// The unit of order in a FIFO queue.
    #[serde(rename = "MessageGroupId")]
    pub group_id: Option<String>,
    /// How a FIFO queue recognises a message that is sent twice.
    #[serde(rename = "MessageDeduplicationId")]
    pub deduplication_id: Option<String>,
    /// The X-Ray trace of its sender.
    #[serde(rename = "AWSTraceHeader")]
    pub trace_header: Option<String>,
}

#[cfg(test)]
mod tests;
