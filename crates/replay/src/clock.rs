//! The clock, and times that are all different.

use std::time::{SystemTime, UNIX_EPOCH};

use contract::event::Millis;

/// Now, in epoch milliseconds.
pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis::try_from(since.as_millis()).unwrap_or(Millis::MAX)
}

/// Hands out times, each later than the one before: events of the same millisecond would be ordered by their types, and
/// no longer by their lines.
#[derive(Debug, Default)]
pub(crate) struct Stamps {
    last: Millis,
}

impl Stamps {
    /// The most times per second that do not run ahead of the clock.
    pub(crate) const MOST_A_SECOND: u32 = 1000;

    pub(crate) fn next(&mut self, now: Millis) -> Millis {
        self.last = now.max(self.last + 1);
        self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_stamps_are_the_same_and_none_is_behind_the_clock() {
        let mut stamps = Stamps::default();
        assert_eq!([7, 7, 3, 20].map(|now| stamps.next(now)), [7, 8, 9, 20]);
    }
}
