//! Whether an app is called at all while TPNS fails (docs/decisions/0037-few-calls-while-tpns-fails.md). Pure: the time
//! is an argument.
//!
//! During an outage every message is delivered again and again, and without this each delivery would make a few calls.

use std::{collections::HashMap, time::Duration};

use crate::{moment::Moment, outcome::Failure};

/// Calls that fail one after the other until no more are made.
const FAILURES: u32 = 3;
/// An invocation, by its number in this process.
pub(super) type InvocationNumber = u64;

/// What earlier calls of this process showed of each app, by its identity.
#[derive(Debug)]
pub(super) struct Breakers {
    /// While TPNS fails, one call is made in this time.
    interval: Duration,
    invocation: InvocationNumber,
    failing: HashMap<String, Failing>,
}

/// An app whose last call failed.
#[derive(Debug)]
struct Failing {
    /// How many calls have failed since the last one that was answered.
    calls: u32,
    /// The invocation of the first of them.
    since: InvocationNumber,
    /// The invocation of the last of them.
    until: InvocationNumber,
    /// When the last call began or ended.
    last: Moment,
    failure: Failure,
}

impl Failing {
    /// One invocation may have met a short failure, however many calls it made.
    fn is_outage(&self) -> bool {
        self.calls >= FAILURES && self.since != self.until
    }
}

impl Breakers {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, invocation: 0, failing: HashMap::new() }
    }

    pub(super) fn begin_invocation(&mut self) {
        self.invocation += 1;
    }

    /// Whether a call may be made to the app.
    ///
    /// # Errors
    /// Why the last call failed, and that none is made now.
    pub(super) fn permit(&mut self, app: &str, now: Moment) -> Result<(), Failure> {
        // Nearly always there is none.
        let Some(failing) = self.failing.get_mut(app).filter(|failing| failing.is_outage()) else { return Ok(()) };
        if now.since(failing.last) >= self.interval {
            // The others of this time do not wait for its answer.
            failing.last = now;
            return Ok(());
        }
        let mut failure = failing.failure.clone();
        failure.add("no call was made, since TPNS has not taken the last ones");
        Err(failure)
    }

    /// A call failed for a transient reason.
    pub(super) fn failed(&mut self, app: &str, now: Moment, failure: &Failure) {
        let invocation = self.invocation;
        let new = || Failing { calls: 0, since: invocation, until: invocation, last: now, failure: failure.clone() };
        let failing = self.failing.entry(app.to_owned()).or_insert_with(new);
        *failing = Failing {
            calls: failing.calls.saturating_add(1),
            since: failing.since,
            until: invocation,
            last: now,
            failure: failure.clone(),
        };
    }

    /// A call was answered.
    pub(super) fn answered(&mut self, app: &str) {
        self.failing.remove(app);
    }
}

#[cfg(test)]
mod tests;
