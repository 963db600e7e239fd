//! How the function judges a body, according to the function's own code.

use std::borrow::Cow;

use contract::{
    apps::AppNames,
    event::{Event, Invalid, Kind, Millis, Rules},
    ingress::Batch,
    outcome::Reason,
    preview::Settings,
};
use serde::Deserialize;
use serde_json::{json, value::RawValue};

/// What bodies are checked against.
#[derive(Debug)]
pub(crate) struct Contract {
    /// The function's apps; `None` takes any name.
    pub(crate) apps: Option<AppNames>,
    /// The function's `MAX_EVENT_AGE`.
    pub(crate) max_age: Millis,
    /// The function's `MAX_CLOCK_SKEW`.
    pub(crate) max_skew: Millis,
}

/// A body, read.
#[derive(Debug)]
pub(crate) struct Reading {
    /// The event's type as the contract names it, if it can be read.
    pub(crate) kind: Option<&'static str>,
    /// The app it names.
    pub(crate) app: Option<String>,
    /// The device it names. Never to be printed.
    pub(crate) token: Option<String>,
    /// Whether the function could apply it.
    pub(crate) verdict: Result<When, Invalid>,
}

/// When an event happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// At the time that the event or its EventBridge envelope names.
    At(Millis),
    /// It names none: the function takes the time at which SQS received it.
    WhenSent,
}

/// Whether the function accepts an event of that time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Age {
    Fine,
    TooOld,
    InTheFuture,
}

impl Contract {
    /// Reads a body as the function would, except for its age, which [`Self::age`] checks.
    pub(crate) fn read(&self, body: &str) -> Reading {
        let BodyFields { kind, app, token } = body_fields(body, true);
        // Without configured names, the app that the event names is the only one.
        let any = || AppNames::new([app.as_deref().unwrap_or("any")]);
        let apps = self.apps.as_ref().map_or_else(|| Cow::Owned(any()), Cow::Borrowed);
        // An event that is valid only with SQS's time has no time of its own.
        let verdict = match event(body, false, &apps) {
            Ok(event) => Ok(When::At(event.version.at)),
            Err(invalid) => event(body, true, &apps).map(|_| When::WhenSent).map_err(|_| invalid),
        };
        Reading { kind, app, token, verdict }
    }

    /// The same for a preview of an event that is sent, to a stack with a ledger.
    pub(crate) fn settings(&self) -> Settings {
        Settings { apps: self.apps.clone(), max_age: self.max_age, max_skew: self.max_skew, ledger: true }
    }

    /// Whether the function would accept an event of that time now.
    pub(crate) fn age(&self, at: Millis, now: Millis) -> Age {
        match () {
            () if at < now.saturating_sub(self.max_age) => Age::TooOld,
            () if at > now.saturating_add(self.max_skew) => Age::InTheFuture,
            () => Age::Fine,
        }
    }
}

/// The event in a body as the function gets it: in an SQS record, which has a time only if it was `sent`.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn event(body: &str, sent: bool, apps: &AppNames) -> Result<Event, Invalid> {
    let attributes = if sent { json!({"SentTimestamp": "0"}) } else { json!({}) };
    let record = json!({"messageId": "-", "eventSource": "aws:sqs", "body": body, "attributes": attributes});
    let payload = json!({"Records": [record]}).to_string();
    let rules = Rules { apps, now: 0, max_age: Millis::MAX, max_skew: Millis::MAX, ledger: true };
    let unreadable =
        || Invalid { reason: Reason::UnknownEnvelope, detail: "body: could not be put into a record".into() };
    let batch = Batch::open(&payload).map_err(|_| unreadable())?;
    batch.messages.first().ok_or_else(unreadable)?.event(&rules)
}

#[derive(Default)]
struct BodyFields {
    kind: Option<&'static str>,
    app: Option<String>,
    token: Option<String>,
}

/// The fields that identify an event, also in a body that breaks the contract: operators have to recognise that one,
/// too.
fn body_fields(json: &str, may_be_notification: bool) -> BodyFields {
    #[derive(Deserialize)]
    struct Fields<'a> {
        #[serde(borrow, rename = "type")]
        kind: Option<&'a RawValue>,
        #[serde(borrow)]
        app: Option<&'a RawValue>,
        #[serde(borrow)]
        token: Option<&'a RawValue>,
        #[serde(borrow, rename = "detail-type")]
        detail_type: Option<&'a RawValue>,
        #[serde(borrow)]
        detail: Option<&'a RawValue>,
        #[serde(borrow, rename = "Message")]
        message: Option<&'a RawValue>,
    }
    // The function skips a byte-order mark too.
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(json.trim_start_matches('\u{feff}')) else {
        return BodyFields::default();
    };
    match (fields.detail_type, fields.detail, fields.message.and_then(string)) {
        (Some(kind), Some(detail), _) => BodyFields { kind: event_type(kind), ..body_fields(detail.get(), false) },
        (_, _, Some(message)) if may_be_notification => body_fields(&message, false),
        _ => BodyFields {
            kind: fields.kind.and_then(event_type),
            app: fields.app.and_then(string),
            token: fields.token.and_then(string),
        },
    }
}

fn event_type(kind: &RawValue) -> Option<&'static str> {
    let kind = string(kind)?;
    Kind::NAMES.into_iter().map(|(name, _)| name).find(|name| *name == kind)
}

fn string(raw: &RawValue) -> Option<String> {
    serde_json::from_str(raw.get()).ok()
}

#[cfg(test)]
mod tests;
