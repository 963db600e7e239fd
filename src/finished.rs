//! A finished batch, as the log and the metrics report it.

use std::time::{Duration, SystemTime};

use crate::{
    apps::{AppNames, SEVERAL, UNKNOWN},
    event::{Change, Event},
    ingress::{Batch, Message, MessageIndex},
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
