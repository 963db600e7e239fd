//! The errors of SQS (SQS API reference, `SendMessage` and `SendMessageBatch`), worded as SQS words them.

use crate::aws::error::ErrorAnswer;
use crate::queue::{MAX_MESSAGE_LEN, SendError};

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum SqsError {
    #[error("The specified queue does not exist.")]
    QueueDoesNotExist,
    #[error("There should be at least one SendMessageBatchRequestEntry in the request.")]
    EmptyBatch,
    #[error("Maximum number of entries per request are 10. You have sent {0}.")]
    TooManyEntries(usize),
    #[error(
        "A batch entry id can only contain alphanumeric characters, hyphens and underscores. It can be at most 80 letters \
         long."
    )]
    InvalidEntryId,
    #[error("Id {0} repeated.")]
    EntryIdRepeated(String),
    #[error("Batch requests cannot be longer than {MAX_MESSAGE_LEN} bytes. You have sent {0} bytes.")]
    BatchTooLong(usize),
    #[error("The request must contain the parameter {0}.")]
    Missing(&'static str),
    #[error("Message system attribute name '{0}' is invalid, or its type isn't String.")]
    SystemAttribute(String),
    #[error("Value {0} for parameter MaxNumberOfMessages is invalid. Reason: Must be between 1 and 10, if provided.")]
    MostMessages(usize),
    #[error("Unknown Attribute {0}.")]
    AttributeName(String),
    /// What is wrong with a message.
    #[error("{}", worded(.0))]
    Send(SendError),
    /// The same where it fails a whole batch: SQS then calls even a missing parameter an invalid one.
    #[error("{}", worded(.0))]
    InBatch(SendError),
}

impl SqsError {
    pub(super) fn answer(&self) -> ErrorAnswer {
        use SqsError as E;
        let (kind, code) = match self {
            E::QueueDoesNotExist => ("QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue"),
            E::EmptyBatch => ("EmptyBatchRequest", "AWS.SimpleQueueService.EmptyBatchRequest"),
            E::TooManyEntries(_) => {
                ("TooManyEntriesInBatchRequest", "AWS.SimpleQueueService.TooManyEntriesInBatchRequest")
            }
            E::InvalidEntryId => ("InvalidBatchEntryId", "AWS.SimpleQueueService.InvalidBatchEntryId"),
            E::EntryIdRepeated(_) => ("BatchEntryIdsNotDistinct", "AWS.SimpleQueueService.BatchEntryIdsNotDistinct"),
            E::BatchTooLong(_) => ("BatchRequestTooLong", "AWS.SimpleQueueService.BatchRequestTooLong"),
            E::Send(SendError::InvalidCharacter(_)) => ("InvalidMessageContents", "InvalidMessageContents"),
            E::Missing(_) | E::Send(SendError::EmptyBody | SendError::NoGroup) => {
                ("MissingRequiredParameterException", "MissingParameter")
            }
            E::AttributeName(_) => ("InvalidAttributeName", "InvalidAttributeName"),
            E::SystemAttribute(_) | E::MostMessages(_) | E::Send(_) | E::InBatch(_) => {
                ("InvalidParameterValueException", "InvalidParameterValue")
            }
        };
        ErrorAnswer { status: 400, kind, code, message: self.to_string(), item: None }
    }
}

fn worded(error: &SendError) -> String {
    match error {
        SendError::EmptyBody => SqsError::Missing("MessageBody").to_string(),
        SendError::NoGroup => SqsError::Missing("MessageGroupId").to_string(),
        SendError::TooLong(_) => {
            format!("One or more parameters are invalid. Reason: Message must be shorter than {MAX_MESSAGE_LEN} bytes.")
        }
        SendError::InvalidCharacter(_) => "Invalid characters found. Valid unicode characters are #x9 | #xA | #xD | \
                                           #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF"
            .into(),
        SendError::TooManyAttributes(count) => {
            format!("Number of message attributes [{count}] exceeds the allowed maximum [10].")
        }
        SendError::NoDeduplicationId => "The queue should either have ContentBasedDeduplication enabled or \
                                         MessageDeduplicationId provided explicitly"
            .into(),
        SendError::Id { parameter, value } => format!(
            "Value {value} for parameter {parameter} is invalid. Reason: {parameter} can only include alphanumeric and \
             punctuation characters. 1 to 128 in length."
        ),
        SendError::Delay => "DelaySeconds is invalid. Reason: DelaySeconds must be >= 0 and <= 900.".into(),
        SendError::WrongKind(..) => "The request include parameter that is not valid for this queue type.".into(),
        SendError::Attribute(error) => error.to_string(),
    }
}
