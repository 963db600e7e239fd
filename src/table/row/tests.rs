use proptest::prelude::*;

use super::*;
use crate::{
    apps::{AppId, AppNames},
    event::{Device, Event, Token},
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
            Register::Owner { version, accounts, had, unremembered } => {
                let known = (get(row, OWNER), get(row, ACCOUNTS));
                let may_replace = match unremembered {
                    None => get(row, OWNER) == get(row, REMEMBERED),
                    Some(owner) => get(row, OWNER) == Some(owner),
                };
                if may_replace && known < (Some(version.clone()), Some(accounts.clone())) {
                    let s = |text: &str| AttributeValue::S(text.into());
                    row.insert(ACCOUNTS.into(), s(&accounts));
                    row.extend([OWNER, REMEMBERED].map(|name| (name.into(), s(&version))));
                    row.extend(had.into_iter().map(|name| (name, s(&version))));
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
            raise(&mut row, DeviceRow::default().lacks(&a));
            raise(&mut row, DeviceRow::default().lacks(&b));
            let mut merged = a.clone();
            merged.raise(&b);
            let read = DeviceRow::read(&row).unwrap().state;
            prop_assert!(read.is_ordered_as(&merged));
            // All that the owners had that the row had, and of those of one batch only the winner.
            let owners = [&a, &b].map(|state| state.owner().cloned());
            let (first, then) = (&owners[0], &owners[1]);
            let mut had: BTreeSet<_> = first.iter().flat_map(Owner::accounts).collect();
            if then > first {
                had.extend(then.iter().flat_map(Owner::accounts));
            }
            let owned: BTreeSet<_> = read.owner().into_iter().flat_map(Owner::accounts).collect();
            prop_assert_eq!(read.may_have(), &had.difference(&owned).cloned().collect());
        }
    }

    /// A row of a version that remembered nothing, or that such a version has written to.
    #[test]
    fn an_owner_that_the_row_does_not_remember_is_remembered_when_it_is_replaced(
        a in testing::events_without_types(1..8), b in testing::events_without_types(1..8),
    ) {
        for (a, b) in states(&a).into_iter().zip(states(&b)) {
            let mut row = Attributes::new();
            raise(&mut row, DeviceRow::default().lacks(&a));
            row.retain(|name, _| !name.starts_with(HAD) && name != REMEMBERED);
            raise(&mut row, DeviceRow::default().lacks(&b));
            let read = DeviceRow::read(&row).unwrap();
            // The write that knows nothing of the row is refused.
            raise(&mut row, read.lacks(&b));
            let (then, owner) = (DeviceRow::read(&row).unwrap(), a.owner());
            prop_assert_eq!(then.lacks(&b), vec![]);
            for account in owner.into_iter().flat_map(Owner::accounts) {
                let has = then.state.owner().is_some_and(|owner| owner.accounts().any(|other| other == account));
                prop_assert!(has || then.state.may_have().contains(&account), "{account:?}");
            }
        }
    }

    /// Who knows the row writes no more than is missing, to the same end.
    #[test]
    fn a_row_lacks_nothing_once_it_was_written(a in testing::events_without_types(1..8), b in testing::events_without_types(1..8)) {
        for (a, b) in states(&a).into_iter().zip(states(&b)) {
            let mut row = Attributes::new();
            raise(&mut row, DeviceRow::default().lacks(&a));
            let known = DeviceRow::read(&row).unwrap();
            raise(&mut row, known.lacks(&b));
            let known = DeviceRow::read(&row).unwrap();
            prop_assert_eq!(known.lacks(&a), vec![]);
            prop_assert_eq!(known.lacks(&b), vec![]);
        }
    }

    #[test]
    fn overtaken_logouts_are_dead_and_change_nothing(a in testing::events_without_types(1..12)) {
        for event in &a {
            let Some(device) = event.device() else { continue };
            let mut row = Attributes::new();
            for event in a.iter().filter(|event| event.device() == Some(device)) {
                let state = State::of([event]);
                raise(&mut row, DeviceRow::default().lacks(&state.devices[device]));
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
