use proptest::prelude::*;

use super::*;
use crate::{
    apps::{AppId, AppNames},
    event::{Device, Event},
    ledger::{AccountKey, State},
    table::keys::{account_key, device_key, device_of, is_of_an_account},
    testing,
};

fn version_of_any() -> impl Strategy<Value = Version> {
    let at = prop_oneof![Just(i64::MIN), Just(i64::MAX), -3..3_i64, any::<i64>()];
    let rank = prop::sample::select(vec![Kind::Login, Kind::Logout, Kind::Deletion]);
    let id = prop_oneof!["[.a-c\u{0}é]{0,3}", any::<String>()];
    (at, rank, id).prop_map(|(at, rank, id)| Version { at, rank, tie_breaker: id.into() })
}

/// The row as DynamoDB would have it after these raises, each register by itself.
fn raise(row: &mut Attributes, registers: Vec<Register>) {
    let get = |row: &Attributes, name: &str| row.get(name).map(|value| value.as_s().unwrap().clone());
    for register in registers {
        match register {
            Register::Owner { version, accounts, had, traces, gone, unremembered } => {
                let known = (get(row, OWNER), get(row, ACCOUNTS));
                let may_replace = match unremembered {
                    None => get(row, OWNER) == get(row, REMEMBERED),
                    Some(owner) => get(row, OWNER) == Some(owner),
                };
                if may_replace && known < (Some(version.clone()), Some(accounts.clone())) {
                    let s = |text: &str| AttributeValue::S(text.into());
                    row.insert(ACCOUNTS.into(), s(&accounts));
                    row.extend([OWNER, REMEMBERED].map(|name| (name.into(), s(&version))));
                    row.extend(had.into_iter().map(|(name, account)| (name, s(&account))));
                    row.extend(traces.into_iter().map(|name| (name, s(&version))));
                    gone.iter().for_each(|name| _ = row.remove(name));
                }
            }
            Register::Version { name, version } => {
                if get(row, &name).is_none_or(|known| known < version) {
                    row.insert(name, AttributeValue::S(version));
                }
            }
        }
    }
}

fn token() -> Token {
    Token::new("token0").unwrap()
}

fn states(events: &[Event]) -> Vec<DeviceState> {
    State::of(events).devices.into_values().collect()
}

proptest! {
    #[test]
    fn versions_compare_as_text_as_they_do_themselves(a in version_of_any(), b in version_of_any()) {
        prop_assert_eq!(text(&a).cmp(&text(&b)), a.cmp(&b));
    }

    #[test]
    fn the_key_of_a_device_names_it(app in 0..3_u16, token in "[#%a-z]{1,9}") {
        let apps = AppNames::new(["android", "a#b%c", "a"]);
        let device = Device { app: AppId(app), token: Token::new(&token).unwrap() };
        prop_assert_eq!(device_of(&device_key(&device, &apps), &apps), Some(device));
    }

    #[test]
    fn a_version_comes_back_from_its_text(a in version_of_any()) {
        prop_assert_eq!(version(&text(&a)), Some(a));
    }

    /// What two batches write, blindly and in either order, reads as what they say together.
    #[test]
    fn writing_rows_is_merging(a in testing::events_without_types(1..8), b in testing::events_without_types(1..8)) {
        for (a, b) in states(&a).into_iter().zip(states(&b)) {
            let mut row = Attributes::new();
            raise(&mut row, DeviceRow::default().lacks(&token(), &a));
            raise(&mut row, DeviceRow::default().lacks(&token(), &b));
            let mut merged = a.clone();
            merged.raise(&b);
            let read = DeviceRow::read(&row).unwrap().state;
            prop_assert!(read.is_ordered_as(&merged));
            // All that the owners had that the row had, and of those of one batch only the winner.
            let owners = [a.owner().cloned(), b.owner().cloned().filter(|then| a.owner().is_none_or(|first| then > first))];
            let traces = owners.iter().flatten().flat_map(Owner::accounts).map(|account| Trace::of(&token(), &account));
            prop_assert_eq!(read.traces(), &traces.collect());
            // The newest name of each type that the winner does not have; none of type 0 if it has no account.
            let mut had: BTreeMap<_, _> = BTreeMap::new();
            owners.iter().flatten().for_each(|owner| had.extend(owner.accounts.clone()));
            had.retain(|kind, _| match read.owner() {
                Some(owner) if owner.accounts.is_empty() => *kind != AccountType(0),
                Some(owner) => !owner.accounts.contains_key(kind),
                None => false,
            });
            let had = had.into_iter().map(|(account_type, account)| Account { account, account_type });
            prop_assert_eq!(read.may_have(), &had.collect());
        }
    }

    /// A row of a version that remembered nothing, or that such a version has written to.
    #[test]
    fn an_owner_that_the_row_does_not_remember_is_remembered_when_it_is_replaced(
        a in testing::events_without_types(1..8), b in testing::events_without_types(1..8),
    ) {
        for (a, b) in states(&a).into_iter().zip(states(&b)) {
            let mut row = Attributes::new();
            raise(&mut row, DeviceRow::default().lacks(&token(), &a));
            row.retain(|name, _| ![HAD, WAS].iter().any(|prefix| name.starts_with(prefix)) && name != REMEMBERED);
            raise(&mut row, DeviceRow::default().lacks(&token(), &b));
            let read = DeviceRow::read(&row).unwrap();
            // The write that knows nothing of the row is refused.
            raise(&mut row, read.lacks(&token(), &b));
            let then = DeviceRow::read(&row).unwrap();
            prop_assert_eq!(then.lacks(&token(), &b), vec![]);
            for account in a.owner().into_iter().flat_map(Owner::accounts) {
                let owner = then.state.owner().ok_or_else(|| TestCaseError::fail("no owner"))?;
                let is_named = owner.accounts.is_empty() || owner.accounts.contains_key(&account.account_type);
                prop_assert!(is_named || then.state.may_have().contains(&account), "{account:?}");
                let is_traced = then.state.traces().contains(&Trace::of(&token(), &account));
                prop_assert!(is_traced || then.state.owner() == a.owner(), "{account:?}");
            }
        }
    }

    /// Who knows the row writes no more than is missing, to the same end.
    #[test]
    fn a_row_lacks_nothing_once_it_was_written(a in testing::events_without_types(1..8), b in testing::events_without_types(1..8)) {
        for (a, b) in states(&a).into_iter().zip(states(&b)) {
            let mut row = Attributes::new();
            raise(&mut row, DeviceRow::default().lacks(&token(), &a));
            let known = DeviceRow::read(&row).unwrap();
            raise(&mut row, known.lacks(&token(), &b));
            let known = DeviceRow::read(&row).unwrap();
            prop_assert_eq!(known.lacks(&token(), &a), vec![]);
            prop_assert_eq!(known.lacks(&token(), &b), vec![]);
        }
    }

    #[test]
    fn overtaken_logouts_are_dead_and_change_nothing(a in testing::events_without_types(1..12)) {
        for event in &a {
            let Some(device) = event.device() else { continue };
            let mut row = Attributes::new();
            for event in a.iter().filter(|event| event.device() == Some(device)) {
                let state = State::of([event]);
                raise(&mut row, DeviceRow::default().lacks(&token(), &state.devices[device]));
            }
            let read = DeviceRow::read(&row).unwrap();
            for (name, _) in &read.dead {
                row.remove(name);
            }
            let swept = DeviceRow::read(&row).unwrap();
            prop_assert_eq!((swept.state, swept.dead.len()), (read.state, 0));
        }
    }
}

fn row_after(owners: &[Owner]) -> Attributes {
    let mut row = Attributes::new();
    for owner in owners {
        let mut state = DeviceState::default();
        state.take_owner(owner.clone());
        raise(&mut row, DeviceRow::default().lacks(&token(), &state));
    }
    row
}

fn owner(at: Millis, accounts: &[(u32, &str)]) -> Owner {
    let account = |&(kind, name): &(u32, &str)| (AccountType(kind), testing::account(name, AccountType(kind)).account);
    let version = Version { at, rank: Kind::Login, tie_breaker: "e".into() };
    Owner { version, accounts: accounts.iter().map(account).collect() }
}

/// The names in a row that is written blindly: the owner's, and one of each other type.
#[test]
fn a_row_has_the_name_of_an_account_only_while_a_call_may_have_to_name_it() {
    let cases: &[(&[Owner], &[&str], &[&str])] = &[
        (&[owner(1, &[(0, "ann")]), owner(2, &[(0, "ben")])], &["ben"], &["ann"]),
        (&[owner(1, &[(0, "ann")]), owner(2, &[(1, "ben")])], &["ann", "ben"], &[]),
        (&[owner(1, &[(0, "ann")]), owner(2, &[(1, "ben")]), owner(3, &[(0, "cem")])], &["ben", "cem"], &["ann"]),
        (&[owner(1, &[(0, "ann")]), owner(2, &[])], &[], &["ann"]),
    ];
    for (owners, kept, gone) in cases {
        let row = row_after(owners);
        let text = format!("{row:?}");
        assert!(kept.iter().all(|name| text.contains(name)), "{text}");
        assert!(!gone.iter().any(|name| text.contains(name)), "{text}");
        let read = DeviceRow::read(&row).unwrap();
        assert_eq!(read.names, vec![], "{text}");
        for account in owners.iter().flat_map(Owner::accounts) {
            assert!(read.state.traces().contains(&Trace::of(&token(), &account)), "{account:?}");
        }
    }
    // A logout of all can't know of other types; the row's answer shows them.
    let read = DeviceRow::read(&row_after(&[owner(1, &[(1005, "ann")]), owner(2, &[])])).unwrap();
    assert_eq!(read.names, [("had:1005".to_owned(), "ann".to_owned())]);
}

#[test]
fn versions_are_readable() {
    let version = Version { at: 1_763_799_330_123, rank: Kind::Logout, tie_breaker: "evt-7".into() };
    assert_eq!(text(&version), "10000001763799330123.1.evt-7");
}

#[test]
fn only_a_key_of_a_device_of_a_known_app_names_a_device() {
    let apps = AppNames::new(["android", "a#b%c", "a"]);
    let account = account_key(&AccountKey { app: AppId(0), account: testing::account("1", AccountType(0)) }, &apps);
    for key in ["apps", "device#huawei#token0", "device#android", "device#android#", "device#a#\u{0}", &account] {
        assert_eq!(device_of(key, &apps), None, "{key}");
    }
    assert!(is_of_an_account(&account) && !is_of_an_account("device#account#1"));
}

#[test]
fn keys_carry_kind_and_app_and_no_deleted_account() {
    let apps = AppNames::new(["android", "a#b%c"]);
    let device = |app| Device { app: AppId(app), token: Token::new("to#ken").unwrap() };
    let account =
        |app, name: &str, kind| AccountKey { app: AppId(app), account: testing::account(name, AccountType(kind)) };
    assert_eq!(device_key(&device(0), &apps), "device#android#to#ken");
    assert_eq!(device_key(&device(1), &apps), "device#a%23b%25c#to#ken");
    // printf '1005\0bob@example.com\0android' | sha256sum
    assert_eq!(
        account_key(&account(0, "bob@example.com", 1005), &apps),
        "account#android#19ad032ea723e8cbf2363324948df579d44591d95d4350501aec303125cbef1b"
    );
    let mut keys = vec![
        account_key(&account(0, "1", 0), &apps),
        account_key(&account(0, "1", 1), &apps),
        account_key(&account(0, "11", 0), &apps),
        account_key(&account(1, "1", 0), &apps),
    ];
    keys.dedup();
    assert_eq!(keys.len(), 4);
}

#[test]
fn a_row_that_is_not_as_this_program_writes_it_is_refused_by_attribute() {
    let good = "10000001763799330123.0.e";
    let s = |text: &str| AttributeValue::S(text.into());
    let cases: &[(&[(&str, AttributeValue)], &str)] = &[
        (&[(OWNER, s("yesterday")), (ACCOUNTS, s("{}"))], OWNER),
        (&[(OWNER, AttributeValue::N("1".into())), (ACCOUNTS, s("{}"))], OWNER),
        (&[(OWNER, s("é0000001763799330123.0.e")), (ACCOUNTS, s("{}"))], OWNER),
        (&[(OWNER, s("10000001763799330123.3.e")), (ACCOUNTS, s("{}"))], OWNER),
        (&[(OWNER, s(good))], ACCOUNTS),
        (&[(OWNER, s(good)), (ACCOUNTS, s("[]"))], ACCOUNTS),
        (&[(OWNER, s(good)), (ACCOUNTS, s(r#"{"x":"a"}"#))], ACCOUNTS),
        (&[(OWNER, s(good)), (ACCOUNTS, s(r#"{"0":""}"#))], ACCOUNTS),
        (&[(ACCOUNTS, s("{}"))], OWNER),
        (&[("out:0:a", s("late"))], "out:…"),
        (&[("out:a", s(good))], "the name of out:…"),
        (&[("out:x:a", s(good))], "the name of out:…"),
        (&[("had:x", s("a"))], "had:…"),
        (&[("had:0", s(""))], "had:…"),
        (&[("was:0:a", s(good))], "the name of was:…"),
        (&[("was:0:47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", s("late"))], "was:…"),
    ];
    for (attributes, at_fault) in cases {
        let row = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        assert_eq!(DeviceRow::read(&row), Err(Unreadable(at_fault)), "{attributes:?}");
    }
    let row = Attributes::from([(DELETED.to_owned(), s("x"))]);
    assert_eq!(DeletionRow::read(&row), Err(Unreadable(DELETED)));
    let row = Attributes::from([(DELETED.to_owned(), s(good)), (ACCEPTED.to_owned(), s("x"))]);
    assert_eq!(DeletionRow::read(&row), Err(Unreadable(ACCEPTED)));
    // Attributes of others are left alone.
    let row = Attributes::from([("note".to_owned(), s("x"))]);
    assert_eq!(DeviceRow::read(&row), Ok(DeviceRow::default()));
}
