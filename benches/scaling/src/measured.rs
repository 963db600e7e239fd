//! The numbers that the model starts from, each with the place it comes from. No number of AWS's quotas is here.

/// A duration or a CPU time that grows with the number of events, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) fixed: f64,
    pub(crate) per_event: f64,
}

impl Line {
    pub(crate) fn at(self, events: usize) -> f64 {
        self.fixed + self.per_event * events as f64
    }
}

/// CPU of a warm invocation: a line through `make bench`'s rows "CPU" (docs/bench.md), whose tests compare the two.
pub(crate) const CPU: Line = Line { fixed: 0.9, per_event: 0.015 };
/// The same of "ours, ledger".
pub(crate) const CPU_WITH_LEDGER: Line = Line { fixed: 1.5, per_event: 0.104 };
/// CPU of an invocation with checks, by the devices in them: `make scaling HOT=1` prints it (docs/scaling.md).
pub(crate) const CPU_OF_CHECKS: Line = Line { fixed: 2.0, per_event: 0.022 };

/// DynamoDB's latency, in milliseconds: assumed, and the one that `make bench` gives its table.
pub(crate) const TABLE_MS: f64 = 5.0;
/// One receive and one delete of a batch: assumed (docs/outages.md).
pub(crate) const SQS_MS: f64 = 20.0;
/// TPNS's latency where a table has no column for it: assumed, as in docs/cost.md and docs/outages.md.
pub(crate) const TPNS_MS: f64 = 50.0;

/// `MemorySize` (template.yaml), and the memory with which Lambda gives a function one CPU.
pub(crate) const MEMORY_MB: f64 = 256.0;
pub(crate) const MB_PER_CPU: f64 = 1769.0;

/// `BatchSize` and `MaximumConcurrency` (template.yaml).
pub(crate) const BATCH: usize = 10;
pub(crate) const CONCURRENCY: usize = 10;
/// The check queue's `BatchSize`, in messages, of which a batch sends one for each app, and `CheckConcurrency`
/// (template.yaml).
pub(crate) const CHECK_MESSAGES: usize = 100;
pub(crate) const CHECK_CONCURRENCY: usize = 2;
/// `MOST_KEYS` of a message (crates/contract/src/check.rs).
pub(crate) const KEYS_A_CHECK: usize = 100;

/// `TPNS_CONCURRENCY` (docs/configuration.md).
pub(crate) const CALLS_AT_A_TIME: usize = 8;
/// `ITEMS_PER_CALL` (src/tpns/calls.rs).
pub(crate) const ITEMS_PER_CALL: usize = 20;
/// `WRITES_AT_A_TIME` (src/ledger/protocol.rs).
pub(crate) const WRITES_AT_A_TIME: usize = 64;
/// `MOST_ROWS` (src/apply/slices.rs): a device has one row.
pub(crate) const ROWS_A_SLICE: usize = 400;

/// Rows that an event writes and reads (docs/guarantees.md, "Do I need the ledger?"), for the events of `make bench`:
/// of ten, eight logins (3 reads), a logout of one account (3) and one of all (1).
pub(crate) const WRITES: f64 = 1.0;
pub(crate) const READS: f64 = 0.9 * 3.0 + 0.1;
/// Rows that its check reads (docs/cost.py, `CHECK_READS`).
pub(crate) const CHECK_READS: f64 = 0.8 * 2.0 + 0.2;

#[cfg(test)]
mod tests;
