//! plan -> tpns -> settlement for the events of a slice, in rounds, until each is settled.
//!
//! The first round has all of them. A further round has the events whose item TPNS rejected because of another event,
//! without that one; or those whose device another invocation has changed meanwhile, with its current state.

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet, VecDeque},
    mem,
    pin::pin,
    rc::Rc,
};

use futures_util::{StreamExt, future::join, stream::FuturesUnordered};
use indexmap::IndexSet;

use super::{Push, Settling, pace::UnderWay};
use crate::{
    event::{Change, Device, Event, EventIndex, Version},
    ledger::{AccountKey, FailedRows, KnownState, RowError, Rows, State},
    outcome::{Failure, Outcome, Reason},
    plan::{ItemIndex, Plan, Share, Verdict, plan},
    redelivery::Redelivered,
    settlement::{settlement, wait_for_fresh_tokens},
    tpns::{Deadline, Verdicts},
};

/// How often a device that other invocations change is pushed again within an invocation.
const MOST_REPEATS: u32 = 3;
/// How often a deletion is delivered whose query fails, before its operator_type 5 is sent without.
const MOST_QUERIES: u32 = 10;
/// What is pushed takes effect later, if at all: an event without a check is not complete.
const CHECK_NOT_SENT: Outcome = Outcome::Retry(Failure::new(
    Reason::CheckNotSent,
    "CHECK_QUEUE_URL: its check could not be sent (an ERROR line says why), or a deletion could not ask who has the account",
));

/// Events to settle together, by their places among all.
pub(super) struct Round {
    places: Vec<EventIndex>,
    start: Start,
}

enum Start {
    /// The known state of the events' devices: after the merge, or as another invocation left it.
    FromLedger(Rc<KnownState>, u32),
    /// These events alone, since the rest of the known state has been rejected. It must stay as it was.
    Alone(Rc<KnownState>, u32),
    /// Logins that TPNS rejected, and why, in the order of the places: the accounts that were bound before must be
    /// removed nevertheless. The rows must stay as they were.
    Refused(Rc<KnownState>, u32, Vec<Failure>),
}

/// A round under way.
struct Going<'a, R: Rows, P: Push> {
    all: &'a Settling<'a, R, P>,
    known: Rc<KnownState>,
    repeats: u32,
    refused: HashMap<EventIndex, Failure>,
    /// What is pushed, if it is not the known state.
    alone: Option<State>,
    plan: Plan,
    verdicts: Verdicts,
    /// Deletions that the ledger has recorded as accepted.
    noted: RefCell<HashSet<AccountKey>>,
}

impl<R: Rows, P: Push> Settling<'_, R, P> {
    /// Settles the events of a slice.
    pub(super) async fn slice(
        &self,
        places: Vec<EventIndex>,
        mut known: KnownState,
        deadline: Option<Deadline>,
        under_way: UnderWay<'_>,
    ) {
        if self.ledger.is_checked() && known.state.deleted.values().any(|deletion| deletion.due) {
            self.spare_newer(&places, &mut known, deadline).await;
        }
        let first = Round { places, start: Start::FromLedger(Rc::new(known), 0) };
        let mut rounds = VecDeque::from([first]);
        while let Some(round) = rounds.pop_front() {
            rounds.extend(self.round(round, deadline, &under_way).await);
        }
    }

    /// An operator_type 5 takes the account from every device, also from one that a newer login gave it to. Such devices
    /// are looked for first: their checks are sent, and they are bound again behind it. A deletion for which they can't
    /// be found is retried; after [`MOST_QUERIES`] deliveries it goes on without, since someone's messages must not wait
    /// for a query that never succeeds.
    async fn spare_newer(&self, places: &[EventIndex], known: &mut KnownState, deadline: Option<Deadline>) {
        let due: Vec<_> = known.state.deleted.iter().filter(|(_, deletion)| deletion.due).collect();
        let due: Vec<_> = due.into_iter().map(|(key, _)| key.clone()).collect();
        let found = self.tpns.devices_of(&due, deadline).await;
        let impatient = self.delivered_often(places);
        for key in due.iter().filter(|key| !matches!(found.get(*key), Some(Ok(_))) && !impatient.contains(*key)) {
            hold(known, key);
        }
        let others: IndexSet<_> = found.values().flatten().flatten().cloned().collect();
        let others: Vec<_> = others.into_iter().filter(|device| !known.state.devices.contains_key(device)).collect();
        if others.is_empty() {
            return;
        }
        let (mut rows, _) = self.ledger.look(&others, &[]).await;
        for (key, devices) in &found {
            if devices.iter().flatten().any(|device| rows.failed.device(device).is_some()) {
                hold(known, key);
            }
        }
        let is_newer = |key: &AccountKey, device: &Device| {
            let row = rows.state.devices.get(device);
            let owner = row.and_then(|row| Some((row, row.owner()?)));
            owner.is_some_and(|(row, owner)| {
                owner.accounts().any(|account| account == key.account)
                    && !row.is_unbound(&key.account)
                    && known.state.deletion_after(key, &owner.version).is_none()
            })
        };
        let pairs = found.iter().flat_map(|(key, devices)| devices.iter().flatten().map(move |device| (key, device)));
        let newer: Vec<_> = pairs.filter(|(key, device)| is_newer(key, device)).collect();
        let devices: IndexSet<_> = newer.iter().map(|(_, device)| (*device).clone()).collect();
        let devices: Vec<_> = devices.into_iter().collect();
        let unsent = self.ledger.send_checks(&devices).await;
        for (key, device) in newer {
            if unsent.devices.contains(device) {
                // No check would bind it again.
                hold(known, key);
            }
        }
        rows.state.devices.retain(|device, _| devices.contains(device));
        known.state.devices.extend(rows.state.devices);
        for (key, deletion) in rows.state.deleted {
            known.state.deleted.entry(key).or_insert(deletion);
        }
    }

    /// The accounts of deletions that were delivered [`MOST_QUERIES`] times.
    fn delivered_often(&self, places: &[EventIndex]) -> HashSet<AccountKey> {
        let often = places.iter().map(|&place| self.event(place)).filter(|event| event.deliveries >= MOST_QUERIES);
        let keys = often.filter_map(|event| match &event.change {
            Change::Deletion(apps, accounts) => Some(AccountKey::each(apps, accounts)),
            _ => None,
        });
        keys.flatten().collect()
    }

    /// Returns the rounds that must follow.
    async fn round(
        &self,
        Round { mut places, start }: Round,
        deadline: Option<Deadline>,
        under_way: &UnderWay<'_>,
    ) -> Vec<Round> {
        let own = || State::of(places.iter().map(|&place| self.event(place)));
        let (known, alone, repeats, refused) = match start {
            Start::FromLedger(known, repeats) => (known, None, repeats, HashMap::new()),
            Start::Alone(known, repeats) => (known, Some(own()), repeats, HashMap::new()),
            Start::Refused(known, repeats, failures) => {
                let refused: HashMap<_, _> = places.iter().copied().zip(failures).collect();
                (known, Some(own().without_logins()), repeats, refused)
            }
        };
        places.retain(|&place| match known.failed.of(self.event(place)) {
            Some(row_error) => {
                self.settle(place, Outcome::Retry(row_error.into()));
                false
            }
            None => true,
        });
        let events = places.iter().map(|&place| (place, self.event(place)));
        let plan = plan(alone.as_ref().unwrap_or(&known.state), &Redelivered::of(events, &self.part.alone));
        let verdicts = Verdicts::new(plan.items.len());
        let going = Going { all: self, known, repeats, refused, alone, plan, verdicts, noted: RefCell::default() };

        let mut push = pin!(self.tpns.push(&going.plan, &going.verdicts, deadline));
        let mut is_pushed = false;
        let mut concluding = FuturesUnordered::new();
        let mut further = Vec::new();
        loop {
            tokio::select! {
                biased;
                () = &mut push, if !is_pushed => {
                    is_pushed = true;
                    concluding.push(going.conclude(mem::take(&mut places)));
                }
                Some(rounds) = concluding.next(), if !concluding.is_empty() => further.extend(rounds),
                // Some call hangs: what does not depend on it is settled while there is time.
                () = self.tpns.quiet(&going.verdicts), if !is_pushed && concluding.is_empty() => {
                    under_way.hangs();
                    let (clear, open) = places.into_iter().partition(|&place| going.is_clear(place));
                    places = open;
                    concluding.push(going.conclude(clear));
                }
                else => return further,
            }
        }
    }
}

/// No operator_type 5 in this invocation.
fn hold(known: &mut KnownState, key: &AccountKey) {
    known.unchecked.deletions.insert(key.clone());
    if let Some(deletion) = known.state.deleted.get_mut(key) {
        deletion.due = false;
    }
}

impl<R: Rows, P: Push> Going<'_, R, P> {
    fn state(&self) -> &State {
        self.alone.as_ref().unwrap_or(&self.known.state)
    }

    fn event(&self, place: EventIndex) -> &Event {
        self.all.event(place)
    }

    /// Whether all that an event depends on has its verdict.
    fn is_clear(&self, place: EventIndex) -> bool {
        self.plan.shares(self.event(place)).into_iter().all(|share| match share {
            Share::Own(item) | Share::Shaped(item) => self.verdicts.is_final(item),
            Share::Done => true,
        })
    }

    /// Settles events whose items have their verdicts, as far as TPNS and the ledger allow. Returns the rounds for the
    /// others.
    async fn conclude(&self, places: Vec<EventIndex>) -> Vec<Round> {
        let mut verdicts = self.verdicts.all();
        wait_for_fresh_tokens(self.state(), &self.plan, &mut verdicts, self.all.now);
        let events = places.iter().map(|&place| (place, self.event(place)));
        let settlement = settlement(events, self.state(), &self.plan, &verdicts);

        // A pushed event is not settled yet: TPNS may have applied an older call of another invocation after ours, and
        // that invocation has not verified its rows yet.
        let touched = settlement.settled.iter().filter(|(_, outcome)| is_done(outcome));
        let touched: IndexSet<_> = touched.filter_map(|&(place, _)| self.event(place).device().cloned()).collect();
        let touched: Vec<_> = touched.into_iter().collect();
        let accepted = self.accepted(&verdicts);
        let ledger = self.all.ledger;
        let (unnoted, mut latest) = join(ledger.accept(&accepted), ledger.verify(&self.known, &touched)).await;
        self.note(&accepted, &unnoted);

        let mut changed = Vec::new();
        for (place, outcome) in settlement.settled {
            let outcome = match (self.refused.get(&place), outcome) {
                (Some(failure), Outcome::Applied | Outcome::Rejected(_)) => Outcome::Rejected(failure.clone()),
                (_, outcome) => outcome,
            };
            let event = self.event(place);
            let row_error = latest.failed.of(event).or_else(|| unnoted.of(event));
            let moved = || event.device().is_some_and(|device| latest.state.devices.contains_key(device));
            match row_error {
                _ if !is_done(&outcome) => self.all.settle(place, outcome),
                Some(row_error) => self.all.settle(place, Outcome::Retry(row_error.into())),
                None if !moved() && self.known.unchecked.has(event) && outcome.is_acknowledged() => {
                    self.all.settle(place, CHECK_NOT_SENT);
                }
                None if !moved() => self.all.settle(place, outcome),
                None if self.repeats == MOST_REPEATS => {
                    self.all.settle(place, Outcome::Retry(RowError::KeepsChanging.into()));
                }
                None => changed.push(place),
            }
        }
        let mut rounds = Vec::new();
        if !changed.is_empty() {
            latest.unchecked = self.known.unchecked.clone();
            rounds.push(Round { places: changed, start: Start::FromLedger(Rc::new(latest), self.repeats + 1) });
        }
        if !settlement.refused.is_empty() {
            let (places, failures) = settlement.refused.into_iter().unzip();
            rounds.push(Round { places, start: Start::Refused(self.known.clone(), self.repeats, failures) });
        }
        let again = settlement.again.into_iter();
        rounds.extend(again.map(|places| Round { places, start: Start::Alone(self.known.clone(), self.repeats) }));
        rounds
    }

    /// The deletions that TPNS has accepted in this round, and that are not noted yet.
    fn accepted(&self, verdicts: &[Verdict]) -> Vec<(&AccountKey, &Version)> {
        let is_accepted = |item: ItemIndex| verdicts.get(item.0) == Some(&Verdict::Accepted);
        let noted = self.noted.borrow();
        let deleted = self.state().deleted.iter().filter(|(key, _)| !noted.contains(*key));
        let accepted = deleted.filter(|(key, _)| self.plan.deletion_of(key).is_some_and(is_accepted));
        accepted.map(|(key, deletion)| (key, &deletion.version)).collect()
    }

    fn note(&self, accepted: &[(&AccountKey, &Version)], unnoted: &FailedRows) {
        let noted = accepted.iter().map(|(key, _)| *key).filter(|key| !unnoted.has_deletion(key));
        self.noted.borrow_mut().extend(noted.cloned());
    }
}

/// Whether an event is not redelivered.
fn is_done(outcome: &Outcome) -> bool {
    !outcome.is_redelivered()
}
