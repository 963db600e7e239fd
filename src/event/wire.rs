//! The event's fields as they appear in JSON, and the errors of a text that can't be read.

use serde::Deserialize;
use serde_json::error::Category;

use super::{AppName, EventId, Invalid, Kind, ListedAccount, OccurredAt, Token};
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
    pub account_list: Option<Vec<ListedAccount>>,
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
