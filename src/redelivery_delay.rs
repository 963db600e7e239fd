//! How long SQS keeps a failed message back before it delivers it again: by why it failed and by how often it was
//! delivered (docs/decisions/0035-redelivery-delays.md). Pure.
//!
//! The queue's visibility timeout has to be several times the function's timeout, which is far too long for a logout
//! that met one 503, and far too short for an outage of hours with a limited number of deliveries.

mod batch;

use std::{ops::RangeInclusive, time::Duration};

pub use batch::of_batch;

use crate::outcome::{Cause, Reason};

/// SQS keeps a message invisible for twelve hours at most, counted from its delivery. The message may have spent the
/// longest batching window (5 minutes) and the function's longest timeout (15) of them already.
const LONGEST: u32 = 12 * 3600 - 20 * 60;
/// The first delay of a transient failure, in seconds; it doubles with each delivery.
const FIRST: u32 = 2;
/// The same where an operator has to correct something.
const FIRST_OF_REFUSED: u32 = 30;
/// Up to this delivery, a message that only lacked time is delivered again at once. Its queue is busy rather than
/// broken. If it is not applied by then, it has the delays of a transient failure, or the deliveries of a whole day
/// would be used up within minutes.
const AT_ONCE_UNTIL: u32 = 8;

/// The delays under a setting of `RETRY_MAX_DELAY`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RedeliveryDelays {
    /// Seconds that the doubling ends at.
    most: u32,
}

/// Which delays a failure has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Curve {
    /// 2 s, doubling.
    Transient,
    /// 30 s, doubling.
    Refused,
    /// 1 s for some deliveries, then as [`Self::Transient`].
    NoTime,
}

impl RedeliveryDelays {
    /// The longest setting. The delays themselves stay 20 minutes below it.
    pub const LONGEST_SETTING: Duration = Duration::from_secs(12 * 3600);
    /// The shortest setting: SQS counts in seconds.
    pub const SHORTEST_SETTING: Duration = Duration::from_secs(1);
    /// 10 minutes.
    pub const DEFAULT: Self = Self { most: 600 };

    /// Delays that double up to `most`, in whole seconds. `None` outside [`Self::SHORTEST_SETTING`] to
    /// [`Self::LONGEST_SETTING`].
    #[must_use]
    pub fn new(most: Duration) -> Option<Self> {
        let is_allowed = (Self::SHORTEST_SETTING..=Self::LONGEST_SETTING).contains(&most);
        let most = u32::try_from(most.as_secs()).unwrap_or(u32::MAX).min(LONGEST);
        is_allowed.then_some(Self { most })
    }

    /// The seconds after which a message is delivered again that failed for this reason in this delivery, the first
    /// being 1. `random` is from 0 (the shortest delay) to 1 (excluded). At least as long as TPNS asks for, also beyond
    /// the setting.
    ///
    /// A rejected message that is not parked has the delays of a transient failure: either parking is what failed, or
    /// there is none, and then it may be applied after a correction of the apps document, until the queue gives up.
    ///
    /// A message that waits for another call was delivered together with what that call is for, so its own number of
    /// deliveries leads to about the same delay.
    #[must_use]
    pub fn seconds(self, reason: Reason, delivery: u32, retry_after: Option<Duration>, random: f64) -> u32 {
        let range = self.range(reason, delivery);
        let choices = f64::from(range.end() - range.start() + 1);
        // In range: the factor is below 1.
        let seconds = range.start() + (choices * random.clamp(0.0, 1.0)) as u32;
        let asked = retry_after.map_or(0, |asked| u32::try_from(asked.as_millis().div_ceil(1000)).unwrap_or(u32::MAX));
        seconds.min(*range.end()).max(asked.min(LONGEST))
    }

    /// The shortest and the longest delay in seconds, without a request of TPNS. Equal jitter: half of it is random, so
    /// that what failed together does not come back together, and no delay is nearly nothing.
    #[must_use]
    pub fn range(self, reason: Reason, delivery: u32) -> RangeInclusive<u32> {
        let first = match curve(reason) {
            Curve::NoTime if delivery <= AT_ONCE_UNTIL => return 1..=1,
            Curve::NoTime | Curve::Transient => FIRST,
            Curve::Refused => FIRST_OF_REFUSED,
        };
        let doubled = 2_u32.saturating_pow(delivery.saturating_sub(1));
        let longest = first.saturating_mul(doubled).min(self.most);
        longest.div_ceil(2)..=longest
    }

    /// The number of deliveries (the redrive policy's `maxReceiveCount`) with which a message that keeps failing for a
    /// transient reason has its last delivery no earlier than `give_up_after`, even with the shortest delays. Time spent
    /// in deliveries, and delays that TPNS asks for, come on top. If the first eight deliveries end for lack of time,
    /// the last one is up to four minutes earlier.
    #[must_use]
    pub fn deliveries_for(self, give_up_after: Duration) -> u32 {
        let mut delivery = 1;
        let mut waited = 0;
        while waited < give_up_after.as_secs() {
            waited += u64::from(*self.range(Reason::TpnsUnavailable, delivery).start());
            delivery += 1;
        }
        delivery
    }
}

/// The seconds for which a message is hidden that was delivered often, before it is handled in an invocation with this
/// time left. Until then the invocation has ended, and Lambda has deleted what was acknowledged. If the message ends the
/// process, it is delivered again then instead of after the visibility timeout, and so reaches its last delivery within
/// hours. It does so at another moment than its neighbours, which are then handled without it. `random` is from 0 to 1
/// (excluded).
#[must_use]
pub fn seconds_while_handled(remaining: Duration, random: f64) -> u32 {
    const DELETING: u32 = 10;
    let handled = u32::try_from(remaining.as_secs() + 1).unwrap_or(LONGEST).saturating_add(DELETING);
    let most = handled.saturating_mul(2).min(LONGEST);
    // In range: the factor is at most 1.
    handled.min(LONGEST) + (f64::from(most - handled.min(LONGEST)) * random.clamp(0.0, 1.0)) as u32
}

fn curve(reason: Reason) -> Curve {
    match reason.cause() {
        Cause::Time => Curve::NoTime,
        Cause::Credentials | Cause::AppsDocument => Curve::Refused,
        Cause::Provider if reason == Reason::TpnsNotPaid => Curve::Refused,
        Cause::Event
        | Cause::Trigger
        | Cause::Provider
        | Cause::Ledger
        | Cause::Checks
        | Cause::Neighbour
        | Cause::Bug => Curve::Transient,
    }
}

#[cfg(test)]
mod tests;
