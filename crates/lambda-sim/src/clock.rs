//! Time that a test can hold still: queue and event source ask a [`Clock`], never the machine.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

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
        // A machine set before 1970 is answered with 1970 rather than with a panic.
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(millis(since.unwrap_or_default()))
    }

    /// The moment `span` later, cut to whole milliseconds.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(millis(span)))
    }

    /// How long after `earlier` this is; zero when it is not after.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

/// A clock that moves only when told to. Clones show the same time.
#[derive(Clone, Debug)]
pub struct ManualClock(Arc<AtomicU64>);

impl ManualClock {
    /// Starts at this machine's time, so that a function which checks the age of an event finds it fresh.
    pub fn starting_now() -> Self {
        Self::starting_at(Timestamp::now())
    }

    /// Starts at `start`.
    pub fn starting_at(start: Timestamp) -> Self {
        Self(Arc::new(AtomicU64::new(start.as_millis())))
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

/// Where the queue's time comes from.
#[derive(Clone, Debug)]
pub enum Clock {
    /// This machine's time; waiting really waits.
    System,
    /// A clock moved by the test; waiting jumps.
    Manual(ManualClock),
}

impl Clock {
    /// The present moment.
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp::now(),
            Self::Manual(clock) => clock.now(),
        }
    }

    /// Comes back when it is `moment`: sleeps on the system clock, jumps on a manual one.
    pub async fn pass_until(&self, moment: Timestamp) {
        match self {
            Self::System => tokio::time::sleep(moment.since(Timestamp::now())).await,
            Self::Manual(clock) => clock.advance_to(moment),
        }
    }
}

impl From<ManualClock> for Clock {
    fn from(clock: ManualClock) -> Self {
        Self::Manual(clock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_stands_still_until_it_is_moved_and_never_goes_back() {
        let clock = ManualClock::starting_at(Timestamp::from_millis(1_000));
        let shared = clock.clone();
        assert_eq!(clock.now().as_millis(), 1_000);
        shared.advance(Duration::from_secs(2));
        assert_eq!(clock.now().as_millis(), 3_000);
        clock.advance_to(Timestamp::from_millis(500));
        assert_eq!(clock.now().as_millis(), 3_000);
    }

    #[tokio::test]
    async fn waiting_on_a_manual_clock_takes_no_time() {
        let clock = Clock::from(ManualClock::starting_at(Timestamp::from_millis(0)));
        let before = std::time::Instant::now();
        clock.pass_until(Timestamp::from_millis(86_400_000)).await;
        assert_eq!(clock.now().as_millis(), 86_400_000);
        assert!(before.elapsed() < Duration::from_millis(100));
    }
}
