//! SQS batches: `Records` of `aws:sqs`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Batch, Content, JsonText, Message, Source, Unrecognised};
use crate::json::Object;

/// A record with its fields unread: an odd one can then only harm its own message.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Record<'a> {
    #[serde(borrow)]
    message_id: Option<&'a RawValue>,
    #[serde(borrow)]
    body: Option<&'a RawValue>,
    #[serde(borrow)]
    attributes: Option<&'a RawValue>,
    #[serde(borrow)]
    event_source: Option<&'a RawValue>,
    #[serde(borrow, rename = "eventSourceARN")]
    event_source_arn: Option<&'a RawValue>,
}

pub(super) fn open(records: Vec<Object<Record<'_>>>) -> Result<Batch<'_>, Unrecognised> {
    // An event source mapping serves one queue, so the first record speaks for all in this.
    let fifo = records
        .first()
        .and_then(|Object(first)| text(first.event_source_arn))
        .is_some_and(|arn| arn.0.ends_with(".fifo"));
    let source = if fifo { Source::FifoQueue } else { Source::StandardQueue };
    let messages = records.into_iter().enumerate().map(message).collect::<Result<_, _>>()?;
    Ok(Batch { source, messages })
}

fn message((index, Object(record)): (usize, Object<Record<'_>>)) -> Result<Message<'_>, Unrecognised> {
    if text(record.event_source).is_none_or(|source| source.0 != "aws:sqs") {
        return Err(Unrecognised::Shape);
    }
    let id = text(record.message_id).filter(|id| !id.0.is_empty()).ok_or(Unrecognised::NoMessageId(index))?;
    Ok(Message { id: id.0, content: Content::Body(record.body), attributes: record.attributes })
}

fn text(raw: Option<&RawValue>) -> Option<JsonText<'_>> {
    serde_json::from_str(raw?.get()).ok()
}
