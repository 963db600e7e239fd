//! What a simulation counts.

use serde::Serialize;

use crate::{
    Ms,
    function::Invocation,
    messages::{Kind, Message, Messages, State},
    scenario::{MINUTE, Scenario},
};

/// Requests to SQS, apart from the producers'.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Requests {
    pub(crate) receives: u64,
    pub(crate) deletes: u64,
    pub(crate) changes: u64,
}

/// An unbind that was applied, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Unbind {
    pub(crate) sent: Ms,
    pub(crate) late: Ms,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Results {
    pub(crate) name: &'static str,
    pub(crate) sent: u64,
    pub(crate) sent_in_outage: u64,
    pub(crate) sent_unbinds: usize,
    pub(crate) applied: u64,
    pub(crate) dead_lettered: u64,
    pub(crate) expired: u64,
    /// Neither applied nor in a queue nor dead-lettered at the end.
    pub(crate) lost: u64,
    /// Messages that ended a second time.
    pub(crate) twice: u64,
    /// Older events that were settled by the state of a newer one.
    pub(crate) superseded: u64,
    /// Calls that replaced a newer state by an older one.
    pub(crate) stale: u64,
    /// From the end of the outage until the last event that was sent before it is applied, in milliseconds.
    pub(crate) last_unbind: Option<Ms>,
    pub(crate) last_login: Option<Ms>,
    /// Calls to TPNS, in each minute of the outage.
    pub(crate) calls: Vec<u32>,
    pub(crate) sqs: Requests,
    /// Invocations that applied nothing, and their time.
    pub(crate) failed_invocations: u64,
    pub(crate) failed_ms: u64,
    pub(crate) deliveries: u64,
    pub(crate) failed_deliveries: u64,
    /// Of each lane.
    pub(crate) most_in_flight: Vec<usize>,
    pub(crate) sandboxes: usize,
    #[serde(skip)]
    pub(crate) unbinds: Vec<Unbind>,
    /// When the unbinds were sent that were dead-lettered.
    #[serde(skip)]
    pub(crate) dead_unbinds: Vec<Ms>,
    #[serde(skip)]
    recovery: Ms,
    #[serde(skip)]
    outage: Option<(Ms, Ms)>,
}

impl Results {
    pub(crate) fn new(scenario: &Scenario) -> Self {
        Self {
            name: scenario.name,
            sent: 0,
            sent_in_outage: 0,
            sent_unbinds: 0,
            applied: 0,
            dead_lettered: 0,
            expired: 0,
            lost: 0,
            twice: 0,
            superseded: 0,
            stale: 0,
            last_unbind: None,
            last_login: None,
            calls: Vec::new(),
            sqs: Requests::default(),
            failed_invocations: 0,
            failed_ms: 0,
            deliveries: 0,
            failed_deliveries: 0,
            most_in_flight: Vec::new(),
            sandboxes: 0,
            unbinds: Vec::new(),
            dead_unbinds: Vec::new(),
            recovery: scenario.recovery(),
            outage: scenario.outage.map(|outage| (outage.from, outage.until)),
        }
    }

    pub(crate) fn count_sent(&mut self, now: Ms, kind: Kind) {
        self.sent += 1;
        self.sent_unbinds += usize::from(kind == Kind::Unbind);
        self.sent_in_outage += u64::from(self.outage.is_some_and(|(from, until)| (from..until).contains(&now)));
    }

    pub(crate) fn count_invocation(&mut self, invocation: &Invocation, messages: usize) {
        self.deliveries += messages as u64;
        let at = invocation.first_call;
        if let Some((from, until)) = self.outage
            && (from..until).contains(&at)
        {
            self.calls.resize((until - from).div_ceil(MINUTE) as usize, 0);
            self.calls[((at - from) / MINUTE) as usize] += invocation.calls;
        }
    }

    /// An invocation that took this time has applied nothing.
    pub(crate) fn count_failed_invocation(&mut self, took: Ms) {
        self.failed_invocations += 1;
        self.failed_ms += u64::from(took);
    }

    /// A message has ended. `is_first`: it had not ended before.
    pub(crate) fn count_end(&mut self, messages: &Messages, message: Message, state: State, now: Ms, is_first: bool) {
        self.twice += u64::from(!is_first);
        let (sent, kind) = (messages.sent(message), messages.kind(message));
        match state {
            State::Queued | State::Merged => return,
            State::DeadLettered => {
                self.dead_lettered += 1;
                if kind == Kind::Unbind {
                    self.dead_unbinds.push(sent);
                }
                return;
            }
            State::Expired => {
                self.expired += 1;
                return;
            }
            State::Applied => self.applied += 1,
        }
        if kind == Kind::Unbind {
            self.unbinds.push(Unbind { sent, late: now - sent });
        }
        if sent < self.recovery {
            let last = if kind == Kind::Unbind { &mut self.last_unbind } else { &mut self.last_login };
            *last = (*last).max(Some(now.saturating_sub(self.recovery)));
        }
    }

    /// The lateness of the unbinds that were sent between two times: median, 99th percentile and maximum, in
    /// milliseconds.
    pub(crate) fn lateness(&self, from: Ms, until: Ms) -> Option<[Ms; 3]> {
        let sent = self.unbinds.iter().filter(|unbind| (from..until).contains(&unbind.sent));
        percentiles(sent.map(|unbind| unbind.late).collect())
    }

    /// The most calls to TPNS in a minute of the outage, and the mean of all minutes.
    pub(crate) fn calls_a_minute(&self) -> (u32, f64) {
        let most = self.calls.iter().max().copied().unwrap_or_default();
        let sum: u64 = self.calls.iter().map(|calls| u64::from(*calls)).sum();
        (most, sum as f64 / self.calls.len().max(1) as f64)
    }
}

/// Median, 99th percentile and maximum.
pub(crate) fn percentiles(mut values: Vec<Ms>) -> Option<[Ms; 3]> {
    values.sort_unstable();
    let at = |share: f64| values.get((values.len().saturating_sub(1) as f64 * share).round() as usize).copied();
    Some([at(0.5)?, at(0.99)?, at(1.0)?])
}
