//! Records what has been sent, so that the next run resumes where this one ended, however it ended.

mod file;
mod ranges;
mod resume;

use serde::{Deserialize, Serialize};

pub(crate) use file::{StateError, StateFile};
use ranges::Ranges;
pub(crate) use resume::{Changed, Resume};

use crate::lines::Digest256;

/// What SQS has confirmed of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    format: u32,
    /// The queue it was sent to, or the table it was written to.
    queue_url: String,
    /// Identifies the run and those that resume it, for SQS's deduplication.
    run: String,
    /// The lines sent, counted without the blank ones.
    sent: Ranges,
    /// The SHA-256 of the file up to the last of them.
    sha256: String,
}

impl State {
    const FORMAT: u32 = 1;

    /// A state with nothing sent yet.
    pub(crate) fn new(queue_url: &str) -> Self {
        let run = format!("{:016x}{:016x}", fastrand::u64(..), fastrand::u64(..));
        Self { format: Self::FORMAT, queue_url: queue_url.into(), run, sent: Ranges::default(), sha256: String::new() }
    }

    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// How many lines have been sent.
    pub(crate) fn count(&self) -> u64 {
        self.sent.count()
    }

    pub(crate) fn has(&self, nth: u64) -> bool {
        self.sent.contains(nth)
    }

    /// Records a line that SQS has confirmed.
    pub(crate) fn confirm(&mut self, nth: u64, digest: Digest256) {
        if self.sent.last().is_none_or(|last| nth > last) {
            self.sha256 = digest.hex();
        }
        self.sent.insert(nth);
    }
}
