//! The contents of a line, and their units.

use std::time::SystemTime;

use metrique_writer_core::{
    Entry, EntryWriter, MetricFlags, Observation, Unit, Value, ValueWriter, unit::NegativeScale,
};

use super::{Distribution, Figures};
use crate::outcome::Reason;

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

impl Common<'_> {
    pub(super) fn write<'a>(&'a self, line: &mut impl EntryWriter<'a>) {
        line.timestamp(self.at);
        line.value("FunctionName", self.function);
        line.value("requestId", self.request_id);
    }
}

impl Entry for AppLine<'_> {
    fn write<'a>(&'a self, line: &mut impl EntryWriter<'a>) {
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
        self.common.write(line);
        line.value("App", self.app);
        // Also when they are 0: a graph without gaps, and an alarm that has something to compare.
        line.value("Received", &Count(*received));
        line.value("Applied", &Count(*applied));
        line.value("Superseded", &Count(*superseded));
        line.value("Retried", &Count(*retried));
        line.value("Rejected", &Count(*rejected));
        line.value("Parked", &Count(*parked));
        line.value("Misconfigured", &Count(*misconfigured));
        line.value("LedgerFailed", &Count(*ledger_failed));
        line.value("AccountNotBound", &Count(*account_not_bound));
        line.value("ClockAhead", &Count(*clock_ahead));
        line.value("TiedTimes", &Count(*tied_times));
        line.value("EventLag", &Spread(event_lag, MILLISECONDS));
        line.value("UnbindLag", &Spread(unbind_lag, MILLISECONDS));
        line.value("RetryAge", &Spread(retry_age, MILLISECONDS));
        line.value("Calls", &Count(*calls));
        line.value("ItemsPerCall", &Spread(items_per_call, Unit::Count));
        line.value("CallLatency", &Spread(call_latency, MILLISECONDS));
    }
}

impl Entry for FailureLine<'_> {
    fn write<'a>(&'a self, line: &mut impl EntryWriter<'a>) {
        self.common.write(line);
        line.value("App", self.app);
        line.value("Reason", self.reason.as_str());
        line.value("CallFailures", &Count(self.count));
    }
}

pub(super) const MILLISECONDS: Unit = Unit::Second(NegativeScale::Milli);

pub(super) struct Count(pub(super) u64);

impl Value for Count {
    fn write(&self, writer: impl ValueWriter) {
        writer.metric([Observation::Unsigned(self.0)], Unit::Count, [], MetricFlags::empty());
    }
}

/// Nothing at all where there are no values: 0 would be one.
pub(super) struct Spread<'a>(pub(super) &'a Distribution, pub(super) Unit);

impl Value for Spread<'_> {
    fn write(&self, writer: impl ValueWriter) {
        writer.metric(self.0.observations(), self.1, [], MetricFlags::empty());
    }
}
