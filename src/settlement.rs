//! From the verdicts on items to the outcomes of the events that shaped them.
//!
//! Events of one device share an item. When TPNS rejects it, only the event that is at fault may fail: the others are
//! returned, to be planned again without it.

use indexmap::IndexMap;

use crate::{
    event::{Change, Device, Event, EventIndex, Kind, ListedAccount, Millis, Version},
    ledger::{DeviceState, Owner, State},
    outcome::{Failure, Outcome, Reason},
    plan::{ItemIndex, Plan, Share, Verdict, Work},
};

/// The outcomes of the events of a round.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// Events that are settled, each once.
    pub settled: Vec<(EventIndex, Outcome)>,
    /// Logins that TPNS rejected, each once, and why. Their devices must lose what they had before.
    pub refused: Vec<(EventIndex, Failure)>,
    /// The others, each once: rounds to run one after the other.
    pub again: Vec<Vec<EventIndex>>,
}

/// A token that TPNS does not know this long after a login is invalid: a fresh install is registered by the phone
/// itself, at the same time as the backend reports its login.
const FRESH: Millis = 120_000;

/// Turns rejections of an unknown token into retries, if the device's newest login is recent.
///
/// This changes the items' verdicts, so that every event that shaped them is redelivered. If one of them were
/// acknowledged, such as a logout from one of the accounts, the login would be redelivered without it.
pub fn wait_for_fresh_tokens(state: &State, plan: &Plan, verdicts: &mut [Verdict], now: Millis) {
    let unknown = |verdict: &Verdict| {
        let reason = verdict.failure().map(|failure| failure.reason);
        let is_unknown = matches!(reason, Some(Reason::TpnsInvalidToken | Reason::TpnsNoToken));
        is_unknown && matches!(verdict, Verdict::Rejected(_))
    };
    if !verdicts.iter().any(unknown) {
        return;
    }
    for (device, known) in &state.devices {
        let is_fresh = known
            .owner()
            .is_some_and(|Owner { version, .. }| version.rank == Kind::Login && now.saturating_sub(version.at) < FRESH);
        let items = plan.items_of(device);
        let binds = |item: ItemIndex| matches!(plan.item(item).work, Work::Bind(..)) && unknown(&verdicts[item.0]);
        if !is_fresh || !items.clone().any(binds) {
            continue;
        }
        for item in items {
            if let Verdict::Rejected(failure) = &verdicts[item.0] {
                let failure = Failure { reason: Reason::TpnsTokenNotYetKnown, ..failure.clone() };
                verdicts[item.0] = Verdict::Retry(failure, None);
            }
        }
    }
}

/// Judges the events of a round, given by index, from the verdicts on the items of its plan.
///
/// A further round always has fewer events, so the rounds come to an end.
#[must_use]
pub fn settlement<'e>(
    round: impl IntoIterator<Item = (EventIndex, &'e Event)>,
    state: &State,
    plan: &Plan,
    verdicts: &[Verdict],
) -> Settlement {
    let round = round.into_iter();
    let mut settlement = Settlement::default();
    settlement.settled.reserve_exact(round.size_hint().0);
    let mut rejected: IndexMap<&Device, Spoilt<'e>> = IndexMap::new();
    for (index, event) in round {
        match (combined(&plan.shares(event), verdicts), event.device()) {
            (Verdict::Rejected(failure), Some(device)) => {
                rejected.entry(device).or_insert_with(|| (Vec::new(), failure.clone())).0.push((index, event));
            }
            (Verdict::Rejected(failure), None) => settlement.settle(index, Outcome::Rejected(failure.clone())),
            (Verdict::Retry(failure, after), _) => {
                settlement.settle(index, Outcome::Retry(failure.clone().retried_after(*after)));
            }
            (Verdict::Misconfigured(failure), _) => settlement.settle(index, Outcome::Misconfigured(failure.clone())),
            (Verdict::Accepted, _) => settlement.settle(index, accepted(event, state, plan)),
        }
    }
    for (device, (events, failure)) in rejected {
        settlement.separate(device, events, &failure, state, plan);
    }
    settlement
}

/// The outcome of an event all of whose items TPNS has accepted.
fn accepted(event: &Event, state: &State, plan: &Plan) -> Outcome {
    if let Some(newer) = state.superseded_by(event) {
        return superseded(event, Some(newer));
    }
    let (device, listed) = match &event.change {
        Change::Logout(device, listed) => (device, listed),
        Change::Login(device, _) if plan.is_unchanged(device) => return Outcome::Unchanged,
        Change::Login(..) | Change::LogoutAll(_) | Change::Deletion(..) => return Outcome::Applied,
    };
    let owner = state.devices.get(device).and_then(DeviceState::owner);
    let is_owners = |listed: &ListedAccount| owner.is_none_or(|owner| owner.has(listed));
    // If the device has no account in the end, what a logout missed is not bound either.
    let keeps_one = plan.items_of(device).any(|item| matches!(plan.item(item).work, Work::Bind(..)));
    if keeps_one && !listed.iter().all(is_owners) { Outcome::AppliedNotBound } else { Outcome::Applied }
}

fn superseded(event: &Event, newer: Option<&Version>) -> Outcome {
    if newer.is_some_and(|newer| newer.at == event.version.at) {
        Outcome::SupersededAtSameTime
    } else {
        Outcome::Superseded
    }
}

/// The events of a device whose item TPNS rejected, and why it did.
type Spoilt<'e> = (Vec<(EventIndex, &'e Event)>, Failure);

/// The verdict on an event: the gravest of its items', and of retries the one for which TPNS asks to wait longest. The
/// rejection of another event's item does not fail it.
fn combined<'v>(shares: &[Share], verdicts: &'v [Verdict]) -> &'v Verdict {
    const ACCEPTED: &Verdict = &Verdict::Accepted;
    const UNKNOWN: &Verdict = &Verdict::Retry(Failure::of(Reason::NotAttempted), None);
    let gravity = |verdict: &&Verdict| match verdict {
        Verdict::Accepted => (0, None),
        Verdict::Rejected(_) => (1, None),
        Verdict::Retry(_, after) => (2, *after),
        Verdict::Misconfigured(_) => (3, None),
    };
    let verdict = |share: &Share| match *share {
        Share::Done => ACCEPTED,
        Share::Own(item) => verdicts.get(item.0).unwrap_or(UNKNOWN),
        Share::Shaped(item) => match verdicts.get(item.0).unwrap_or(UNKNOWN) {
            Verdict::Rejected(_) => ACCEPTED,
            other => other,
        },
    };
    // An event without items would be acknowledged without any effect: there is none, and if there were one, it would
    // fail.
    shares.iter().map(verdict).max_by_key(gravity).unwrap_or(UNKNOWN)
}

impl Settlement {
    fn settle(&mut self, index: EventIndex, outcome: Outcome) {
        self.settled.push((index, outcome));
    }

    /// Finds the event at fault among those of a device whose item was rejected.
    fn separate(
        &mut self,
        device: &Device,
        events: Vec<(EventIndex, &Event)>,
        failure: &Failure,
        state: &State,
        plan: &Plan,
    ) {
        let rejected = || Outcome::Rejected(failure.clone());
        let works = plan.items_of(device).map(|item| &plan.item(item).work);
        let owner = state.devices.get(device).and_then(|known| known.owner());
        let binds = works.clone().any(|work| matches!(work, Work::Bind(..)));
        let unbinds = works.clone().any(|work| matches!(work, Work::Unbind(..)));
        if failure.reason == Reason::TpnsInvalidToken && !binds {
            // All of them name the token, so each of them would be rejected.
            for (index, _) in events {
                self.settle(index, rejected());
            }
        } else if unbinds && !binds && events.len() > 1 {
            // Any of the logouts may hold the account that TPNS refuses: half by half.
            let half = events.len() / 2;
            for (place, (index, _)) in events.into_iter().enumerate() {
                self.run_again(usize::from(place >= half), index);
            }
        } else if binds {
            // The newest login is at fault, or a logout whose account TPNS refuses to unbind: then there is no login here.
            // Older logins stay superseded by it nevertheless: the accounts that were
            // signed in before are not signed in now. Logouts must have their effect.
            for (index, event) in events {
                match &event.change {
                    Change::Login(..) if owner.is_some_and(|owner| owner.version > event.version) => {
                        self.settle(index, superseded(event, owner.map(|owner| &owner.version)));
                    }
                    Change::Logout(..) | Change::LogoutAll(_) => self.run_again(0, index),
                    Change::Login(..) => self.refused.push((index, failure.clone())),
                    Change::Deletion(..) => self.settle(index, rejected()),
                }
            }
        } else {
            // One logout alone, or an operator_type 4, which names nothing but the token all of them name.
            for (index, _) in events {
                self.settle(index, rejected());
            }
        }
    }

    fn run_again(&mut self, turn: usize, index: EventIndex) {
        if self.again.len() <= turn {
            self.again.resize_with(turn + 1, Vec::new);
        }
        self.again[turn].push(index);
    }
}

#[cfg(test)]
mod tests;
