//! How a queue is configured.

use std::time::Duration;

use super::{Queue, QueueConfigError};

pub(super) const MAX_VISIBILITY_TIMEOUT: Duration = Duration::from_hours(12);
const MAX_DELAY: Duration = Duration::from_mins(15);

/// Makes a [`Queue`]; see [`Queue::builder`].
#[derive(Clone, Debug)]
pub struct QueueBuilder {
    name: String,
    pub(super) visibility_timeout: Duration,
    pub(super) delay: Duration,
    pub(super) content_based_deduplication: bool,
    pub(super) max_receive_count: Option<u32>,
    pub(super) seed: u64,
    pub(super) shuffled: bool,
}

impl QueueBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            visibility_timeout: Duration::from_secs(30),
            delay: Duration::ZERO,
            content_based_deduplication: false,
            max_receive_count: None,
            seed: 0,
            shuffled: false,
        }
    }

    /// How long a received message stays hidden; 30 s by default, as in SQS.
    #[must_use]
    pub fn visibility_timeout(mut self, timeout: Duration) -> Self {
        self.visibility_timeout = timeout;
        self
    }

    /// `DelaySeconds`: how long a message stays hidden after it was sent; none by default.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// FIFO: the SHA-256 of the body replaces a missing deduplication id.
    #[must_use]
    pub fn content_based_deduplication(mut self) -> Self {
        self.content_based_deduplication = true;
        self
    }

    /// After `max_receive_count` receives a message goes to a dead-letter queue of the same kind, named after this one.
    #[must_use]
    pub fn dead_letter_after(mut self, max_receive_count: u32) -> Self {
        self.max_receive_count = Some(max_receive_count);
        self
    }

    /// The seed of everything random here: message ids, and the order of [`shuffled`](Self::shuffled). The same calls
    /// with the same seed give the same queue.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Standard queues: delivers messages in random order ("best-effort ordering" at its worst).
    #[must_use]
    pub fn shuffled(mut self) -> Self {
        self.shuffled = true;
        self
    }

    /// The queue, empty.
    ///
    /// # Errors
    /// [`QueueConfigError`] for what SQS refuses.
    pub fn build(self) -> Result<Queue, QueueConfigError> {
        let stem = self.name.strip_suffix(".fifo");
        let fifo = stem.is_some();
        let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let stem = stem.unwrap_or(&self.name);
        if stem.is_empty() || self.name.len() > 80 || !stem.chars().all(valid) {
            return Err(QueueConfigError::Name(self.name));
        }
        if self.visibility_timeout > MAX_VISIBILITY_TIMEOUT {
            return Err(QueueConfigError::VisibilityTimeout);
        }
        if self.delay > MAX_DELAY {
            return Err(QueueConfigError::Delay);
        }
        if fifo && self.shuffled {
            return Err(QueueConfigError::WrongKind("shuffling", "standard"));
        }
        if !fifo && self.content_based_deduplication {
            return Err(QueueConfigError::WrongKind("content-based deduplication", "FIFO"));
        }
        let dead_letters = match self.max_receive_count {
            None => None,
            Some(count @ 1..=1000) => {
                let suffix = if fifo { ".fifo" } else { "" };
                let shortened: String = stem.chars().take(71).collect();
                let own = Self::new(format!("{shortened}-dlq{suffix}")).seed(self.seed);
                Some((count, Box::new(own.build()?)))
            }
            Some(count) => return Err(QueueConfigError::MaxReceiveCount(count)),
        };
        let arn = format!("arn:aws:sqs:us-east-2:123456789012:{}", self.name);
        Ok(Queue::with(self, arn, fifo, dead_letters))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}
