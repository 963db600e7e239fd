//! What became of the batches.

use crate::answer::{FifoOrderBreak, Verdict, Why, complete_failure, complete_success, fifo_order_breaks, interpret};
use crate::function::{Invocation, Outcome};
use crate::message::Message;

/// One batch: what the function got, what it answered, and what that did to the queue.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The messages as delivered, in their order.
    pub messages: Vec<Message>,
    /// The invocation.
    pub invocation: Invocation,
    /// Which messages were to be deleted and which were left.
    pub verdict: Verdict,
    /// Acknowledged messages that are still in the queue, since the receipt handle was no longer good: the visibility timeout
    /// ran out during the invocation.
    pub not_deleted: Vec<String>,
}

impl Batch {
    /// The ids of the delivered messages, in their order.
    pub fn delivered(&self) -> Vec<&str> {
        self.messages.iter().map(|message| message.message_id.as_str()).collect()
    }

    /// The ids of the messages the function acknowledged.
    pub fn acknowledged(&self) -> &[String] {
        &self.verdict.deletes
    }

    /// The ids of the messages left for redelivery.
    pub fn failed(&self) -> &[String] {
        &self.verdict.fails
    }

    /// The bodies of `ids`, for tests that would rather name messages by content.
    pub fn bodies_of<'a>(&'a self, ids: &'a [String]) -> Vec<&'a str> {
        let named = self.messages.iter().filter(|message| ids.contains(&message.message_id));
        named.map(|message| &*message.body).collect()
    }

    /// Where the answer breaks the order of a message group; AWS doesn't look, a test should.
    pub fn fifo_order_breaks(&self) -> Vec<FifoOrderBreak> {
        fifo_order_breaks(&self.messages, &self.verdict.fails)
    }
}

/// What [`EventSource::run_until_empty`](super::EventSource::run_until_empty) did.
#[derive(Clone, Debug)]
pub struct Run {
    /// Every batch, in order of completion.
    pub batches: Vec<Batch>,
    /// Whether nothing is left in the queue; `false` when the limit came first.
    pub emptied: bool,
}

/// What the mapping makes of an invocation with the messages `ids`.
pub(super) fn verdict(invocation: &Invocation, ids: &[String], report_batch_item_failures: bool) -> Verdict {
    match &invocation.outcome {
        Outcome::Response { body } if report_batch_item_failures => interpret(body, ids),
        Outcome::Response { .. } => complete_success(ids, Why::ResponseIgnored),
        failed => {
            let error_type = failed.error_type().unwrap_or_default().to_owned();
            complete_failure(ids, Why::InvocationFailed(error_type))
        }
    }
}
