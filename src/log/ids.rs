//! How a log line names a message and its event: by the id if that reveals nothing about a person, else by a
//! fingerprint in a field of its own.

use contract::opaque::{is_opaque, may_be_shown, shares};
use serde_json::{Map, Value};

use crate::{
    event::Event,
    fingerprint,
    finished::MessageOutcome,
    ingress::{Message, Source},
};

/// An id as it is, or in its place a fingerprint.
#[derive(Debug)]
pub(super) enum Shown<'a> {
    Id(&'a str),
    Hash(String),
}

/// Shown instead of an id that is missing or does not have the form of one.
const NONE: &str = "-";

/// The message's id. SQS makes its own; that of an EventBridge event could have been made by anyone.
pub(super) fn of_message<'a>(settled: &MessageOutcome<'a>, source: Source) -> Shown<'a> {
    let id = &settled.message.id;
    match (source, settled.event) {
        (Source::StandardQueue | Source::FifoQueue, _) => Shown::Id(plain(id).unwrap_or(NONE)),
        (Source::EventBridge, _) if id == NONE => Shown::Id(NONE),
        (Source::EventBridge, Some(event)) => of_producer(id, event, settled.app),
        (Source::EventBridge, None) if is_opaque(id) && !is_in_the_rest(id, settled.message) => Shown::Id(id),
        (Source::EventBridge, None) => Shown::Hash(fingerprint::event_id(None, id)),
    }
}

/// The event's id, which is its message's if it has no other.
pub(super) fn of_event<'a>(settled: &MessageOutcome<'a>, source: Source) -> Option<Shown<'a>> {
    let event = settled.event?;
    let is_the_messages = source != Source::EventBridge && settled.message.id == *event.id;
    Some(if is_the_messages { of_message(settled, source) } else { of_producer(&event.id, event, settled.app) })
}

impl Shown<'_> {
    pub(super) fn id(&self) -> Option<&str> {
        match self {
            Self::Id(id) => Some(id),
            Self::Hash(_) => None,
        }
    }

    pub(super) fn hash(&self) -> Option<&str> {
        match self {
            Self::Id(_) => None,
            Self::Hash(hash) => Some(hash),
        }
    }
}

fn of_producer<'a>(id: &'a str, event: &Event, app: &str) -> Shown<'a> {
    if may_be_shown(id, event) {
        return Shown::Id(id);
    }
    let token = event.device().map(|device| device.token.as_str());
    Shown::Hash(fingerprint::event_id(token.map(|token| (app, token)), id))
}

/// Whether an EventBridge event that holds no event of the contract has part of its id elsewhere, as in an account.
fn is_in_the_rest(id: &str, message: &Message<'_>) -> bool {
    let rest = message.text().and_then(|json| serde_json::from_str::<Map<String, Value>>(&json).ok());
    rest.is_none_or(|mut rest| {
        rest.remove("id");
        shares(id, &Value::Object(rest).to_string())
    })
}

/// The id, if it looks like one of SQS: nothing that breaks a line.
fn plain(id: &str) -> Option<&str> {
    let like_an_id = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '/');
    (id.len() <= 128 && id.chars().all(like_an_id)).then_some(id)
}
