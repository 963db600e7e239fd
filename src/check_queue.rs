//! Checks into their queue: which devices and deleted accounts are to be compared with TPNS later.

mod gather;

use std::collections::VecDeque;

use aws_sdk_sqs::{Client, types::SendMessageBatchRequestEntry};
use contract::check::{self, CheckKey, MOST_KEYS};
use futures_util::{StreamExt, stream::FuturesUnordered};
use indexmap::IndexSet;
use tokio::time::{Instant, sleep};

use crate::{
    apps::AppNames,
    event::Device,
    ingress::Batch,
    ledger::{AccountKey, Unchecked},
    sqs_batch::{self, CALLS_AT_A_TIME, PAUSE, Problem, halves, in_calls},
};

pub use gather::Gathering;

/// Tries of a message that SQS could not take, although it took the call.
const TRIES: usize = 3;

/// The queue that delivers checks after a while.
#[derive(Clone, Debug)]
pub struct CheckQueue {
    client: Client,
    queue_url: String,
}

/// A message, and what it is about.
struct CheckMessage {
    keys: Vec<CheckKey>,
    /// Its id is the message's place among all.
    entry: SendMessageBatchRequestEntry,
}

/// The result of sending messages once, by their places.
#[derive(Default)]
struct Round {
    /// SQS took their call but not them.
    later: Vec<usize>,
    not_sent: Vec<usize>,
}

impl CheckQueue {
    /// Sends to the queue of this URL.
    #[must_use]
    pub fn new(sdk: &aws_config::SdkConfig, queue_url: String) -> Self {
        Self { client: Client::new(sdk), queue_url }
    }

    /// Whether a batch comes from this queue: by its ARN, so that nothing is read of the messages of other queues.
    #[must_use]
    pub fn is_source_of(&self, batch: &Batch<'_>) -> bool {
        // https://<host>/<account>/<name> and arn:<partition>:sqs:<region>:<account>:<name>
        let mut of_url = self.queue_url.trim_end_matches('/').rsplit('/');
        batch.queue_arn.as_deref().is_some_and(|arn| {
            let mut of_arn = arn.rsplit(':');
            (of_arn.next(), of_arn.next()) == (of_url.next(), of_url.next())
        })
    }

    /// Sends checks of these devices and deleted accounts, each once, in as few requests as SQS allows. Returns what
    /// SQS did not take by `until`. Why is logged.
    pub async fn send(
        &self,
        apps: &AppNames,
        devices: &[Device],
        accounts: &[AccountKey],
        until: Instant,
    ) -> Unchecked {
        let devices = devices.iter().cloned().map(CheckKey::from);
        let accounts = accounts.iter().cloned().map(|AccountKey { app, account }| CheckKey::Account { app, account });
        let mut keys: Vec<CheckKey> = devices.chain(accounts).collect::<IndexSet<_>>().into_iter().collect();
        // Each app has messages of its own, so that one that TPNS refuses, or that is renamed, keeps no other waiting.
        keys.sort_by_key(|key| *key.app());
        let mut not_sent = Unchecked::default();
        let mut messages = Vec::new();
        for keys in keys.chunk_by(|key, next| key.app() == next.app()).flat_map(|of_app| of_app.chunks(MOST_KEYS)) {
            match message(messages.len(), keys, apps) {
                Some(message) => messages.push(message),
                None => add(&mut not_sent, keys),
            }
        }
        for place in self.send_all(&messages, until).await {
            add(&mut not_sent, &messages[place].keys);
        }
        not_sent
    }

    /// Returns the places of the messages that SQS did not take, and logs why.
    async fn send_all(&self, messages: &[CheckMessage], until: Instant) -> Vec<usize> {
        let mut problems = IndexSet::new();
        let mut not_sent = Vec::new();
        let mut open: Vec<usize> = (0..messages.len()).collect();
        for tries in 1.. {
            let round = self.send_once(messages, &open, until, &mut problems).await;
            not_sent.extend(round.not_sent);
            open = round.later;
            if open.is_empty() || tries == TRIES || Instant::now() + PAUSE >= until {
                break;
            }
            sleep(PAUSE).await;
        }
        not_sent.extend(open);
        if !not_sent.is_empty() {
            let checks: usize = not_sent.iter().map(|&place| messages[place].keys.len()).sum();
            let why: Vec<String> = problems.iter().map(ToString::to_string).collect();
            tracing::error!(checks, "CHECK_QUEUE_URL: {}", why.join("; "));
        }
        not_sent
    }

    /// Sends these messages, calls side by side. A call that SQS refuses for one message is halved.
    async fn send_once(
        &self,
        messages: &[CheckMessage],
        places: &[usize],
        until: Instant,
        problems: &mut IndexSet<Problem>,
    ) -> Round {
        let size = |place: usize| messages[place].entry.message_body().len();
        let calls = in_calls(places.iter().map(|&place| size(place)));
        let mut calls: VecDeque<Vec<usize>> =
            calls.into_iter().map(|call| call.into_iter().map(|index| places[index]).collect()).collect();
        let mut answers = FuturesUnordered::new();
        let mut round = Round::default();
        loop {
            while answers.len() < CALLS_AT_A_TIME
                && let Some(call) = calls.pop_front()
            {
                let entry = |place: usize| messages[place].entry.clone();
                answers.push(sqs_batch::send(&self.client, &self.queue_url, call, entry, until));
            }
            let Some(answer) = answers.next().await else { return round };
            if !answer.suspects.is_empty() {
                calls.extend(halves(&answer.suspects));
            }
            for (place, refusal) in answer.refused {
                round.not_sent.push(place);
                problems.insert(Problem::NotTaken(refusal));
            }
            // A call that failed has been retried.
            match answer.problem {
                Some(Problem::Call(_)) => round.not_sent.extend(answer.later),
                _ => round.later.extend(answer.later),
            }
            problems.extend(answer.problem);
        }
    }
}

/// Adds keys that were not sent.
fn add(not_sent: &mut Unchecked, keys: &[CheckKey]) {
    for key in keys.iter().cloned() {
        match key {
            CheckKey::Device { app, token } => _ = not_sent.devices.insert(Device { app, token }),
            CheckKey::Account { app, account } => _ = not_sent.deletions.insert(AccountKey { app, account }),
        }
    }
}

/// `None` for what can't be written, which no key is.
fn message(place: usize, keys: &[CheckKey], apps: &AppNames) -> Option<CheckMessage> {
    let named: Vec<CheckKey<&str>> = keys.iter().map(|key| key.clone().with_app(apps.name(*key.app()))).collect();
    let body = check::write(&named).ok()?;
    let entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(body).build().ok()?;
    Some(CheckMessage { keys: keys.to_vec(), entry })
}

#[cfg(test)]
mod tests;
