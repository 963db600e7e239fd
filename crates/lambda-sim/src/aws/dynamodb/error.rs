//! The errors of DynamoDB (DynamoDB API reference), worded as DynamoDB words them.

use super::expression::ExpressionError;
use super::item::Item;
use super::value::ValueError;
use crate::aws::error::{CommonError, ErrorAnswer};
use crate::aws::operation::Service;

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum DynamoError {
    #[error("Requested resource not found")]
    NoTable,
    /// With the item, where it was asked for and exists.
    #[error("The conditional request failed")]
    ConditionFailed(Option<Item>),
    #[error(transparent)]
    Common(#[from] CommonError),
    #[error(transparent)]
    Value(#[from] ValueError),

    #[error("The parameter '{0}' is required but was not present in the request")]
    Missing(&'static str),
    #[error(
        "1 validation error detected: Value {value} at '{at}' failed to satisfy constraint: Member must {constraint}"
    )]
    Constraint { value: String, at: String, constraint: String },
    #[error("ReturnValues can only be ALL_OLD or NONE")]
    ReturnValues,
    #[error("lambda-sim doesn't model {0}")]
    NotModelled(String),

    #[error("The provided key element does not match the schema")]
    KeyMismatch,
    #[error("One or more parameter values were invalid: Missing the key {0} in the item")]
    KeyMissing(String),
    #[error("One or more parameter values were invalid: Type mismatch for key {name} expected: S actual: {actual}")]
    KeyType { name: String, actual: &'static str },
    #[error(
        "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty string \
         value. Key: {0}"
    )]
    KeyEmpty(String),
    #[error(
        "One or more parameter values were invalid: Size of hashkey has exceeded the maximum size limit of2048 bytes"
    )]
    KeyTooLong,
    #[error(
        "One or more parameter values were invalid: Cannot update attribute {0}. This attribute is part of the key"
    )]
    KeyUpdated(String),

    #[error("Item size has exceeded the maximum allowed size")]
    ItemTooLarge,
    #[error("Item size to update has exceeded the maximum allowed size")]
    ItemTooLargeToUpdate,

    #[error("Too many items requested for the BatchGetItem call")]
    TooManyKeys,
    #[error("Provided list of item keys contains duplicates")]
    DuplicateKeys,

    #[error("Invalid {parameter}: {error}")]
    Expression { parameter: &'static str, error: ExpressionError },
    #[error("{0} must not be empty")]
    NoPlaceholders(&'static str),
    #[error("{parameter} contains invalid key: Syntax error; key: \"{key}\"")]
    PlaceholderKey { parameter: &'static str, key: String },
    #[error("ExpressionAttributeValues contains invalid value: {error} for key {key}")]
    PlaceholderValue { key: String, error: ValueError },
    #[error("Value provided in {parameter} unused in expressions: keys: {{{keys}}}")]
    UnusedPlaceholders { parameter: &'static str, keys: String },
    #[error("ExpressionAttributeNames can only be specified when using expressions")]
    NamesWithoutExpression,
    #[error("ExpressionAttributeValues can only be specified when using expressions: {0}")]
    ValuesWithoutExpression(&'static str),
}

impl DynamoError {
    /// `1 validation error detected: …`
    pub(super) fn constraint(value: &str, at: &str, constraint: &str) -> Self {
        Self::Constraint { value: value.to_owned(), at: at.to_owned(), constraint: constraint.to_owned() }
    }
}

impl From<DynamoError> for ErrorAnswer {
    fn from(error: DynamoError) -> Self {
        let message = error.to_string();
        let (kind, item) = match error {
            DynamoError::Common(error) => return error.answer(Service::DynamoDb),
            DynamoError::Value(ValueError::Shape) => {
                return CommonError::Serialization.answer(Service::DynamoDb);
            }
            DynamoError::NoTable => ("ResourceNotFoundException", None),
            DynamoError::ConditionFailed(item) => ("ConditionalCheckFailedException", item),
            _ => ("ValidationException", None),
        };
        Self { status: 400, kind, code: kind, message, item: item.map(|item| item.to_json()) }
    }
}
