use proptest::prelude::*;

use super::*;
use crate::{
    event::{AccountType, Kind, Token},
    testing,
};

fn state(events: &[Event]) -> State {
    State::of(events)
}

type Content = (Vec<(Device, DeviceState)>, Vec<(AccountKey, Deletion)>);

/// The content of the state, whatever its order.
fn content(state: &State) -> Content {
    let mut devices: Vec<_> = state.devices.clone().into_iter().collect();
    let mut deleted: Vec<_> = state.deleted.clone().into_iter().collect();
    devices.sort_by(|left, right| left.0.cmp(&right.0));
    deleted.sort();
    (devices, deleted)
}

fn merged(left: &State, right: &State) -> State {
    let mut state = left.clone();
    state.merge(right);
    state
}

proptest! {
    #[test]
    fn merging_is_commutative_associative_and_idempotent(
        a in testing::events_without_types(0..6), b in testing::events_without_types(0..6), c in testing::events_without_types(0..6),
    ) {
        let (a, b, c) = (state(&a), state(&b), state(&c));
        prop_assert_eq!(content(&merged(&a, &b)), content(&merged(&b, &a)));
        prop_assert_eq!(content(&merged(&merged(&a, &b), &c)), content(&merged(&a, &merged(&b, &c))));
        prop_assert_eq!(content(&merged(&a, &a)), content(&a));
        prop_assert_eq!(content(&merged(&merged(&a, &b), &b)), content(&merged(&a, &b)));
    }

    #[test]
    fn absorbing_events_is_merging_what_each_of_them_says(events in testing::events_without_types(0..10)) {
        let mut one_by_one = State::default();
        for event in &events {
            one_by_one.merge(&state(std::slice::from_ref(event)));
        }
        prop_assert_eq!(content(&one_by_one), content(&state(&events)));
    }

    #[test]
    fn shuffles_and_doubles_do_not_matter(events in testing::events_without_types(1..10), order in any::<prop::sample::Index>(), twice in any::<prop::sample::Index>()) {
        let mut shuffled = events.clone();
        shuffled.push(events[twice.index(events.len())].clone());
        shuffled.rotate_left(order.index(events.len()));
        shuffled.reverse();
        prop_assert_eq!(content(&state(&shuffled)), content(&state(&events)));
    }

    #[test]
    fn an_event_is_superseded_only_if_the_state_is_the_same_without_it(events in testing::events_without_types(1..10)) {
        let whole = state(&events);
        for event in &events {
            if whole.superseded_by(event).is_some() {
                let others: Vec<_> = events.iter().filter(|other| *other != event).cloned().collect();
                // But what it bound TPNS may have.
                let (others, whole) = (content(&state(&others)), content(&whole));
                prop_assert_eq!(others.1, whole.1);
                for ((device, of_others), (_, of_all)) in others.0.iter().zip(&whole.0) {
                    prop_assert!(of_others.is_ordered_as(of_all), "{device:?}");
                }
            }
        }
    }
}

#[test]
fn two_events_of_the_same_version_merge_the_same_in_either_order() {
    // A producer that gives two logins one id and one time.
    let login = |name: &str| {
        let device = Device { app: AppId(0), token: Token::new("t").unwrap() };
        testing::happened(1, Kind::Login, "same", Change::Login(device, vec![testing::account(name, AccountType(0))]))
    };
    let (a, b) = (login("a"), login("b"));
    assert_eq!(content(&state(&[a.clone(), b.clone()])), content(&state(&[b, a])));
}

const DAY: Millis = 24 * 3600 * 1000;

/// A device that has this account since the version of this time, confirmed then.
fn confirmed(at: Millis) -> State {
    let device = Device { app: AppId(0), token: Token::new("t").unwrap() };
    let login = Change::Login(device.clone(), vec![testing::account("a", AccountType(0))]);
    let login = testing::happened(at, Kind::Login, "login", login);
    let mut state = state(std::slice::from_ref(&login));
    state.devices[&device].confirm(login.version);
    state
}

fn is_unchanged(mut state: State, now: Millis) -> bool {
    state.find_unchanged(now);
    state.unchanged.len() == 1
}

#[test]
fn a_device_is_unchanged_as_long_as_its_confirmation_is_young() {
    assert!(is_unchanged(confirmed(0), 30 * DAY));
    assert!(!is_unchanged(confirmed(0), 30 * DAY + 1));
}

#[test]
fn a_device_is_not_unchanged_if_anything_is_known_that_its_confirmation_does_not_have() {
    let device = || Device { app: AppId(0), token: Token::new("t").unwrap() };
    let with = |change: fn(&mut DeviceState)| {
        let mut state = confirmed(0);
        change(&mut state.devices[&device()]);
        state
    };
    let version = |at| Version { at, rank: Kind::Logout, tie_breaker: "e".into() };
    assert!(is_unchanged(with(|_| {}), 0));
    assert!(!is_unchanged(with(|row| row.remember([testing::account("b", AccountType(1))])), 0));
    let mut deleted = confirmed(5);
    let account = testing::account("a", AccountType(0));
    // An older one, too: its operator_type 5 may be under way.
    let key = AccountKey { app: AppId(0), account: account.clone() };
    deleted.deleted.insert(key, Deletion { version: version(1), due: false, changed: None });
    assert!(!is_unchanged(deleted, 5));
    for accounts in [vec![], vec![testing::account("b", AccountType(0))]] {
        let mut state = confirmed(0);
        state.devices[&device()].own(&version(1), &accounts);
        state.devices[&device()].own(&version(2), std::slice::from_ref(&account));
        assert!(!is_unchanged(state, 2), "{accounts:?}");
    }
    let mut again = confirmed(0);
    again.devices[&device()].own(&version(1), &[account]);
    assert!(is_unchanged(again, 2));
}
