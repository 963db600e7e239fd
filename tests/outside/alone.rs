//! A failure affects only the events it concerns, and is reported in time: each fault is tested with neighbours that it
//! must not affect.
//!
//! The time is determined by slow and silent peers, not by the speed of this machine.

mod calls;
mod deletions;
mod outages;
mod poison;
mod redelivered;
mod shares;
mod time;
mod tokens;

use std::{collections::BTreeMap, time::Duration};

use futures_util::future::join_all;
use lambda_sim::{AwsApi, Message, Outcome, Queue, RunningAwsApi, event::SqsEvent};
use serde_json::{Value, json};
use tpns_sim::Sim;

use crate::stage::{SECRETS, Stage, at, failures, function_within};

const TABLE: &str = "ledger";
const PARKED: &str = "parked";
/// Longer than a busy machine needs to answer.
const RESERVE: (&str, &str) = ("DEADLINE_RESERVE_MS", "4000");

/// Whether the ledger is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ledger {
    Off,
    On,
}

impl Ledger {
    const BOTH: [Self; 2] = [Self::Off, Self::On];
}

/// A function with a parking queue, some apps and optionally a ledger.
struct World {
    stage: Stage,
    aws: RunningAwsApi,
}

/// The result of one invocation.
struct Delivery {
    /// The messages that are redelivered.
    reported: Vec<String>,
    /// The outcome and reason of each message according to the log: `applied`, `retry tpns_timeout`.
    outcomes: BTreeMap<String, String>,
    took: Duration,
    slowest_call: Duration,
}

impl World {
    async fn new(ledger: Ledger, settings: &[(&str, &str)]) -> Self {
        Self::within(Duration::from_secs(20), ledger, settings).await
    }

    async fn within(timeout: Duration, ledger: Ledger, settings: &[(&str, &str)]) -> Self {
        Self::of(&["android", "ios"], timeout, ledger, settings).await
    }

    async fn of(apps: &[&str], timeout: Duration, ledger: Ledger, settings: &[(&str, &str)]) -> Self {
        let aws = AwsApi::start().await.unwrap();
        aws.create_table(TABLE, "pk");
        aws.stale_reads(true);
        let parked = aws.create_queue(Queue::builder(PARKED).build().unwrap());
        let endpoint = aws.url();
        let mut all = vec![("PARKING_QUEUE_URL", parked.as_str()), ("AWS_ENDPOINT_URL", endpoint.as_str())];
        if ledger == Ledger::On {
            all.push(("LEDGER_TABLE", TABLE));
        }
        all.extend(settings);
        let mut sim = Sim::builder();
        for (app, access_id) in apps.iter().zip(1_500_001_048_u64..) {
            sim = sim.app(*app, access_id, SECRETS[0]);
        }
        let tpns = sim.start().await.unwrap();
        let function = function_within(timeout, &tpns.apps_document(), &all);
        Self { stage: Stage { tpns, function }, aws }
    }

    /// Delivers a batch of these bodies for the first time; their message ids are `m0`, `m1` and so on.
    async fn batch(&self, bodies: &[String]) -> Delivery {
        self.redelivery(1, bodies).await
    }

    /// The same with this receive count.
    async fn redelivery(&self, receive_count: u32, bodies: &[String]) -> Delivery {
        self.deliver(messages(receive_count, bodies)).await
    }

    /// Redelivers the reported messages of a batch.
    async fn again(&self, receive_count: u32, bodies: &[String], before: &Delivery) -> Delivery {
        let mut reported = messages(receive_count, bodies);
        reported.retain(|message| before.reported.contains(&message.message_id));
        self.deliver(reported).await
    }

    async fn deliver(&self, messages: Vec<Message>) -> Delivery {
        let function = &self.stage.function;
        let mark = function.output_len().unwrap();
        let event = SqsEvent::of_queue("arn:aws:sqs:us-east-1:123456789012:auth-events").messages(messages);
        let invocation = function.invoke(event.to_bytes()).await.unwrap();
        let Outcome::Response { body } = invocation.outcome else { panic!("no response: {:?}", invocation.outcome) };
        let word = |line: &Value, name: &str| line[name].as_str().unwrap_or_default().to_owned();
        let lines = function.lines_since(mark).unwrap();
        let lines: Vec<Value> = lines.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
        let slowest = lines.iter().filter_map(|line| line["slowest_call_ms"].as_u64()).max().unwrap_or_default();
        let outcomes = lines.iter().filter(|line| line["outcome"].is_string()).map(|line| {
            let outcome = format!("{} {}", word(line, "outcome"), word(line, "reason"));
            (word(line, "message_id"), outcome.trim_end().to_owned())
        });
        Delivery {
            reported: failures(&serde_json::from_slice(&body).unwrap()),
            outcomes: outcomes.collect(),
            took: invocation.duration,
            slowest_call: Duration::from_millis(slowest),
        }
    }

    /// The parked messages: event id, reason and detail.
    fn parked(&self) -> Vec<[String; 3]> {
        let text = |message: &Message, name: &str| message.attributes.get(name).cloned().unwrap_or_default();
        let parked = |message: &Message| {
            let body: Value = serde_json::from_str(&message.body).unwrap();
            [body["id"].as_str().unwrap_or_default().to_owned(), text(message, "reason"), text(message, "detail")]
        };
        self.aws.with_queue(PARKED, |queue| queue.messages().map(parked).collect()).unwrap()
    }

    /// The number of calls that TPNS received for this app.
    fn calls_of(&self, app: &str) -> usize {
        self.stage.calls().iter().filter(|call| call.0 == app).count()
    }
}

impl Delivery {
    /// The outcome of a message, by its index in the batch.
    fn outcome(&self, place: usize) -> &str {
        self.outcomes.get(&format!("m{place}")).map_or("no line", String::as_str)
    }

    /// The number of messages with each outcome.
    fn counts(&self) -> BTreeMap<&str, usize> {
        let mut counts = BTreeMap::new();
        for outcome in self.outcomes.values() {
            *counts.entry(outcome.as_str()).or_default() += 1;
        }
        counts
    }

    /// The messages at these indices that were not applied, with their outcomes.
    fn not_applied(&self, places: impl IntoIterator<Item = usize>) -> Vec<String> {
        let failed = places.into_iter().map(|place| (place, self.outcome(place)));
        failed
            .filter(|(_, outcome)| *outcome != "applied")
            .map(|(place, outcome)| format!("m{place} {outcome}"))
            .collect()
    }
}

fn messages(receive_count: u32, bodies: &[String]) -> Vec<Message> {
    let numbered = bodies.iter().enumerate();
    numbered.map(|(n, body)| Message::new(format!("m{n}"), body.as_str()).received(receive_count)).collect()
}

/// The ids of the messages at these indices.
fn ids(places: impl IntoIterator<Item = usize>) -> Vec<String> {
    places.into_iter().map(|place| format!("m{place}")).collect()
}

/// The event with this id.
fn with_id(id: &str, body: &str) -> String {
    with(body, "id", json!(id))
}

/// The event in another app. A deletion goes to that one only.
fn in_app(app: &str, body: &str) -> String {
    with(body, "app", json!(app))
}

fn with(body: &str, field: &str, value: Value) -> String {
    let mut event: Value = serde_json::from_str(body).unwrap();
    event[field] = value;
    event.to_string()
}

/// A deletion of several accounts of type 0, in every app.
fn deletion_of(second: u32, accounts: &[String]) -> String {
    let accounts: Vec<_> = accounts.iter().map(|account| json!({"account": account})).collect();
    json!({"type": "account.deleted", "occurred_at": at(second), "account_list": accounts}).to_string()
}

/// Runs the cases concurrently: they mostly wait.
async fn concurrently<T, F: Future>(cases: impl IntoIterator<Item = T>, run: impl Fn(T) -> F) -> Vec<F::Output> {
    join_all(cases.into_iter().map(run)).await
}
