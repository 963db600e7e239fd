//! A message as it is sent to SQS.

use std::collections::HashMap;

use aws_sdk_sqs::types::MessageAttributeValue;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::{batch::Item, lane::Lane};

/// A message to be sent, with what the sender needs to know about it once it is settled.
#[derive(Debug)]
pub(crate) struct Outgoing<T> {
    pub(crate) body: String,
    pub(crate) lane: Lane,
    pub(crate) fifo: Option<Fifo>,
    /// Its X-Ray trace.
    pub(crate) trace: Option<String>,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
    pub(crate) context: T,
}

/// What a FIFO queue requires in addition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fifo {
    pub(crate) group: String,
    pub(crate) deduplication: String,
}

impl<T> Item for Outgoing<T> {
    fn size(&self) -> usize {
        let attribute = |(name, value): (&String, &MessageAttributeValue)| {
            let value = value.string_value().map_or(0, str::len) + value.binary_value().map_or(0, |b| b.as_ref().len());
            name.len() + value
        };
        // SQS counts the data type's name, too.
        let types: usize = self.attributes.values().map(|value| value.data_type().len()).sum();
        self.body.len() + self.attributes.iter().map(attribute).sum::<usize>() + types
    }

    fn group(&self) -> Option<&str> {
        self.fifo.as_ref().map(|fifo| fifo.group.as_str())
    }
}

/// Whether the queue of this URL is a FIFO queue.
pub(crate) fn is_fifo(queue_url: &str) -> bool {
    queue_url.ends_with(".fifo")
}

/// The message group of an event: the device's token, as the template asks of producers. An event without a device
/// waits for no other; its group is a digest, since an account must not appear in a message's attributes.
pub(crate) fn group(token: Option<&str>, body: &str) -> String {
    // SQS accepts ASCII letters, digits and punctuation; the contract accepts more in a token.
    let fits = |token: &&str| (1..=128).contains(&token.len()) && token.chars().all(|c| c.is_ascii_graphic());
    match token {
        Some(token) if fits(&token) => token.to_owned(),
        Some(token) => digest(&["device", token]),
        None => digest(&["alone", body]),
    }
}

/// The deduplication id, which SQS compares for five minutes. It covers the body and the run, so that a copy sent by a
/// resumed run is dropped, and an event that is sent again on purpose is not.
pub(crate) fn deduplication(run: &str, body: &str) -> String {
    digest(&["replay", run, body])
}

fn digest(parts: &[&str]) -> String {
    HEXLOWER.encode(&Sha256::digest(parts.join("\0")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_the_token_unchanged_if_sqs_accepts_it() {
        assert_eq!(group(Some("05da87c0ae5973bd"), "body"), "05da87c0ae5973bd");
        let odd = group(Some("tökén"), "body");
        assert_eq!((odd.len(), group(Some("tökén"), "other body")), (64, odd));
    }

    #[test]
    fn each_deletion_has_its_own_group_and_no_account_is_visible() {
        let (one, other) = (group(None, r#"{"account":"ann"}"#), group(None, r#"{"account":"ben"}"#));
        assert_ne!(one, other);
        assert!(!one.contains("ann"));
    }

    #[test]
    fn a_copy_of_the_same_run_is_a_duplicate_and_one_of_another_run_is_not() {
        assert_eq!(deduplication("run", "body"), deduplication("run", "body"));
        assert_ne!(deduplication("run", "body"), deduplication("another", "body"));
        assert_ne!(deduplication("run", "body"), deduplication("run", "another"));
    }
}
