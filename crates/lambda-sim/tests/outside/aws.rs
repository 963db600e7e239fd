//! The AWS API, used through AWS's own clients; DynamoDB through its JSON protocol.

mod client;
mod dynamodb;
mod expressions;
mod faults;
mod garbled;
mod gates;
mod not_modelled;
mod queues;
mod secrets;

use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_secretsmanager::operation::get_secret_value::builders::GetSecretValueFluentBuilder;
use aws_sdk_sqs::{
    config::{Credentials as SdkCredentials, SharedCredentialsProvider},
    operation::send_message_batch::builders::SendMessageBatchFluentBuilder,
    types::SendMessageBatchRequestEntry,
};
use lambda_sim::{AwsApi, Credentials, Queue, RunningAwsApi, aws::dynamodb::Item};
use serde_json::{Value, json};

use client::DynamoDb;

const TABLE: &str = "ledger";
const QUEUE: &str = "parked";
const SECRET: &str = "tpns/apps";
const REGION: &str = "us-east-2";
const PATIENCE: Duration = Duration::from_secs(10);
/// The timeout of a request that should run into it.
const SHORT: Duration = Duration::from_millis(200);

/// An API with a table, a queue and a secret, and clients. AWS's own clients try `attempts` times.
struct World {
    api: RunningAwsApi,
    queue_url: String,
    dynamodb: DynamoDb,
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
        let Credentials { access_key_id, secret_access_key, session_token } = credentials;
        let credentials = SdkCredentials::new(access_key_id, secret_access_key, session_token, None, "test");
        let config = config(&api, attempts, credentials.clone());
        Self {
            queue_url: api.create_queue(queue),
            dynamodb: DynamoDb::new(&api.url(), credentials),
            sqs: aws_sdk_sqs::Client::new(&config),
            secrets: aws_sdk_secretsmanager::Client::new(&config),
            api,
        }
    }

    /// The ledger's write: sets the version if it grows.
    fn raise(&self, pk: &str, version: i64) -> client::Request {
        let input = json!({
            "TableName": TABLE,
            "Key": {"pk": s(pk)},
            "UpdateExpression": "SET #v = :v",
            "ConditionExpression": "attribute_not_exists(#v) OR #v < :v",
            "ExpressionAttributeNames": {"#v": "version"},
            "ExpressionAttributeValues": {":v": n(version)},
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        });
        self.dynamodb.request("UpdateItem", input)
    }

    fn read(&self, keys: &[&str], consistent: Option<bool>) -> client::Request {
        self.dynamodb.request("BatchGetItem", json!({"RequestItems": {TABLE: keys_of(keys, consistent)}}))
    }

    /// The version of `a` that such a read returns.
    async fn version(&self, consistent: Option<bool>) -> Option<Value> {
        let read = self.read(&["a"], consistent).send().await.unwrap();
        items(&read).first().map(|item| item["version"].clone())
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

fn config(api: &RunningAwsApi, attempts: u32, credentials: SdkCredentials) -> SdkConfig {
    let backoff = Duration::from_millis(1);
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(api.url())
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_max_attempts(attempts).with_initial_backoff(backoff))
        .build()
}

fn short_timeout() -> TimeoutConfig {
    TimeoutConfig::builder().operation_attempt_timeout(SHORT).build()
}

fn keys_of(keys: &[&str], consistent: Option<bool>) -> Value {
    let mut wanted = json!({"Keys": keys.iter().map(|key| json!({"pk": s(*key)})).collect::<Vec<_>>()});
    if let Some(consistent) = consistent {
        wanted["ConsistentRead"] = consistent.into();
    }
    wanted
}

/// What a read has found.
fn items(read: &Value) -> &[Value] {
    read["Responses"][TABLE].as_array().unwrap()
}

fn entry(id: &str, body: &str) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

fn s(text: impl Into<String>) -> Value {
    json!({"S": text.into()})
}

fn n(number: i64) -> Value {
    json!({"N": number.to_string()})
}
