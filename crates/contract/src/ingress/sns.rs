//! SNS notifications in SQS bodies (raw message delivery off; with it on there is no envelope to open).

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::text::text;
use crate::{event::Invalid, outcome::Reason};

/// The text a notification carries.
pub(super) fn message<'a>(sns_type: &'a RawValue, message: &'a RawValue) -> Result<Cow<'a, str>, Invalid> {
    // A SubscriptionConfirmation or UnsubscribeConfirmation has a Message too, but no event in it.
    if text(sns_type).is_none_or(|kind| kind != "Notification") {
        return Err(Invalid::new(Reason::UnknownEnvelope, "Type: must be Notification"));
    }
    text(message).ok_or_else(|| Invalid::new(Reason::MalformedJson, "Message: must be a string of valid Unicode"))
}
