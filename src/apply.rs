//! ledger -> plan -> tpns -> fate, in rounds, until each event of a batch is settled.
//!
//! The first round has all events. A further one has those whose item TPNS rejected for another event's fault, without
//! that one; or those whose device another invocation has changed meanwhile, as it is now.

use std::{
    collections::{HashMap, VecDeque},
    rc::Rc,
};

use futures_util::future::join;
use indexmap::IndexSet;

use crate::{
    event::{Event, Millis, Version},
    fate::{fates, wait_for_fresh_tokens},
    ledger::{AccountKey, Known, Ledger, Rows, State, Trouble},
    plan::{Plan, plan},
    report::Outcome,
    tpns::{Pushed, Tpns, Verdict, Why},
};

/// How often a device that others change is pushed again within an invocation.
const MOST_REPEATS: u32 = 3;

/// Something that carries out plans: TPNS, or what stands in its place in the search.
#[expect(async_fn_in_trait, reason = "an invocation runs on one thread")]
pub trait Push {
    /// Carries out a plan and says of each item what became of it.
    async fn push(&self, plan: &Plan) -> Pushed;
}

impl Push for Tpns<'_> {
    async fn push(&self, plan: &Plan) -> Pushed {
        Self::push(self, plan).await
    }
}

/// Events to settle together, by their places among all.
struct Round {
    places: Vec<usize>,
    start: Start,
}

enum Start {
    /// What is known of the events' devices: after the merge, or as another invocation left them.
    Known(Rc<Known>, u32),
    /// The events for themselves, since what is known besides has been rejected. It must stay as it was.
    Alone(Rc<Known>, u32),
    /// Logins that TPNS rejected, and why, in the order of the places: the accounts that were bound before are to go all
    /// the same. The rows must stay as they were.
    Refused(Rc<Known>, u32, Vec<Why>),
}

/// Merges and settles events, given with their messages' indices, and writes what became of them to `outcomes`. `now` is
/// the clock when the batch arrived.
pub async fn apply<R: Rows>(
    ledger: &Ledger<R>,
    tpns: &impl Push,
    events: &[(usize, Event)],
    now: Millis,
    outcomes: &mut [Outcome],
) {
    let known = merge(ledger, events).await;
    settle(ledger, tpns, events, known, now, outcomes).await;
}

/// The first step of [`apply`]: adds what the events say to the ledger. Doing it twice changes nothing.
pub async fn merge<R: Rows>(ledger: &Ledger<R>, events: &[(usize, Event)]) -> Known {
    ledger.merge(State::of(events.iter().map(|(_, event)| event))).await
}

/// The others: settles events that have been merged.
pub async fn settle<R: Rows>(
    ledger: &Ledger<R>,
    tpns: &impl Push,
    events: &[(usize, Event)],
    known: Known,
    now: Millis,
    outcomes: &mut [Outcome],
) {
    let all = Round { places: (0..events.len()).collect(), start: Start::Known(Rc::new(known), 0) };
    let mut rounds = VecDeque::from([all]);
    while let Some(Round { mut places, start }) = rounds.pop_front() {
        let mut settle = |place: usize, outcome: Outcome| outcomes[events[place].0] = outcome;
        let event = |place: usize| &events[place].1;
        let said = || State::of(places.iter().map(|&place| event(place)));
        let (known, alone, repeats, refused) = match start {
            Start::Known(known, repeats) => (known, None, repeats, HashMap::new()),
            Start::Alone(known, repeats) => (known, Some(said()), repeats, HashMap::new()),
            Start::Refused(known, repeats, why) => {
                let refused: HashMap<_, _> = places.iter().copied().zip(why).collect();
                (known, Some(said().without_logins()), repeats, refused)
            }
        };
        places.retain(|&place| match known.troubled.of(event(place)) {
            Some(trouble) => {
                settle(place, Outcome::Retry(trouble.into()));
                false
            }
            None => true,
        });
        let state = alone.as_ref().unwrap_or(&known.state);
        let plan = plan(state);
        let mut verdicts = tpns.push(&plan).await;
        wait_for_fresh_tokens(state, &plan, &mut verdicts, now);
        let fates = fates(places.iter().map(|&place| (place, event(place))), state, &plan, &verdicts);

        // Pushed is not yet settled: an older call of another invocation may have landed later than ours, and whoever
        // made it has not looked yet.
        let touched = fates.settled.iter().filter(|(_, outcome)| is_done(outcome));
        let touched: IndexSet<_> = touched.filter_map(|&(place, _)| event(place).device().cloned()).collect();
        let touched: Vec<_> = touched.into_iter().collect();
        let accepted = accepted(state, &plan, &verdicts);
        let (unnoted, latest) = join(ledger.accept(&accepted), ledger.verify(&known, &touched)).await;

        let mut changed = Vec::new();
        for (place, outcome) in fates.settled {
            let outcome = match (refused.get(&place), outcome) {
                (Some(&why), Outcome::Applied | Outcome::Rejected(_)) => Outcome::Rejected(why.into()),
                (_, outcome) => outcome,
            };
            let trouble = latest.troubled.of(event(place)).or_else(|| unnoted.of(event(place)));
            let moved = || event(place).device().is_some_and(|device| latest.state.devices.contains_key(device));
            match trouble {
                _ if !is_done(&outcome) => settle(place, outcome),
                Some(trouble) => settle(place, Outcome::Retry(trouble.into())),
                None if !moved() => settle(place, outcome),
                None if repeats == MOST_REPEATS => settle(place, Outcome::Retry(Trouble::KeepsChanging.into())),
                None => changed.push(place),
            }
        }
        if !changed.is_empty() {
            rounds.push_back(Round { places: changed, start: Start::Known(Rc::new(latest), repeats + 1) });
        }
        if !fates.refused.is_empty() {
            let (places, why) = fates.refused.into_iter().unzip();
            rounds.push_back(Round { places, start: Start::Refused(known.clone(), repeats, why) });
        }
        rounds.extend(
            fates.again.into_iter().map(|places| Round { places, start: Start::Alone(known.clone(), repeats) }),
        );
    }
}

/// Whether an event does not come again.
fn is_done(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Retry(_) | Outcome::Misconfigured(_))
}

/// The deletions that TPNS has accepted in this round.
fn accepted<'s>(state: &'s State, plan: &Plan, verdicts: &[Verdict]) -> Vec<(&'s AccountKey, &'s Version)> {
    let is_accepted = |item: usize| verdicts.get(item) == Some(&Verdict::Accepted);
    let deleted = state.deleted.iter();
    let accepted = deleted.filter(|(key, _)| plan.deletion_of(key).is_some_and(is_accepted));
    accepted.map(|(key, deletion)| (key, &deletion.version)).collect()
}
