//! Parking: rejected events go to a queue of their own, as received and with the reason, and only then are acknowledged
//! (design, "Result").

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    types::{
        MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
        SendMessageBatchRequestEntry,
    },
};
use futures_util::{StreamExt, stream};

use crate::{
    aws::{AwsError, aws_code},
    ingress::{Batch, Message},
    report::{Outcome, Reason},
};

/// SQS takes ten messages in a call, and a MiB of bodies and attributes.
const MOST_ENTRIES: usize = 10;
const MOST_BYTES: usize = 1 << 20;
const CALLS_AT_A_TIME: usize = 8;

/// The queue that keeps rejected events for the operator.
#[derive(Debug)]
pub struct Parking {
    client: Client,
    queue_url: String,
}

impl Parking {
    /// Parks in the queue of this URL.
    #[must_use]
    pub fn new(sdk: &aws_config::SdkConfig, queue_url: String) -> Self {
        Self { client: Client::new(sdk), queue_url }
    }

    /// Parks every rejected message. Those that SQS took within `limit` become [`Outcome::Parked`]; the others stay
    /// rejected, and so are reported.
    pub async fn park(&self, batch: &Batch<'_>, outcomes: &mut [Outcome], limit: Duration) {
        let rejected = outcomes.iter().enumerate().filter_map(|(index, outcome)| match outcome {
            Outcome::Rejected(reason) => Some((index, self.entry(index, &batch.messages[index], reason)?)),
            _ => None,
        });
        let calls = in_calls(rejected.collect());
        if calls.is_empty() {
            return;
        }
        // Each call's result counts for itself, so what is done when the time is up stays done.
        let mut done = stream::iter(calls).map(|call| self.send(call)).buffer_unordered(CALLS_AT_A_TIME);
        let deadline = tokio::time::sleep(limit);
        tokio::pin!(deadline);
        loop {
            tokio::select! {
                parked = done.next() => match parked {
                    Some(parked) => parked.into_iter().for_each(|index| settle(&mut outcomes[index])),
                    None => return,
                },
                () = &mut deadline => {
                    tracing::error!("PARKING_QUEUE_URL: no time left to park the rejected events; they come again");
                    return;
                }
            }
        }
    }

    /// The entry, whose id is the message's place in the batch. `None` for what has no body to keep.
    fn entry(&self, index: usize, message: &Message<'_>, reason: &Reason) -> Option<SendMessageBatchRequestEntry> {
        let text = |value: &str| MessageAttributeValue::builder().data_type("String").string_value(value).build().ok();
        let body = message.text().filter(|body| !body.is_empty())?;
        let mut entry = SendMessageBatchRequestEntry::builder()
            .id(index.to_string())
            .message_body(body)
            .message_attributes("reason", text(reason.reason)?);
        if !reason.detail.is_empty() {
            entry = entry.message_attributes("detail", text(&reason.detail)?);
        }
        let attributes = message.attributes();
        if let Some(trace) = attributes.trace_header {
            let value = MessageSystemAttributeValue::builder().data_type("String").string_value(trace).build().ok()?;
            entry = entry.message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, value);
        }
        if self.queue_url.ends_with(".fifo") {
            let group = attributes.group_id.unwrap_or_else(|| "rejected".into());
            entry = entry.message_group_id(group).message_deduplication_id(message.id.as_ref());
        }
        entry.build().ok()
    }

    /// Sends one call and says which messages SQS took.
    async fn send(&self, entries: Vec<SendMessageBatchRequestEntry>) -> Vec<usize> {
        let count = entries.len();
        let ids: Vec<String> = entries.iter().map(|entry| entry.id().to_owned()).collect();
        let sent = self.client.send_message_batch().queue_url(&self.queue_url).set_entries(Some(entries)).send().await;
        match sent {
            Ok(answer) => {
                for failed in answer.failed() {
                    // SQS's message may quote the body; its code does not.
                    tracing::error!(code = aws_code(failed.code()), "PARKING_QUEUE_URL: SQS did not take an event");
                }
                // Only what was sent counts, whatever ids the answer has, and not what is in both parts of it.
                let failed = |id: &String| answer.failed().iter().any(|failed| failed.id() == id);
                let taken = |id: &String| answer.successful().iter().any(|taken| taken.id() == id) && !failed(id);
                let lost = ids.iter().filter(|id| !taken(id) && !failed(id)).count();
                if lost > 0 {
                    tracing::error!(events = lost, "PARKING_QUEUE_URL: SQS did not say what became of some events");
                }
                ids.iter().filter(|id| taken(id)).filter_map(|id| id.parse().ok()).collect()
            }
            Err(error) => {
                let what = AwsError::of(&error);
                tracing::error!(
                    events = count,
                    "PARKING_QUEUE_URL: could not park ({what}); check the URL and the role's sqs:SendMessage"
                );
                Vec::new()
            }
        }
    }
}

fn settle(outcome: &mut Outcome) {
    if let Outcome::Rejected(reason) = outcome {
        *outcome = Outcome::Parked(reason.clone());
    }
}

/// As few calls as SQS allows, in the messages' order.
fn in_calls(entries: Vec<(usize, SendMessageBatchRequestEntry)>) -> Vec<Vec<SendMessageBatchRequestEntry>> {
    let mut calls: Vec<Vec<SendMessageBatchRequestEntry>> = Vec::new();
    let mut bytes = 0;
    for (_, entry) in entries {
        let size = size(&entry);
        match calls.last_mut() {
            Some(call) if call.len() < MOST_ENTRIES && bytes + size <= MOST_BYTES => call.push(entry),
            _ => {
                calls.push(vec![entry]);
                bytes = 0;
            }
        }
        bytes += size;
    }
    calls
}

/// What SQS counts: the body, and of each attribute its name, type and value.
fn size(entry: &SendMessageBatchRequestEntry) -> usize {
    let attributes = entry.message_attributes().into_iter().flatten();
    let attributes =
        attributes.map(|(name, value)| name.len() + value.data_type().len() + value.string_value().map_or(0, str::len));
    entry.message_body().len() + attributes.sum::<usize>()
}
