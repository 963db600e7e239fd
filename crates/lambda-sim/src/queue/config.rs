//! How a queue is made.

use std::time::Duration;

use super::{Queue, QueueConfigError};

pub(super) const MAX_VISIBILITY_TIMEOUT: Duration = Duration::from_hours(12);
pub(super) const MAX_DELAY: Duration = Duration::from_mins(15);

/// Makes a [`Queue`]; see [`Queue::builder`].
#[derive(Clone, Debug)]
pub struct QueueBuilder {
    name: String,
    region: String,
    account: String,
    pub(super) visibility_timeout: Duration,
    pub(super) delay: Duration,
    pub(super) content_based_deduplication: bool,
    pub(super) max_receive_count: Option<u32>,
    pub(super) seed: u64,
    pub(super) shuffled: bool,
    pub(super) duplicates: f64,
}

impl QueueBuilder {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            region: "us-east-2".into(),
            account: "123456789012".into(),
            visibility_timeout: Duration::from_secs(30),
            delay: Duration::ZERO,
            content_based_deduplication: false,
            max_receive_count: None,
            seed: 0,
            shuffled: false,
            duplicates: 0.0,
        }
    }

    /// The region in the queue's ARN; `us-east-2` unless told.
    #[must_use]
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// The account in the queue's ARN; AWS's example account unless told.
    #[must_use]
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// How long a received message stays hidden; 30 s unless told, as SQS has it.
    #[must_use]
    pub fn visibility_timeout(mut self, timeout: Duration) -> Self {
        self.visibility_timeout = timeout;
        self
    }

    /// How long a message stays hidden after it is sent; none unless told.
    #[must_use]
    pub fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// FIFO: the SHA-256 of the body stands in for a missing deduplication id.
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

    /// The seed of everything random here: message ids, the order of [`shuffled`](Self::shuffled), the choice of
    /// [`duplicates`](Self::duplicates). The same calls on the same seed give the same queue.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Standard queues: hands messages out in random order ("best-effort ordering" at its worst).
    #[must_use]
    pub fn shuffled(mut self) -> Self {
        self.shuffled = true;
        self
    }

    /// Standard queues: each delivery leaves, with this probability, a copy that is delivered again even after the message is
    /// deleted ("at-least-once delivery").
    #[must_use]
    pub fn duplicates(mut self, probability: f64) -> Self {
        self.duplicates = probability;
        self
    }

    /// The queue, empty.
    ///
    /// # Errors
    /// [`QueueConfigError`] for what SQS (or sense) refuses.
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
        if !(0.0..=0.9).contains(&self.duplicates) {
            return Err(QueueConfigError::Probability);
        }
        match (fifo, self.shuffled, self.duplicates > 0.0, self.content_based_deduplication) {
            (true, true, _, _) => return Err(QueueConfigError::WrongKind("shuffling", "standard")),
            (true, _, true, _) => return Err(QueueConfigError::WrongKind("duplicate delivery", "standard")),
            (false, _, _, true) => return Err(QueueConfigError::WrongKind("content-based deduplication", "FIFO")),
            _ => {}
        }
        let dead_letters = match self.max_receive_count {
            None => None,
            Some(count @ 1..=1000) => {
                let suffix = if fifo { ".fifo" } else { "" };
                let shortened: String = stem.chars().take(71).collect();
                // Plain in every other respect: what arrives there is looked at, not processed.
                let own = Self::new(format!("{shortened}-dlq{suffix}"));
                let own = own.region(self.region.clone()).account(self.account.clone()).seed(self.seed);
                Some((count, Box::new(own.build()?)))
            }
            Some(count) => return Err(QueueConfigError::MaxReceiveCount(count)),
        };
        let arn = format!("arn:aws:sqs:{}:{}:{}", self.region, self.account, self.name);
        Ok(Queue::with(self, arn, fifo, dead_letters))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}
