//! What both Rust peers have in common: events from a batch, and twenty of them in each call to TPNS.

mod event;
mod tpns;

use std::collections::HashMap;

use aws_lambda_events::sqs::{SqsBatchResponse, SqsEvent};
use futures_util::{StreamExt, stream};

pub use event::{Event, Message};
pub use tpns::Tpns;

const ITEMS_PER_CALL: usize = 20;
/// Concurrent calls, like our default.
const CONCURRENT_CALLS: usize = 8;

/// The messages of a batch that hold an event; the others are reported in the response.
pub fn read(batch: SqsEvent, response: &mut SqsBatchResponse) -> Vec<Message> {
    let mut messages = Vec::with_capacity(batch.records.len());
    for record in batch.records {
        let id = record.message_id.unwrap_or_default();
        match Event::parse(record.body.as_deref().unwrap_or_default()) {
            Ok(event) => messages.push(Message { id, event }),
            Err(_) => response.add_failure(id),
        }
    }
    messages
}

/// Sends the events, and reports those in the response that TPNS has not accepted.
pub async fn send(tpns: &Tpns, messages: Vec<Message>, response: &mut SqsBatchResponse) {
    let mut groups: HashMap<_, Vec<Message>> = HashMap::new();
    for message in messages {
        groups.entry((message.event.app.clone(), message.event.operator_type())).or_default().push(message);
    }
    let chunks = groups.iter().flat_map(|((app, operator_type), messages)| {
        messages.chunks(ITEMS_PER_CALL).map(move |chunk| (app.as_deref(), *operator_type, chunk))
    });
    let calls = chunks.map(|(app, operator_type, chunk)| async move {
        let accepted = tpns.call(app, operator_type, chunk).await.unwrap_or_else(|_| vec![false; chunk.len()]);
        (chunk, accepted)
    });
    let mut calls = stream::iter(calls).buffer_unordered(CONCURRENT_CALLS);
    while let Some((chunk, accepted)) = calls.next().await {
        for (message, _) in chunk.iter().zip(accepted).filter(|(_, accepted)| !accepted) {
            response.add_failure(&message.id);
        }
    }
}
