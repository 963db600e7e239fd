//! The AWS API, asked by AWS's own clients.

mod admission;
mod dynamodb;
mod faults;
mod garbled;
mod gates;
mod receive;
mod secrets;
mod sqs;
mod sqs_rules;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sqs::config::{Credentials as SdkCredentials, SharedCredentialsProvider};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use lambda_sim::queue::QueueBuilder;
use lambda_sim::{AwsApi, Credentials, Queue, RunningAwsApi};

/// A client that tries `attempts` times.
fn config(api: &RunningAwsApi, credentials: Credentials, attempts: u32) -> SdkConfig {
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

fn sqs_with(api: &RunningAwsApi, credentials: Credentials, attempts: u32) -> aws_sdk_sqs::Client {
    aws_sdk_sqs::Client::new(&config(api, credentials, attempts))
}

fn secrets_with(api: &RunningAwsApi, credentials: Credentials, attempts: u32) -> aws_sdk_secretsmanager::Client {
    aws_sdk_secretsmanager::Client::new(&config(api, credentials, attempts))
}

fn secrets(api: &RunningAwsApi) -> aws_sdk_secretsmanager::Client {
    secrets_with(api, Credentials::of_the_sandbox(), 1)
}

/// An API with one queue, its URL, and a client that never retries.
async fn with_queue(queue: QueueBuilder) -> (RunningAwsApi, String, aws_sdk_sqs::Client) {
    let api = AwsApi::start().await.unwrap();
    let url = api.create_queue(queue.build().unwrap());
    let client = sqs_with(&api, Credentials::of_the_sandbox(), 1);
    (api, url, client)
}

async fn parking() -> (RunningAwsApi, String, aws_sdk_sqs::Client) {
    with_queue(Queue::builder("parked")).await
}

fn entry(id: impl Into<String>, body: impl Into<String>) -> SendMessageBatchRequestEntry {
    SendMessageBatchRequestEntry::builder().id(id).message_body(body).build().unwrap()
}

/// The bodies in the queue `name`, in the order of sending.
fn bodies(api: &RunningAwsApi, name: &str) -> Vec<String> {
    api.with_queue(name, |queue| queue.messages().map(|message| message.body.to_string()).collect()).unwrap()
}
