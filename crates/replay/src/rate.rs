//! How fast messages are sent.

use std::time::{Duration, Instant};

/// Hands out start times so that messages are sent at an even pace.
#[derive(Debug)]
pub(crate) struct Pace {
    gap: Duration,
    next: Instant,
}

impl Pace {
    /// A pace of `rate` messages per second, from `now` on.
    pub(crate) fn new(rate: u32, now: Instant) -> Self {
        Self { gap: Duration::from_secs(1) / rate.max(1), next: now }
    }

    /// When the next `count` messages may be sent. Time in which nothing was sent is not caught up.
    pub(crate) fn start(&mut self, count: usize, now: Instant) -> Instant {
        let start = self.next.max(now);
        self.next = start + self.gap * u32::try_from(count).unwrap_or(u32::MAX);
        start
    }
}

/// How many messages a call may hold at that rate: a slow pace must be even, not a burst of ten now and then.
pub(crate) fn most_in_a_call(rate: Option<u32>) -> usize {
    let most = crate::batch::MOST_ENTRIES;
    rate.map_or(most, |rate| most.min(usize::try_from(rate).unwrap_or(most)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Any second sees no more messages than the rate, plus the one call that ends it.
        #[test]
        fn no_second_sees_more_than_the_rate_and_one_call(
            rate in 1_u32..500,
            steps in proptest::collection::vec((0_u64..300, 1_usize..=10), 1..80),
        ) {
            let mut now = Instant::now();
            let mut pace = Pace::new(rate, now);
            let most = most_in_a_call(Some(rate));
            let mut starts = Vec::new();
            for (wait, count) in steps {
                now += Duration::from_millis(wait);
                let count = count.min(most);
                starts.push((pace.start(count, now), count));
            }
            for (from, _) in &starts {
                let second = starts.iter().filter(|(at, _)| at >= from && *at < *from + Duration::from_secs(1));
                let sent: usize = second.map(|(_, count)| count).sum();
                prop_assert!(sent <= usize::try_from(rate).unwrap() + most, "{sent} at {rate}/s");
            }
        }
    }

    #[test]
    fn a_slow_pace_sends_one_message_at_a_time() {
        assert_eq!(most_in_a_call(Some(1)), 1);
        assert_eq!(most_in_a_call(Some(1000)), 10);
        assert_eq!(most_in_a_call(None), 10);
    }
}
