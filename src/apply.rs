//! ledger -> plan -> tpns -> settlement: from a batch's events to their outcomes.
//!
//! Each app's events are settled separately, concurrently with the other apps' (`parts.rs`). An app with many events is
//! settled slice by slice (`slices.rs`): merged, pushed and verified, as long as there is time for another slice
//! (`pace.rs`). Within a slice events are settled in rounds (`round.rs`).

mod outcomes;
mod pace;
mod parts;
mod round;
mod slices;

use std::{
    collections::{HashMap, VecDeque},
    pin::pin,
};

use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use tokio::time::Instant;

use self::{
    outcomes::Outcomes,
    pace::{Merging, Pace},
    parts::Part,
    slices::{Group, MOST_ROWS, about_calls, groups, hold_back, take},
};
use crate::{
    apps::AppId,
    event::{Device, Event, EventIndex, Millis},
    ingress::MessageIndex,
    ledger::{AccountKey, KnownState, Ledger, Rows, State},
    outcome::Outcome,
    plan::{Plan, Verdict},
    tpns::{BoundAccount, Deadline, Tpns, Verdicts},
};

pub use pace::Ends;

/// Something that carries out plans: TPNS, or what takes its place in the search.
#[expect(async_fn_in_trait, reason = "an invocation runs on one thread")]
pub trait Push {
    /// Carries out a plan and sets the verdict on each item. Without a deadline there is time for everything.
    async fn push(&self, plan: &Plan, verdicts: &Verdicts, deadline: Option<Deadline>);
    /// The accounts that TPNS has bound to each device.
    async fn accounts_of(
        &self,
        devices: &[Device],
        deadline: Option<Deadline>,
    ) -> HashMap<Device, Result<Vec<BoundAccount>, Verdict>>;
    /// The devices that TPNS has bound to each account.
    async fn devices_of(
        &self,
        accounts: &[AccountKey],
        deadline: Option<Deadline>,
    ) -> HashMap<AccountKey, Result<Vec<Device>, Verdict>>;
    /// Resolves when no verdict of a push has been set for a while.
    async fn quiet(&self, verdicts: &Verdicts);
    /// An app needs no more calls.
    fn end(&self, app: AppId);
}

impl Push for Tpns<'_> {
    async fn push(&self, plan: &Plan, verdicts: &Verdicts, deadline: Option<Deadline>) {
        if let Some(deadline) = deadline {
            Self::push(self, plan, verdicts, deadline).await;
        }
    }

    async fn accounts_of(
        &self,
        devices: &[Device],
        deadline: Option<Deadline>,
    ) -> HashMap<Device, Result<Vec<BoundAccount>, Verdict>> {
        let Some(deadline) = deadline else { return HashMap::new() };
        Self::accounts_of(self, devices, deadline).await
    }

    async fn devices_of(
        &self,
        accounts: &[AccountKey],
        deadline: Option<Deadline>,
    ) -> HashMap<AccountKey, Result<Vec<Device>, Verdict>> {
        let Some(deadline) = deadline else { return HashMap::new() };
        Self::devices_of(self, accounts, deadline).await
    }

    async fn quiet(&self, verdicts: &Verdicts) {
        Self::quiet(self, verdicts).await;
    }

    fn end(&self, app: AppId) {
        Self::end(self, app);
    }
}

/// A batch whose first slices have been merged.
#[derive(Debug)]
pub struct Merged(Vec<Begun>);

#[derive(Debug)]
struct Begun {
    part: Part,
    pace: Pace,
    first: MergedSlice,
    /// The other slices' groups.
    rest: VecDeque<Group>,
}

#[derive(Debug)]
struct MergedSlice {
    groups: Vec<Group>,
    known: KnownState,
    /// `None` where there is nothing to merge into.
    merging: Option<Merging>,
}

/// Merges and settles events, given with their messages' indices, and writes their outcomes to `outcomes`. `now` is the
/// time at which the batch arrived. Without `ends` there is no limit of time.
pub async fn apply<R: Rows>(
    ledger: &Ledger<R>,
    tpns: &impl Push,
    events: &[(MessageIndex, Event)],
    now: Millis,
    ends: Option<Ends>,
    outcomes: &mut [Outcome],
) {
    let merged = merge(ledger, events, ends).await;
    settle(ledger, tpns, events, merged, now, outcomes).await;
}

/// The first step of [`apply`]: merges each app's first slice into the ledger. Doing it twice changes nothing.
pub async fn merge<R: Rows>(ledger: &Ledger<R>, events: &[(MessageIndex, Event)], ends: Option<Ends>) -> Merged {
    let begun = Part::of(events).into_iter().map(async |part| {
        let mut rest = match ledger {
            Ledger::Table(_) => groups(&part, events),
            // Nothing is merged, and nothing is known but the batch, which is one slice.
            Ledger::Invocation => VecDeque::from([Group::whole(&part, events)]),
        };
        let pace = Pace::new(ends);
        let first = merge_slice(ledger, events, &part, &pace, take(&mut rest, MOST_ROWS, true)).await;
        Begun { part, pace, first, rest }
    });
    Merged(join_all(begun).await)
}

impl Merged {
    /// About how many calls each of this number of apps needs.
    #[must_use]
    pub fn calls(&self, apps: usize) -> Vec<usize> {
        let mut calls = vec![0; apps];
        for begun in &self.0 {
            if let Some(own) = calls.get_mut(usize::from(begun.part.app.0)) {
                *own = about_calls(begun.first.groups.iter().chain(&begun.rest));
            }
        }
        calls
    }
}

/// The other steps of [`apply`]: settles events whose first slices have been merged.
pub async fn settle<R: Rows>(
    ledger: &Ledger<R>,
    tpns: &impl Push,
    events: &[(MessageIndex, Event)],
    merged: Merged,
    now: Millis,
    outcomes: &mut [Outcome],
) {
    let outcomes = Outcomes::new(outcomes, events, merged.0.iter().map(|begun| &begun.part));
    let outcome = |message, outcome| outcomes.settle(message, outcome);
    join_all(merged.0.into_iter().map(async |Begun { part, pace, first, rest }| {
        let settling = Settling { ledger, tpns, events, part: &part, pace: &pace, now, outcome: &outcome };
        settling.slices(first, rest).await;
        tpns.end(part.app);
    }))
    .await;
}

async fn merge_slice<R: Rows>(
    ledger: &Ledger<R>,
    events: &[(MessageIndex, Event)],
    part: &Part,
    pace: &Pace,
    groups: Vec<Group>,
) -> MergedSlice {
    let places: Vec<_> = groups.iter().flat_map(|group| &group.places).collect();
    let batch = State::of(places.into_iter().map(|&place| part.event(events, place)));
    match ledger {
        Ledger::Invocation => {
            MergedSlice { groups, known: ledger.merge(batch, std::future::pending).await, merging: None }
        }
        Ledger::Table(_) => {
            let (begun, rows) = (Instant::now(), groups.iter().map(|group| group.rows).sum());
            let known = ledger.merge(batch, || pace.merge_is_over()).await;
            MergedSlice { groups, known, merging: Some(pace.merged(begun, rows)) }
        }
    }
}

/// Groups that wait for the next slice, since alone they would not fill a call, and their known state.
type Carried = (Vec<Group>, KnownState);

/// An app's events while they are settled.
struct Settling<'a, R: Rows, P: Push> {
    ledger: &'a Ledger<R>,
    tpns: &'a P,
    /// Of all apps, with their messages' indices.
    events: &'a [(MessageIndex, Event)],
    part: &'a Part,
    pace: &'a Pace,
    now: Millis,
    /// Takes the outcome of a message.
    outcome: &'a dyn Fn(MessageIndex, Outcome),
}

impl<R: Rows, P: Push> Settling<'_, R, P> {
    fn event(&self, place: EventIndex) -> &Event {
        self.part.event(self.events, place)
    }

    fn settle(&self, place: EventIndex, outcome: Outcome) {
        (self.outcome)(self.events[place.0].0, outcome);
    }

    /// Settles slice by slice. While one is pushed and verified, the next is merged. Events for which there is no time
    /// keep their outcome.
    async fn slices(&self, first: MergedSlice, mut rest: VecDeque<Group>) {
        let mut under_way = FuturesUnordered::new();
        let mut carried = Carried::default();
        let mut merged = first;
        loop {
            while self.pace.is_full() {
                self.progress(&mut under_way).await;
            }
            let mut next = self.next(&mut rest, &mut under_way).await;
            under_way.push(self.begin(self.carry_over(merged, &mut carried, next.is_empty())));
            if next.is_empty() {
                next = self.next(&mut rest, &mut under_way).await;
            }
            if next.is_empty() {
                break;
            }
            merged = self.merge_beside(next, &mut under_way).await;
        }
        while under_way.next().await.is_some() {}
    }

    /// Adds to a merged slice what the slice before it carried over. Unless it is the last one, it carries over what is
    /// not worth a call yet.
    fn carry_over(&self, merged: MergedSlice, carried: &mut Carried, is_last: bool) -> MergedSlice {
        let MergedSlice { mut groups, mut known, merging } = merged;
        // Without a check nothing would repair what TPNS has lost since it was confirmed.
        if self.ledger.is_checked() {
            known.state.find_unchanged(self.now);
        }
        groups.append(&mut carried.0);
        known.extend(std::mem::take(&mut carried.1));
        if !is_last {
            *carried = hold_back(self.part, self.events, &mut groups, &mut known);
        }
        MergedSlice { groups, known, merging }
    }

    /// Pushes and verifies a merged slice.
    fn begin(&self, MergedSlice { groups, known, merging }: MergedSlice) -> impl Future<Output = ()> {
        let devices = known.state.devices.len();
        let deletions = known.state.deleted.values().filter(|deletion| deletion.due).count();
        let deadline = self.pace.calls_end(merging, devices, deletions);
        let rows = groups.iter().map(|group| group.rows).sum();
        let places = groups.into_iter().flat_map(|group| group.places).collect();
        self.slice(places, known, deadline, self.pace.begin(rows))
    }

    /// Merges a slice, while those under way go on.
    async fn merge_beside(
        &self,
        groups: Vec<Group>,
        under_way: &mut FuturesUnordered<impl Future<Output = ()>>,
    ) -> MergedSlice {
        let mut merge = pin!(merge_slice(self.ledger, self.events, self.part, self.pace, groups));
        loop {
            tokio::select! {
                biased;
                merged = &mut merge => return merged,
                Some(()) = under_way.next(), if !under_way.is_empty() => {}
            }
        }
    }

    /// The next slice; none if there is no time for one, even after the slices under way have shown how long they take.
    async fn next(
        &self,
        rest: &mut VecDeque<Group>,
        under_way: &mut FuturesUnordered<impl Future<Output = ()>>,
    ) -> Vec<Group> {
        loop {
            let next = take(rest, self.pace.rows(), false);
            if !next.is_empty() || rest.is_empty() || !self.pace.is_busy() {
                return next;
            }
            self.progress(under_way).await;
        }
    }

    /// Resolves when a slice ends or hangs.
    async fn progress(&self, under_way: &mut FuturesUnordered<impl Future<Output = ()>>) {
        let changed = self.pace.changed();
        tokio::select! {
            biased;
            Some(()) = under_way.next() => {}
            () = changed => {}
        }
    }
}
