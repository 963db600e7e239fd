//! What is simulated: traffic, settings and a fault.

use std::time::Duration;

use tpns_account_sync::redelivery_delay::RedeliveryDelays;

use crate::{Ms, queue::Order};

pub(crate) const SECOND: Ms = 1_000;
pub(crate) const MINUTE: Ms = 60 * SECOND;
pub(crate) const HOUR: Ms = 60 * MINUTE;

/// When a failed message is delivered again, and how often.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Timing {
    /// After the queue's visibility timeout, five times. TPNS is called for each.
    Old,
    /// After the function's delays, for `GiveUpAfter`. While TPNS is down a sandbox makes few calls.
    New { give_up_after: Duration },
}

impl Timing {
    pub(crate) const NEW: Self = Self::New { give_up_after: Duration::from_secs(24 * 3600) };

    /// The redrive policy's `maxReceiveCount`.
    pub(crate) fn deliveries(self) -> u16 {
        match self {
            Self::Old => 5,
            Self::New { give_up_after } => {
                u16::try_from(RedeliveryDelays::DEFAULT.deliveries_for(give_up_after)).unwrap_or(u16::MAX)
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// TPNS answers 503, or does not answer; a call fails after this time.
    TpnsDown { after: Ms },
    /// DynamoDB does not answer.
    TableDown,
    /// TPNS refuses the keys in the apps document.
    WrongKey,
}

/// A fault between two times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Outage {
    pub(crate) fault: Fault,
    pub(crate) from: Ms,
    pub(crate) until: Ms,
}

impl Outage {
    pub(crate) fn is_on(&self, now: Ms) -> bool {
        (self.from..self.until).contains(&now)
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) seed: u64,
    pub(crate) events_per_second: f64,
    /// Share of logouts and deletions.
    pub(crate) unbinds: f64,
    /// Logins in the queue at the beginning.
    pub(crate) waiting: u32,
    pub(crate) devices: u32,
    pub(crate) apps: usize,
    /// Events are sent for at least this time, and until everything is settled that was sent before the end of the
    /// outage.
    pub(crate) length: Ms,
    pub(crate) outage: Option<Outage>,
    pub(crate) timing: Timing,
    /// `TPNS_PROBE_INTERVAL`: the longest pause between two calls of a sandbox.
    pub(crate) probe_interval: Ms,
    /// Whether unbinds have a queue and an event source mapping of their own.
    pub(crate) lane: bool,
    pub(crate) ledger: bool,
    /// `MaximumConcurrency`, which the lanes share.
    pub(crate) concurrency: usize,
    pub(crate) order: Order,
    /// Whether invocations go around all sandboxes, instead of to the one that was used last.
    pub(crate) spread: bool,
}

impl Scenario {
    /// The template's defaults at 200 events/s, of which 2 % are unbinds, without an outage.
    pub(crate) const DEFAULT: Self = Self {
        name: "default",
        seed: 14,
        events_per_second: 200.0,
        unbinds: 0.02,
        waiting: 0,
        devices: 1_000_000,
        apps: 2,
        length: 10 * MINUTE,
        outage: None,
        timing: Timing::NEW,
        probe_interval: 30 * SECOND,
        lane: true,
        ledger: true,
        concurrency: 10,
        order: Order::Visible,
        spread: false,
    };

    /// Concurrent batches of the main queue and of the unbind lane: three fifths and two fifths, as in the template.
    pub(crate) fn concurrency_of_lanes(&self) -> Vec<usize> {
        let unbinds = self.concurrency * 2 / 5;
        if self.lane { vec![self.concurrency - unbinds, unbinds] } else { vec![self.concurrency] }
    }

    pub(crate) fn is_on(&self, now: Ms, fault: impl Fn(Fault) -> bool) -> bool {
        self.outage.is_some_and(|outage| outage.is_on(now) && fault(outage.fault))
    }

    /// The end of the outage; the beginning without one.
    pub(crate) fn recovery(&self) -> Ms {
        self.outage.map_or(0, |outage| outage.until)
    }
}
