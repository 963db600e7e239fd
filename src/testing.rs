//! Random events for the properties of the pure modules: few devices, accounts and times, so that they meet.

use proptest::{collection::vec, prelude::*};

use crate::{
    apps::AppId,
    event::{Account, AccountName, AccountType, Change, Device, Event, Kind, ListedAccount, Millis, Token, Version},
};

/// How many apps the events name.
pub(crate) const APPS: u16 = 2;

pub(crate) fn account(name: &str, account_type: AccountType) -> Account {
    Account { account: AccountName::new(name).unwrap(), account_type }
}

/// Events whose versions may be equal in time, and sometimes in everything.
pub(crate) fn events(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Event>> {
    vec(event(logins(false), listed(1)), count)
}

/// The same, with logouts that sometimes omit account types.
pub(crate) fn events_without_types(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Event>> {
    vec(event(logins(false), listed(2)), count)
}

/// Events whose logins of a device all name the same account types.
pub(crate) fn events_of_steady_types(count: std::ops::Range<usize>) -> impl Strategy<Value = Vec<Event>> {
    vec(event(logins(true), listed(1)), count)
}

/// Mostly one device, so that its events meet each other.
fn place() -> impl Strategy<Value = (u16, u8)> {
    (prop_oneof![4 => Just(0), 1 => 0..APPS], prop_oneof![4 => Just(0), 1 => 0..3_u8])
}

fn at((app, token): (u16, u8)) -> Device {
    Device { app: AppId(app), token: Token::new(&format!("token{token}")).unwrap() }
}

fn device() -> impl Strategy<Value = Device> {
    place().prop_map(at)
}

fn some_account() -> impl Strategy<Value = Account> {
    (0..3_u32, 0..3_u8).prop_map(|(account_type, name)| account(&format!("account{name}"), AccountType(account_type)))
}

/// An account as a logout lists it: always with its type, or (of two kinds) every other time.
fn listed(kinds: u8) -> BoxedStrategy<ListedAccount> {
    (some_account(), 0..kinds)
        .prop_map(|(Account { account, account_type }, kind)| ListedAccount {
            account,
            account_type: (kind == 0).then_some(account_type),
        })
        .boxed()
}

fn one_a_type(mut accounts: Vec<Account>) -> Vec<Account> {
    accounts.sort_by_key(|account| account.account_type);
    accounts.dedup_by_key(|account| account.account_type);
    accounts
}

/// With steady types, token 0 has logins of types 0, 1 and 2, token 1 of 0 and 1, token 2 of 0.
fn logins(steady: bool) -> BoxedStrategy<Change> {
    if !steady {
        return (device(), vec(some_account(), 1..4))
            .prop_map(|(device, list)| Change::Login(device, one_a_type(list)))
            .boxed();
    }
    (place(), [0..3_u8, 0..3, 0..3])
        .prop_map(|(place, names)| {
            let accounts = (0..3 - u32::from(place.1)).zip(names);
            let accounts =
                accounts.map(|(account_type, name)| account(&format!("account{name}"), AccountType(account_type)));
            Change::Login(at(place), accounts.collect())
        })
        .boxed()
}

fn event(logins: BoxedStrategy<Change>, listed: BoxedStrategy<ListedAccount>) -> impl Strategy<Value = Event> {
    let change = prop_oneof![
        4 => logins,
        2 => (device(), vec(listed, 1..3)).prop_map(|(device, list)| Change::Logout(device, list)),
        1 => device().prop_map(Change::LogoutAll),
        2 => (vec(some_account(), 1..3), prop::option::of(0..APPS)).prop_map(|(list, app)| {
            let apps = app.map_or_else(|| (0..APPS).map(AppId).collect(), |app| vec![AppId(app)]);
            Change::Deletion(apps.into(), list)
        }),
    ];
    (0..12_i64, 0..40_u32, change).prop_map(|(at, id, change)| {
        let rank = match change {
            Change::Login(..) => Kind::Login,
            Change::Logout(..) | Change::LogoutAll(_) => Kind::Logout,
            Change::Deletion(..) => Kind::Deletion,
        };
        happened(at, rank, &id.to_string(), change)
    })
}

/// An event of that version.
pub(crate) fn happened(at: Millis, rank: Kind, id: &str, change: Change) -> Event {
    Event {
        version: Version { at, rank, tie_breaker: id.into() },
        change,
        id: id.into(),
        clock_ahead: 0,
        deliveries: 1,
    }
}

/// A login, a logout of all accounts or one of a single account, of a device of its own.
pub(crate) fn of_token(token: usize, kind: u8) -> Event {
    let device = Device { app: AppId(0), token: Token::new(&format!("token{token}")).unwrap() };
    let own = account(&format!("own{token}"), AccountType(0));
    let (rank, change) = match kind {
        0 => (Kind::Login, Change::Login(device, vec![own])),
        1 => (Kind::Logout, Change::LogoutAll(device)),
        _ => {
            let listed = ListedAccount { account: own.account, account_type: Some(AccountType(0)) };
            (Kind::Logout, Change::Logout(device, vec![listed]))
        }
    };
    happened(1, rank, &token.to_string(), change)
}

/// A deletion of `accounts` accounts of one app, from number `first` on: those that [`of_token`] has.
pub(crate) fn deletion_of(first: usize, accounts: usize) -> Event {
    let accounts = (first..first + accounts).map(|n| account(&format!("own{n}"), AccountType(0))).collect();
    happened(0, Kind::Deletion, &format!("d{first}"), Change::Deletion(vec![AppId(0)].into(), accounts))
}
