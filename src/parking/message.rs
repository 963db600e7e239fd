//! A rejected message as SQS can keep it.

use std::collections::HashMap;

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use data_encoding::HEXLOWER;

use crate::{
    ingress::{Message, MessageIndex},
    outcome::Failure,
    sqs_batch::MOST_BYTES,
};

/// A message to park, and every message of the batch that is the same.
#[derive(Debug)]
pub(super) struct ParkedMessage {
    pub(super) indices: Vec<MessageIndex>,
    pub(super) size: usize,
    /// Its id is the message's place among all.
    pub(super) entry: SendMessageBatchRequestEntry,
}

/// Why SQS can't keep a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unfit {
    #[error("it has no body to keep")]
    NoBody,
    #[error("with its reason it is larger than 1 MiB, the most that SQS accepts")]
    TooLarge,
    #[error("its body contains characters that SQS does not accept, such as control characters")]
    Characters,
    #[error("it can't be made into an SQS message")]
    Malformed,
}

/// What is sent to the parking queue for rejected messages, given by index and with their failures: equal ones share one.
/// Also returns those that SQS can't keep.
pub(super) fn messages<'m>(
    rejected: impl Iterator<Item = (MessageIndex, &'m Message<'m>, &'m Failure)>,
    fifo: bool,
) -> (Vec<ParkedMessage>, Vec<(MessageIndex, Unfit)>) {
    let (mut messages, mut unfit) = (Vec::<ParkedMessage>::new(), Vec::new());
    let mut places: HashMap<(&str, String), usize> = HashMap::new();
    for (index, message, failure) in rejected {
        let body = match body(message) {
            Ok(body) => body,
            Err(why) => {
                unfit.push((index, why));
                continue;
            }
        };
        let same = (message.id.as_ref(), body);
        if let Some(&place) = places.get(&same) {
            messages[place].indices.push(index);
            continue;
        }
        let place = messages.len();
        match entry(place, message, &same.1, failure, fifo) {
            Ok(entry) => {
                messages.push(ParkedMessage { indices: vec![index], size: size(&entry), entry });
                places.insert(same, place);
            }
            Err(why) => unfit.push((index, why)),
        }
    }
    (messages, unfit)
}

fn body(message: &Message<'_>) -> Result<String, Unfit> {
    let body = message.text().filter(|body| !body.is_empty()).ok_or(Unfit::NoBody)?;
    if !body.chars().all(is_allowed) {
        return Err(Unfit::Characters);
    }
    Ok(body.into_owned())
}

/// What SQS takes in a text (SQS API reference, `SendMessage`).
fn is_allowed(c: char) -> bool {
    !(c.is_ascii_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{7f}') || matches!(c, '\u{fffe}' | '\u{ffff}'))
}

fn entry(
    place: usize,
    message: &Message<'_>,
    body: &str,
    failure: &Failure,
    fifo: bool,
) -> Result<SendMessageBatchRequestEntry, Unfit> {
    let text = |value: &str| {
        let value = MessageAttributeValue::builder().data_type("String").string_value(value).build();
        value.map_err(|_| Unfit::Malformed)
    };
    let mut entry = SendMessageBatchRequestEntry::builder()
        .id(place.to_string())
        .message_body(body)
        .message_attributes("reason", text(failure.reason.as_str())?);
    let detail = failure.detail();
    if !detail.is_empty() {
        entry = entry.message_attributes("detail", text(&detail)?);
    }
    let attributes = message.attributes();
    if let Some(trace) = attributes.trace_header.filter(|trace| !trace.is_empty()) {
        let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build();
        let value = value.map_err(|_| Unfit::Malformed)?;
        entry = entry.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
    }
    if fifo {
        let group = attributes.group_id.filter(|group| is_an_id(group)).unwrap_or_else(|| "rejected".into());
        entry = entry.message_group_id(group).message_deduplication_id(deduplication_id(&message.id, body));
    }
    let entry = entry.build().map_err(|_| Unfit::Malformed)?;
    if size(&entry) > MOST_BYTES { Err(Unfit::TooLarge) } else { Ok(entry) }
}

/// The same for each delivery of a message, and for no other message: ids alone are not enough, since EventBridge
/// events may have none.
fn deduplication_id(message_id: &str, body: &str) -> String {
    HEXLOWER.encode(digest(&SHA256, [message_id, body].join("\0").as_bytes()).as_ref())
}

/// What SQS takes for the id of a group.
fn is_an_id(text: &str) -> bool {
    (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// What SQS counts: the body, and of each attribute its name, type and value.
fn size(entry: &SendMessageBatchRequestEntry) -> usize {
    let attributes = entry.message_attributes().into_iter().flatten();
    let attributes =
        attributes.map(|(name, value)| name.len() + value.data_type().len() + value.string_value().map_or(0, str::len));
    entry.message_body().len() + attributes.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_sqs_accepts_is_distinguished_from_what_it_refuses() {
        for c in
            ['\t', '\n', '\r', ' ', '~', '\u{7f}', '\u{85}', 'é', '\u{d7ff}', '\u{e000}', '\u{fffd}', '\u{10000}', '😀']
        {
            assert!(is_allowed(c), "{c:?}");
        }
        for c in ['\0', '\u{1}', '\u{8}', '\u{b}', '\u{c}', '\u{e}', '\u{1f}', '\u{fffe}', '\u{ffff}'] {
            assert!(!is_allowed(c), "{c:?}");
        }
        for id in ["g", "!", "05da87c0ae5973bd", "a#~{}", &"g".repeat(128)] {
            assert!(is_an_id(id), "{id}");
        }
        for id in ["", "a b", "tökén", "a\n", &"g".repeat(129)] {
            assert!(!is_an_id(id), "{id}");
        }
    }

    #[test]
    fn a_deduplication_id_is_of_one_message_and_body() {
        assert_eq!(deduplication_id("m1", "a"), deduplication_id("m1", "a"));
        assert_ne!(deduplication_id("m1", "a"), deduplication_id("m1", "b"));
        assert_ne!(deduplication_id("m1", "a"), deduplication_id("m2", "a"));
        assert!(is_an_id(&deduplication_id("m 1", "\n")));
    }
}
