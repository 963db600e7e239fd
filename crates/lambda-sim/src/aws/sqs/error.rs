//! The errors of SQS (SQS API reference, `SendMessageBatch` and `ReceiveMessage`).

use crate::queue::{MAX_MESSAGE_LEN, SendError};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SqsError {
    #[error("there is no such queue")]
    QueueDoesNotExist,
    #[error("a batch has at least one entry")]
    EmptyBatch,
    #[error("a batch has at most 10 entries, not {0}")]
    TooManyEntries(usize),
    #[error("an id has 1 to 80 letters, digits, hyphens and underscores")]
    InvalidEntryId,
    #[error("two entries have the same id")]
    EntryIdRepeated,
    #[error("a batch has at most {MAX_MESSAGE_LEN} bytes, not {0}")]
    BatchTooLong(usize),
    #[error("the number of messages to receive is 1 to 10, not {0}")]
    MaxNumberOfMessages(usize),
    /// An entry that is refused alone.
    #[error(transparent)]
    Entry(SendError),
    /// An entry that fails its batch.
    #[error(transparent)]
    InBatch(SendError),
}

impl SqsError {
    /// The error's shape, and its code in the query protocol.
    pub(super) fn kind_and_code(&self) -> (&'static str, &'static str) {
        match self {
            Self::QueueDoesNotExist => ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
            Self::EmptyBatch => ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
            Self::TooManyEntries(_) => {
                ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
            }
            Self::InvalidEntryId => ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
            Self::EntryIdRepeated => ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
            Self::BatchTooLong(_) => ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
            Self::Entry(SendError::InvalidCharacter(_)) => ("InvalidMessageContents", "InvalidMessageContents"),
            Self::MaxNumberOfMessages(_) | Self::Entry(_) | Self::InBatch(_) => {
                ("InvalidParameterValueException", "InvalidParameterValue")
            }
        }
    }
}
