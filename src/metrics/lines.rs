//! The contents of a line, and their units.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{
    Figures,
    emf::{
        DimensionSets, Line,
        Unit::{Count as Number, Milliseconds},
        Value::{Count, Spread},
    },
};
use crate::outcome::Reason;

const NAMESPACE: &str = "TpnsAccountSync";
const OF_APPS: DimensionSets = &[&["FunctionName"], &["FunctionName", "App"]];
const OF_FAILURES: DimensionSets =
    &[&["FunctionName"], &["FunctionName", "Reason"], &["FunctionName", "App", "Reason"]];

/// What every line contains.
#[derive(Clone, Copy)]
pub(super) struct Common<'a> {
    pub(super) at: SystemTime,
    pub(super) function: &'a str,
    pub(super) request_id: &'a str,
}

/// The outcomes of an app's events, and its calls.
pub(super) struct AppLine<'a> {
    pub(super) common: Common<'a>,
    pub(super) app: &'a str,
    pub(super) figures: &'a Figures,
}

/// Calls to an app that failed for a reason.
pub(super) struct FailureLine<'a> {
    pub(super) common: Common<'a>,
    pub(super) app: &'a str,
    pub(super) reason: Reason,
    pub(super) count: u64,
}

impl<'a> Common<'a> {
    pub(super) fn line(self, dimension_sets: DimensionSets) -> Line<'a> {
        let at = self.at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let mut line = Line::new(at, NAMESPACE, dimension_sets);
        line.property("FunctionName", self.function);
        line.property("requestId", self.request_id);
        line
    }
}

impl<'a> AppLine<'a> {
    pub(super) fn line(&self) -> Line<'a> {
        let Figures {
            received,
            applied,
            superseded,
            retried,
            rejected,
            parked,
            misconfigured,
            ledger_failed,
            account_not_bound,
            clock_ahead,
            tied_times,
            event_lag,
            unbind_lag,
            retry_age,
            calls,
            items_per_call,
            call_latency,
        } = self.figures;
        let mut line = self.common.line(OF_APPS);
        line.property("App", self.app);
        // Also when they are 0: a graph without gaps, and an alarm that has something to compare.
        line.metric("Received", Count(*received));
        line.metric("Applied", Count(*applied));
        line.metric("Superseded", Count(*superseded));
        line.metric("Retried", Count(*retried));
        line.metric("Rejected", Count(*rejected));
        line.metric("Parked", Count(*parked));
        line.metric("Misconfigured", Count(*misconfigured));
        line.metric("LedgerFailed", Count(*ledger_failed));
        line.metric("AccountNotBound", Count(*account_not_bound));
        line.metric("ClockAhead", Count(*clock_ahead));
        line.metric("TiedTimes", Count(*tied_times));
        line.metric("EventLag", Spread(event_lag, Milliseconds));
        line.metric("UnbindLag", Spread(unbind_lag, Milliseconds));
        line.metric("RetryAge", Spread(retry_age, Milliseconds));
        line.metric("Calls", Count(*calls));
        line.metric("ItemsPerCall", Spread(items_per_call, Number));
        line.metric("CallLatency", Spread(call_latency, Milliseconds));
        line
    }
}

impl<'a> FailureLine<'a> {
    pub(super) fn line(&self) -> Line<'a> {
        let mut line = self.common.line(OF_FAILURES);
        line.property("App", self.app);
        line.property("Reason", self.reason.as_str());
        line.metric("CallFailures", Count(self.count));
        line
    }
}
