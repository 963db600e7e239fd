//! How an event source mapping is made, and which of that Lambda would refuse.

use std::sync::Arc;
use std::time::Duration;

use super::EventSource;
use crate::clock::Clock;
use crate::function::Function;
use crate::queue::Queue;

/// An event source mapping that can't be made as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventSourceConfigError {
    /// 1 to 10,000, in FIFO 1 to 10.
    #[error("a batch size is 1 to {max}, not {given}")]
    BatchSize {
        /// The most for this kind of queue.
        max: usize,
        /// What was asked for.
        given: usize,
    },
    /// More than ten messages need a batching window of at least a second.
    #[error("a batch size over 10 needs a batching window of at least 1 s")]
    BatchSizeNeedsWindow,
    /// At most five minutes, and none in FIFO.
    #[error("a batching window is at most 5 minutes, and FIFO has none")]
    BatchingWindow,
    /// Lambda refuses a visibility timeout shorter than the function's timeout.
    #[error("the queue's visibility timeout ({visibility:?}) is shorter than the function's timeout ({function:?})")]
    VisibilityTimeout {
        /// The queue's.
        visibility: Duration,
        /// The function's.
        function: Duration,
    },
}

/// Makes an [`EventSource`]; see [`EventSource::builder`].
#[derive(Debug)]
pub struct EventSourceBuilder {
    queue: Queue,
    environments: Vec<Arc<Function>>,
    batch_size: usize,
    batching_window: Duration,
    report_batch_item_failures: bool,
    clock: Clock,
}

impl EventSourceBuilder {
    pub(super) fn new(queue: Queue, function: Arc<Function>) -> Self {
        Self {
            queue,
            environments: vec![function],
            batch_size: 10,
            batching_window: Duration::ZERO,
            report_batch_item_failures: true,
            clock: Clock::System,
        }
    }

    /// `BatchSize`; 10 unless told.
    #[must_use]
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// `MaximumBatchingWindowInSeconds`; none unless told. Only checked: a poll takes what is there and doesn't wait for more.
    #[must_use]
    pub fn batching_window(mut self, window: Duration) -> Self {
        self.batching_window = window;
        self
    }

    /// Whether `FunctionResponseTypes` has `ReportBatchItemFailures`; yes unless told, other than in Lambda.
    #[must_use]
    pub fn report_batch_item_failures(mut self, report: bool) -> Self {
        self.report_batch_item_failures = report;
        self
    }

    /// Adds an execution environment: [`EventSource::poll_all`] gives each of them a batch at the same time.
    #[must_use]
    pub fn environment(mut self, function: Arc<Function>) -> Self {
        self.environments.push(function);
        self
    }

    /// The clock of queue and polls; this machine's unless told.
    #[must_use]
    pub fn clock(mut self, clock: impl Into<Clock>) -> Self {
        self.clock = clock.into();
        self
    }

    /// The event source mapping.
    ///
    /// # Errors
    /// [`EventSourceConfigError`] for what Lambda refuses.
    pub fn build(self) -> Result<EventSource, EventSourceConfigError> {
        let fifo = self.queue.is_fifo();
        let max = if fifo { 10 } else { 10_000 };
        if !(1..=max).contains(&self.batch_size) {
            return Err(EventSourceConfigError::BatchSize { max, given: self.batch_size });
        }
        let window = self.batching_window;
        if window > Duration::from_mins(5) || (fifo && !window.is_zero()) {
            return Err(EventSourceConfigError::BatchingWindow);
        }
        if self.batch_size > 10 && window < Duration::from_secs(1) {
            return Err(EventSourceConfigError::BatchSizeNeedsWindow);
        }
        let visibility = self.queue.visibility_timeout();
        if let Some(function) = self.environments.iter().map(|function| function.timeout()).max()
            && visibility < function
        {
            return Err(EventSourceConfigError::VisibilityTimeout { visibility, function });
        }
        Ok(EventSource {
            queue: self.queue,
            environments: self.environments,
            batch_size: self.batch_size,
            report_batch_item_failures: self.report_batch_item_failures,
            clock: self.clock,
        })
    }
}
