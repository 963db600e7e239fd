//! A model of an SQS queue, standard or FIFO. Pure: time comes in with every call, randomness from a seed.

mod attributes;
mod config;
mod error;
mod receive;
mod send;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::time::Duration;

pub use attributes::AttributeError;
pub use config::QueueBuilder;
pub use error::{QueueConfigError, ReceiptError, SendError};
pub(crate) use send::MAX_MESSAGE_LEN;
pub use send::{SendMessage, Sent};

use crate::clock::Timestamp;
use crate::ids::Receipt;
use crate::message::Message;

/// An SQS queue. Whether it is FIFO, its name says: `.fifo`.
#[derive(Clone, Debug)]
pub struct Queue {
    config: QueueBuilder,
    arn: String,
    fifo: bool,
    /// By serial number, hence in the order of sending.
    entries: BTreeMap<u64, Entry>,
    serial: u64,
    deduplication: send::Deduplication,
    dead_letters: Option<(u32, Box<Queue>)>,
    rng: fastrand::Rng,
}

#[derive(Clone, Debug)]
struct Entry {
    /// As last handed out; `receive_count` 0 says that it never was.
    message: Message,
    visible_at: Timestamp,
}

impl Entry {
    fn in_flight(&self, now: Timestamp) -> bool {
        self.message.receive_count > 0 && self.visible_at > now
    }
}

/// How many messages a queue has, by state; in SQS the three `ApproximateNumberOfMessages…`, here exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// May be received now. A FIFO group with a message in flight counts its others here, as SQS does.
    pub visible: usize,
    /// Received, neither deleted nor timed out.
    pub in_flight: usize,
    /// Sent, and still waiting for the end of its delay.
    pub delayed: usize,
}

impl Depth {
    /// All of them.
    pub fn total(self) -> usize {
        self.visible + self.in_flight + self.delayed
    }
}

/// What became of a delete request that SQS answers with success.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// The message is gone.
    Deleted,
    /// It was gone before.
    AlreadyGone,
    /// It has been received again since, so an older handle deletes nothing.
    Stale,
}

impl Queue {
    /// Starts building the queue `name`; a name ending in `.fifo` makes it FIFO.
    pub fn builder(name: impl Into<String>) -> QueueBuilder {
        QueueBuilder::new(name.into())
    }

    fn with(config: QueueBuilder, arn: String, fifo: bool, dead_letters: Option<(u32, Box<Self>)>) -> Self {
        let rng = fastrand::Rng::with_seed(config.seed);
        let deduplication = send::Deduplication::default();
        Self { config, arn, fifo, entries: BTreeMap::new(), serial: 0, deduplication, dead_letters, rng }
    }

    fn next_serial(&mut self) -> u64 {
        let serial = self.serial;
        self.serial += 1;
        serial
    }

    /// Its name.
    pub fn name(&self) -> &str {
        self.config.name()
    }

    /// Its ARN.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Whether it is FIFO.
    pub fn is_fifo(&self) -> bool {
        self.fifo
    }

    /// Its default visibility timeout.
    pub fn visibility_timeout(&self) -> Duration {
        self.config.visibility_timeout
    }

    /// The queue for messages given up, if there is one.
    pub fn dead_letter_queue(&self) -> Option<&Self> {
        self.dead_letters.as_ref().map(|(_, queue)| &**queue)
    }

    /// The queue for messages given up, to receive from.
    pub fn dead_letter_queue_mut(&mut self) -> Option<&mut Self> {
        self.dead_letters.as_mut().map(|(_, queue)| &mut **queue)
    }

    /// Every message in it, in the order of sending, whatever its state. Not possible in SQS; for tests to look.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.entries.values().map(|entry| &entry.message)
    }

    /// Its messages, counted by state.
    pub fn depth(&self, now: Timestamp) -> Depth {
        let mut depth = Depth::default();
        for entry in self.entries.values() {
            if entry.visible_at <= now {
                depth.visible += 1;
            } else if entry.in_flight(now) {
                depth.in_flight += 1;
            } else {
                depth.delayed += 1;
            }
        }
        depth
    }

    /// When the next hidden message becomes visible: its visibility timeout or its delay runs out.
    pub fn next_visible_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.entries.values().map(|entry| entry.visible_at).filter(|at| *at > now).min()
    }

    /// Deletes the message behind `receipt_handle`.
    ///
    /// Standard: the latest handle deletes even after the visibility timeout, an older one succeeds and deletes nothing (SQS API
    /// reference, `DeleteMessage`).
    ///
    /// # Errors
    /// [`ReceiptError::Invalid`] for a handle of no message here; FIFO: [`ReceiptError::Expired`] after the visibility timeout.
    pub fn delete(&mut self, receipt_handle: &str, now: Timestamp) -> Result<Deletion, ReceiptError> {
        let receipt = Receipt::of(receipt_handle, &self.arn).ok_or(ReceiptError::Invalid)?;
        let Some(entry) = self.entries.get(&receipt.entry) else {
            return Ok(Deletion::AlreadyGone);
        };
        if self.fifo && entry.visible_at <= now {
            return Err(ReceiptError::Expired);
        }
        if entry.message.receive_count != receipt.delivery {
            return Ok(Deletion::Stale);
        }
        self.entries.remove(&receipt.entry);
        Ok(Deletion::Deleted)
    }

    /// Makes the message in flight behind `receipt_handle` visible in `visibility_timeout` from now; zero makes it visible at once.
    ///
    /// # Errors
    /// [`ReceiptError`]: an unknown handle, a message no longer in flight (under this handle), more than twelve hours.
    pub fn change_visibility(
        &mut self,
        receipt_handle: &str,
        visibility_timeout: Duration,
        now: Timestamp,
    ) -> Result<(), ReceiptError> {
        let receipt = Receipt::of(receipt_handle, &self.arn).ok_or(ReceiptError::Invalid)?;
        if visibility_timeout > config::MAX_VISIBILITY_TIMEOUT {
            return Err(ReceiptError::VisibilityTimeout);
        }
        let entry = self.entries.get_mut(&receipt.entry).ok_or(ReceiptError::NotInFlight)?;
        if !entry.in_flight(now) || entry.message.receive_count != receipt.delivery {
            return Err(ReceiptError::NotInFlight);
        }
        entry.visible_at = now.plus(visibility_timeout);
        Ok(())
    }
}
