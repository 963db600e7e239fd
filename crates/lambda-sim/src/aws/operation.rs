//! The services and operations of the API, and what it records of each request.

use std::{fmt, time::Instant};

/// An AWS service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Amazon SQS, `sqs`.
    Sqs,
    /// AWS Secrets Manager, `secretsmanager`.
    SecretsManager,
    /// AWS Systems Manager, `ssm`.
    SystemsManager,
    /// Amazon DynamoDB, `dynamodb`.
    DynamoDb,
}

impl Service {
    /// Its name in credential scopes.
    pub(super) fn signing_name(self) -> &'static str {
        match self {
            Self::Sqs => "sqs",
            Self::SecretsManager => "secretsmanager",
            Self::SystemsManager => "ssm",
            Self::DynamoDb => "dynamodb",
        }
    }

    /// AWS JSON 1.0 and 1.1.
    pub(super) fn content_type(self) -> &'static str {
        match self {
            Self::Sqs | Self::DynamoDb => "application/x-amz-json-1.0",
            Self::SecretsManager | Self::SystemsManager => "application/x-amz-json-1.1",
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
    /// Systems Manager: the value of a parameter.
    GetParameter,
    /// DynamoDB: changes attributes of an item, or creates it.
    UpdateItem,
    /// DynamoDB: reads up to a hundred items.
    BatchGetItem,
}

impl Operation {
    /// In the order of their declaration.
    const ALL: [(Self, Service, &'static str); 9] = [
        (Self::SendMessageBatch, Service::Sqs, "AmazonSQS.SendMessageBatch"),
        (Self::ReceiveMessage, Service::Sqs, "AmazonSQS.ReceiveMessage"),
        (Self::DeleteMessageBatch, Service::Sqs, "AmazonSQS.DeleteMessageBatch"),
        (Self::ChangeMessageVisibilityBatch, Service::Sqs, "AmazonSQS.ChangeMessageVisibilityBatch"),
        (Self::GetQueueAttributes, Service::Sqs, "AmazonSQS.GetQueueAttributes"),
        (Self::GetSecretValue, Service::SecretsManager, "secretsmanager.GetSecretValue"),
        (Self::GetParameter, Service::SystemsManager, "AmazonSSM.GetParameter"),
        (Self::UpdateItem, Service::DynamoDb, "DynamoDB_20120810.UpdateItem"),
        (Self::BatchGetItem, Service::DynamoDb, "DynamoDB_20120810.BatchGetItem"),
    ];

    /// The service it belongs to.
    pub(super) fn service(self) -> Service {
        Self::ALL[self as usize].1
    }

    pub(super) fn of_target(target: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, _, known)| *known == target).map(|(operation, _, _)| operation)
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::ALL[*self as usize].2)
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
