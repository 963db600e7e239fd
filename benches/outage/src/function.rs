//! The function: how long an invocation takes, which calls it makes, which events it applies, and after how long the
//! others are delivered again.

use std::ops::RangeInclusive;

use fastrand::Rng;
use tpns_account_sync::{outcome::Reason, redelivery_delay::RedeliveryDelays};

use crate::{
    Ms,
    messages::Kind,
    scenario::{Fault, SECOND, Scenario, Timing},
};

/// TPNS's latency.
pub(crate) const TPNS: Ms = 50;
/// What the ledger adds to a batch, and the function's own time (docs/cost.md).
pub(crate) const LEDGER: Ms = 18;
pub(crate) const OWN: Ms = 1;
/// `ChangeMessageVisibilityBatch`.
pub(crate) const CHANGE: Ms = 10;
/// After this time a batch gives up on a table that does not answer.
pub(crate) const TABLE_DOWN: Ms = SECOND;
/// `TPNS_MAX_ATTEMPTS`, and the longest pause after the first try, which doubles (src/tpns/push.rs).
const ATTEMPTS: u32 = 3;
const FIRST_PAUSE: f64 = 100.0;
/// The queue's visibility timeout.
pub(crate) const VISIBILITY: Ms = 180 * SECOND;

/// The first delivery with the longest delays; a test compares.
const LAST_DIFFERENT: u32 = 16;

pub(crate) const MOST_APPS: usize = 4;

/// An app is not called for a while after this many calls that failed one after the other, if they were made in at
/// least two invocations (src/tpns/breaker.rs).
const FAILURES: u32 = 3;

/// What stays in a process between invocations: what earlier calls showed of each app.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sandbox {
    invocations: u32,
    failing: [Option<Failing>; MOST_APPS],
}

/// An app whose last call failed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Failing {
    calls: u32,
    /// The invocations of the first and of the last of them.
    since: u32,
    until: u32,
    last: Ms,
}

impl Failing {
    fn is_outage(self) -> bool {
        self.calls >= FAILURES && self.since != self.until
    }
}

/// An invocation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Invocation {
    pub(crate) ends: Ms,
    pub(crate) calls: u32,
    pub(crate) first_call: Ms,
    /// Whether the events were merged into the ledger.
    pub(crate) merged: bool,
    /// Why each app's events failed.
    pub(crate) failed: [Option<Reason>; MOST_APPS],
}

/// The events of a batch, as far as the function's calls depend on them: logins and unbinds of each app.
pub(crate) type Events = [[u32; 2]; MOST_APPS];

pub(crate) fn count(events: &mut Events, app: usize, kind: Kind) {
    events[app][usize::from(kind == Kind::Unbind)] += 1;
}

impl Sandbox {
    pub(crate) fn invoke(&mut self, now: Ms, events: &Events, scenario: &Scenario, rng: &mut Rng) -> Invocation {
        self.invocations += 1;
        let mut invocation =
            Invocation { ends: now + OWN, calls: 0, first_call: now, merged: true, failed: [None; MOST_APPS] };
        if scenario.ledger {
            if scenario.is_on(now, |fault| fault == Fault::TableDown) {
                invocation.ends += TABLE_DOWN;
                invocation.merged = false;
                invocation.failed = [Some(Reason::LedgerUnreachable); MOST_APPS];
            } else {
                invocation.ends += LEDGER;
            }
        }
        if invocation.merged {
            invocation.first_call = invocation.ends;
            for (app, kinds) in events.iter().enumerate() {
                // One call for each `operator_type`: a batch of ten fits into one.
                let calls = kinds.iter().filter(|count| **count > 0).count() as u32;
                if calls > 0 {
                    self.push(app, calls, &mut invocation, scenario, rng);
                }
            }
        }
        let changes = (events.iter().zip(invocation.failed)).any(|(kinds, why)| why.is_some() && *kinds != [0, 0]);
        if changes && scenario.timing != Timing::Old {
            invocation.ends += CHANGE;
        }
        invocation
    }

    /// The calls of an app, side by side with those of other apps.
    fn push(&mut self, app: usize, calls: u32, invocation: &mut Invocation, scenario: &Scenario, rng: &mut Rng) {
        let mut now = invocation.first_call;
        for attempt in 0..ATTEMPTS {
            let outage = self.failing[app].filter(|failing| failing.is_outage());
            let is_probe = outage.is_some() && scenario.timing != Timing::Old;
            if is_probe && outage.is_some_and(|outage| now < outage.last + scenario.probe_interval) {
                break;
            }
            let made = if is_probe { 1 } else { calls };
            invocation.calls += made;
            if scenario.is_on(now, |fault| fault == Fault::WrongKey) {
                // The app gets no more calls in this invocation. It was an answer.
                invocation.calls -= made - 1;
                invocation.failed[app] = Some(Reason::TpnsAuthFailed);
                invocation.ends = invocation.ends.max(now + TPNS);
                return;
            }
            let Some(after) = down(scenario, now) else {
                self.failing[app] = None;
                // What a probe did not carry follows it.
                invocation.calls += calls - made;
                now += if made < calls { 2 * TPNS } else { TPNS };
                invocation.ends = invocation.ends.max(now);
                return;
            };
            now += after;
            invocation.ends = invocation.ends.max(now);
            let before = self.failing[app];
            self.failing[app] = Some(Failing {
                calls: before.map_or(0, |before| before.calls) + made,
                since: before.map_or(self.invocations, |before| before.since),
                until: self.invocations,
                last: now,
            });
            now += (rng.f64() * FIRST_PAUSE * f64::from(1 << attempt)) as Ms;
        }
        invocation.failed[app] = Some(Reason::TpnsUnavailable);
    }
}

/// After how long a call fails that begins now.
fn down(scenario: &Scenario, now: Ms) -> Option<Ms> {
    scenario.outage.filter(|outage| outage.is_on(now)).and_then(|outage| match outage.fault {
        Fault::TpnsDown { after } => Some(after),
        Fault::TableDown | Fault::WrongKey => None,
    })
}

/// The product's delays, as a table: a day's outage looks up a hundred million.
#[derive(Debug)]
pub(crate) struct Delays {
    transient: Vec<RangeInclusive<u32>>,
    refused: Vec<RangeInclusive<u32>>,
}

impl Delays {
    pub(crate) fn new() -> Self {
        // From then on all are the same.
        let of =
            |reason| (1..=LAST_DIFFERENT).map(|delivery| RedeliveryDelays::DEFAULT.range(reason, delivery)).collect();
        Self { transient: of(Reason::TpnsUnavailable), refused: of(Reason::TpnsAuthFailed) }
    }

    /// The seconds after which a message is delivered again.
    pub(crate) fn seconds(&self, why: Reason, delivery: u16, rng: &mut Rng) -> u32 {
        let ranges = if why == Reason::TpnsAuthFailed { &self.refused } else { &self.transient };
        rng.u32(ranges[usize::from(delivery.clamp(1, LAST_DIFFERENT as u16)) - 1].clone())
    }

    /// When a message is visible again that was received and has failed at these times.
    pub(crate) fn visible_again(
        &self,
        timing: Timing,
        times: [Ms; 2],
        why: Reason,
        delivery: u16,
        rng: &mut Rng,
    ) -> Ms {
        let [received, failed] = times;
        match timing {
            Timing::Old => received + VISIBILITY,
            Timing::New { .. } => failed + SECOND * self.seconds(why, delivery, rng),
        }
    }
}

#[cfg(test)]
mod tests;
