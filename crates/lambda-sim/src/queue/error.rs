//! Why SQS refuses a request.

/// A queue that SQS refuses to create.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QueueConfigError {
    /// Names have 1 to 80 letters, digits, `-` and `_`, with `.fifo` at the end for FIFO.
    #[error("{0:?} is not a queue name: 1 to 80 letters, digits, hyphens and underscores; for FIFO then .fifo")]
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
    /// FIFO queues keep their order, and only they deduplicate.
    #[error("{0} is for {1} queues only")]
    WrongKind(&'static str, &'static str),
}

/// A message that SQS refuses.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// A body has at least one character.
    #[error("the body is empty")]
    EmptyBody,
    /// A control character other than tab, line feed and carriage return, or U+FFFE or U+FFFF.
    #[error("the message has the character {0:?}, which SQS refuses")]
    InvalidCharacter(char),
    /// A FIFO message without `MessageGroupId`.
    #[error("a FIFO message needs a message group id")]
    NoGroup,
    /// A FIFO message without `MessageDeduplicationId` in a queue without content-based deduplication.
    #[error("a FIFO message needs a deduplication id, unless the queue deduplicates by content")]
    NoDeduplicationId,
    /// Another parameter that SQS refuses, and why.
    #[error("{0}")]
    Invalid(String),
}

/// A receipt handle that SQS refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// This queue never issued it.
    #[error("this queue never issued such a receipt handle")]
    Invalid,
    /// FIFO: after the visibility timeout a receipt handle no longer deletes.
    #[error("the receipt handle has expired")]
    Expired,
    /// The message is not in flight, so it has no visibility timeout to change.
    #[error("the message is not in flight")]
    NotInFlight,
    /// A message is in flight for 12 hours at most, counted from its delivery.
    #[error("the visibility timeout ends more than 12 hours after the message was received")]
    TooLong,
}
