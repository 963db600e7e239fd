//! A model of an SQS queue, standard or FIFO. Pure: each call brings the time, and randomness comes from a seed.

mod config;
mod content;
mod error;
mod receive;
mod send;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, time::Duration};

pub use config::QueueBuilder;
pub(crate) use content::MAX_MESSAGE_LEN;
pub use error::{QueueConfigError, ReceiptError, SendError};
pub use send::{SendMessage, Sent};

use crate::{clock::Timestamp, ids::Receipt, message::Message};

/// An SQS queue, FIFO if its name ends in `.fifo`.
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
    /// As last delivered; `receive_count` is 0 if it never was.
    message: Message,
    received_at: Timestamp,
    visible_at: Timestamp,
}

impl Entry {
    fn in_flight(&self, now: Timestamp) -> bool {
        self.message.receive_count > 0 && self.visible_at > now
    }
}

/// How many messages a queue has, by state; in SQS `ApproximateNumberOfMessages…`, here exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    /// May be received now. The others of a FIFO group with a message in flight count here, as in SQS.
    pub visible: usize,
    /// Received, neither deleted nor timed out.
    pub in_flight: usize,
    /// Sent, and still hidden by the queue's delay.
    pub delayed: usize,
}

impl Depth {
    /// All of them.
    pub fn total(self) -> usize {
        self.visible + self.in_flight + self.delayed
    }
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

    /// Its dead-letter queue, if it has one.
    pub fn dead_letter_queue(&self) -> Option<&Self> {
        self.dead_letters.as_ref().map(|(_, queue)| &**queue)
    }

    /// Every message in it, in the order of sending, whatever its state; for tests only, since SQS can't list messages.
    pub fn messages(&self) -> impl Iterator<Item = &Message> {
        self.entries.values().map(|entry| &entry.message)
    }

    /// Its messages, counted by state.
    pub fn depth(&self, now: Timestamp) -> Depth {
        let mut depth = Depth::default();
        for entry in self.entries.values() {
            if entry.in_flight(now) {
                depth.in_flight += 1;
            } else if entry.visible_at > now {
                depth.delayed += 1;
            } else {
                depth.visible += 1;
            }
        }
        depth
    }

    /// When the next hidden message becomes visible again.
    pub fn next_visible_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.entries.values().map(|entry| entry.visible_at).filter(|at| *at > now).min()
    }

    /// Deletes the message behind `receipt_handle`. `false` when the message is still there.
    ///
    /// Standard: the latest handle deletes even after the visibility timeout; an older one succeeds and deletes nothing
    /// (SQS API reference, `DeleteMessage`).
    ///
    /// # Errors
    /// [`ReceiptError::Invalid`] for a handle that this queue never issued; FIFO: [`ReceiptError::Expired`] after the
    /// visibility timeout.
    pub fn delete(&mut self, receipt_handle: &str, now: Timestamp) -> Result<bool, ReceiptError> {
        let receipt = Receipt::of(receipt_handle, &self.arn).ok_or(ReceiptError::Invalid)?;
        let Some(entry) = self.entries.get(&receipt.entry) else {
            return Ok(true);
        };
        if self.fifo && entry.visible_at <= now {
            return Err(ReceiptError::Expired);
        }
        let is_latest = entry.message.receive_count == receipt.delivery;
        if is_latest {
            self.entries.remove(&receipt.entry);
        }
        Ok(is_latest)
    }

    /// Hides the message in flight behind `receipt_handle` for `timeout` from now (`ChangeMessageVisibility`).
    ///
    /// # Errors
    /// [`ReceiptError`]: an unknown handle, a message that is no longer in flight under this handle, or more than 12
    /// hours since it was received.
    pub fn hide(&mut self, receipt_handle: &str, timeout: Duration, now: Timestamp) -> Result<(), ReceiptError> {
        let receipt = Receipt::of(receipt_handle, &self.arn).ok_or(ReceiptError::Invalid)?;
        let entry = self.entries.get_mut(&receipt.entry).ok_or(ReceiptError::NotInFlight)?;
        if !entry.in_flight(now) || entry.message.receive_count != receipt.delivery {
            return Err(ReceiptError::NotInFlight);
        }
        if now.plus(timeout) > entry.received_at.plus(config::MAX_VISIBILITY_TIMEOUT) {
            return Err(ReceiptError::TooLong);
        }
        entry.visible_at = now.plus(timeout);
        Ok(())
    }
}
