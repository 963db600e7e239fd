//! A message as SQS takes it.

use std::collections::HashMap;

use aws_sdk_sqs::types::MessageAttributeValue;
use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::batch::Item;

/// A message that is to be sent, and what is to be remembered of it meanwhile.
#[derive(Debug)]
pub(crate) struct Outgoing<T> {
    pub(crate) body: String,
    pub(crate) fifo: Option<Fifo>,
    /// Its X-Ray trace.
    pub(crate) trace: Option<String>,
    pub(crate) attributes: HashMap<String, MessageAttributeValue>,
    pub(crate) of: T,
}

/// What a FIFO queue wants besides.
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
        // A data type is a word, with a label of the sender's perhaps.
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

/// The message group of an event: the device's token, as the template tells producers. What names no device waits for
/// nothing; it is told by a digest, since an account must not stand in a message's attributes.
pub(crate) fn group(token: Option<&str>, body: &str) -> String {
    // SQS takes what a keyboard has; the contract takes more in a token.
    let fits = |token: &&str| (1..=128).contains(&token.len()) && token.chars().all(|c| c.is_ascii_graphic());
    match token {
        Some(token) if fits(&token) => token.to_owned(),
        Some(token) => digest(&["device", token]),
        None => digest(&["alone", body]),
    }
}

/// What SQS tells doubles by, within five minutes. The body and the run, so that a copy that a resumed run sends is
/// dropped, and an event that somebody means to send again is not.
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
    fn the_group_is_the_token_as_it_stands_if_sqs_can_take_it() {
        assert_eq!(group(Some("05da87c0ae5973bd"), "body"), "05da87c0ae5973bd");
        let odd = group(Some("tökén"), "body");
        assert_eq!((odd.len(), group(Some("tökén"), "other body")), (64, odd));
    }

    #[test]
    fn deletions_are_each_alone_and_no_account_shows() {
        let (one, other) = (group(None, r#"{"account":"ann"}"#), group(None, r#"{"account":"ben"}"#));
        assert_ne!(one, other);
        assert!(!one.contains("ann"));
    }

    #[test]
    fn a_copy_of_the_same_run_is_a_double_and_one_of_another_run_is_not() {
        assert_eq!(deduplication("run", "body"), deduplication("run", "body"));
        assert_ne!(deduplication("run", "body"), deduplication("another", "body"));
        assert_ne!(deduplication("run", "body"), deduplication("run", "another"));
    }
}
