//! DynamoDB.

mod conditions;
mod faults;
mod reads;
mod rules;
mod writes;

use std::fmt::Debug;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_sim::aws::dynamodb::Item;
use lambda_sim::{AwsApi, Credentials, RunningAwsApi};

use super::config;

pub(super) fn client_with(api: &RunningAwsApi, credentials: Credentials, attempts: u32) -> Client {
    Client::new(&config(api, credentials, attempts))
}

/// An API with the table `ledger`, whose key is `id`, and a client that never retries.
pub(super) async fn ledger() -> (RunningAwsApi, Client) {
    let api = AwsApi::start().await.unwrap();
    api.create_table("ledger", "id");
    let client = client_with(&api, Credentials::of_the_sandbox(), 1);
    (api, client)
}

pub(super) fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

pub(super) fn n(number: impl ToString) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

fn b(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

pub(super) fn update(client: &Client, id: &str) -> UpdateItemFluentBuilder {
    client.update_item().table_name("ledger").key("id", s(id))
}

/// The item under `id`.
pub(super) fn item(api: &RunningAwsApi, id: &str) -> Option<Item> {
    api.with_table("ledger", |table| table.get(id).cloned()).unwrap()
}

pub(super) fn put(api: &RunningAwsApi, id: &str, item: Item) {
    api.with_table("ledger", |table| table.put(id, item)).unwrap();
}

/// The message of a `ValidationException`; anything else fails the test.
fn invalid<T: Debug, E: ProvideErrorMetadata + Debug, R: Debug>(result: Result<T, SdkError<E, R>>) -> String {
    let error = result.unwrap_err();
    assert_eq!(error.code(), Some("ValidationException"), "{error:?}");
    error.message().unwrap().to_owned()
}
