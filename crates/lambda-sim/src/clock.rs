//! Time in the unit of SQS, and a clock for queues that a test moves, so that visibility timeouts pass without waiting.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A moment in epoch milliseconds, the unit in which SQS gives `SentTimestamp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The moment `millis` milliseconds after 1970-01-01T00:00:00Z.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// This machine's time, cut to whole milliseconds.
    pub fn now() -> Self {
        // On a machine whose clock is set before 1970 this is 1970 rather than a panic.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(millis(since.unwrap_or_default()))
    }

    /// The moment `span` later, cut to whole milliseconds.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A clock that moves only when a test moves it. Clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Starts at this machine's time, so that a function which checks the age of an event finds it fresh.
    pub fn starting_now() -> Self {
        Self(Arc::new(AtomicU64::new(Timestamp::now().as_millis())))
    }

    /// The time it shows.
    pub fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }

    /// Moves on by `span`.
    pub fn advance(&self, span: Duration) {
        self.0.fetch_add(millis(span), Ordering::SeqCst);
    }

    /// Moves on to `moment`; never back.
    pub fn advance_to(&self, moment: Timestamp) {
        self.0.fetch_max(moment.as_millis(), Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_only_when_moved_and_never_back() {
        let clock = ManualClock::starting_now();
        let start = clock.now();
        clock.clone().advance(Duration::from_secs(2));
        assert_eq!(clock.now(), start.plus(Duration::from_secs(2)));
        clock.advance_to(start);
        assert_eq!(clock.now(), start.plus(Duration::from_secs(2)));
    }
}
