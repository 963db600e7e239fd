//! Whether there is time for another slice, measured by those before it.

use std::{cell::Cell, time::Duration};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

use super::slices::MOST_ROWS;
use crate::tpns::Deadline;

/// Slices of an app that may be under way at a time; one of which a call hangs does not count.
const MOST_UNDER_WAY: usize = 2;
/// Reads under way at a time, and writes: what the ledger does.
const ROWS_READ_AT_A_TIME: u32 = 1600;
const ROWS_WRITTEN_AT_A_TIME: u32 = 64;

/// The ends of an invocation's phases.
#[derive(Clone, Copy, Debug)]
pub struct Ends {
    /// When the last call to TPNS must be over.
    pub calls: Instant,
    /// When the last request to the table must be over.
    pub table: Instant,
}

/// How fast an app's slices are done.
#[derive(Debug)]
pub(super) struct Pace {
    ends: Option<Ends>,
    /// Of one row, from its merge until it is settled.
    a_row: Cell<Option<Duration>>,
    under_way: Cell<usize>,
    changed: Notify,
}

/// A slice under way.
pub(super) struct UnderWay<'a> {
    pace: &'a Pace,
    begun: Instant,
    rows: usize,
    hangs: Cell<bool>,
}

/// How long the merge of a slice took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Merging {
    begun: Instant,
    took: Duration,
    rows: usize,
}

impl Pace {
    /// Without `ends` there is time for everything.
    pub(super) fn new(ends: Option<Ends>) -> Self {
        Self { ends, a_row: Cell::default(), under_way: Cell::default(), changed: Notify::new() }
    }

    /// How many rows the next slice may have.
    pub(super) fn rows(&self) -> usize {
        let (Some(ends), Some(a_row)) = (self.ends, self.a_row.get()) else { return MOST_ROWS };
        // A fifth is for what can't be foreseen.
        let left = ends.table.saturating_duration_since(Instant::now()).mul_f64(0.8);
        let fit = left.as_nanos() / a_row.as_nanos().max(1);
        usize::try_from(fit).unwrap_or(usize::MAX).min(MOST_ROWS)
    }

    /// Resolves when a merge that begins now has taken half of the time there is: the rest is for pushing and verifying.
    pub(super) async fn merge_is_over(&self) {
        match self.ends {
            Some(Ends { table, .. }) => {
                let now = Instant::now();
                sleep_until(now + table.saturating_duration_since(now) / 2).await;
            }
            None => std::future::pending().await,
        }
    }

    /// A merge of so many rows has taken from then until now.
    pub(super) fn merged(&self, begun: Instant, rows: usize) -> Merging {
        let merging = Merging { begun, took: begun.elapsed(), rows };
        if self.a_row.get().is_none() {
            // Pushing and verifying take about as long; the first slice that is settled says it better.
            self.a_row.set(Some(merging.a_row() * 2));
        }
        merging
    }

    /// When the last call for these rows must be over, so that there is time to verify them.
    pub(super) fn calls_end(&self, merging: Option<Merging>, devices: usize, deletions: usize) -> Option<Deadline> {
        let ends = self.ends?;
        let Some(merging) = merging else { return Some(Deadline(ends.calls)) };
        let steps = |rows: usize, at_a_time: u32| u32::try_from(rows).unwrap_or(u32::MAX).div_ceil(at_a_time);
        let step = merging.took / steps(merging.rows, ROWS_WRITTEN_AT_A_TIME).max(1);
        let verify = step * (steps(devices, ROWS_READ_AT_A_TIME) + steps(deletions, ROWS_WRITTEN_AT_A_TIME));
        // Twice as long as it should take, but not all the time there is.
        let most = ends.table.saturating_duration_since(Instant::now()) / 2;
        let end = ends.table.checked_sub((2 * verify).min(most)).unwrap_or(ends.table);
        Some(Deadline(end.min(ends.calls)))
    }

    /// A slice is pushed now.
    pub(super) fn begin(&self, merging: Option<Merging>) -> UnderWay<'_> {
        self.under_way.set(self.under_way.get() + 1);
        let (begun, rows) = merging.map_or((Instant::now(), 0), |merging| (merging.begun, merging.rows));
        UnderWay { pace: self, begun, rows, hangs: Cell::new(false) }
    }

    /// Whether as many slices are under way as may be.
    pub(super) fn is_full(&self) -> bool {
        self.under_way.get() >= MOST_UNDER_WAY
    }

    /// Resolves with the next slice that ends or hangs.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn leave(&self) {
        self.under_way.set(self.under_way.get().saturating_sub(1));
        self.changed.notify_waiters();
    }
}

impl Merging {
    fn a_row(self) -> Duration {
        self.took / u32::try_from(self.rows).unwrap_or(u32::MAX).max(1)
    }
}

impl UnderWay<'_> {
    /// A call of the slice hangs: others need not wait for it.
    pub(super) fn hangs(&self) {
        if !self.hangs.replace(true) {
            self.pace.leave();
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.hangs.get() {
            return;
        }
        if let Ok(rows) = u32::try_from(self.rows)
            && rows > 0
        {
            self.pace.a_row.set(Some(self.begun.elapsed() / rows));
        }
        self.pace.leave();
    }
}
