use proptest::{prelude::*, test_runner::TestCaseError};

use super::*;
use crate::{
    event::{Event, Kind, ListedAccount},
    ledger::{CONFIRMED_FOR, State},
    table::{seal::Seal, version_text::version},
    testing,
    tpns::DATA_KEY_LEN,
};

const CLEAR: RowSeal<'_> = RowSeal { seal: None, key: "device#android#t" };

fn some_seal() -> Seal {
    Seal::of([7; DATA_KEY_LEN], 0).unwrap()
}

/// Does it with a table without a key, and with one that has one.
fn with_and_without_a_key(test: impl Fn(&RowSeal<'_>) -> Result<(), TestCaseError>) -> Result<(), TestCaseError> {
    test(&CLEAR)?;
    test(&RowSeal { seal: Some(&some_seal()), ..CLEAR })
}

fn read(row: &Attributes, seal: &RowSeal<'_>) -> DeviceRow {
    DeviceRow::read(row, seal).unwrap()
}

fn write(row: &mut Attributes, known: &DeviceRow, added: &DeviceState, seal: &RowSeal<'_>) {
    raise(row, known.lacks(added, seal).unwrap());
}

fn version_of_any() -> impl Strategy<Value = Version> {
    let at = prop_oneof![Just(i64::MIN), Just(i64::MAX), -3..3_i64, any::<i64>()];
    let rank = prop::sample::select(vec![Kind::Login, Kind::Logout, Kind::Deletion]);
    let id = prop_oneof!["[.a-c\u{0}é]{0,3}", any::<String>()];
    (at, rank, id).prop_map(|(at, rank, id)| Version { at, rank, tie_breaker: id.into() })
}

/// The row as DynamoDB would have it after these raises, each register by itself.
fn raise(row: &mut Attributes, registers: Vec<Register>) {
    let get = |row: &Attributes, name: &str| row.get(name).map(|value| value.as_s().unwrap().clone());
    let keeps_confirmed = registers.iter().all(Register::keeps_confirmed);
    if !keeps_confirmed {
        row.remove(CONFIRMED);
    }
    for register in registers {
        match register {
            Register::Owner { version, accounts, had, replaced } => {
                let known = get(row, OWNER);
                let may_replace = match replaced {
                    None => {
                        let changes = row.contains_key(CONFIRMED) && get(row, ACCOUNTS) != Some(accounts.clone());
                        known == get(row, REMEMBERED) && known < Some(version.clone()) && !changes
                    }
                    Some((owner, accounts)) => known == Some(owner) && get(row, ACCOUNTS) == Some(accounts),
                };
                if may_replace {
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
    fn a_version_comes_back_from_its_text(a in version_of_any()) {
        prop_assert_eq!(version(&text(&a)), Some(a));
    }

    /// What two batches write, blindly and in either order, reads as what they say together. Who was refused by an
    /// owner of the same version reads the row and tries again.
    #[test]
    fn writing_rows_is_merging(a in testing::events_without_types(1..8), b in testing::events_without_types(1..8)) {
        with_and_without_a_key(|seal| {
            for (a, b) in states(&a).into_iter().zip(states(&b)) {
                let mut row = Attributes::new();
                write(&mut row, &DeviceRow::default(), &a, seal);
                write(&mut row, &DeviceRow::default(), &b, seal);
                let known = read(&row, seal);
                write(&mut row, &known, &b, seal);
                let mut merged = a.clone();
                merged.raise(&b);
                let read = read(&row, seal).state;
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
            Ok(())
        })?;
    }

    /// A confirmation holds for the accounts as they are: no write leaves it in a row whose accounts it has changed, or
    /// one of which it has signed out. One that repeats the login leaves it.
    #[test]
    fn a_confirmation_stays_with_the_accounts_that_it_was_made_for(
        a in testing::events_without_types(1..4), b in testing::events_without_types(1..4),
    ) {
        with_and_without_a_key(|seal| {
            for (a, b) in states(&a).into_iter().zip(states(&b)) {
                let Some(owner) = a.owner().filter(|owner| !owner.accounts.is_empty() && a.unbound().is_empty()) else {
                    continue;
                };
                let mut row = Attributes::new();
                write(&mut row, &DeviceRow::default(), &a, seal);
                row.insert(CONFIRMED.into(), AttributeValue::S(text(&owner.version)));
                write(&mut row, &DeviceRow::default(), &b, seal);
                let known = read(&row, seal);
                write(&mut row, &known, &b, seal);
                let then = read(&row, seal).state;
                let mut merged = a.clone();
                merged.confirm(owner.version.clone());
                merged.raise(&b);
                prop_assert!(then.is_ordered_as(&merged));
                if then.confirmed().is_some() {
                    prop_assert_eq!(then.confirmed(), merged.confirmed());
                    prop_assert_eq!(then.owner().map(|owner| &owner.accounts), Some(&owner.accounts));
                    prop_assert!(then.unbound().is_empty());
                }
                if b.unbound().is_empty() && b.owner().is_some_and(|b| b.accounts == owner.accounts) {
                    prop_assert!(then.confirmed().is_some());
                }
            }
            Ok(())
        })?;
    }

    /// A row of a version that remembered nothing, or that such a version has written to.
    #[test]
    fn an_owner_that_the_row_does_not_remember_is_remembered_when_it_is_replaced(
        a in testing::events_without_types(1..8), b in testing::events_without_types(1..8),
    ) {
        with_and_without_a_key(|seal| {
            for (a, b) in states(&a).into_iter().zip(states(&b)) {
                let mut row = Attributes::new();
                write(&mut row, &DeviceRow::default(), &a, seal);
                row.retain(|name, _| !name.starts_with("had:") && name != REMEMBERED);
                write(&mut row, &DeviceRow::default(), &b, seal);
                // The write that knows nothing of the row is refused.
                let known = read(&row, seal);
                write(&mut row, &known, &b, seal);
                let then = read(&row, seal);
                prop_assert_eq!(then.lacks(&b, seal), Ok(vec![]));
                for account in a.owner().into_iter().flat_map(Owner::accounts) {
                    let has = then.state.owner().is_some_and(|owner| owner.accounts().any(|other| other == account));
                    prop_assert!(has || then.state.may_have().contains(&account), "{account:?}");
                }
            }
            Ok(())
        })?;
    }

    /// Who knows the row writes no more than is missing, to the same end.
    #[test]
    fn a_row_lacks_nothing_once_it_was_written(a in testing::events_without_types(1..8), b in testing::events_without_types(1..8)) {
        with_and_without_a_key(|seal| {
            for (a, b) in states(&a).into_iter().zip(states(&b)) {
                let mut row = Attributes::new();
                write(&mut row, &DeviceRow::default(), &a, seal);
                let known = read(&row, seal);
                write(&mut row, &known, &b, seal);
                let known = read(&row, seal);
                prop_assert_eq!(known.lacks(&a, seal), Ok(vec![]));
                prop_assert_eq!(known.lacks(&b, seal), Ok(vec![]));
            }
            Ok(())
        })?;
    }

    #[test]
    fn overtaken_logouts_are_dead_and_change_nothing(a in testing::events_without_types(1..12)) {
        with_and_without_a_key(|seal| {
            for event in &a {
                let Some(device) = event.device() else { continue };
                let mut row = Attributes::new();
                for event in a.iter().filter(|event| event.device() == Some(device)) {
                    let state = State::of([event]);
                    write(&mut row, &DeviceRow::default(), &state.devices[device], seal);
                }
                let read_row = read(&row, seal);
                for (name, _) in &read_row.dead {
                    row.remove(name);
                }
                let swept = read(&row, seal);
                prop_assert_eq!((swept.state, swept.dead.len()), (read_row.state, 0));
            }
            Ok(())
        })?;
    }

    /// A table that gets a key: rows in clear read as before, also after others have written to them, and are hidden.
    #[test]
    fn a_row_in_clear_reads_the_same_before_and_after_it_is_hidden(
        a in testing::events_without_types(1..8), b in testing::events_without_types(1..8), c in testing::events_without_types(1..8),
    ) {
        let own = some_seal();
        let seal = RowSeal { seal: Some(&own), ..CLEAR };
        for ((a, b), c) in states(&a).into_iter().zip(states(&b)).zip(states(&c)) {
            let mut row = Attributes::new();
            write(&mut row, &DeviceRow::default(), &a, &CLEAR);
            prop_assert_eq!(read(&row, &seal).state, read(&row, &CLEAR).state);
            // One that has the key, and after it one that has not read it yet and knows nothing of the row.
            write(&mut row, &DeviceRow::default(), &b, &seal);
            write(&mut row, &DeviceRow::default(), &c, &CLEAR);
            let mixed = read(&row, &seal);
            hide(&mut row, &mixed.exposed);
            let hidden = read(&row, &seal);
            prop_assert!(hidden.exposed.is_empty());
            prop_assert_eq!(&hidden.state, &mixed.state);
            let names = row.keys().filter(|name| [OWNER, ACCOUNTS, REMEMBERED].iter().all(|other| name != other));
            for name in names {
                prop_assert!(name.starts_with("had:~") || name.starts_with("out:~"), "{name}");
            }
            prop_assert!(row.get(ACCOUNTS).is_none_or(|value| value.as_s().unwrap().starts_with('~')));
        }
    }
}

/// The row as DynamoDB would have it after these replacements.
fn hide(row: &mut Attributes, exposed: &[Exposed]) {
    for exposed in exposed {
        match exposed {
            Exposed::Accounts { sealed, .. } => _ = row.insert(ACCOUNTS.into(), AttributeValue::S(sealed.clone())),
            Exposed::Name { clear, version, sealed } => {
                row.remove(clear);
                row.extend(sealed.iter().map(|sealed| (sealed.clone(), AttributeValue::S(version.clone()))));
            }
        }
    }
}

/// A deletion's row is written at its event's time or later, so one that is newer than the confirmation still has it.
#[test]
fn the_row_of_a_deletion_outlives_each_older_confirmation() {
    assert!(u128::try_from(CONFIRMED_FOR).unwrap() < LEDGER_ROW_LIFETIME.as_millis());
}

#[test]
fn versions_are_readable() {
    let version = Version { at: 1_763_799_330_123, rank: Kind::Logout, tie_breaker: "evt-7".into() };
    assert_eq!(text(&version), "10000001763799330123.1.evt-7");
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
        (&[(OWNER, s(good)), (ACCOUNTS, s("{}")), (CONFIRMED, s("late"))], CONFIRMED),
        (&[("out:0:a", s("late"))], "out:…"),
        (&[("out:a", s(good))], "the name of out:…"),
        (&[("out:x:a", s(good))], "the name of out:…"),
    ];
    for (attributes, at_fault) in cases {
        let row = attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        assert_eq!(DeviceRow::read(&row, &CLEAR), Err(Unreadable::Format(at_fault)), "{attributes:?}");
    }
    let row = Attributes::from([(DELETED.to_owned(), s("x"))]);
    assert_eq!(DeletionRow::read(&row), Err(Unreadable::Format(DELETED)));
    let row = Attributes::from([(DELETED.to_owned(), s(good)), (ACCEPTED.to_owned(), s("x"))]);
    assert_eq!(DeletionRow::read(&row), Err(Unreadable::Format(ACCEPTED)));
    // Attributes of others are left alone.
    let row = Attributes::from([("note".to_owned(), s("x"))]);
    assert_eq!(DeviceRow::read(&row, &CLEAR), Ok(DeviceRow::default()));
}

#[test]
fn what_is_encrypted_can_be_read_with_the_key_only() {
    let own = some_seal();
    let seal = RowSeal { seal: Some(&own), ..CLEAR };
    let mut state = DeviceState::default();
    let at = |at| Version { at, rank: Kind::Login, tie_breaker: "e".into() };
    state.own(&at(1), &[testing::account("13711112222", AccountType(1002))]);
    state.unbind(
        &at(2),
        &[ListedAccount { account: testing::account("bob@example.com", AccountType(0)).account, account_type: None }],
    );
    let mut row = Attributes::new();
    write(&mut row, &DeviceRow::default(), &state, &seal);
    assert_eq!(read(&row, &seal).state, state);
    let printed = format!("{row:?}");
    assert!(!printed.contains("1371111") && !printed.contains("bob") && !printed.contains("1002"), "{printed}");

    assert_eq!(DeviceRow::read(&row, &CLEAR), Err(Unreadable::NoKey));
    let other = Seal::of([8; DATA_KEY_LEN], 0).unwrap();
    let others = DeviceRow::read(&row, &RowSeal { seal: Some(&other), ..CLEAR });
    assert!(matches!(others, Err(Unreadable::Format(_))), "{others:?}");
    // Copied into the row of another device it is not valid.
    let elsewhere = DeviceRow::read(&row, &RowSeal { key: "device#android#u", ..seal });
    assert!(matches!(elsewhere, Err(Unreadable::Format(_))), "{elsewhere:?}");
}
