//! How much time has passed, in a sandbox that is frozen between invocations.

use std::time::{Duration, Instant, SystemTime};

/// A moment by both clocks. While a sandbox is frozen the steady clock may stand still, and the wall clock may be set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    pub(crate) wall: SystemTime,
    pub(crate) steady: Instant,
}

impl Moment {
    pub(crate) fn now() -> Self {
        Self { wall: SystemTime::now(), steady: Instant::now() }
    }

    /// The time since an earlier moment, by the clock that has gone further.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        let wall = self.wall.duration_since(earlier.wall).unwrap_or_default();
        wall.max(self.steady.saturating_duration_since(earlier.steady))
    }
}
