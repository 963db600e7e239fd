use std::collections::BTreeSet;

use proptest::prelude::*;
use tpns_sim::model::{self, BatchOperate, OverrideMode};

use super::*;
use crate::{
    apps::AppId,
    event::{AccountType, Change, Event, Token},
    testing,
    tpns::{OperatorType, body},
};

fn device() -> Device {
    Device { app: AppId(0), token: Token::new("token0").unwrap() }
}

fn tpns(mode: OverrideMode) -> model::Tpns {
    model::Tpns::new(["0".to_owned()], model::Settings { override_mode: mode, ..model::Settings::default() })
}

fn send(tpns: &mut model::Tpns, item: &Item) {
    let bytes = body(OperatorType::of(&item.work), [item]).unwrap();
    let answer = tpns.batch_operate("0", &BatchOperate::from_json(&bytes).unwrap());
    assert!(answer.result.iter().all(|code| code == "0"), "{answer:?}");
}

fn bound(tpns: &model::Tpns, typed: bool) -> Vec<BoundAccount> {
    let bound = tpns.bindings("0").remove("token0").unwrap_or_default();
    let account = |each: &model::Account| BoundAccount {
        account: testing::account(&each.account, AccountType(0)).account,
        account_type: typed.then_some(AccountType(each.account_type)),
    };
    bound.iter().map(account).collect()
}

/// Events of the one device, and of deletions of its accounts.
fn of_the_device(events: Vec<Event>) -> Vec<Event> {
    let mine = |event: &Event| match &event.change {
        Change::Deletion(apps, _) => apps.contains(&AppId(0)),
        _ => event.device() == Some(&device()),
    };
    events.into_iter().filter(mine).collect()
}

fn account() -> impl Strategy<Value = Account> {
    (0..3_u8, 0..4_u32).prop_map(|(name, kind)| testing::account(&format!("account{name}"), AccountType(kind)))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// Whatever the events said and whatever TPNS has: in both readings of operator_type 2, and in either order of the
    /// items.
    #[test]
    fn after_the_repair_tpns_agrees(
        events in testing::events_without_types(1..12),
        has in prop::collection::btree_set(account(), 0..4),
        per_type: bool, reverse: bool, remove: bool,
    ) {
        let mut state = State::of(&of_the_device(events));
        state.remembers = true;
        let Some(known) = state.devices.get(&device()) else { return Ok(()) };
        let mode = if per_type { OverrideMode::PerType } else { OverrideMode::Replace };
        let mut tpns = tpns(mode);
        let accounts: Vec<_> = has.into_iter().collect();
        if !accounts.is_empty() {
            let work = Work::Bind(device().token, accounts);
            send(&mut tpns, &Item { app: AppId(0), work, after: Vec::new(), alone: None });
        }
        let mut comparison = compare(&device(), known, &state, &bound(&tpns, true));
        let unknown: BTreeSet<_> = comparison.unknown.iter().cloned().collect();
        if remove {
            comparison.remove_unknown();
        }
        let agreed = comparison.agrees();
        let mut items = comparison.repair(&device());
        prop_assert_eq!(agreed, items.is_empty());
        if reverse {
            items.reverse();
        }
        items.iter().for_each(|item| send(&mut tpns, item));
        let mut after = compare(&device(), known, &state, &bound(&tpns, true));
        let left: BTreeSet<_> = after.unknown.iter().cloned().collect();
        if remove {
            after.remove_unknown();
        }
        prop_assert!(after.agrees(), "{after:?}");
        // What nothing is known of stays, unless TPNS itself replaces all that a device has.
        if per_type && !remove {
            prop_assert_eq!(left, unknown);
        }
    }

    /// Answers without types: what is left is the same name under two types.
    #[test]
    fn after_two_repairs_tpns_agrees_also_by_answers_without_types(
        events in testing::events_without_types(1..12), has in prop::collection::btree_set(account(), 0..4), per_type: bool,
    ) {
        let mut state = State::of(&of_the_device(events));
        state.remembers = true;
        let Some(known) = state.devices.get(&device()) else { return Ok(()) };
        let mut tpns = tpns(if per_type { OverrideMode::PerType } else { OverrideMode::Replace });
        let accounts: Vec<_> = has.into_iter().collect();
        if !accounts.is_empty() {
            let work = Work::Bind(device().token, accounts);
            send(&mut tpns, &Item { app: AppId(0), work, after: Vec::new(), alone: None });
        }
        for _ in 0..2 {
            let comparison = compare(&device(), known, &state, &bound(&tpns, false));
            comparison.repair(&device()).iter().for_each(|item| send(&mut tpns, item));
        }
        let after = compare(&device(), known, &state, &bound(&tpns, false));
        prop_assert!(after.agrees(), "{after:?}");
    }
}

#[test]
fn each_kind_of_difference_is_recognised() {
    let account = |name: &str, kind| testing::account(name, AccountType(kind));
    let bound = |accounts: &[Account]| -> Vec<BoundAccount> {
        let each =
            |each: &Account| BoundAccount { account: each.account.clone(), account_type: Some(each.account_type) };
        accounts.iter().map(each).collect()
    };
    let (a, b, c) = (account("aa", 0), account("bb", 1), account("cc", 2));
    let login = |at, accounts: &[Account]| {
        testing::happened(at, crate::event::Kind::Login, "l", Change::Login(device(), accounts.to_vec()))
    };
    let state = State::of(&[login(1, &[a.clone(), b.clone()]), login(2, std::slice::from_ref(&a))]);
    let look = |accounts: &[Account]| compare(&device(), &state.devices[&device()], &state, &bound(accounts));
    assert!(look(std::slice::from_ref(&a)).agrees());
    // An earlier login's.
    assert_eq!(look(&[a.clone(), b.clone()]), Comparison { over: vec![b], ..Comparison::default() });
    // No login's.
    assert_eq!(look(&[a.clone(), c.clone()]), Comparison { unknown: vec![c], ..Comparison::default() });
    let other = account("other", 0);
    let missing = Some(vec![a.clone()]);
    let differs = Comparison { missing, over: vec![other.clone()], is_strange: true, ..Comparison::default() };
    assert_eq!(look(&[other]), differs);
    assert_eq!(look(&[]), Comparison { missing: Some(vec![a]), ..Comparison::default() });
}
