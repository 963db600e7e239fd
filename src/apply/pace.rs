//! Whether there is time for another slice, judged by the slices before it.

use std::{cell::Cell, time::Duration};

use tokio::{
    sync::{Notify, futures::Notified},
    time::{Instant, sleep_until},
};

use super::slices::MOST_ROWS;
use crate::{ledger::WRITES_AT_A_TIME, table::ROWS_READ_AT_A_TIME, tpns::Deadline};

/// Slices of an app that may be under way at a time; one with a call that hangs does not count.
const MOST_UNDER_WAY: usize = 2;

/// The ends of an invocation's phases.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// When the last call to TPNS must be over.
    pub calls: Instant,
    /// When the last request to the table must be over.
    pub table: Instant,
}

/// How fast an app's slices are settled.
#[derive(Debug)]
pub(super) struct Pace {
    ends: Option<Ends>,
    begun: Instant,
    /// Rows that are settled, and rows that are merged and will be soon. Those of a slice that hangs are neither.
    settled: Cell<usize>,
    open: Cell<usize>,
    last_merge: Cell<Option<Merging>>,
    under_way: Cell<usize>,
    changed: Notify,
}

/// A slice under way.
pub(super) struct UnderWay<'a> {
    pace: &'a Pace,
    rows: usize,
    hangs: Cell<bool>,
}

/// How long the merge of a slice took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Merging {
    took: Duration,
    rows: usize,
}

impl Pace {
    /// Without `ends` there is no limit of time.
    pub(super) fn new(ends: Option<Ends>) -> Self {
        Self {
            ends,
            begun: Instant::now(),
            settled: Cell::default(),
            open: Cell::default(),
            last_merge: Cell::default(),
            under_way: Cell::default(),
            changed: Notify::new(),
        }
    }

    /// How many rows the next slice may have.
    pub(super) fn rows(&self) -> usize {
        let Some(Ends { table, .. }) = self.ends else { return MOST_ROWS };
        // A quarter is kept for what can't be foreseen.
        let left = table.saturating_duration_since(Instant::now()).mul_f64(0.75);
        let fit = usize::try_from(left.as_nanos() / self.a_row().as_nanos().max(1)).unwrap_or(usize::MAX);
        fit.saturating_sub(self.open.get()).min(MOST_ROWS)
    }

    /// How long a row takes.
    fn a_row(&self) -> Duration {
        let of = |time: Duration, rows: usize| time / u32::try_from(rows).unwrap_or(u32::MAX).max(1);
        match (self.settled.get(), self.last_merge.get()) {
            // Until a slice is settled: pushing and verifying take up to twice as long as merging.
            (0, Some(merge)) => of(3 * merge.took, merge.rows),
            (0, None) => Duration::ZERO,
            (settled, _) => of(self.begun.elapsed(), settled),
        }
    }

    /// Resolves when a merge that begins now has taken half of the time left: the rest is for pushing and verifying.
    pub(super) async fn merge_is_over(&self) {
        match self.ends {
            Some(Ends { table, .. }) => {
                let now = Instant::now();
                sleep_until(now + table.saturating_duration_since(now) / 2).await;
            }
            None => std::future::pending().await,
        }
    }

    /// Records a merge of this number of rows that began at `begun`.
    pub(super) fn merged(&self, begun: Instant, rows: usize) -> Merging {
        let merging = Merging { took: begun.elapsed(), rows };
        self.last_merge.set(Some(merging));
        self.open.set(self.open.get() + rows);
        merging
    }

    /// When the last call for these rows must be over, so that there is time to verify them.
    pub(super) fn calls_end(&self, merging: Option<Merging>, devices: usize, deletions: usize) -> Option<Deadline> {
        let ends = self.ends?;
        let Some(merging) = merging else { return Some(Deadline(ends.calls)) };
        let steps = |rows: usize, at_a_time: usize| u32::try_from(rows.div_ceil(at_a_time)).unwrap_or(u32::MAX);
        let step = merging.took / steps(merging.rows, WRITES_AT_A_TIME).max(1);
        let verify = step * (steps(devices, ROWS_READ_AT_A_TIME) + steps(deletions, WRITES_AT_A_TIME));
        // Twice as long as it should take, but not all of the time.
        let most = ends.table.saturating_duration_since(Instant::now()) / 2;
        let end = ends.table.checked_sub((2 * verify).min(most)).unwrap_or(ends.table);
        Some(Deadline(end.min(ends.calls)))
    }

    /// Begins the push of a slice with this number of rows.
    pub(super) fn begin(&self, rows: usize) -> UnderWay<'_> {
        self.under_way.set(self.under_way.get() + 1);
        UnderWay { pace: self, rows, hangs: Cell::new(false) }
    }

    /// Whether the most slices are under way.
    pub(super) fn is_full(&self) -> bool {
        self.under_way.get() >= MOST_UNDER_WAY
    }

    /// Whether any slice is under way that does not hang.
    pub(super) fn is_busy(&self) -> bool {
        self.under_way.get() > 0
    }

    /// Resolves with the next slice that ends or hangs after this call.
    pub(super) fn changed(&self) -> Notified<'_> {
        self.changed.notified()
    }

    fn leave(&self, rows: usize) {
        self.open.set(self.open.get().saturating_sub(rows));
        self.under_way.set(self.under_way.get().saturating_sub(1));
        self.changed.notify_waiters();
    }
}

impl UnderWay<'_> {
    /// A call of the slice hangs: others need not wait for it.
    pub(super) fn hangs(&self) {
        if !self.hangs.replace(true) {
            self.pace.leave(self.rows);
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if !self.hangs.get() {
            self.pace.settled.set(self.pace.settled.get() + self.rows);
            self.pace.leave(self.rows);
        }
    }
}
