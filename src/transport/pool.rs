//! The connections that wait for their next request. Independent of the network: the caller decides what a connection
//! is.

use std::{collections::HashMap, time::Duration};

use crate::moment::Moment;

/// A connection that was idle for longer is not tried. Between invocations this close together most are alive. After
/// longer pauses a new one costs less than finding out: two or three round trips, where a silent one costs
/// `TPNS_TIMEOUT_MS`.
const LONGEST_IDLE: Duration = Duration::from_secs(5);

/// Connections by their address.
#[derive(Debug)]
pub(super) struct Pool<C> {
    waiting: HashMap<String, Vec<Waiting<C>>>,
    /// Counts invocations. Init and the first one are one era: what Init opened is then as good as new, or too old.
    era: u64,
    has_begun: bool,
}

#[derive(Debug)]
struct Waiting<C> {
    connection: C,
    since: Moment,
    era: u64,
}

/// A connection out of the pool.
#[derive(Debug)]
pub(super) struct Kept<C> {
    pub(super) connection: C,
    /// Whether it was last used before this invocation, and may have died since.
    pub(super) is_from_before: bool,
}

impl<C> Default for Pool<C> {
    fn default() -> Self {
        Self { waiting: HashMap::new(), era: 0, has_begun: false }
    }
}

impl<C> Pool<C> {
    /// Begins an invocation, and drops what has waited too long.
    pub(super) fn begin_era(&mut self, now: Moment) {
        self.era += u64::from(std::mem::replace(&mut self.has_begun, true));
        self.retain(|_, waiting| now.since(waiting.since) < LONGEST_IDLE);
    }

    /// The connection that was used last.
    pub(super) fn take(&mut self, key: &str, now: Moment) -> Option<Kept<C>> {
        let waiting = self.waiting.get_mut(key)?.pop()?;
        if now.since(waiting.since) >= LONGEST_IDLE {
            // The others have waited even longer.
            self.waiting.remove(key);
            return None;
        }
        Some(Kept { connection: waiting.connection, is_from_before: waiting.era != self.era })
    }

    pub(super) fn keep(&mut self, key: &str, connection: C, now: Moment) {
        // No more than are in use at a time, which the callers limit.
        let waiting = Waiting { connection, since: now, era: self.era };
        match self.waiting.get_mut(key) {
            Some(others) => others.push(waiting),
            None => _ = self.waiting.insert(key.to_owned(), vec![waiting]),
        }
    }

    /// One connection to this address was dead: drops the others, and all from before this invocation.
    pub(super) fn condemn(&mut self, key: &str) {
        let era = self.era;
        self.retain(|own, waiting| own != key && waiting.era == era);
    }

    fn retain(&mut self, keeps: impl Fn(&str, &Waiting<C>) -> bool) {
        self.waiting.retain(|key, waiting| {
            waiting.retain(|waiting| keeps(key, waiting));
            !waiting.is_empty()
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pool(now: Moment) -> Pool<u8> {
        let mut pool = Pool::default();
        for (key, connection) in [("a", 1), ("a", 2), ("b", 3)] {
            pool.keep(key, connection, now);
        }
        pool
    }

    fn later(now: Moment, steady: u64, wall: u64) -> Moment {
        let seconds = Duration::from_secs;
        Moment { steady: now.steady + seconds(steady), wall: now.wall + seconds(wall) }
    }

    #[test]
    fn the_connection_used_last_is_taken_first() {
        let now = Moment::now();
        let mut pool = pool(now);
        let taken = [(); 3].map(|()| pool.take("a", now).map(|kept| (kept.connection, kept.is_from_before)));
        assert_eq!(taken, [Some((2, false)), Some((1, false)), None]);
    }

    #[test]
    fn no_connection_survives_a_pause_by_either_clock() {
        let now = Moment::now();
        for (steady, wall, survives) in [(4, 4, true), (5, 0, false), (0, 5, false), (0, 0, true), (600, 600, false)] {
            let then = later(now, steady, wall);
            let mut untrimmed = pool(now);
            assert_eq!(untrimmed.take("a", then).is_some(), survives, "{steady} {wall}");
            let mut trimmed = pool(now);
            trimmed.begin_era(then);
            assert_eq!(trimmed.take("a", now).is_some(), survives, "{steady} {wall}");
        }
        // A clock that was set back is no clock to go by.
        let back = Moment { steady: now.steady, wall: now.wall - Duration::from_secs(3600) };
        assert!(pool(now).take("a", back).is_some());
    }

    #[test]
    fn a_dead_connection_condemns_its_address_and_what_is_from_before_the_invocation() {
        let now = Moment::now();
        let mut pool = pool(now);
        pool.begin_era(now);
        assert!(!pool.take("b", now).unwrap().is_from_before, "the first invocation has Init's");
        pool.keep("b", 3, now);
        pool.begin_era(now);
        pool.keep("c", 4, now);
        assert!(pool.take("a", now).unwrap().is_from_before);
        pool.condemn("a");
        assert!(pool.take("a", now).is_none() && pool.take("b", now).is_none());
        assert!(!pool.take("c", now).unwrap().is_from_before);
    }
}
