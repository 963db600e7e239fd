//! A finished batch, as the log and the metrics report it.

use std::time::{Duration, SystemTime};

use contract::check::CheckKey;
use indexmap::IndexMap;

use crate::{
    apps::{AppNames, SEVERAL, UNKNOWN},
    check::{Agreement, Drift, Findings},
    event::{Change, Event},
    ingress::{Batch, Message, MessageIndex},
    millis, millis_since_epoch,
    outcome::Outcome,
    tpns::CallMade,
};

/// A finished batch.
#[derive(Clone, Copy, Debug)]
pub struct Finished<'a> {
    /// The batch.
    pub batch: &'a Batch<'a>,
    /// The events that could be read, each with its message's index, in the messages' order.
    pub events: &'a [(MessageIndex, Event)],
    /// The outcome of each message.
    pub outcomes: &'a [Outcome],
    /// How many messages have a redelivery delay of their own.
    pub delayed: usize,
    /// The calls to TPNS, in the order in which they ended.
    pub calls: &'a [CallMade],
    /// The names of the configured apps.
    pub apps: &'a AppNames,
    /// When it was finished.
    pub at: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// What was left until the invocation's deadline.
    pub remaining: Duration,
}

/// A finished batch of the check queue.
#[derive(Clone, Copy, Debug)]
pub struct FinishedChecks<'a> {
    /// The batch.
    pub batch: &'a Batch<'a>,
    /// The outcome of each message.
    pub outcomes: &'a [Outcome],
    /// What was checked, with its messages' indices, in the messages' order.
    pub keys: &'a [(MessageIndex, CheckKey)],
    /// What was found.
    pub findings: &'a Findings,
    /// The calls to TPNS, in the order in which they ended.
    pub calls: &'a [CallMade],
    /// The names of the configured apps.
    pub apps: &'a AppNames,
    /// When it was finished.
    pub at: SystemTime,
    /// How long it took.
    pub took: Duration,
    /// How long a check waits.
    pub after: Duration,
}

/// Something that differed at TPNS.
#[derive(Clone, Copy, Debug)]
pub struct Found<'a> {
    /// The message of the check, the first of several.
    pub message: &'a Message<'a>,
    /// What was checked.
    pub key: &'a CheckKey,
    /// How it differed.
    pub drift: Drift,
    /// Whether TPNS had time to apply what the row says: it had not changed for at least half of the time that a check
    /// waits, which is longer than an invocation and a call take (ARCHITECTURE.md, "The check"). Where the time of the
    /// change is not known, it counts as long ago.
    pub is_settled: bool,
    /// The time from the last change of the device's row until the invocation began, in milliseconds, where it is known.
    pub age: Option<u64>,
}

impl<'a> FinishedChecks<'a> {
    /// What differed and was repaired: each device and account once, although several messages may name it.
    pub fn repaired(&self) -> impl Iterator<Item = Found<'a>> + use<'a> {
        let Self { batch, at, took, after, .. } = *self;
        let begun = millis_since_epoch(at.checked_sub(took).unwrap_or(at));
        let settled_from = millis(after).unsigned_abs() / 2;
        let mut found: IndexMap<&CheckKey, Found<'a>> = IndexMap::new();
        for ((index, key), finding) in self.keys.iter().zip(&self.findings.each) {
            let Agreement::Repaired(drift) = finding.agreement else { continue };
            let message = &batch.messages[index.0];
            let age = finding.changed.map(|changed| u64::try_from(begun.saturating_sub(changed)).unwrap_or_default());
            let is_settled = age.is_none_or(|age| age >= settled_from);
            found.entry(key).or_insert(Found { message, key, drift, is_settled, age });
        }
        found.into_values()
    }
}

/// A message and its outcome.
#[derive(Clone, Copy, Debug)]
pub struct MessageOutcome<'a> {
    /// The message.
    pub message: &'a Message<'a>,
    /// The event in it, if it could be read.
    pub event: Option<&'a Event>,
    /// Its outcome.
    pub outcome: &'a Outcome,
    /// Its app's name; of a deletion that goes to more than one, [`SEVERAL`]; if it is not known, [`UNKNOWN`].
    pub app: &'a str,
}

impl<'a> Finished<'a> {
    /// Each message, in the batch's order.
    pub fn messages(&self) -> impl Iterator<Item = MessageOutcome<'a>> + use<'a> {
        let Self { batch, outcomes, apps, .. } = *self;
        let mut events = self.events.iter().peekable();
        batch.messages.iter().zip(outcomes).enumerate().map(move |(index, (message, outcome))| {
            let event = events.next_if(|(own, _)| own.0 == index).map(|(_, event)| event);
            MessageOutcome { message, event, outcome, app: event.map_or(UNKNOWN, |event| app(event, apps)) }
        })
    }
}

fn app<'a>(event: &Event, apps: &'a AppNames) -> &'a str {
    match &event.change {
        Change::Login(device, _) | Change::Logout(device, _) | Change::LogoutAll(device) => apps.name(device.app),
        Change::Deletion(of, _) => match **of {
            [one] => apps.name(one),
            _ => SEVERAL,
        },
    }
}
