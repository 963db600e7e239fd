//! Whether SQS drops an event because it looks like an earlier one.

use data_encoding::HEXLOWER;
use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::{Message, text::text};

/// The fields that make the text of an event unique, and the marks of an SNS notification.
#[derive(Deserialize)]
struct Marks<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    occurred_at: Option<&'a RawValue>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow, rename = "Message")]
    notification: Option<&'a RawValue>,
}

impl Message<'_> {
    /// Whether a FIFO queue drops an equal event that is sent within five minutes, such as the second of two logouts:
    /// the deduplication id is the SHA-256 of the text (SQS computes it in this way, and SNS from its `Message`), and
    /// the text has neither an `id` nor an `occurred_at`.
    #[must_use]
    pub fn hides_repeats(&self) -> bool {
        let Some(id) = self.attributes().deduplication_id.filter(|id| id.len() == 64) else { return false };
        let Some(body) = self.text() else { return false };
        let is_of = |text: &str| HEXLOWER.encode(&Sha256::digest(text.as_bytes())).eq_ignore_ascii_case(&id);
        match serde_json::from_str::<Marks<'_>>(&body) {
            // SNS gives each notification an id of its own, so only its content can be the same twice.
            Ok(Marks { notification: Some(inner), .. }) => {
                text(inner).is_some_and(|inner| says_nothing_of_its_own(&inner) && is_of(&inner))
            }
            Ok(_) => says_nothing_of_its_own(&body) && is_of(&body),
            Err(_) => false,
        }
    }
}

fn says_nothing_of_its_own(event: &str) -> bool {
    let is_absent = |field: Option<&RawValue>| field.is_none_or(|value| matches!(value.get(), "null" | r#""""#));
    // An EventBridge event has an id and a time.
    let absent = |marks: Marks<'_>| is_absent(marks.id) && is_absent(marks.occurred_at) && marks.detail_type.is_none();
    serde_json::from_str(event).is_ok_and(absent)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::Batch;
    use super::*;

    fn hides(body: &str, deduplicated: &str) -> bool {
        let id = HEXLOWER.encode(&Sha256::digest(deduplicated.as_bytes()));
        let record = json!({"messageId": "m", "body": body, "eventSource": "aws:sqs", "eventSourceARN": "arn:q.fifo",
                            "attributes": {"MessageDeduplicationId": id}});
        Batch::open(&json!({"Records": [record]}).to_string()).unwrap().messages[0].hides_repeats()
    }

    #[test]
    fn an_event_hides_its_repeats_if_only_its_content_identifies_it() {
        let bare = r#"{"type":"user.logout","token":"t"}"#;
        let sns = json!({"Type": "Notification", "MessageId": "1", "Message": bare}).to_string();
        for (body, deduplicated) in [
            (bare, bare),
            (r#"{"type":"user.logout","id":null,"token":"t"}"#, r#"{"type":"user.logout","id":null,"token":"t"}"#),
            (r#"{"type":"user.logout","id":""}"#, r#"{"type":"user.logout","id":""}"#),
            (&sns, bare),
        ] {
            assert!(hides(body, deduplicated), "{body}");
        }
        let with_id = r#"{"type":"user.logout","id":"1"}"#;
        for (body, deduplicated) in [
            (bare, "another"),
            (with_id, with_id),
            (r#"{"type":"user.logout","occurred_at":1}"#, r#"{"type":"user.logout","occurred_at":1}"#),
            (r#"{"detail-type":"user.logout","detail":{}}"#, r#"{"detail-type":"user.logout","detail":{}}"#),
            // The digest of a notification is of its MessageId and Timestamp too.
            (&sns, &sns),
            ("no JSON", "no JSON"),
        ] {
            assert!(!hides(body, deduplicated), "{body}");
        }
    }
}
