use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{ledger::State, testing};

fn parts(events: Vec<Event>) -> (Vec<(MessageIndex, Event)>, Vec<Part>) {
    let events: Vec<_> = events.into_iter().enumerate().map(|(n, event)| (MessageIndex(n), event)).collect();
    let parts = Part::of(&events);
    (events, parts)
}

fn known(part: &Part, events: &[(MessageIndex, Event)], groups: &[Group]) -> KnownState {
    let places = groups.iter().flat_map(|group| &group.places);
    KnownState { state: State::of(places.map(|&place| part.event(events, place))), ..KnownState::default() }
}

/// What becomes a call: the items of each operator_type.
fn items(state: &State) -> BTreeMap<OperatorType, usize> {
    let plan = plan(state, &Redelivered::default());
    plan.items.iter().fold(BTreeMap::new(), |mut counts, item| {
        *counts.entry(OperatorType::of(&item.work)).or_default() += 1;
        counts
    })
}

proptest! {
    #[test]
    fn each_event_is_in_one_group_and_what_must_be_settled_together_in_the_same(events in testing::events(1..60)) {
        let (events, parts) = parts(events);
        for part in &parts {
            let groups = separate(part, &events);
            let mut places: Vec<_> = groups.iter().flat_map(|group| group.places.clone()).collect();
            places.sort_unstable();
            prop_assert_eq!(&places, &part.places);
            let group_of = |place: EventIndex| groups.iter().position(|group| group.places.contains(&place));
            for &one in &part.places {
                for &other in &part.places {
                    let (first, second) = (part.event(&events, one), part.event(&events, other));
                    let together = match (&first.change, &second.change) {
                        (Change::Deletion(_, deleted), Change::Login(_, accounts) | Change::Deletion(_, accounts)) => {
                            deleted.iter().any(|account| accounts.contains(account))
                        }
                        _ => first.device().is_some() && first.device() == second.device(),
                    };
                    prop_assert!(!together || group_of(one) == group_of(other), "{:?} {:?}", first, second);
                }
            }
            let state = known(part, &events, groups.as_slices().0).state;
            let rows: usize = groups.iter().map(|group| group.rows).sum();
            prop_assert!(rows >= state.devices.len() + state.deleted.len());
        }
    }

    /// Slice by slice, what does not fill a call goes on to the next: in the end there are no more calls than at once.
    #[test]
    fn slices_make_no_more_calls_than_the_whole(
        tokens in 1..200_usize, deletions in prop::collection::vec((1..30_usize, any::<prop::sample::Index>()), 0..8),
        most in 1..90_usize, kinds in prop::collection::vec(0..3_u8, 200),
    ) {
        let mut batch: Vec<Event> = (0..tokens).map(|n| testing::of_token(n, kinds[n])).collect();
        for (n, (accounts, place)) in deletions.iter().enumerate() {
            batch.insert(place.index(batch.len() + 1), testing::deletion_of(n * 100, *accounts));
        }
        let (events, parts) = parts(batch);
        let part = &parts[0];
        let all = separate(part, &events);
        let fewest: usize =
            items(&known(part, &events, &all.into_iter().collect::<Vec<_>>()).state).values().map(|items| items.div_ceil(ITEMS_PER_CALL)).sum();
        let mut rest = separate(part, &events);
        let (mut calls, mut settled) = (0, BTreeSet::new());
        let (mut carried, mut carried_known) = (Vec::new(), KnownState::default());
        let mut next = take(&mut rest, most, true);
        while !next.is_empty() {
            let mut known = known(part, &events, &next);
            let mut groups = std::mem::take(&mut next);
            groups.append(&mut carried);
            known.extend(std::mem::take(&mut carried_known));
            next = take(&mut rest, most, true);
            if !next.is_empty() {
                (carried, carried_known) = hold_back(part, &events, &mut groups, &mut known);
            }
            for group in &groups {
                prop_assert!(group.places.iter().all(|place| settled.insert(*place)), "settled twice");
            }
            let state = State::of(groups.iter().flat_map(|group| &group.places).map(|&place| part.event(&events, place)));
            prop_assert_eq!(&known.state, &state, "what is known is what the slice's events say");
            calls += items(&state).values().map(|items| items.div_ceil(ITEMS_PER_CALL)).sum::<usize>();
        }
        prop_assert_eq!(settled.len(), events.len());
        prop_assert_eq!(calls, fewest);
    }
}

#[test]
fn what_signs_someone_out_comes_first() {
    let batch =
        vec![testing::of_token(0, 0), testing::deletion_of(100, 3), testing::of_token(1, 1), testing::of_token(2, 0)];
    let (events, parts) = parts(batch);
    let order: Vec<_> = separate(&parts[0], &events).into_iter().map(|group| (group.places, group.rows)).collect();
    let expected = [(2, 1), (1, 3), (0, 1), (3, 1)].map(|(place, rows)| (vec![EventIndex(place)], rows));
    assert_eq!(order, expected);
}

#[test]
fn a_group_that_does_not_fit_lets_smaller_ones_go() {
    let groups = || [3, 50, 2, 4].map(|rows| Group { rows, ..Group::default() });
    let rows = |groups: &[Group]| groups.iter().map(|group| group.rows).collect::<Vec<_>>();
    let mut rest = VecDeque::from(groups());
    assert_eq!(rows(&take(&mut rest, 6, false)), [3, 2]);
    assert_eq!(rows(rest.make_contiguous()), [50, 4]);
    assert_eq!(rows(&take(&mut rest, 3, false)), [0_usize; 0]);
    assert_eq!(rows(&take(&mut rest, 3, true)), [50], "or there would be no progress");
    assert_eq!(rows(&take(&mut VecDeque::from(groups()), 0, true)), [0_usize; 0]);
}
