//! Whether an app is called at all while TPNS fails (docs/decisions/0037-few-calls-while-tpns-fails.md). Pure: the time
//! is an argument.
//!
//! During an outage every message is delivered again and again, and without this each delivery would make a few calls.

use std::{collections::HashMap, time::Duration};

use crate::{moment::Moment, outcome::Failure, plan::Verdict};

/// Calls that fail one after the other until no more are made.
const FAILURES: u32 = 3;
/// The first pause then; it doubles with each call that is made. A failure of a second or two delays an event by little
/// more.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// An invocation, by its number in this process.
pub(super) type InvocationNumber = u64;

/// What earlier calls of this process showed of each app, by its identity.
#[derive(Debug)]
pub(super) struct Breakers {
    /// The longest pause between two calls while TPNS fails.
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
    /// From then until the next call, once it is an outage.
    pause: Duration,
    /// On the last call.
    verdict: Verdict,
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
    /// The verdict on the last call, with the addition that none is made now.
    pub(super) fn permit(&mut self, app: &str, now: Moment) -> Result<(), Verdict> {
        // Nearly always there is none.
        let Some(failing) = self.failing.get_mut(app).filter(|failing| failing.is_outage()) else { return Ok(()) };
        if now.since(failing.last) >= failing.pause {
            // The others of this time do not wait for its answer.
            failing.last = now;
            failing.pause = (2 * failing.pause).min(self.interval);
            return Ok(());
        }
        let not_made = |failure: &Failure| {
            let mut failure = failure.clone();
            failure.add("no call was made, since TPNS has not taken the last ones");
            failure
        };
        Err(match &failing.verdict {
            Verdict::Misconfigured(failure) => Verdict::Misconfigured(not_made(failure)),
            Verdict::Retry(failure, _) | Verdict::Rejected(failure) => Verdict::Retry(not_made(failure), None),
            Verdict::Accepted => return Ok(()),
        })
    }

    /// A call failed: for a transient reason, or since TPNS refuses the app.
    pub(super) fn failed(&mut self, app: &str, now: Moment, verdict: &Verdict) {
        let invocation = self.invocation;
        let pause = FIRST_PAUSE.min(self.interval);
        let new =
            || Failing { calls: 0, since: invocation, until: invocation, last: now, pause, verdict: verdict.clone() };
        let failing = self.failing.entry(app.to_owned()).or_insert_with(new);
        failing.calls = failing.calls.saturating_add(1);
        (failing.until, failing.last) = (invocation, now);
        failing.verdict = verdict.clone();
    }

    /// A call was answered, or may be answered otherwise now.
    pub(super) fn answered(&mut self, app: &str) {
        self.failing.remove(app);
    }
}

#[cfg(test)]
mod tests;
