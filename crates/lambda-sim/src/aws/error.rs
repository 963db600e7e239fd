//! Error answers, and how they are put on the wire.

use std::fmt::Display;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::operation::{Operation, Service};

/// The code of a request that this API does not model.
pub(super) const NOT_MODELLED: &str = "NotModelled";

/// An error answer before it is put on the wire.
#[derive(Debug)]
pub(super) struct ErrorAnswer {
    pub(super) status: u16,
    /// The error's shape: `__type` in the body.
    pub(super) kind: &'static str,
    /// The code of the older query protocol, which the SDK reports for SQS: `x-amzn-query-error`.
    pub(super) code: &'static str,
    pub(super) message: String,
    /// DynamoDB: the item that did not meet a condition.
    pub(super) item: Option<Value>,
}

impl ErrorAnswer {
    /// An error whose code is its kind.
    pub(super) fn new(status: u16, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, code: kind, message: message.into(), item: None }
    }

    /// The answer to a request that AWS may well serve and this API does not. It also fails the test: see
    /// [`RunningAwsApi`](super::RunningAwsApi).
    pub(super) fn not_modelled(what: impl Display) -> Self {
        Self::new(400, NOT_MODELLED, format!("not modelled: {what}"))
    }

    /// Which side is at fault, in the words of `x-amzn-query-error`.
    pub(super) fn at_fault(&self) -> &'static str {
        if self.status < 500 { "Sender" } else { "Receiver" }
    }

    /// Its JSON.
    pub(super) fn body(&self, service: Service) -> Value {
        let namespace = match service {
            Service::Sqs => "com.amazonaws.sqs#",
            Service::SecretsManager | Service::SystemsManager => "",
            Service::DynamoDb => "com.amazonaws.dynamodb.v20120810#",
        };
        let mut body = json!({"__type": format!("{namespace}{}", self.kind), "message": self.message});
        if let Some(item) = &self.item {
            body["Item"] = item.clone();
        }
        body
    }
}

/// Reads a request. `T` has the parameters that the function and its tools send: any other one is not modelled.
pub(super) fn parse<T: DeserializeOwned>(operation: Operation, body: &[u8]) -> Result<T, ErrorAnswer> {
    serde_json::from_slice(body).map_err(|error| ErrorAnswer::not_modelled(format_args!("{operation} with {error}")))
}
