//! The queue that messages come from: when it delivers a failed message again
//! (docs/decisions/0035-redelivery-delays.md), and what need not be delivered again whatever follows
//! (docs/decisions/0036-often-delivered-messages-come-last.md).

mod queue_url;

use std::time::Duration;

use aws_sdk_sqs::{
    Client,
    types::{ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry},
};
use futures_util::{StreamExt, stream};
use tokio::{
    sync::OnceCell,
    time::{Instant, timeout_at},
};

use crate::{
    aws::{self, AwsError, Tries, aws_code},
    ingress::{Batch, MessageIndex, Source},
    outcome::Outcome,
    redelivery_delay::{RedeliveryDelays, of_batch, seconds_while_handled},
    transport::Transport,
};
use queue_url::{QueueUrl, queue_url};

/// SQS takes ten messages in a call.
const MOST_ENTRIES: usize = 10;
const CALLS_AT_A_TIME: usize = 16;

/// SQS, as far as it is asked about the queue that messages come from. Without failures it is not: the client is made
/// for the first of them, so that Init does not wait for it.
#[derive(Debug)]
pub struct SourceQueue {
    delays: Option<RedeliveryDelays>,
    transport: Transport,
    /// The time that a call to TPNS has.
    timeout: Duration,
    client: OnceCell<Client>,
}

/// Why a message keeps the queue's visibility timeout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("eventSourceARN is not the ARN of an SQS queue")]
    QueueArn,
    #[error("the record has no receiptHandle")]
    NoReceiptHandle,
    #[error("there was no time left")]
    NoTime,
    #[error("SQS refused the call ({0}); check the role's sqs:ChangeMessageVisibility on the queue")]
    Call(#[source] AwsError),
    #[error("SQS refused an entry ({0})")]
    Entry(String),
    #[error("SQS did not report the result of an entry")]
    NoResult,
}

/// What became of some messages' visibility timeouts.
#[derive(Debug, Default)]
struct Changes {
    changed: usize,
    unchanged: usize,
    /// Of those that were not changed, why the first was not.
    problem: Option<Problem>,
}

impl SourceQueue {
    /// With these delays; none leaves everything to the queue's visibility timeout. `timeout` is the time that a call to
    /// TPNS has.
    pub(crate) fn new(delays: Option<RedeliveryDelays>, transport: Transport, timeout: Duration) -> Self {
        Self { delays, transport, timeout, client: OnceCell::new() }
    }

    /// Whether anything is asked of SQS.
    pub(crate) fn is_used(&self) -> bool {
        self.delays.is_some()
    }

    /// Sets when SQS delivers each of these messages again that is reported as failed, as far as `limit` allows. Returns
    /// the number of messages that have got a delay; for the others the queue's visibility timeout applies.
    pub(crate) async fn delay_failed(
        &self,
        batch: &Batch<'_>,
        messages: &[MessageIndex],
        outcomes: &[Outcome],
        limit: Duration,
    ) -> usize {
        let Some(delays) = self.delays else { return 0 };
        let all_acknowledged = messages.iter().all(|index| outcomes[index.0].is_acknowledged());
        if batch.source == Source::EventBridge || all_acknowledged {
            return 0;
        }
        let seconds = of_batch(batch, messages, outcomes, delays, fastrand::f64);
        self.set(batch, &seconds, Instant::now() + limit).await
    }

    /// Hides messages that were delivered often until the invocation, which has this time left, has ended.
    pub(crate) async fn hide_while_handled(&self, batch: &Batch<'_>, often: &[MessageIndex], remaining: Duration) {
        if often.is_empty() || !self.is_used() {
            return;
        }
        let seconds = |&index: &MessageIndex| (index, seconds_while_handled(remaining, fastrand::f64()));
        let seconds: Vec<_> = often.iter().map(seconds).collect();
        self.set(batch, &seconds, Instant::now() + remaining / 8).await;
    }

    /// Deletes these of a batch's messages that are acknowledged, so that they are not delivered again whatever comes of
    /// the others. Lambda does the same after the invocation, so a failure is of no consequence.
    pub(crate) async fn delete_acknowledged(
        &self,
        batch: &Batch<'_>,
        messages: &[MessageIndex],
        outcomes: &[Outcome],
        limit: Duration,
    ) {
        let until = Instant::now() + limit;
        let Some(url) = batch.queue_arn.as_deref().and_then(queue_url) else { return };
        let acknowledged = messages.iter().filter(|index| outcomes[index.0].is_acknowledged());
        let entry = |(n, index): (usize, &MessageIndex)| {
            let handle = batch.messages[index.0].receipt_handle()?;
            DeleteMessageBatchRequestEntry::builder().id(n.to_string()).receipt_handle(handle).build().ok()
        };
        let entries: Vec<_> = acknowledged.enumerate().filter_map(entry).collect();
        if entries.is_empty() {
            return;
        }
        let client = self.client().await;
        let delete = async |call: &[DeleteMessageBatchRequestEntry]| {
            let request = || {
                let request = client.delete_message_batch().queue_url(url.as_str());
                request.set_entries(Some(call.to_vec())).send()
            };
            aws::send(Tries::few(until), request).await.is_ok()
        };
        let mut calls = stream::iter(entries.chunks(MOST_ENTRIES).map(delete)).buffered(CALLS_AT_A_TIME);
        while let Some(is_deleted) = calls.next().await {
            tracing::debug!(is_deleted, "acknowledged messages deleted before the others are handled");
        }
    }

    async fn client(&self) -> &Client {
        self.client.get_or_init(async || Client::new(&aws::sdk(&self.transport, self.timeout).await)).await
    }

    /// Sets the seconds until SQS delivers messages again. Returns for how many of them it did.
    async fn set(&self, batch: &Batch<'_>, seconds: &[(MessageIndex, u32)], until: Instant) -> usize {
        let changes = match batch.queue_arn.as_deref().and_then(queue_url) {
            None => Changes::failed(seconds.len(), Problem::QueueArn),
            Some(url) => self.change(batch, url, seconds, until).await,
        };
        if let Some(problem) = &changes.problem {
            tracing::warn!(
                messages = changes.unchanged,
                "redelivery: the queue's visibility timeout applies instead of a delay: {problem}"
            );
        }
        changes.changed
    }

    async fn change(
        &self,
        batch: &Batch<'_>,
        url: QueueUrl,
        seconds: &[(MessageIndex, u32)],
        until: Instant,
    ) -> Changes {
        let (entries, mut changes) = entries(batch, seconds);
        if entries.is_empty() {
            return changes;
        }
        let client = self.client().await;
        let mut calls = stream::iter(entries.chunks(MOST_ENTRIES).map(|call| send(client, &url, call, until)))
            .buffered(CALLS_AT_A_TIME);
        while let Some(call) = calls.next().await {
            changes.add(call);
        }
        changes
    }
}

/// The entries that SQS is sent, in the messages' order, and what can't be among them. An entry's id is its place.
fn entries(
    batch: &Batch<'_>,
    seconds: &[(MessageIndex, u32)],
) -> (Vec<ChangeMessageVisibilityBatchRequestEntry>, Changes) {
    let mut changes = Changes::default();
    let mut entries = Vec::with_capacity(seconds.len());
    for &(index, seconds) in seconds {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder()
            .id(entries.len().to_string())
            .set_receipt_handle(batch.messages[index.0].receipt_handle().map(Into::into))
            .visibility_timeout(i32::try_from(seconds).unwrap_or(i32::MAX));
        match entry.build() {
            Ok(entry) => entries.push(entry),
            // The one field that may be absent.
            Err(_) => changes.add(Changes::failed(1, Problem::NoReceiptHandle)),
        }
    }
    (entries, changes)
}

async fn send(
    client: &Client,
    url: &QueueUrl,
    call: &[ChangeMessageVisibilityBatchRequestEntry],
    until: Instant,
) -> Changes {
    let request = || {
        let request = client.change_message_visibility_batch().queue_url(url.as_str());
        request.set_entries(Some(call.to_vec())).send()
    };
    let Ok(answer) = timeout_at(until, aws::send(Tries::few(until), request)).await else {
        return Changes::failed(call.len(), Problem::NoTime);
    };
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Changes::failed(call.len(), Problem::Call(aws::failure(&error))),
    };
    let mut changes = Changes::default();
    for entry in call {
        let failed = answer.failed().iter().find(|failed| failed.id() == entry.id());
        changes.add(match failed {
            Some(failed) => {
                let code = aws_code(failed.code()).unwrap_or("a code that is not an AWS code");
                Changes::failed(1, Problem::Entry(code.to_owned()))
            }
            None if answer.successful().iter().any(|changed| changed.id() == entry.id()) => {
                Changes { changed: 1, ..Changes::default() }
            }
            None => Changes::failed(1, Problem::NoResult),
        });
    }
    changes
}

impl Changes {
    fn failed(unchanged: usize, problem: Problem) -> Self {
        Self { changed: 0, unchanged, problem: Some(problem) }
    }

    fn add(&mut self, other: Self) {
        self.changed += other.changed;
        self.unchanged += other.unchanged;
        self.problem = self.problem.take().or(other.problem);
    }
}
