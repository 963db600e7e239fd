//! The result of a batch, and of a run.

use crate::{
    answer::{FifoOrderBreak, Verdict, fifo_order_breaks},
    function::Invocation,
    message::Message,
};

/// One batch: what the function received, what it answered, and what that did to the queue.
#[derive(Clone, Debug)]
pub struct Batch {
    /// The messages as delivered, in their order.
    pub messages: Vec<Message>,
    /// The invocation.
    pub invocation: Invocation,
    /// Which messages were to be deleted and which were left.
    pub verdict: Verdict,
    /// Acknowledged messages that are still in the queue, since the visibility timeout ran out during the invocation
    /// and the receipt handle was no longer valid.
    pub not_deleted: Vec<String>,
}

impl Batch {
    /// The ids of the delivered messages, in their order.
    pub fn delivered(&self) -> Vec<&str> {
        self.messages.iter().map(|message| message.message_id.as_str()).collect()
    }

    /// Where the answer breaks the order of a message group. AWS doesn't check that; a test should.
    pub fn fifo_order_breaks(&self) -> Vec<FifoOrderBreak> {
        fifo_order_breaks(&self.messages, &self.verdict.fails)
    }
}

/// The result of [`EventSource::run_until_empty`](super::EventSource::run_until_empty).
#[derive(Clone, Debug)]
pub struct Run {
    /// Every batch, in order of completion.
    pub batches: Vec<Batch>,
    /// Whether nothing is left in the queue; `false` when the limit came first.
    pub emptied: bool,
}
