//! A message as SQS hands it out, and the attributes a sender may put on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};

use crate::clock::Timestamp;
use crate::ids::Receipt;

/// A received message. Outside a queue, make one with [`Message::new`] and the setters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Names the message in `batchItemFailures`.
    pub message_id: String,
    /// Names this delivery of the message.
    pub receipt_handle: String,
    /// What was sent.
    pub body: Arc<str>,
    /// When it was sent.
    pub sent: Timestamp,
    /// When it was first handed out.
    pub first_received: Timestamp,
    /// How often it has been handed out, this time included (`ApproximateReceiveCount`).
    pub receive_count: u32,
    /// Message group: the unit of order in FIFO, of fairness in standard queues.
    pub group_id: Option<String>,
    /// FIFO only.
    pub deduplication_id: Option<String>,
    /// FIFO only: twenty digits, growing within a group.
    pub sequence_number: Option<String>,
    /// ARN of the queue that gave up on it, on messages in a dead-letter queue.
    pub dead_letter_source_arn: Option<String>,
    /// The X-Ray trace its sender put it into (`AWSTraceHeader`).
    pub trace_header: Option<String>,
    /// The sender's own attributes by name.
    pub attributes: BTreeMap<String, MessageAttribute>,
}

impl Message {
    /// A message delivered for the first time just now, of a standard queue, without attributes.
    pub fn new(message_id: impl Into<String>, body: impl Into<Arc<str>>) -> Self {
        let message_id = message_id.into();
        let now = Timestamp::now();
        Self {
            receipt_handle: Receipt { entry: 0, delivery: 1 }.handle(&message_id),
            message_id,
            body: body.into(),
            sent: now,
            first_received: now,
            receive_count: 1,
            group_id: None,
            deduplication_id: None,
            sequence_number: None,
            dead_letter_source_arn: None,
            trace_header: None,
            attributes: BTreeMap::new(),
        }
    }

    /// Puts it into a message group.
    #[must_use]
    pub fn group(mut self, group_id: impl Into<String>) -> Self {
        self.group_id = Some(group_id.into());
        self
    }

    /// Gives it a FIFO deduplication id.
    #[must_use]
    pub fn deduplication_id(mut self, id: impl Into<String>) -> Self {
        self.deduplication_id = Some(id.into());
        self
    }

    /// Gives it a FIFO sequence number.
    #[must_use]
    pub fn sequence_number(mut self, number: impl Into<String>) -> Self {
        self.sequence_number = Some(number.into());
        self
    }

    /// Puts it into an X-Ray trace: `Root=…;Parent=…;Sampled=1`.
    #[must_use]
    pub fn trace_header(mut self, header: impl Into<String>) -> Self {
        self.trace_header = Some(header.into());
        self
    }

    /// Sets when it was sent and first received.
    #[must_use]
    pub fn sent_at(mut self, sent: Timestamp) -> Self {
        self.sent = sent;
        self.first_received = sent;
        self
    }

    /// Sets how often it has been handed out.
    #[must_use]
    pub fn received(mut self, receive_count: u32) -> Self {
        self.receive_count = receive_count;
        self
    }

    /// Puts one of the sender's attributes on it.
    #[must_use]
    pub fn attribute(mut self, name: impl Into<String>, value: MessageAttribute) -> Self {
        self.attributes.insert(name.into(), value);
        self
    }
}

/// A message attribute: a data type (`String`, `Number`, `Binary`, or one of them with a label, as in `Number.int`) and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageAttribute {
    /// As declared by the sender.
    pub data_type: String,
    /// As given by the sender.
    pub value: AttributeValue,
}

/// The value of a [`MessageAttribute`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// Text, of the types `String` and `Number`.
    Text(String),
    /// Bytes, of the type `Binary`; base64 in the event.
    Binary(Vec<u8>),
}

impl MessageAttribute {
    /// An attribute of the type `String`.
    pub fn string(value: impl Into<String>) -> Self {
        Self { data_type: "String".into(), value: AttributeValue::Text(value.into()) }
    }

    /// An attribute of the type `Number`, which SQS carries as text.
    pub fn number(value: impl ToString) -> Self {
        Self { data_type: "Number".into(), value: AttributeValue::Text(value.to_string()) }
    }

    /// An attribute of the type `Binary`.
    pub fn binary(value: impl Into<Vec<u8>>) -> Self {
        Self { data_type: "Binary".into(), value: AttributeValue::Binary(value.into()) }
    }

    fn transport(&self) -> (u8, &[u8]) {
        match &self.value {
            AttributeValue::Text(text) => (1, text.as_bytes()),
            AttributeValue::Binary(bytes) => (2, bytes),
        }
    }
}

/// What the attributes count towards the size of a message: names, types and values, in bytes.
pub(crate) fn attributes_len(attributes: &BTreeMap<String, MessageAttribute>) -> usize {
    let len = |(name, attribute): (&String, &MessageAttribute)| {
        name.len() + attribute.data_type.len() + attribute.transport().1.len()
    };
    attributes.iter().map(len).sum()
}

/// `md5OfMessageAttributes`: by name, each of name, type and value led by its length in four bytes, the value by its transport type too
/// (SQS developer guide, "Calculating the MD5 message digest for message attributes").
pub(crate) fn md5_of_attributes(attributes: &BTreeMap<String, MessageAttribute>) -> String {
    let mut md5 = Md5::new();
    for (name, attribute) in attributes {
        let (transport, value) = attribute.transport();
        led_by_length(&mut md5, name.as_bytes());
        led_by_length(&mut md5, attribute.data_type.as_bytes());
        md5.update([transport]);
        led_by_length(&mut md5, value);
    }
    HEXLOWER.encode(&md5.finalize())
}

fn led_by_length(md5: &mut Md5, bytes: &[u8]) {
    // A whole message has at most 1 MiB, so four bytes always hold the length.
    md5.update(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    md5.update(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_attributes_covers_names_types_and_values_in_the_order_of_names() {
        let attributes = BTreeMap::from([
            ("b".to_owned(), MessageAttribute::binary([1, 2])),
            ("a".to_owned(), MessageAttribute::string("x")),
        ]);
        let laid_out = [
            &b"\0\0\0\x01a\0\0\0\x06String\x01\0\0\0\x01x"[..],
            &b"\0\0\0\x01b\0\0\0\x06Binary\x02\0\0\0\x02\x01\x02"[..],
        ]
        .concat();
        assert_eq!(md5_of_attributes(&attributes), crate::ids::md5_hex(&laid_out));
        assert_eq!(attributes_len(&attributes), 1 + 6 + 1 + 1 + 6 + 2);
    }
}
