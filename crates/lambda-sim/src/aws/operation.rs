//! The services and operations of the API, and what it records of each request.

use std::{fmt, time::Instant};

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
}

/// An operation of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// SQS: sends up to ten messages.
    SendMessageBatch,
    /// SQS: receives up to ten messages.
    ReceiveMessage,
    /// SQS: deletes up to ten messages.
    DeleteMessageBatch,
    /// SQS: hides up to ten messages for another time.
    ChangeMessageVisibilityBatch,
    /// SQS: how many messages a queue has, whether it has a dead-letter queue, and its visibility timeout.
    GetQueueAttributes,
    /// Secrets Manager: the current value of a secret.
    GetSecretValue,
    /// DynamoDB: changes attributes of an item, or creates it.
    UpdateItem,
    /// DynamoDB: reads up to a hundred items.
    BatchGetItem,
}

impl Operation {
    const ALL: [Self; 8] = [
        Self::SendMessageBatch,
        Self::ReceiveMessage,
        Self::DeleteMessageBatch,
        Self::ChangeMessageVisibilityBatch,
        Self::GetQueueAttributes,
        Self::GetSecretValue,
        Self::UpdateItem,
        Self::BatchGetItem,
    ];

    /// The service it belongs to.
    pub(super) fn service(self) -> Service {
        match self {
            Self::GetSecretValue => Service::SecretsManager,
            Self::UpdateItem | Self::BatchGetItem => Service::DynamoDb,
            _ => Service::Sqs,
        }
    }

    pub(super) fn of_target(target: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.target() == target)
    }

    fn target(self) -> &'static str {
        match self {
            Self::SendMessageBatch => "AmazonSQS.SendMessageBatch",
            Self::ReceiveMessage => "AmazonSQS.ReceiveMessage",
            Self::DeleteMessageBatch => "AmazonSQS.DeleteMessageBatch",
            Self::ChangeMessageVisibilityBatch => "AmazonSQS.ChangeMessageVisibilityBatch",
            Self::GetQueueAttributes => "AmazonSQS.GetQueueAttributes",
            Self::GetSecretValue => "secretsmanager.GetSecretValue",
            Self::UpdateItem => "DynamoDB_20120810.UpdateItem",
            Self::BatchGetItem => "DynamoDB_20120810.BatchGetItem",
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.target())
    }
}

/// A request that the API has carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRequest {
    /// The operation; `None` for one that the API does not model.
    pub operation: Option<Operation>,
    /// When it arrived, which is before it is carried out.
    pub arrived: Instant,
    /// The messages in it, or the keys and items it concerns.
    pub entries: usize,
    /// Of a `ChangeMessageVisibilityBatch`, each entry's receipt handle and seconds.
    pub timeouts: Vec<(String, u64)>,
    /// The answer's status; `None` when there was no answer: the request hung, or the connection was closed.
    pub status: Option<u16>,
    /// The answer's error code, as the SDK reports it.
    pub error: Option<String>,
}
