//! What the API understands, and what it remembers of each request.

use std::fmt;
use std::time::Instant;

/// An AWS service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Amazon SQS, `sqs`.
    Sqs,
    /// AWS Secrets Manager, `secretsmanager`.
    SecretsManager,
    /// Amazon DynamoDB, `dynamodb`.
    DynamoDb,
}

impl Service {
    /// Its name in credential scopes.
    pub(super) fn signing_name(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::SecretsManager => "secretsmanager",
            Self::DynamoDb => "dynamodb",
        }
    }

    /// AWS JSON 1.0 and 1.1.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Sqs | Self::DynamoDb => "application/x-amz-json-1.0",
            Self::SecretsManager => "application/x-amz-json-1.1",
        }
    }

    /// The service a target such as `AmazonSQS.SendMessage` names.
    pub(super) fn of_target(target: &str) -> Option<Self> {
        match target.split('.').next() {
            Some("AmazonSQS") => Some(Self::Sqs),
            Some("secretsmanager") => Some(Self::SecretsManager),
            Some("DynamoDB_20120810") => Some(Self::DynamoDb),
            _ => None,
        }
    }
}

/// An operation of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// SQS: one message.
    SendMessage,
    /// SQS: up to ten messages.
    SendMessageBatch,
    /// SQS: takes up to ten messages in hand.
    ReceiveMessage,
    /// SQS: deletes up to ten messages.
    DeleteMessageBatch,
    /// SQS: hides up to ten messages for longer, or shows them again.
    ChangeMessageVisibilityBatch,
    /// SQS: what a queue is like and how many messages it has.
    GetQueueAttributes,
    /// Secrets Manager: a version of a secret.
    GetSecretValue,
    /// DynamoDB: changes attributes of an item, or makes it.
    UpdateItem,
    /// DynamoDB: a whole item.
    PutItem,
    /// DynamoDB: takes an item away.
    DeleteItem,
    /// DynamoDB: reads an item.
    GetItem,
    /// DynamoDB: reads up to a hundred items.
    BatchGetItem,
}

impl Operation {
    const ALL: [Self; 12] = [
        Self::SendMessage,
        Self::SendMessageBatch,
        Self::ReceiveMessage,
        Self::DeleteMessageBatch,
        Self::ChangeMessageVisibilityBatch,
        Self::GetQueueAttributes,
        Self::GetSecretValue,
        Self::UpdateItem,
        Self::PutItem,
        Self::DeleteItem,
        Self::GetItem,
        Self::BatchGetItem,
    ];

    /// The service it belongs to.
    pub fn service(self) -> Service {
        match self {
            Self::SendMessage
            | Self::SendMessageBatch
            | Self::ReceiveMessage
            | Self::DeleteMessageBatch
            | Self::ChangeMessageVisibilityBatch
            | Self::GetQueueAttributes => Service::Sqs,
            Self::GetSecretValue => Service::SecretsManager,
            Self::UpdateItem | Self::PutItem | Self::DeleteItem | Self::GetItem | Self::BatchGetItem => {
                Service::DynamoDb
            }
        }
    }

    pub(super) fn of_target(target: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.target() == target)
    }

    fn target(self) -> &'static str {
        match self {
            Self::SendMessage => "AmazonSQS.SendMessage",
            Self::SendMessageBatch => "AmazonSQS.SendMessageBatch",
            Self::ReceiveMessage => "AmazonSQS.ReceiveMessage",
            Self::DeleteMessageBatch => "AmazonSQS.DeleteMessageBatch",
            Self::ChangeMessageVisibilityBatch => "AmazonSQS.ChangeMessageVisibilityBatch",
            Self::GetQueueAttributes => "AmazonSQS.GetQueueAttributes",
            Self::GetSecretValue => "secretsmanager.GetSecretValue",
            Self::UpdateItem => "DynamoDB_20120810.UpdateItem",
            Self::PutItem => "DynamoDB_20120810.PutItem",
            Self::DeleteItem => "DynamoDB_20120810.DeleteItem",
            Self::GetItem => "DynamoDB_20120810.GetItem",
            Self::BatchGetItem => "DynamoDB_20120810.BatchGetItem",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.target())
    }
}

/// A request the API got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRequest {
    /// What was asked for; `None` for what the API doesn't know.
    pub operation: Option<Operation>,
    /// The header `X-Amz-Target`.
    pub target: String,
    /// When it arrived, which is before it is carried out.
    pub arrived: Instant,
    /// The messages in it, or the keys and items it concerns.
    pub entries: usize,
    /// The answer's status; `None` when there was no answer to see: hung, closed, lost.
    pub status: Option<u16>,
    /// The answer's error code, as an SDK shows it.
    pub error: Option<String>,
}
