//! What can be recognised of the event in a body, also in one that breaks the contract.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::event::{Kind, Millis, OccurredAt};

/// What is around an event in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EnvelopeKind {
    /// Nothing.
    Bare,
    /// An EventBridge event.
    EventBridge,
    /// An SNS notification around a bare event.
    Sns,
    /// An SNS notification around an EventBridge event.
    SnsEventBridge,
    /// It has the marks of none.
    Unknown,
}

impl EnvelopeKind {
    /// Its name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare",
            Self::EventBridge => "eventbridge",
            Self::Sns => "sns",
            Self::SnsEventBridge => "sns/eventbridge",
            Self::Unknown => "unknown",
        }
    }
}

/// The fields of the event in a body, unchecked. They may identify a person.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What is around it.
    pub envelope: EnvelopeKind,
    /// The event's own fields, with EventBridge's `detail-type` as `type`.
    pub fields: Map<String, Value>,
    /// Whether EventBridge or SNS says when it was sent.
    pub(super) envelope_has_time: bool,
}

impl Opened {
    /// Opens a body. One that is no JSON object has no fields.
    #[must_use]
    pub fn new(body: &str) -> Self {
        Self::of(object(body))
    }

    fn of(mut outer: Map<String, Value>) -> Self {
        if let Some(kind) = outer.remove("detail-type") {
            let mut fields = match outer.remove("detail") {
                Some(Value::Object(detail)) => detail,
                _ => Map::new(),
            };
            fields.insert("type".to_owned(), kind);
            let envelope_has_time = outer.contains_key("time");
            return Self { envelope: EnvelopeKind::EventBridge, fields, envelope_has_time };
        }
        if outer.get("Type").and_then(Value::as_str) == Some("Notification") {
            let message = outer.get("Message").and_then(Value::as_str).map(object).unwrap_or_default();
            let is_bridge = message.contains_key("detail-type");
            // An envelope within this one is none.
            let inner = if message.contains_key("Message") { Self::bare(message) } else { Self::of(message) };
            let envelope = if is_bridge { EnvelopeKind::SnsEventBridge } else { EnvelopeKind::Sns };
            let envelope_has_time = inner.envelope_has_time || outer.contains_key("Timestamp");
            return Self { envelope, envelope_has_time, ..inner };
        }
        Self::bare(outer)
    }

    fn bare(fields: Map<String, Value>) -> Self {
        let envelope = if fields.contains_key("type") { EnvelopeKind::Bare } else { EnvelopeKind::Unknown };
        Self { envelope, fields, envelope_has_time: false }
    }

    /// The type, if it is one of the contract's.
    #[must_use]
    pub fn kind(&self) -> Option<Kind> {
        let named = self.text("type")?;
        Kind::NAMES.into_iter().find_map(|(name, kind)| (name == named).then_some(kind))
    }

    /// The type as it is written.
    #[must_use]
    pub fn type_text(&self) -> Option<&str> {
        self.text("type")
    }

    /// The app that it names.
    #[must_use]
    pub fn app(&self) -> Option<&str> {
        self.text("app")
    }

    /// The device's token.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.text("token")
    }

    /// The producer's id.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.text("id")
    }

    /// The event's own time, if it can be read.
    #[must_use]
    pub fn occurred_at(&self) -> Option<Millis> {
        let own = self.fields.get("occurred_at")?;
        OccurredAt::deserialize(own).ok().map(|OccurredAt(at)| at)
    }

    fn text(&self, field: &str) -> Option<&str> {
        self.fields.get(field).and_then(Value::as_str)
    }
}

fn object(json: &str) -> Map<String, Value> {
    // The function skips a byte-order mark, too.
    serde_json::from_str(json.trim_start_matches('\u{feff}')).unwrap_or_default()
}
