//! EventBridge straight to the function: one event, or an array of them (an enhanced bus sends arrays).

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Batch, Content, Message, Source, Unrecognised, text::text};
use crate::json::Object;

#[derive(Deserialize)]
struct Shape<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow)]
    detail: Option<&'a RawValue>,
}

pub(super) fn open_object(payload: &str) -> Result<Batch<'_>, Unrecognised> {
    let event = serde_json::from_str(payload).map_err(|_| Unrecognised::Shape)?;
    Ok(Batch { source: Source::EventBridge, messages: vec![message(event)?], queue_arn: None })
}

pub(super) fn open_array(payload: &str) -> Result<Batch<'_>, Unrecognised> {
    let events: Vec<&RawValue> = serde_json::from_str(payload).map_err(|_| Unrecognised::Shape)?;
    let messages = events.into_iter().map(message).collect::<Result<_, _>>()?;
    Ok(Batch { source: Source::EventBridge, messages, queue_arn: None })
}

fn message(event: &RawValue) -> Result<Message<'_>, Unrecognised> {
    let Object(shape): Object<Shape<'_>> = serde_json::from_str(event.get()).map_err(|_| Unrecognised::Shape)?;
    if shape.detail_type.is_none() || shape.detail.is_none() {
        return Err(Unrecognised::Shape);
    }
    // This id is not reported to anyone, it only names the event in the log.
    let id = shape.id.and_then(text).unwrap_or(Cow::Borrowed("-"));
    Ok(Message { id, content: Content::Bridge(event), attributes: None, receipt_handle: None, fifo: false })
}
