//! CloudWatch's metrics, in the embedded metric format: lines on standard output that CloudWatch Logs makes metrics of
//! (LOGGING.md, "Metrics"). Holds counts, times and names of apps, nothing of an event.

mod checks;
mod distribution;
mod emf;
mod lines;

use std::{
    io::{self, Write},
    time::UNIX_EPOCH,
};

use indexmap::IndexMap;

use crate::{
    event::{Kind, Millis},
    finished::{Finished, MessageOutcome},
    outcome::{Cause, Outcome, OutcomeKind, Reason},
};
use distribution::Distribution;
use lines::{AppLine, Common, FailureLine};

/// The metrics of this function.
#[derive(Debug)]
pub struct Metrics {
    function: String,
}

/// What is counted of an app.
#[derive(Debug, Default)]
struct Figures {
    received: u64,
    applied: u64,
    superseded: u64,
    retried: u64,
    rejected: u64,
    parked: u64,
    misconfigured: u64,
    ledger_failed: u64,
    account_not_bound: u64,
    clock_ahead: u64,
    tied_times: u64,
    event_lag: Distribution,
    unbind_lag: Distribution,
    retry_age: Distribution,
    calls: u64,
    items_per_call: Distribution,
    call_latency: Distribution,
}

impl Metrics {
    /// The metrics of the function of this name.
    #[must_use]
    pub fn new(function: String) -> Self {
        Self { function }
    }

    /// Writes the lines of a batch: one for each app, and one for each app and reason of calls that failed.
    ///
    /// # Errors
    /// The output's; some lines may be written.
    pub fn write(&self, request_id: &str, finished: &Finished<'_>, output: &mut impl Write) -> io::Result<()> {
        let common = Common { at: finished.at, function: &self.function, request_id };
        // Whole lines at once: a log line that is written meanwhile must not come in between.
        let mut text = Vec::with_capacity(2048);
        for (app, figures) in &figures(finished) {
            AppLine { common, app, figures }.line().write(&mut text)?;
        }
        for ((app, reason), count) in failures(finished) {
            FailureLine { common, app, reason, count }.line().write(&mut text)?;
        }
        output.write_all(&text)?;
        output.flush()
    }

    /// Writes them to standard output. A failure is logged: it is no reason to fail events.
    pub fn print(&self, request_id: &str, finished: &Finished<'_>) {
        if let Err(error) = self.write(request_id, finished, &mut io::stdout().lock()) {
            tracing::error!(%error, "metrics: incomplete for this invocation");
        }
    }
}

fn figures<'a>(finished: &Finished<'a>) -> IndexMap<&'a str, Figures> {
    let mut by_app: IndexMap<&str, Figures> = IndexMap::new();
    let at = finished.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let at = Millis::try_from(at).unwrap_or(Millis::MAX);
    for settled in finished.messages() {
        by_app.entry(settled.app).or_default().count(&settled, at);
    }
    for call in finished.calls {
        let figures = by_app.entry(finished.apps.name(call.app)).or_default();
        figures.calls += 1;
        figures.items_per_call.record(call.items as u64);
        figures.call_latency.record(u64::try_from(call.took.as_millis()).unwrap_or(u64::MAX));
    }
    by_app
}

fn failures<'a>(finished: &Finished<'a>) -> IndexMap<(&'a str, Reason), u64> {
    let mut counts = IndexMap::new();
    for call in finished.calls {
        for &reason in &call.failures {
            *counts.entry((finished.apps.name(call.app), reason)).or_default() += 1;
        }
    }
    counts
}

impl Figures {
    fn count(&mut self, settled: &MessageOutcome<'_>, at: Millis) {
        let &MessageOutcome { outcome, event, .. } = settled;
        self.received += 1;
        match outcome.kind() {
            OutcomeKind::Applied => self.applied += 1,
            OutcomeKind::Superseded => self.superseded += 1,
            OutcomeKind::Retry => self.retried += 1,
            OutcomeKind::Rejected => self.rejected += 1,
            OutcomeKind::Parked => self.parked += 1,
            OutcomeKind::Misconfigured => self.misconfigured += 1,
        }
        let is_of_the_ledger = outcome.failure().is_some_and(|failure| failure.reason.cause() == Cause::Ledger);
        self.ledger_failed += u64::from(is_of_the_ledger);
        self.account_not_bound += u64::from(*outcome == Outcome::AppliedNotBound);
        self.tied_times += u64::from(*outcome == Outcome::SupersededAtSameTime);
        self.clock_ahead += u64::from(event.is_some_and(|event| event.clock_ahead > 0));
        self.record_times(settled, at);
    }

    fn record_times(&mut self, settled: &MessageOutcome<'_>, at: Millis) {
        let in_effect = matches!(settled.outcome.kind(), OutcomeKind::Applied | OutcomeKind::Superseded);
        let redelivered = matches!(settled.outcome.kind(), OutcomeKind::Retry | OutcomeKind::Misconfigured);
        // A clock may be a little ahead.
        let since = |then: Millis| u64::try_from(at.saturating_sub(then)).unwrap_or_default();
        if redelivered {
            let sent = settled.message.attributes().sent.and_then(|sent| sent.parse().ok());
            let sent = sent.or(settled.event.map(|event| event.version.at));
            sent.into_iter().for_each(|sent| self.retry_age.record(since(sent)));
        }
        let Some(event) = settled.event else { return };
        let lag = since(event.version.at);
        if in_effect {
            self.event_lag.record(lag);
        }
        // During an outage no unbind is accepted, and its lag would appear only afterwards.
        if (in_effect || redelivered) && event.version.rank != Kind::Login {
            self.unbind_lag.record(lag);
        }
    }
}

#[cfg(test)]
mod tests;
