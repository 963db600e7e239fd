//! Against the local SQS, over HTTP.

use std::{collections::HashSet, time::Duration};

use aws_sdk_sqs::config::{Credentials, Region, SharedCredentialsProvider};
use lambda_sim::{AwsApi, EntryFault, Fault, Operation, Queue, RunningAwsApi};

use super::*;
use crate::{
    apps::AppId,
    aws,
    event::{AccountType, Token},
    testing::account,
    transport::Transport,
};

struct Stage {
    sqs: RunningAwsApi,
    queue: CheckQueue,
    apps: AppNames,
}

impl Stage {
    async fn new() -> Self {
        let sqs = AwsApi::start().await.unwrap();
        let url = sqs.create_queue(Queue::builder("checks").build().unwrap());
        let credentials = lambda_sim::Credentials::of_the_sandbox();
        let credentials = Credentials::new(
            credentials.access_key_id,
            credentials.secret_access_key,
            credentials.session_token,
            None,
            "test",
        );
        let sdk = aws::sdk(&Transport::new().unwrap(), Duration::from_secs(5)).await.into_builder();
        let sdk = sdk
            .endpoint_url(sqs.url())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        Self { queue: CheckQueue::new(&sdk, url), sqs, apps: AppNames::new(["android", "ios"]) }
    }

    async fn send(&self, devices: &[Device], accounts: &[AccountKey]) -> Unchecked {
        self.queue.send(&self.apps, devices, accounts, soon()).await
    }

    /// The keys in each message of the queue.
    fn received(&self) -> Vec<Vec<CheckKey>> {
        let read = |body: &str| check::read(body, &self.apps).unwrap().into_iter().map(Result::unwrap).collect();
        let received = self
            .sqs
            .with_queue("checks", |queue| queue.messages().map(|message| read(&message.body)).collect::<Vec<_>>());
        received.unwrap()
    }

    fn entries(&self) -> Vec<usize> {
        let mut entries: Vec<_> = self.sqs.requests().iter().map(|request| request.entries).collect();
        entries.sort_unstable();
        entries
    }
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn devices(range: std::ops::Range<usize>) -> Vec<Device> {
    range.map(|n| Device { app: AppId(1), token: Token::new(&format!("t{n}")).unwrap() }).collect()
}

fn accounts(range: std::ops::Range<usize>) -> Vec<AccountKey> {
    range.map(|n| AccountKey { app: AppId(1), account: account(&format!("a{n}"), AccountType(5)) }).collect()
}

fn all(devices: &[Device], accounts: &[AccountKey]) -> HashSet<CheckKey> {
    let devices = devices.iter().cloned().map(CheckKey::from);
    let accounts = accounts.iter().cloned().map(|AccountKey { app, account }| CheckKey::Account { app, account });
    devices.chain(accounts).collect()
}

#[tokio::test]
async fn a_message_holds_a_hundred_keys_and_a_call_ten_messages() {
    for (count, messages, calls) in [(0, 0, vec![]), (1, 1, vec![1]), (100, 1, vec![1]), (1001, 11, vec![1, 10])] {
        let stage = Stage::new().await;
        let (mut named, deleted) = (devices(0..count / 2), accounts(count / 2..count));
        // The same device twice is one key.
        named.extend(devices(0..count / 2));
        assert_eq!(stage.send(&named, &deleted).await, Unchecked::default());
        let received = stage.received();
        assert_eq!(received.len(), messages);
        assert_eq!(received.iter().map(Vec::len).sum::<usize>(), count);
        assert_eq!(received.into_iter().flatten().collect::<HashSet<_>>(), all(&named, &deleted));
        assert_eq!(stage.entries(), calls);
    }
}

#[tokio::test]
async fn what_sqs_could_not_take_is_sent_again() {
    let stage = Stage::new().await;
    stage.sqs.fail_next(Operation::SendMessageBatch, 1, Fault::ServiceUnavailable);
    stage.sqs.fail_entries_next(1, [EntryFault::at(1)]);
    assert_eq!(stage.send(&devices(0..250), &[]).await, Unchecked::default());
    assert_eq!(stage.received().into_iter().flatten().collect::<HashSet<_>>(), all(&devices(0..250), &[]));
    assert_eq!(stage.entries(), [1, 3, 3]);
}

#[tokio::test]
async fn the_keys_of_a_message_that_sqs_refuses_are_returned() {
    for fault in [
        EntryFault::body_containing("\"t7\"").code("InvalidParameterValue").sender_fault(true),
        EntryFault::body_containing("\"t7\"").fails_the_call(),
    ] {
        let stage = Stage::new().await;
        stage.sqs.fail_entries_next(usize::MAX, [fault]);
        let not_sent = stage.send(&devices(0..450), &accounts(450..460)).await;
        assert_eq!(not_sent, Unchecked { devices: devices(0..100).into_iter().collect(), deletions: HashSet::new() });
        assert_eq!(stage.received().len(), 4);
        assert!(stage.entries().len() <= 7, "{:?}", stage.entries());
    }
}

#[tokio::test]
async fn everything_is_returned_if_sqs_takes_nothing() {
    let (named, deleted) = (devices(0..5), accounts(0..3));
    for (fault, calls) in [(Fault::AccessDenied, 1), (Fault::ServiceUnavailable, 5)] {
        let stage = Stage::new().await;
        stage.sqs.fail_next(Operation::SendMessageBatch, usize::MAX, fault);
        let not_sent = stage.send(&named, &deleted).await;
        assert_eq!(not_sent.devices, named.iter().cloned().collect());
        assert_eq!(not_sent.deletions, deleted.iter().cloned().collect());
        assert_eq!(stage.entries().len(), calls);
    }
}

#[tokio::test]
async fn an_entry_that_is_never_taken_is_sent_three_times() {
    let stage = Stage::new().await;
    stage.sqs.fail_entries_next(usize::MAX, [EntryFault::body_containing("\"t7\"")]);
    assert_eq!(stage.send(&devices(0..150), &[]).await.devices.len(), 100);
    assert_eq!(stage.entries(), [1, 1, 2]);
}

#[tokio::test]
async fn nothing_is_sent_without_time_for_it() {
    let stage = Stage::new().await;
    let not_sent = stage.queue.send(&stage.apps, &devices(0..2), &[], Instant::now()).await;
    assert_eq!(not_sent.devices.len(), 2);
    assert_eq!(stage.entries(), [0; 0]);
    assert_eq!(stage.queue.send(&stage.apps, &[], &[], Instant::now()).await, Unchecked::default());
}

#[tokio::test]
async fn what_is_asked_for_at_the_same_moment_is_one_request_and_each_is_informed_of_its_own() {
    let stage = Stage::new().await;
    let gathering = Gathering::new(&stage.queue);
    let device = |app, token: &str| Device { app: AppId(app), token: Token::new(token).unwrap() };
    let (android, ios) = ([device(0, "t0")], [device(1, "t0"), device(1, "t1")]);
    let key = AccountKey { app: AppId(1), account: account("gone", AccountType(0)) };
    let send = |devices, accounts| gathering.send(&stage.apps, devices, accounts, soon());
    let (first, second) = futures_util::future::join(send(&android, &[]), send(&ios, std::slice::from_ref(&key))).await;
    assert_eq!((first, second), (Unchecked::default(), Unchecked::default()));
    assert_eq!(stage.received().iter().map(Vec::len).collect::<Vec<_>>(), [1, 3], "a message for each app");
    assert_eq!(stage.entries(), [2]);
    // Later on it is another request.
    assert_eq!(send(&android, &[]).await, Unchecked::default());
    assert_eq!(stage.entries(), [1, 2]);

    stage.sqs.fail_next(Operation::SendMessageBatch, 9, Fault::AccessDenied);
    let (first, second) = futures_util::future::join(send(&android, &[]), send(&[], std::slice::from_ref(&key))).await;
    assert_eq!((first.devices.len(), first.deletions.len()), (1, 0));
    assert_eq!((second.devices.len(), second.deletions.len()), (0, 1));
}
