//! The errors of a text that can't be read, by field and in the terms of JSON.
//!
//! serde's own message quotes values, and a value may be an account: only the part about what was expected is kept.

use serde::{Deserialize, de};
use serde_json::error::Category;

use super::{
    Invalid,
    names::{Misspelt, refusal},
};
use crate::outcome::Reason;

/// Where a text is, in words of its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// The body of an SQS message.
    Body,
    /// The `Message` of an SNS notification.
    Message,
    /// An EventBridge event that is the invocation, or an element of it.
    Event,
    /// The `detail` of an EventBridge event.
    Detail,
}

impl Place {
    /// What the sender calls it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Message => "Message",
            Self::Event => "event",
            Self::Detail => "detail",
        }
    }

    /// The path of this field in it.
    fn path(self, field: &str) -> String {
        match self {
            Self::Detail => format!("detail.{field}"),
            Self::Body | Self::Message | Self::Event => field.to_owned(),
        }
    }
}

/// How the message of a misspelt field begins, like serde's own for an unknown field.
const UNKNOWN_FIELD: &str = "unknown field `";

/// The error for a misspelt field; [`explain`] takes it apart.
pub(super) fn misspelt<E: de::Error>(name: &Misspelt) -> E {
    E::custom(format_args!("{UNKNOWN_FIELD}{}`, expected `{}`", name.shown.as_deref().unwrap_or_default(), name.field))
}

/// Reads `json` a second time, slowly, to name the field that could not be read.
pub(crate) fn explain<'a, T: Deserialize<'a>>(json: &'a str, place: Place) -> Invalid {
    let whole = place.name();
    let deserializer = &mut serde_json::Deserializer::from_str(json);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(deserializer) else {
        // The error is in what follows the value: the value itself could be read.
        return Invalid::new(
            Reason::MalformedJson,
            format!("{whole}: has more text after the JSON value; send one event a message"),
        );
    };
    let path = error.path().to_string();
    let error = error.into_inner();
    match error.classify() {
        // These texts are serde_json's own and hold nothing of the input.
        Category::Syntax | Category::Eof | Category::Io => {
            let error = error.to_string().replace("a list", "an array");
            Invalid::new(Reason::MalformedJson, format!("{whole}: is not valid JSON: {error}"))
        }
        Category::Data => field_error(place, &path, &error.to_string()),
    }
}

fn field_error(place: Place, path: &str, message: &str) -> Invalid {
    let within = |field: &str| place.path(&if path == "." { field.to_owned() } else { format!("{path}.{field}") });
    if let Some(field) = quoted(message, "missing field `") {
        return Invalid::new(Reason::MissingField, format!("{}: is missing", within(field)));
    }
    if let Some(field) = quoted(message, "duplicate field `") {
        return Invalid::new(Reason::InvalidField, format!("{}: appears twice; keep one", within(field)));
    }
    if let Some(name) = quoted(message, UNKNOWN_FIELD) {
        let field = message.split("`, expected `").nth(1).and_then(|rest| rest.split('`').next()).unwrap_or_default();
        return refusal(Some(name).filter(|name| !name.is_empty()), field, within);
    }
    if path == "." {
        return Invalid::new(Reason::MalformedJson, format!("{}: must be a JSON object", place.name()));
    }
    let path = place.path(path);
    // Not a string: that would be in quotation marks.
    if message.starts_with("invalid type: null,") && !path.ends_with(']') {
        // A list that is null is treated like an empty list.
        let reason = if path.ends_with("account_list") { Reason::InvalidField } else { Reason::MissingField };
        return Invalid::new(reason, format!("{path}: is null; omit the field, or give it a value"));
    }
    // The last one is serde's: whatever the value holds is before it.
    let expected = message
        .rsplit_once(", expected ")
        .map_or("of another shape", |(_, rest)| rest.rsplit_once(" at line ").map_or(rest, |(expected, _)| expected));
    let reason =
        if matches!(path.as_str(), "type" | "detail.type") { Reason::UnknownType } else { Reason::InvalidField };
    Invalid::new(reason, format!("{path}: must be {}", in_json(expected)))
}

/// The field name in a message of serde's that begins with `start`; such names are those of this crate's structs, or
/// like one.
fn quoted<'m>(message: &'m str, start: &str) -> Option<&'m str> {
    message.strip_prefix(start)?.split('`').next()
}

/// JSON's words for serde's.
fn in_json(expected: &str) -> &str {
    match expected {
        "a sequence" => "an array",
        "a map" => "an object",
        "unit" => "null",
        "a borrowed string" | "a character" => "a string",
        other => other,
    }
}
