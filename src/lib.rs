//! An AWS Lambda function that keeps Tencent Push Notification Service (TPNS) account bindings true.
//!
//! The way of a batch, each step a room of its own:
//!
//! ```text
//! ingress -> event -> ledger -> plan -> tpns -> fate -> report
//! ```
//!
//! The rule everything serves: an event is acknowledged only when everything it shaped has been accepted by TPNS; every
//! other event is reported for redelivery. Every event starts out as failed.

pub mod config;
pub mod event;
pub mod fate;
pub mod ingress;
mod json;
pub mod ledger;
pub mod log;
pub mod plan;
pub mod report;
#[cfg(test)]
mod testing;
pub mod tpns;

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use futures_util::FutureExt;
use lambda_runtime::Diagnostic;

use config::Config;
use event::{Event, Millis, Rules};
use ingress::{Batch, Unrecognised};
use ledger::State;
use report::{Answer, NotApplied, Outcome, Reason};
use tpns::{Client, ClientError, Deadline, Tpns};

/// The function: configuration and connections, made in Init and kept over warm invocations. No state of a batch.
#[derive(Debug)]
pub struct AccountSync {
    config: Config,
    client: Client,
}

/// An invocation that fails as a whole, so that Lambda brings all of it again.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The trigger is none the function knows.
    #[error(transparent)]
    Unrecognised(#[from] Unrecognised),
    /// Events straight from EventBridge that are not applied.
    #[error(transparent)]
    NotApplied(#[from] NotApplied),
}

/// An invocation as Lambda gives it.
#[derive(Debug, Clone, Copy)]
pub struct Invocation<'a> {
    /// Lambda's id of it, for the log.
    pub request_id: &'a str,
    /// The event, as JSON.
    pub payload: &'a str,
    /// When Lambda gives up on it.
    pub deadline: SystemTime,
}

impl AccountSync {
    /// Makes the function ready for its first batch.
    ///
    /// # Errors
    /// [`ClientError`] when the HTTPS client can't be made.
    pub fn new(config: Config) -> Result<Self, ClientError> {
        let client = Client::new(config.concurrency)?;
        Ok(Self { config, client })
    }

    /// Takes a batch all the way.
    ///
    /// # Errors
    /// [`Failure`] when Lambda has to bring the whole invocation again. A single message's failure never is one.
    pub async fn handle(&self, invocation: Invocation<'_>) -> Result<Answer, Failure> {
        let begun = Instant::now();
        let now = SystemTime::now();
        let batch = Batch::open(invocation.payload)?;
        let mut outcomes = vec![Outcome::UNTOUCHED; batch.messages.len()];

        let events = self.read(&batch, now, &mut outcomes);
        let tpns =
            Tpns::new(&self.client, &self.config.apps, self.config.calls(), self.calls_end(invocation.deadline, now));
        // Should anything in there panic, what it had not settled stays failed.
        let applied = AssertUnwindSafe(apply(&tpns, &events, &mut outcomes)).catch_unwind().await;
        report::hold_groups(&batch, &mut outcomes);

        log::batch(invocation.request_id, &batch, &events, &outcomes, tpns.count(), begun.elapsed());
        log::misconfigured(invocation.request_id, &outcomes);
        drop(applied);
        Ok(report::answer(&batch, &outcomes)?)
    }

    /// ingress -> event: the events of the messages that hold one, with the messages' indices.
    fn read(&self, batch: &Batch<'_>, now: SystemTime, outcomes: &mut [Outcome]) -> Vec<(usize, Event)> {
        let rules = Rules {
            apps: &self.config.apps.names,
            now: millis_since_epoch(now),
            max_age: millis(self.config.max_event_age),
            max_skew: millis(self.config.max_clock_skew),
        };
        let mut events = Vec::with_capacity(batch.messages.len());
        for (index, (message, outcome)) in batch.messages.iter().zip(outcomes).enumerate() {
            match catch_unwind(AssertUnwindSafe(|| message.event(&rules))) {
                Ok(Ok(event)) => events.push((index, event)),
                Ok(Err(invalid)) => *outcome = Outcome::Rejected(invalid.into()),
                Err(_) => *outcome = Outcome::Retry(Reason::PANIC),
            }
        }
        events
    }

    /// When the last call must be over. The clock that Lambda's deadline is told in is read once; from there on time
    /// is measured, not read, for clocks are set.
    fn calls_end(&self, deadline: SystemTime, now: SystemTime) -> Deadline {
        let left = deadline.duration_since(now).unwrap_or_default().saturating_sub(self.config.deadline_reserve);
        Deadline(tokio::time::Instant::now() + left)
    }
}

/// ledger -> plan -> tpns -> fate, in rounds: the first has all events, and a further one those whose item was rejected
/// for another event's fault.
async fn apply(tpns: &Tpns<'_>, events: &[(usize, Event)], outcomes: &mut [Outcome]) {
    let mut rounds = VecDeque::from([(0..events.len()).collect::<Vec<_>>()]);
    while let Some(round) = rounds.pop_front() {
        let members = || round.iter().map(|&place| (place, &events[place].1));
        let state = State::of(members().map(|(_, event)| event));
        let plan = plan::plan(&state);
        let verdicts = tpns.push(&plan).await;
        let fates = fate::fates(members(), &state, &plan, &verdicts);
        for (place, outcome) in fates.settled {
            outcomes[events[place].0] = outcome;
        }
        rounds.extend(fates.again);
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        let error_type = match failure {
            Failure::Unrecognised(_) => "UnrecognisedInvocation",
            Failure::NotApplied(_) => "EventsNotApplied",
        };
        Self { error_type: error_type.into(), error_message: failure.to_string() }
    }
}

fn millis(duration: std::time::Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

fn millis_since_epoch(time: SystemTime) -> Millis {
    time.duration_since(UNIX_EPOCH).map(millis).unwrap_or_default()
}
