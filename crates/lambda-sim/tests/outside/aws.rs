//! The AWS API, used through AWS's own clients.

mod dynamodb;
mod expressions;
mod faults;
mod garbled;
mod gates;
mod not_modelled;
mod queues;
mod secrets;

use std::{collections::HashMap, time::Duration};

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    operation::{batch_get_item::builders::BatchGetItemFluentBuilder, update_item::builders::UpdateItemFluentBuilder},
    types::{AttributeValue, KeysAndAttributes, ReturnValue, ReturnValuesOnConditionCheckFailure},
};
use aws_sdk_secretsmanager::operation::get_secret_value::builders::GetSecretValueFluentBuilder;
use aws_sdk_sqs::{
    config::{Credentials as SdkCredentials, SharedCredentialsProvider},
    operation::send_message_batch::builders::SendMessageBatchFluentBuilder,
    types::SendMessageBatchRequestEntry,
};
use lambda_sim::{AwsApi, Credentials, Queue, RunningAwsApi, aws::dynamodb::Item};

const TABLE: &str = "ledger";
const QUEUE: &str = "parked";
const SECRET: &str = "tpns/apps";
const PATIENCE: Duration = Duration::from_secs(10);

/// An API with a table, a queue and a secret, and clients that try `attempts` times.
struct World {
    api: RunningAwsApi,
    queue_url: String,
    dynamodb: aws_sdk_dynamodb::Client,
    sqs: aws_sdk_sqs::Client,
    secrets: aws_sdk_secretsmanager::Client,
}

impl World {
    async fn new() -> Self {
        Self::with(1, Queue::builder(QUEUE).build().unwrap(), Credentials::of_the_sandbox()).await
    }

    async fn retrying(attempts: u32) -> Self {
        Self::with(attempts, Queue::builder(QUEUE).build().unwrap(), Credentials::of_the_sandbox()).await
    }

    async fn with(attempts: u32, queue: Queue, credentials: Credentials) -> Self {
        let api = AwsApi::start().await.unwrap();
        api.create_table(TABLE, "pk");
        api.put_secret(SECRET, "the secret").unwrap();
        let config = config(&api, attempts, credentials);
        Self {
            queue_url: api.create_queue(queue),
            dynamodb: aws_sdk_dynamodb::Client::new(&config),
            sqs: aws_sdk_sqs::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            api,
        }
    }

    /// The ledger's write: sets the version if it grows.
    fn raise(&self, pk: &str, version: i64) -> UpdateItemFluentBuilder {
        let update = self.dynamodb.update_item().table_name(TABLE).key("pk", s(pk));
        update
            .update_expression("SET #v = :v")
            .condition_expression("attribute_not_exists(#v) OR #v < :v")
            .expression_attribute_names("#v", "version")
            .expression_attribute_values(":v", n(version))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    fn read(&self, keys: &[&str], consistent: Option<bool>) -> BatchGetItemFluentBuilder {
        self.dynamodb.batch_get_item().request_items(TABLE, keys_of(keys, consistent))
    }

    /// The version of `a` that such a read returns.
    async fn version(&self, consistent: Option<bool>) -> Option<AttributeValue> {
        let read = self.read(&["a"], consistent).send().await.unwrap();
        read.responses().unwrap()[TABLE].first().map(|item| item["version"].clone())
    }

    /// The version in the table itself.
    fn kept(&self, pk: &str) -> Option<i64> {
        self.api.with_table(TABLE, |table| table.get(pk)?.number("version")).unwrap()
    }

    fn put(&self, pk: &str, version: i64) {
        self.api.with_table(TABLE, |table| table.put(pk, Item::new().with("version", version))).unwrap();
    }

    fn send(&self, bodies: &[&str]) -> SendMessageBatchFluentBuilder {
        let entries = bodies.iter().enumerate().map(|(n, body)| entry(&n.to_string(), body)).collect();
        self.sqs.send_message_batch().queue_url(&self.queue_url).set_entries(Some(entries))
    }

    /// The bodies in the queue, in the order of sending.
    fn bodies(&self) -> Vec<String> {
        let bodies = |queue: &mut Queue| queue.messages().map(|message| message.body.to_string()).collect();
        self.api.with_queue(QUEUE, bodies).unwrap()
    }

    fn secret(&self) -> GetSecretValueFluentBuilder {
        self.secrets.get_secret_value().secret_id(SECRET)
    }
}

fn config(api: &RunningAwsApi, attempts: u32, credentials: Credentials) -> SdkConfig {
    let Credentials { access_key_id, secret_access_key, session_token } = credentials;
    let credentials = SdkCredentials::new(access_key_id, secret_access_key, session_token, None, "test");
    let backoff = Duration::from_millis(1);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-2"))
        .endpoint_url(api.url())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(backoff))
        .build()
}

/// For a request that should run into its timeout.
fn short_timeout() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(200)).build()
}

fn keys_of(keys: &[&str], consistent: Option<bool>) -> KeysAndAttributes {
    let keys = keys.iter().map(|key| HashMap::from([("pk".to_owned(), s(*key))])).collect();
    KeysAndAttributes::builder().set_keys(Some(keys)).set_consistent_read(consistent).build().unwrap()
}

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

fn s(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

fn n(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}
