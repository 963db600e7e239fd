//! SQS batches: `Records` of `aws:sqs`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Batch, Content, Message, Source, Unrecognised, text::text};
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
    #[serde(borrow)]
    receipt_handle: Option<&'a RawValue>,
}

pub(super) fn open(records: Vec<Object<Record<'_>>>) -> Result<Batch<'_>, Unrecognised> {
    // An event source mapping reads one queue, so the first record is enough to know it.
    let queue_arn = records.first().and_then(|Object(first)| first.event_source_arn.and_then(text));
    let fifo = queue_arn.as_ref().is_some_and(|arn| arn.ends_with(".fifo"));
    let source = if fifo { Source::FifoQueue } else { Source::StandardQueue };
    let messages = records.into_iter().enumerate().map(|(index, record)| message(index, record, fifo));
    let mut messages = messages.collect::<Result<Vec<_>, _>>()?;
    // It has grown by doubling, and is kept until the batch is finished.
    messages.shrink_to_fit();
    Ok(Batch { source, messages, queue_arn })
}

fn message(index: usize, Object(record): Object<Record<'_>>, fifo: bool) -> Result<Message<'_>, Unrecognised> {
    if record.event_source.and_then(text).is_none_or(|source| source != "aws:sqs") {
        return Err(Unrecognised::Shape);
    }
    let id = record.message_id.and_then(text).filter(|id| !id.is_empty()).ok_or(Unrecognised::NoMessageId(index))?;
    let Record { body, attributes, receipt_handle, .. } = record;
    Ok(Message { id, content: Content::Body(body), attributes, receipt_handle, fifo })
}
