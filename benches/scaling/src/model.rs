//! Events per second of a sandbox: one invocation after the other, each as long as its round trips and its CPU.

use crate::measured::{
    BATCH, CALLS_AT_A_TIME, CHECK_MESSAGES, CHECK_READS, CPU, CPU_OF_CHECKS, CPU_WITH_LEDGER, ITEMS_PER_CALL,
    KEYS_A_CHECK, Line, MB_PER_CPU, MEMORY_MB, READS, ROWS_A_SLICE, SQS_MS, TABLE_MS, TPNS_MS, WRITES,
    WRITES_AT_A_TIME,
};

/// The settings that decide how fast a sandbox is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Setup {
    /// Events in an invocation, each of another device.
    pub(crate) batch: usize,
    pub(crate) ledger: bool,
    pub(crate) checks: bool,
    pub(crate) tpns_ms: f64,
    pub(crate) memory_mb: f64,
}

impl Setup {
    /// The template's defaults, with full batches.
    pub(crate) const DEFAULT: Self =
        Self { batch: BATCH, ledger: true, checks: true, tpns_ms: TPNS_MS, memory_mb: MEMORY_MB };

    /// Without the ledger there are no checks.
    pub(crate) fn without_ledger(self) -> Self {
        Self { ledger: false, checks: false, ..self }
    }

    /// Calls to TPNS of one batch: twenty items of one `operator_type` each.
    pub(crate) fn calls(self) -> usize {
        let tenth = self.batch / 10;
        [self.batch - 2 * tenth, tenth, tenth].into_iter().map(|items| items.div_ceil(ITEMS_PER_CALL)).sum()
    }

    /// The time for which an invocation waits for TPNS and the table, in milliseconds. The first slice is merged before
    /// the first call, and the last one is verified after the last call; what is between overlaps with calls.
    pub(crate) fn waiting_ms(self) -> f64 {
        let calls = self.tpns_ms * self.calls().div_ceil(CALLS_AT_A_TIME) as f64;
        if !self.ledger {
            return calls;
        }
        let (merge, verify) = (self.batch.min(ROWS_A_SLICE).div_ceil(WRITES_AT_A_TIME), 1);
        let rounds = self.batch.div_ceil(WRITES_AT_A_TIME) + self.batch.div_ceil(ROWS_A_SLICE);
        let overlapped = rounds.saturating_sub(merge + verify) as f64;
        TABLE_MS * (merge + verify) as f64 + calls.max(TABLE_MS * overlapped)
    }

    /// CPU of an invocation on a whole CPU, in milliseconds.
    pub(crate) fn cpu_ms(self) -> f64 {
        let line: Line = if self.ledger { CPU_WITH_LEDGER } else { CPU };
        line.at(self.batch)
    }

    /// How long an invocation takes. Lambda gives it a part of a CPU.
    pub(crate) fn invocation_ms(self) -> f64 {
        self.waiting_ms() + self.cpu_ms() * self.slowdown()
    }

    /// The time from one batch of a sandbox to its next.
    pub(crate) fn batch_ms(self) -> f64 {
        self.invocation_ms() + SQS_MS
    }

    /// Events per second of one sandbox.
    pub(crate) fn sandbox(self) -> f64 {
        self.batch as f64 * 1e3 / self.batch_ms()
    }

    /// Sandboxes for this many events per second.
    pub(crate) fn sandboxes(self, events_per_second: f64) -> f64 {
        (events_per_second / self.sandbox()).ceil()
    }

    /// Devices per second that one sandbox checks. It gets as many full messages as an invocation takes.
    pub(crate) fn checking_sandbox(self) -> f64 {
        let devices = CHECK_MESSAGES * self.batch.min(KEYS_A_CHECK);
        let queries = devices.div_ceil(ITEMS_PER_CALL).div_ceil(CALLS_AT_A_TIME) as f64;
        let ms = self.tpns_ms * queries + 2.0 * TABLE_MS + CPU_OF_CHECKS.at(devices) * self.slowdown() + SQS_MS;
        devices as f64 * 1e3 / ms
    }

    /// Calls to TPNS for each event, the check's query included.
    pub(crate) fn calls_per_event(self) -> f64 {
        let query = if self.checks { 1.0 / ITEMS_PER_CALL as f64 } else { 0.0 };
        self.calls() as f64 / self.batch as f64 + query
    }

    pub(crate) fn writes_per_event(self) -> f64 {
        if self.ledger { WRITES } else { 0.0 }
    }

    pub(crate) fn reads_per_event(self) -> f64 {
        (if self.ledger { READS } else { 0.0 }) + (if self.checks { CHECK_READS } else { 0.0 })
    }

    fn slowdown(self) -> f64 {
        (MB_PER_CPU / self.memory_mb).max(1.0)
    }
}

#[cfg(test)]
mod tests;
