//! An SQS event source mapping: receives batches, invokes, deletes what was acknowledged, and leaves the rest to the visibility timeout
//! (Lambda developer guide, "Using Lambda with Amazon SQS").

mod batch;
mod config;

use std::sync::Arc;

use tokio::task::JoinSet;

pub use batch::{Batch, Run};
pub use config::{EventSourceBuilder, EventSourceConfigError};

use crate::clock::Clock;
use crate::event::{event_of, record_len};
use crate::function::{Function, Invocation, InvokeError};
use crate::message::Message;
use crate::queue::{Deletion, Queue};
use crate::runtime_api::MAX_PAYLOAD_LEN;

/// The brackets around the records of an event.
const EVENT_FRAME_LEN: usize = r#"{"Records":[]}"#.len();

/// A queue in front of a function.
#[derive(Debug)]
pub struct EventSource {
    queue: Queue,
    environments: Vec<Arc<Function>>,
    batch_size: usize,
    report_batch_item_failures: bool,
    clock: Clock,
}

/// A poll that came to nothing. Messages it had received come back after their visibility timeout.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The function couldn't be invoked.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    /// The task that invoked was torn down, with its runtime.
    #[error("the invocation was torn down")]
    TornDown,
}

impl EventSource {
    /// Starts mapping `queue` to `function`.
    pub fn builder(queue: Queue, function: Arc<Function>) -> EventSourceBuilder {
        EventSourceBuilder::new(queue, function)
    }

    /// The queue.
    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// The queue, to send to.
    pub fn queue_mut(&mut self) -> &mut Queue {
        &mut self.queue
    }

    /// The clock of queue and polls.
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Receives one batch and takes it through the first environment. `None` when no message is visible.
    ///
    /// # Errors
    /// [`PollError`] when there was no invocation.
    pub async fn poll_once(&mut self) -> Result<Option<Batch>, PollError> {
        let Some(messages) = self.receive() else { return Ok(None) };
        let Some(function) = self.environments.first().cloned() else { return Ok(None) };
        let invocation = function.invoke(event_of(self.queue.arn(), &messages)).await?;
        Ok(Some(self.conclude(messages, invocation)))
    }

    /// Receives a batch for every environment, as far as there are messages, and takes them through at the same time. In FIFO they are
    /// of different message groups.
    ///
    /// # Errors
    /// [`PollError`] when one of the invocations didn't take place; what the others had acknowledged by then is deleted.
    pub async fn poll_all(&mut self) -> Result<Vec<Batch>, PollError> {
        let mut running = JoinSet::new();
        for function in self.environments.clone() {
            let Some(messages) = self.receive() else { break };
            let event = event_of(self.queue.arn(), &messages);
            running.spawn(async move { (messages, function.invoke(event).await) });
        }
        let mut batches = Vec::new();
        let mut error = None;
        while let Some(finished) = running.join_next().await {
            match finished {
                Ok((messages, Ok(invocation))) => batches.push(self.conclude(messages, invocation)),
                Ok((_, Err(failed))) => error = Some(PollError::from(failed)),
                Err(_) => error = Some(PollError::TornDown),
            }
        }
        error.map_or(Ok(batches), Err)
    }

    /// Polls all environments until nothing is left in the queue, in flight and delayed messages included, or until `limit` batches are
    /// through. When nothing is visible it passes the time to the next visibility timeout or end of a delay; a manual clock jumps there.
    ///
    /// # Errors
    /// As [`poll_all`](Self::poll_all).
    pub async fn run_until_empty(&mut self, limit: usize) -> Result<Run, PollError> {
        let mut batches = Vec::new();
        while batches.len() < limit {
            let polled = self.poll_all().await?;
            if polled.is_empty() && !self.pass_to_next_message().await {
                break;
            }
            batches.extend(polled);
        }
        let emptied = self.queue.depth(self.clock.now()).total() == 0;
        Ok(Run { batches, emptied })
    }

    /// Passes the time until a hidden message becomes visible. `false` when there is none.
    pub async fn pass_to_next_message(&mut self) -> bool {
        let Some(moment) = self.queue.next_visible_at(self.clock.now()) else { return false };
        self.clock.pass_until(moment).await;
        true
    }

    /// Up to a batch size of messages, and no more than fit into 6 MB of payload.
    fn receive(&mut self) -> Option<Vec<Message>> {
        let arn = self.queue.arn().to_owned();
        let mut room = MAX_PAYLOAD_LEN.saturating_sub(EVENT_FRAME_LEN);
        let fits = |message: &Message| {
            let len = record_len(&arn, message);
            let fits = len <= room;
            room = room.saturating_sub(len);
            fits
        };
        let visibility_timeout = self.queue.visibility_timeout();
        let messages = self.queue.receive_while(self.batch_size, visibility_timeout, self.clock.now(), fits);
        (!messages.is_empty()).then_some(messages)
    }

    fn conclude(&mut self, messages: Vec<Message>, invocation: Invocation) -> Batch {
        let ids: Vec<String> = messages.iter().map(|message| message.message_id.clone()).collect();
        let verdict = batch::verdict(&invocation, &ids, self.report_batch_item_failures);
        let now = self.clock.now();
        // Verdicts keep the order of the batch, so one walk over both finds the receipt handle of every id.
        let mut deletes = verdict.deletes.iter().peekable();
        let mut not_deleted = Vec::new();
        for message in &messages {
            if deletes.next_if(|id| **id == message.message_id).is_some() {
                match self.queue.delete(&message.receipt_handle, now) {
                    Ok(Deletion::Deleted | Deletion::AlreadyGone) => {}
                    Ok(Deletion::Stale) | Err(_) => not_deleted.push(message.message_id.clone()),
                }
            }
        }
        Batch { messages, invocation, verdict, not_deleted }
    }
}
