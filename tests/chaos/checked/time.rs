//! Simulated time: the machine's, and what was skipped beside it. All that was planned for later is then due that much
//! earlier, and all that was stored is that much older, since the functions have the machine's clock.
//!
//! So the times of the protocol hold on every machine, fast or slow:
//! * L, the longest time of an invocation, is the function's timeout, after which lambda-sim kills it.
//! * D, the longest time from a call to what the query shows, is TPNS's [`BOUND`].
//! * The check queue's clock stands still during a round, so a check may be stamped L too early.
//!
//! T and V, the check queue's delay and visibility timeout, have to be more than 2 (L + D), and T by L more.

use super::*;
use crate::stage::TIMEOUT;

/// Within this time TPNS applies accepted calls, in any order.
pub(super) const BOUND: Duration = Duration::from_secs(5);
/// T and V: so much more that about half of the checks are due while events are under way, and the others after them.
pub(super) const CHECK_AFTER: Duration = Duration::from_secs(200);

const _: () = {
    let (l, d) = (TIMEOUT.as_secs(), BOUND.as_secs());
    assert!(CHECK_AFTER.as_secs() > 2 * (l + d) + l, "an older call may land after the check");
};

/// In the ledger's rows, epoch seconds: the one time in them.
pub(super) const EXPIRES: &str = "expires_at";

impl Checked {
    /// The queues' time is that of now.
    pub(super) fn tick(&self) {
        self.standard.clock.advance_to(Timestamp::now().plus(self.skipped));
    }

    pub(super) fn skip(&mut self, seconds: u64) {
        let time = Duration::from_secs(seconds);
        self.skipped += time;
        self.tick();
        self.standard.tpns.skip_time(time);
        let older = |item: &mut Item| {
            if let Some(expires) = item.number(EXPIRES) {
                item.insert(EXPIRES, expires - i64::try_from(seconds).unwrap());
            }
        };
        self.standard.aws.with_table(standard::TABLE, |table| table.change_all(older)).unwrap();
    }

    /// Skips to the time when a message of these queues becomes visible. Returns whether there is one.
    pub(super) fn skip_to_next(&mut self, queues: &[&str]) -> bool {
        let now = self.standard.clock.now();
        let next = |name: &&str| self.standard.aws.with_queue(name, |queue| queue.next_visible_at(now)).unwrap();
        let Some(next) = queues.iter().filter_map(next).min() else { return false };
        self.skip((next.as_millis() - now.as_millis()).div_ceil(1000));
        true
    }

    /// A batch as a function sees it, to whose clock nothing was skipped.
    pub(super) fn seen(&self, mut batch: Vec<Message>) -> Vec<Message> {
        let skipped = u64::try_from(self.skipped.as_millis()).unwrap();
        for message in &mut batch {
            for time in [&mut message.sent, &mut message.first_received] {
                *time = Timestamp::from_millis(time.as_millis() - skipped);
            }
        }
        batch
    }
}
