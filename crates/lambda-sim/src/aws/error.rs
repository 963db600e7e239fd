//! Errors that every service has, and how an error is put on the wire.

use serde_json::{Value, json};

use super::operation::Service;

/// An error answer before it is put on the wire.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ErrorAnswer {
    pub(super) status: u16,
    /// The error's shape: `__type` in the body.
    pub(super) kind: &'static str,
    /// The code of the older query protocol, which the SDKs show for SQS: `x-amzn-query-error`.
    pub(super) code: &'static str,
    pub(super) message: String,
    /// DynamoDB's: the item that didn't meet a condition.
    pub(super) item: Option<Value>,
}

impl ErrorAnswer {
    /// Whose fault it is, as `x-amzn-query-error` tells it.
    pub(super) fn at_fault(&self) -> &'static str {
        if self.status < 500 { "Sender" } else { "Receiver" }
    }

    /// Its JSON.
    pub(super) fn body(&self, service: Service) -> Value {
        match service {
            Service::Sqs => json!({"__type": format!("com.amazonaws.sqs#{}", self.kind), "message": self.message}),
            Service::SecretsManager => json!({"__type": self.kind, "Message": self.message}),
            Service::DynamoDb => {
                let mut body = json!({"__type": dynamodb_type(self.kind), "message": self.message});
                if let Some(item) = &self.item {
                    body["Item"] = item.clone();
                }
                body
            }
        }
    }
}

/// What any service may answer (SQS, Secrets Manager and DynamoDB API references, "Common Errors").
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CommonError {
    #[error("Missing Authentication Token")]
    MissingAuthenticationToken,
    #[error("Authorization header requires 'Credential', 'SignedHeaders' and 'Signature' parameters and an x-amz-date")]
    IncompleteSignature,
    #[error("The security token included in the request is invalid.")]
    UnrecognizedClient,
    #[error("The request signature we calculated does not match the signature you provided.")]
    InvalidSignature,
    #[error("The requested operation is not one of this API")]
    UnknownOperation,
    #[error("The request is no JSON of the operation's input")]
    Serialization,
    #[error("User: arn:aws:sts::123456789012:assumed-role/role/function is not authorized to perform this action")]
    AccessDenied,
    #[error("Rate exceeded")]
    Throttling,
    #[error(
        "The level of configured provisioned throughput for the table was exceeded. Consider increasing your provisioning \
         level with the UpdateTable API."
    )]
    ThroughputExceeded,
    #[error("The request processing has failed because of an unknown error, exception or failure.")]
    InternalFailure,
    #[error("The request has failed due to a temporary failure of the server.")]
    ServiceUnavailable,
}

impl CommonError {
    pub(super) fn answer(self, service: Service) -> ErrorAnswer {
        use CommonError as E;
        // SQS keeps the statuses of its query protocol; the others answer 400 to whatever is the sender's fault.
        let forbidden = if service == Service::Sqs { 403 } else { 400 };
        let internal = match service {
            Service::Sqs => "InternalFailure",
            Service::SecretsManager => "InternalServiceError",
            Service::DynamoDb => "InternalServerError",
        };
        let (status, kind, code) = match self {
            E::MissingAuthenticationToken => {
                (forbidden, "MissingAuthenticationTokenException", "MissingAuthenticationToken")
            }
            E::IncompleteSignature => (400, "IncompleteSignatureException", "IncompleteSignature"),
            E::UnrecognizedClient => (forbidden, "UnrecognizedClientException", "InvalidClientTokenId"),
            E::InvalidSignature => (forbidden, "InvalidSignatureException", "SignatureDoesNotMatch"),
            E::UnknownOperation => (404, "UnknownOperationException", "InvalidAction"),
            E::Serialization => (400, "SerializationException", "MalformedInput"),
            E::AccessDenied => (forbidden, "AccessDeniedException", "AccessDenied"),
            E::Throttling => (400, "ThrottlingException", "ThrottlingException"),
            E::ThroughputExceeded if service == Service::DynamoDb => {
                (400, "ProvisionedThroughputExceededException", "ProvisionedThroughputExceededException")
            }
            E::ThroughputExceeded => return E::Throttling.answer(service),
            E::InternalFailure => (500, internal, internal),
            E::ServiceUnavailable if service == Service::DynamoDb => (503, "ServiceUnavailable", "ServiceUnavailable"),
            E::ServiceUnavailable => (503, "ServiceUnavailableException", "ServiceUnavailable"),
        };
        ErrorAnswer { status, kind, code, message: self.to_string(), item: None }
    }
}

/// DynamoDB's own errors are of its own namespace, those of the framework it is built on of that one's.
fn dynamodb_type(kind: &str) -> String {
    let namespace = match kind {
        "ConditionalCheckFailedException"
        | "InternalServerError"
        | "ProvisionedThroughputExceededException"
        | "ResourceNotFoundException" => "com.amazonaws.dynamodb.v20120810",
        "ThrottlingException" => "com.amazon.coral.availability",
        "ValidationException" => "com.amazon.coral.validate",
        _ => "com.amazon.coral.service",
    };
    format!("{namespace}#{kind}")
}
