//! A message as SQS delivers it.

use std::{collections::BTreeMap, sync::Arc};

use data_encoding::HEXLOWER;
use md5::{Digest, Md5};

use crate::{clock::Timestamp, ids::Receipt};

/// The data type of every message attribute here.
pub(crate) const STRING: &str = "String";

/// A received message. Outside a queue, make one with [`Message::new`] and the setters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Names the message in `batchItemFailures`.
    pub message_id: String,
    /// Names this delivery of the message.
    pub receipt_handle: String,
    /// Its text, as sent.
    pub body: Arc<str>,
    /// When it was sent.
    pub sent: Timestamp,
    /// When it was first delivered.
    pub first_received: Timestamp,
    /// How often it has been delivered, this time included (`ApproximateReceiveCount`).
    pub receive_count: u32,
    /// Message group: the unit of order in FIFO queues, of fairness in standard ones.
    pub group_id: Option<String>,
    /// FIFO only.
    pub deduplication_id: Option<String>,
    /// FIFO only: twenty digits, growing within a group.
    pub sequence_number: Option<String>,
    /// In a dead-letter queue: the ARN of the queue that it comes from.
    pub dead_letter_source_arn: Option<String>,
    /// The sender's X-Ray trace (`AWSTraceHeader`).
    pub trace_header: Option<String>,
    /// The sender's attributes by name, all of the type `String`.
    pub attributes: BTreeMap<String, String>,
}

impl Message {
    /// A message of a standard queue, delivered for the first time just now, without attributes.
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

    /// Sets its message group.
    #[must_use]
    pub fn group(mut self, group_id: impl Into<String>) -> Self {
        self.group_id = Some(group_id.into());
        self
    }

    /// Sets its FIFO deduplication id.
    #[must_use]
    pub fn deduplication_id(mut self, id: impl Into<String>) -> Self {
        self.deduplication_id = Some(id.into());
        self
    }

    /// Sets its FIFO sequence number.
    #[must_use]
    pub fn sequence_number(mut self, number: impl Into<String>) -> Self {
        self.sequence_number = Some(number.into());
        self
    }

    /// Sets its X-Ray trace: `Root=…;Parent=…;Sampled=1`.
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

    /// Sets how often it has been delivered.
    #[must_use]
    pub fn received(mut self, receive_count: u32) -> Self {
        self.receive_count = receive_count;
        self
    }
}

/// What the attributes count towards the size of a message: names, types and values, in bytes.
pub(crate) fn attributes_len(attributes: &BTreeMap<String, String>) -> usize {
    attributes.iter().map(|(name, text)| name.len() + STRING.len() + text.len()).sum()
}

/// `md5OfMessageAttributes`: in the order of names each name, type and value, preceded by its length in four bytes, the
/// value by its transport type, too (SQS developer guide, "Calculating the MD5 message digest for message attributes").
pub(crate) fn md5_of_attributes(attributes: &BTreeMap<String, String>) -> String {
    let mut md5 = Md5::new();
    for (name, text) in attributes {
        with_length(&mut md5, name);
        with_length(&mut md5, STRING);
        md5.update([1]);
        with_length(&mut md5, text);
    }
    HEXLOWER.encode(&md5.finalize())
}

fn with_length(md5: &mut Md5, text: &str) {
    // A whole message has at most 1 MiB, so four bytes always hold the length.
    md5.update(u32::try_from(text.len()).unwrap_or(u32::MAX).to_be_bytes());
    md5.update(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Attributes and digest as SQS answered them to LocalStack's test_receive_message_message_attribute_names_filters.
    #[test]
    fn the_digest_of_attributes_is_the_one_of_sqs() {
        let attributes = [("Help.Me", "Me"), ("Hello", "There"), ("General", "Kenobi")];
        let attributes = attributes.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
        assert_eq!(md5_of_attributes(&attributes), "4c360f3fdafd970e05fae2f149d997f5");
        assert_eq!(attributes_len(&attributes), 7 + 6 + 2 + 5 + 6 + 5 + 7 + 6 + 6);
    }
}
