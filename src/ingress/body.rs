//! One body: a bare event, an EventBridge event, or an SNS notification around either.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{sns, text::text as text_of};
use crate::event::{
    AppName, Event, EventFields, EventId, Fallbacks, Invalid, Kind, ListedAccount, OccurredAt, Rules, Token, explain,
};
use crate::json::Object;

/// The marks of every envelope and the bare event's fields: one reading tells the shape and, of a bare event, all.
///
/// The fields stand here once more (serde's `flatten` would buffer the whole body). The marks stay unread, since to
/// a bare event they are unknown fields, which may hold anything.
#[derive(Debug, Deserialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: Option<Kind>,
    id: Option<EventId>,
    occurred_at: Option<OccurredAt>,
    app: Option<AppName>,
    token: Option<Token>,
    account_list: Option<Vec<ListedAccount>>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow, rename = "Type")]
    sns_type: Option<&'a RawValue>,
    #[serde(borrow, rename = "Message")]
    message: Option<&'a RawValue>,
    #[serde(borrow, rename = "Timestamp")]
    timestamp: Option<&'a RawValue>,
}

/// Reads an SQS body.
pub(super) fn event(
    body: Option<&RawValue>,
    message_id: &str,
    attributes: Option<&RawValue>,
    fifo: bool,
    rules: &Rules<'_>,
) -> Result<Event, Invalid> {
    let body = body.ok_or_else(|| Invalid::new("missing_field", "body: the SQS record has none"))?;
    let body =
        text_of(body).ok_or_else(|| Invalid::new("malformed_json", "body: must be a string of valid Unicode"))?;
    let fallbacks = Fallbacks { message_id: Some(message_id), attributes, fifo, ..Fallbacks::default() };
    text(&body, &fallbacks, rules, Within::Queue)
}

/// Reads an EventBridge event that is the invocation, or an element of it.
pub(super) fn bridge_event(json: &str, rules: &Rules<'_>) -> Result<Event, Invalid> {
    text(json, &Fallbacks::default(), rules, Within::Invocation)
}

/// Where a text stands: an SNS notification is opened once, in a queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    Queue,
    Notification,
    Invocation,
}

fn text(json: &str, fallbacks: &Fallbacks<'_>, rules: &Rules<'_>, within: Within) -> Result<Event, Invalid> {
    let Object(body): Object<Body<'_>> = serde_json::from_str(json).map_err(|_| explain::<Body<'_>>(json))?;
    match (body.kind, body.detail_type.zip(body.detail), body.sns_type.zip(body.message)) {
        (Some(_), None, None) if within != Within::Invocation => {
            let Body { kind, id, occurred_at, app, token, account_list, .. } = body;
            Event::new(EventFields { kind, id, occurred_at, app, token, account_list }, fallbacks, rules)
        }
        (None, Some((detail_type, detail)), None) => {
            let kind = serde_json::from_str(detail_type.get())
                .map_err(|_| Invalid::new("unknown_type", format!("detail-type: must be {}", Kind::EXPECTED)))?;
            let fallbacks = Fallbacks { bridge_id: body.id, bridge_time: body.time, ..fallbacks.clone() };
            bridge_detail(kind, detail.get(), &fallbacks, rules)
        }
        (None, None, Some((sns_type, message))) if within == Within::Queue => {
            let fallbacks = Fallbacks { sns_time: body.timestamp, ..fallbacks.clone() };
            text(&sns::message(sns_type, message)?, &fallbacks, rules, Within::Notification)
        }
        (None, None, None) => Err(Invalid::new("unknown_envelope", missing_mark(&body))),
        _ => Err(Invalid::new(
            "unknown_envelope",
            "body: bears the marks of several envelopes (type; detail-type with detail; Type with Message); send one",
        )),
    }
}

fn bridge_detail(kind: Kind, json: &str, fallbacks: &Fallbacks<'_>, rules: &Rules<'_>) -> Result<Event, Invalid> {
    let Object(fields): Object<EventFields> = serde_json::from_str(json).map_err(|_| {
        let Invalid { reason, detail } = explain::<EventFields>(json);
        Invalid::new(reason, format!("detail.{detail}"))
    })?;
    if fields.kind.is_some_and(|own| own != kind) {
        return Err(Invalid::new("invalid_field", "detail.type: contradicts detail-type; leave it out"));
    }
    Event::new(EventFields { kind: Some(kind), ..fields }, fallbacks, rules)
}

/// Says which mark is missing, as far as the others tell.
fn missing_mark(body: &Body<'_>) -> &'static str {
    match (body.detail_type, body.detail, body.sns_type, body.message) {
        (Some(_), None, ..) => "detail: is missing from the EventBridge event",
        (None, Some(_), ..) => "detail-type: is missing from the EventBridge event",
        (_, _, Some(_), None) => "Message: is missing from the SNS notification",
        (_, _, None, Some(_)) => "Type: is missing from the SNS notification",
        _ => "type: is missing; send an event of the contract, bare or in an EventBridge or SNS envelope",
    }
}
