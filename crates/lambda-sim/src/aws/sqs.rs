//! SQS: what the function sends, and what the operator's tool receives (SQS API reference).

mod error;
mod receive;
mod send;

use std::collections::{BTreeMap, HashSet};

use super::error::ErrorAnswer;
use crate::{
    clock::{ManualClock, Timestamp},
    queue::Queue,
};
use error::SqsError;

const MAX_ENTRIES: usize = 10;
const MAX_ID_LEN: usize = 80;
/// The account of every queue: AWS's example account.
pub(super) const ACCOUNT: &str = "123456789012";

/// The queues by name, and their clock if it is not this machine's.
#[derive(Debug, Default)]
pub(super) struct Queues(pub(super) BTreeMap<String, Queue>, pub(super) Option<ManualClock>);

impl Queues {
    fn now(&self) -> Timestamp {
        self.1.as_ref().map_or_else(Timestamp::now, ManualClock::now)
    }

    /// The queue of this URL, of which SQS, too, regards the path alone.
    fn find(&mut self, url: &str) -> Result<&mut Queue, SqsError> {
        let (rest, name) = url.rsplit_once('/').unwrap_or(("", url));
        let queue = self.0.get_mut(name).filter(|_| rest.ends_with(&format!("/{ACCOUNT}")));
        queue.ok_or(SqsError::QueueDoesNotExist)
    }
}

/// Checks the ids of a batch's entries.
fn check_ids<'a>(ids: impl ExactSizeIterator<Item = &'a str>) -> Result<(), SqsError> {
    if ids.len() == 0 {
        return Err(SqsError::EmptyBatch);
    }
    if ids.len() > MAX_ENTRIES {
        return Err(SqsError::TooManyEntries(ids.len()));
    }
    let valid = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let mut seen = HashSet::new();
    for id in ids {
        if !(1..=MAX_ID_LEN).contains(&id.len()) || !id.chars().all(valid) {
            return Err(SqsError::InvalidEntryId);
        }
        if !seen.insert(id) {
            return Err(SqsError::EntryIdRepeated);
        }
    }
    Ok(())
}

impl From<SqsError> for ErrorAnswer {
    fn from(error: SqsError) -> Self {
        let (kind, code) = error.kind_and_code();
        Self { code, ..Self::new(400, kind, error.to_string()) }
    }
}
