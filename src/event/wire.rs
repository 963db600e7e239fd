//! The event's fields as they stand in JSON, and the errors of a text that can't be read.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{error::Category, value::RawValue};

use super::{Account, AppName, EventId, Invalid, Kind, Millis, OccurredAt, Text, Token};
use crate::json::Object;

/// The contract's fields.
#[derive(Debug, Default, Deserialize)]
pub struct EventFields {
    /// What happened; an EventBridge event says it as `detail-type`.
    #[serde(rename = "type")]
    pub kind: Option<Kind>,
    /// The producer's id.
    pub id: Option<EventId>,
    /// When it happened.
    pub occurred_at: Option<OccurredAt>,
    /// The app's name.
    pub app: Option<AppName>,
    /// The device's token.
    pub token: Option<Token>,
    /// The accounts.
    pub account_list: Option<Vec<Account>>,
}

/// What the envelopes say when the event itself doesn't. Times stay unread until one is needed.
#[derive(Clone, Debug, Default)]
pub struct Fallbacks<'a> {
    /// EventBridge's `id`.
    pub bridge_id: Option<EventId>,
    /// EventBridge's `time`.
    pub bridge_time: Option<&'a RawValue>,
    /// The SQS message id.
    pub message_id: Option<&'a str>,
    /// The SQS record's `attributes`, which hold `SentTimestamp`.
    pub attributes: Option<&'a RawValue>,
}

impl Fallbacks<'_> {
    pub(super) fn id(&self, own: Option<EventId>) -> Result<Text, Invalid> {
        let named = own.into_iter().chain(self.bridge_id.clone()).find(|id| !id.as_str().is_empty());
        match (named, self.message_id) {
            (Some(id), _) => Ok(id.into_text()),
            (None, Some(id)) => Ok(Arc::from(id)),
            (None, None) => Err(Invalid::new("missing_field", "id: is missing, and the envelope has none")),
        }
    }

    pub(super) fn occurred_at(&self, own: Option<OccurredAt>) -> Result<Millis, Invalid> {
        if let Some(OccurredAt(at)) = own {
            return Ok(at);
        }
        if let Some(time) = self.bridge_time {
            return serde_json::from_str(time.get()).map(|OccurredAt(at)| at).map_err(|_| {
                Invalid::new("invalid_field", "time: EventBridge's time must be an RFC 3339 time with an offset")
            });
        }
        self.sent_at().ok_or_else(|| {
            Invalid::new("missing_field", "occurred_at: is missing, and the envelope has no time; say when it happened")
        })
    }

    fn sent_at(&self) -> Option<Millis> {
        #[derive(Deserialize)]
        struct Attributes<'a> {
            #[serde(rename = "SentTimestamp")]
            sent_timestamp: &'a str,
        }
        let attributes: Attributes<'_> = serde_json::from_str(self.attributes?.get()).ok()?;
        attributes.sent_timestamp.parse().ok()
    }
}

/// Reads `json` a second time, slowly, to name the field that could not be read.
///
/// serde's own message quotes values, and a value may be an account: only what it expected is kept of it.
pub(crate) fn explain<'a, T: Deserialize<'a>>(json: &'a str) -> Invalid {
    let deserializer = &mut serde_json::Deserializer::from_str(json);
    let Err(error) = serde_path_to_error::deserialize::<_, Object<T>>(deserializer) else {
        // What follows the value: the value itself could be read.
        return Invalid::new("malformed_json", "body: has more text after the JSON value");
    };
    let path = error.path().to_string();
    let error = error.into_inner();
    match error.classify() {
        // These texts are serde_json's own and hold nothing of the input.
        Category::Syntax | Category::Eof | Category::Io => {
            Invalid::new("malformed_json", format!("body: is not valid JSON: {error}"))
        }
        Category::Data => field_error(&path, &error.to_string()),
    }
}

fn field_error(path: &str, message: &str) -> Invalid {
    let within = |field: &str| if path == "." { field.to_owned() } else { format!("{path}.{field}") };
    if let Some(field) = quoted(message, "missing field `") {
        return Invalid::new("missing_field", format!("{}: is missing", within(field)));
    }
    if let Some(field) = quoted(message, "duplicate field `") {
        return Invalid::new("invalid_field", format!("{}: stands twice; name it once", within(field)));
    }
    // The last one is serde's: whatever the value holds stands before it.
    let expected = message
        .rsplit_once(", expected ")
        .map_or("of another shape", |(_, rest)| rest.rsplit_once(" at line ").map_or(rest, |(expected, _)| expected));
    match path {
        "." => Invalid::new("malformed_json", "body: must be a JSON object"),
        "type" | "detail-type" => Invalid::new("unknown_type", format!("{path}: must be {expected}")),
        _ => Invalid::new("invalid_field", format!("{path}: must be {expected}")),
    }
}

/// The field name in a message of serde's that begins with `start`; such names are those of this crate's structs.
fn quoted<'m>(message: &'m str, start: &str) -> Option<&'m str> {
    message.strip_prefix(start)?.split('`').next()
}
