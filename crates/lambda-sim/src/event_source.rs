//! An SQS event source mapping: receives batches of ten, invokes, deletes what was acknowledged, and leaves the rest to
//! the visibility timeout (Lambda developer guide, "Using Lambda with Amazon SQS").

mod batch;

use std::{sync::Arc, time::Duration};

pub use batch::{Batch, Run};

use crate::{
    answer::{Why, complete_failure, interpret},
    clock::ManualClock,
    event::{event_of, record_len},
    function::{Function, Invocation, InvokeError, Outcome},
    message::Message,
    queue::Queue,
    runtime_api::MAX_PAYLOAD_LEN,
};

/// `BatchSize`, as Lambda has it by default.
const BATCH_SIZE: usize = 10;
/// The brackets around the records of an event.
const EVENT_FRAME_LEN: usize = r#"{"Records":[]}"#.len();

/// A queue in front of a function, with `ReportBatchItemFailures`.
#[derive(Debug)]
pub struct EventSource {
    queue: Queue,
    function: Arc<Function>,
    clock: ManualClock,
}

/// Lambda refuses a visibility timeout shorter than the function's timeout.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the queue's visibility timeout ({visibility:?}) is shorter than the function's timeout ({function:?})")]
pub struct VisibilityTimeoutTooShort {
    visibility: Duration,
    function: Duration,
}

impl EventSource {
    /// Maps `queue` to `function`. Time during an invocation is real; `clock` jumps to the end of a visibility timeout.
    ///
    /// # Errors
    /// [`VisibilityTimeoutTooShort`].
    pub fn new(queue: Queue, function: Arc<Function>, clock: ManualClock) -> Result<Self, VisibilityTimeoutTooShort> {
        let (visibility, timeout) = (queue.visibility_timeout(), function.timeout());
        match visibility < timeout {
            true => Err(VisibilityTimeoutTooShort { visibility, function: timeout }),
            false => Ok(Self { queue, function, clock }),
        }
    }

    /// The queue.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The queue, to send to.
    pub fn queue_mut(&mut self) -> &mut Queue {
        &mut self.queue
    }

    /// Receives one batch and invokes the function with it. `None` when no message is visible.
    ///
    /// # Errors
    /// [`InvokeError`] when there was no invocation. The messages become visible after their visibility timeout.
    pub async fn poll(&mut self) -> Result<Option<Batch>, InvokeError> {
        let messages = self.receive();
        if messages.is_empty() {
            return Ok(None);
        }
        let invocation = self.function.invoke(event_of(self.queue.arn(), &messages)).await?;
        Ok(Some(self.conclude(messages, invocation)))
    }

    /// Polls until nothing is left in the queue, messages in flight included, or until there were `limit` batches. When
    /// nothing is visible, the clock jumps to the end of the next visibility timeout.
    ///
    /// # Errors
    /// As [`poll`](Self::poll).
    pub async fn run_until_empty(&mut self, limit: usize) -> Result<Run, InvokeError> {
        let mut batches = Vec::new();
        while batches.len() < limit {
            match (self.poll().await?, self.queue.next_visible_at(self.clock.now())) {
                (Some(batch), _) => batches.push(batch),
                (None, Some(moment)) => self.clock.advance_to(moment),
                (None, None) => break,
            }
        }
        let emptied = self.queue.depth(self.clock.now()).total() == 0;
        Ok(Run { batches, emptied })
    }

    /// Up to a batch size of messages, and no more than fit into 6 MB of payload.
    fn receive(&mut self) -> Vec<Message> {
        let arn = self.queue.arn().to_owned();
        let mut space = MAX_PAYLOAD_LEN.saturating_sub(EVENT_FRAME_LEN);
        let fits = |message: &Message| {
            let len = record_len(&arn, message);
            let fits = len <= space;
            space = space.saturating_sub(len);
            fits
        };
        let visibility_timeout = self.queue.visibility_timeout();
        self.queue.receive_while(BATCH_SIZE, visibility_timeout, self.clock.now(), fits)
    }

    fn conclude(&mut self, messages: Vec<Message>, invocation: Invocation) -> Batch {
        let ids: Vec<String> = messages.iter().map(|message| message.message_id.clone()).collect();
        let verdict = match &invocation.outcome {
            Outcome::Response { body } => interpret(body, &ids),
            failed => {
                let error_type = failed.error_type().unwrap_or_default().to_owned();
                complete_failure(&ids, Why::InvocationFailed(error_type))
            }
        };
        let now = self.clock.now();
        let mut not_deleted = Vec::new();
        for message in messages.iter().filter(|message| verdict.deletes.contains(&message.message_id)) {
            if self.queue.delete(&message.receipt_handle, now) != Ok(true) {
                not_deleted.push(message.message_id.clone());
            }
        }
        Batch { messages, invocation, verdict, not_deleted }
    }
}
