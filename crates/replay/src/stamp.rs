//! Gives an event a time of its own, in any envelope.

use std::collections::BTreeMap;

use contract::event::Millis;
use serde_json::value::{RawValue, to_raw_value};

/// The body with `occurred_at` set in its event. Everything else is unchanged, except for the order of the fields.
///
/// # Errors
/// When [`crate::reading::Contract::read`] does not accept the body.
pub(crate) fn stamp(body: &str, at: Millis) -> serde_json::Result<String> {
    let mut fields: BTreeMap<String, Box<RawValue>> = serde_json::from_str(body)?;
    let inner = |name: &str| fields.get(name).map(|raw| raw.get());
    let (name, value) = match (inner("detail-type"), inner("detail"), inner("Message")) {
        (Some(_), Some(detail), _) => ("detail", RawValue::from_string(stamp(detail, at)?)?),
        (_, _, Some(message)) => {
            let message: String = serde_json::from_str(message)?;
            ("Message", to_raw_value(&stamp(&message, at)?)?)
        }
        _ => ("occurred_at", to_raw_value(&at)?),
    };
    fields.insert(name.to_owned(), value);
    serde_json::to_string(&fields)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn stamped(body: &Value) -> Value {
        serde_json::from_str(&stamp(&body.to_string(), 7).unwrap()).unwrap()
    }

    #[test]
    fn the_time_is_set_in_the_event_in_any_envelope() {
        let event = json!({"type": "user.logout", "token": "t", "occurred_at": null, "n": 1.50});
        let with = json!({"type": "user.logout", "token": "t", "occurred_at": 7, "n": 1.50});
        assert_eq!(stamped(&event), with);

        let bridge = json!({"detail-type": "user.logout", "id": "b", "detail": {"token": "t"}});
        let with = json!({"detail-type": "user.logout", "id": "b", "detail": {"token": "t", "occurred_at": 7}});
        assert_eq!(stamped(&bridge), with);

        let notification = json!({"Type": "Notification", "Message": bridge.to_string()});
        let answer = stamped(&notification);
        assert_eq!(serde_json::from_str::<Value>(answer["Message"].as_str().unwrap()).unwrap(), with);
    }

    #[test]
    fn numbers_and_strings_keep_every_digit_and_letter() {
        let body = r#"{"type":"user.logout","n":1234567890123456789012.50,"s":"\u00e9\/"}"#;
        let body = stamp(body, 7).unwrap();
        assert!(body.contains(r#""n":1234567890123456789012.50"#) && body.contains(r#""s":"\u00e9\/""#), "{body}");
    }
}
