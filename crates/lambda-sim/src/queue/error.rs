//! Why SQS turns a request down.

use super::AttributeError;

/// A queue that can't be made as asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueConfigError {
    /// Names have 1 to 80 letters, digits, `-` and `_`, with `.fifo` at the end for FIFO.
    #[error("{0:?} is no queue name: 1 to 80 letters, digits, hyphens and underscores, with .fifo at the end for FIFO")]
    Name(String),
    /// 0 s to 12 h.
    #[error("a visibility timeout is at most 12 hours")]
    VisibilityTimeout,
    /// 0 s to 15 min.
    #[error("a delay is at most 15 minutes")]
    Delay,
    /// 1 to 1000.
    #[error("maxReceiveCount is 1 to 1000, not {0}")]
    MaxReceiveCount(u32),
    /// FIFO queues neither shuffle nor repeat; content-based deduplication is theirs alone.
    #[error("{0} is for {1} queues only")]
    WrongKind(&'static str, &'static str),
    /// 0.0 to 0.9: at 1.0 a message would come again for ever.
    #[error("a probability of duplicates is 0.0 to 0.9")]
    Probability,
}

/// A message SQS doesn't take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// A body has at least one character.
    #[error("the body is empty")]
    EmptyBody,
    /// Body and attributes together have at most 1 MiB.
    #[error("the message has {0} bytes, more than 1 MiB")]
    TooLong(usize),
    /// A control character other than tab, line feed and carriage return, or U+FFFE or U+FFFF.
    #[error("the body has the character {0:?}, which SQS refuses")]
    InvalidCharacter(char),
    /// At most ten attributes.
    #[error("the message has {0} attributes, more than 10")]
    TooManyAttributes(usize),
    /// A FIFO message without `MessageGroupId`.
    #[error("a FIFO message needs a message group id")]
    NoGroup,
    /// A FIFO message without `MessageDeduplicationId` on a queue without content-based deduplication.
    #[error("a FIFO message needs a deduplication id, unless the queue deduplicates by content")]
    NoDeduplicationId,
    /// Ids of groups and deduplication have 1 to 128 letters, digits and ASCII punctuation marks.
    #[error("{parameter} has 1 to 128 alphanumeric and punctuation characters, unlike {value:?}")]
    Id {
        /// `MessageGroupId` or `MessageDeduplicationId`.
        parameter: &'static str,
        /// What it was to be.
        value: String,
    },
    /// An attribute of the sender's that SQS doesn't take.
    #[error(transparent)]
    Attribute(#[from] AttributeError),
    /// Deduplication belongs to FIFO, a delay of a single message to standard queues.
    #[error("{0} is for {1} queues only")]
    WrongKind(&'static str, &'static str),
    /// 0 s to 15 min.
    #[error("a delay is at most 15 minutes")]
    Delay,
}

/// A receipt handle SQS doesn't honour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// This queue never gave it out.
    #[error("ReceiptHandleIsInvalid: this queue never gave out such a handle")]
    Invalid,
    /// FIFO: the visibility timeout has run out, and with it the right to delete.
    #[error("InvalidParameterValue: the receipt handle has expired")]
    Expired,
    /// The message is not in flight, so there is no timeout to change.
    #[error("MessageNotInflight: the message is not in flight")]
    NotInFlight,
    /// 0 s to 12 h.
    #[error("a visibility timeout is at most 12 hours")]
    VisibilityTimeout,
}
