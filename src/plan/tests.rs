mod table;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tpns_sim::model::{self, BatchOperate, OverrideMode};

use super::*;
use crate::{
    event::{AccountType, Version},
    testing,
    tpns::{Call, ITEMS_PER_CALL, OperatorType, body, calls},
};

fn tpns(override_mode: OverrideMode) -> model::Tpns {
    let apps = (0..testing::APPS).map(|app| app.to_string());
    model::Tpns::new(apps, model::Settings { override_mode, ..model::Settings::default() })
}

/// Sends the bytes that would be sent, and sees that TPNS takes all of them.
fn send(tpns: &mut model::Tpns, app: AppId, operator_type: OperatorType, items: &[&Item]) {
    let bytes = body(operator_type, items.iter().copied()).unwrap();
    let request = BatchOperate::from_json(&bytes).unwrap();
    assert_eq!(request.operator_type(), operator_type as u8);
    let answer = tpns.batch_operate(&app.0.to_string(), &request);
    assert!(answer.result.len() == items.len() && answer.result.iter().all(|code| code == "0"), "{answer:?}");
}

/// Sends the calls as their gates open. Calls of one wave may go out together. Returns the waves' calls.
fn carry_out(tpns: &mut model::Tpns, plan: &Plan) -> Vec<Vec<Call>> {
    let mut accepted = BTreeSet::new();
    let mut left = calls(&plan.items);
    let mut waves = Vec::new();
    while !left.is_empty() {
        let verdict = |item| accepted.contains(&item).then_some(Verdict::Accepted);
        let is_open = |&item: &ItemIndex| plan.gates(item, verdict, Patience::Lasts) == GateState::Open;
        let (wave, waiting): (Vec<_>, _) = left.into_iter().partition(|call| call.items.iter().all(is_open));
        assert!(!wave.is_empty(), "calls that wait for each other: {waiting:?}");
        for call in &wave {
            let items: Vec<_> = call.items.iter().map(|&item| plan.item(item)).collect();
            send(tpns, call.app, call.operator_type, &items);
        }
        accepted.extend(wave.iter().flat_map(|call| call.items.clone()));
        waves.push(wave);
        left = waiting;
    }
    waves
}

/// The definition of truth: one event, one call.
fn apply_alone(tpns: &mut model::Tpns, event: &Event) {
    let mut say = |app, work: Work| {
        let item = Item { app, work, after: Vec::new(), alone: None };
        send(tpns, app, OperatorType::of(&item.work), &[&item]);
    };
    match event.change.clone() {
        Change::Login(device, accounts) => say(device.app, Work::Bind(device.token, accounts)),
        Change::Logout(device, listed) => {
            let accounts = listed.into_iter().map(ListedAccount::with_default_type).collect();
            say(device.app, Work::Unbind(device.token, accounts));
        }
        Change::LogoutAll(device) => say(device.app, Work::UnbindAll(device.token)),
        Change::Deletion(apps, accounts) => {
            for app in apps.iter().copied() {
                for account in &accounts {
                    say(app, Work::UnbindEverywhere(account.clone()));
                }
            }
        }
    }
}

fn bindings(tpns: &model::Tpns) -> Vec<model::Bindings> {
    (0..testing::APPS).map(|app| tpns.bindings(&app.to_string())).collect()
}

fn bound(tpns: &model::Tpns, device: &Device) -> BTreeSet<Account> {
    let bound = tpns.bindings(&device.app.0.to_string()).remove(device.token.as_str()).unwrap_or_default();
    bound.iter().map(|each| testing::account(&each.account, AccountType(each.account_type))).collect()
}

/// The accounts that a device is to have: its newest login's, but those that signed out or were deleted since.
fn wanted(state: &State, device: &Device) -> BTreeSet<Account> {
    let known = &state.devices[device];
    let Some(owner) = known.owner() else { return BTreeSet::new() };
    let is_deleted = |account: &Account| {
        let key = AccountKey { app: device.app, account: account.clone() };
        state.deletion_after(&key, &owner.version).is_some()
    };
    owner.accounts().filter(|account| !known.is_unbound(account) && !is_deleted(account)).collect()
}

/// The events in version order, each version once: between two events of one version there is no order to follow.
fn in_order(events: Vec<Event>) -> Vec<Event> {
    let by_version: BTreeMap<Version, Event> = events.into_iter().map(|event| (event.version.clone(), event)).collect();
    by_version.into_values().collect()
}

/// Cuts the events into batches, and within each shuffles and doubles them.
fn batches(events: &[Event], cuts: &[prop::sample::Index], mix: u64) -> Vec<Vec<Event>> {
    let mut random = fastrand::Rng::with_seed(mix);
    let cuts: BTreeSet<usize> = cuts.iter().map(|cut| cut.index(events.len() + 1)).chain([0, events.len()]).collect();
    let cuts: Vec<_> = cuts.into_iter().collect();
    let mix = |batch: &[Event]| {
        let doubles: Vec<_> = batch.iter().filter(|_| random.bool()).cloned().collect();
        let mut batch = [batch, &doubles].concat();
        random.shuffle(&mut batch);
        batch
    };
    cuts.windows(2).map(|cut| &events[cut[0]..cut[1]]).map(mix).collect()
}

fn check(
    override_mode: OverrideMode,
    events: Vec<Event>,
    cuts: &[prop::sample::Index],
    mix: u64,
) -> Result<(), TestCaseError> {
    let events = in_order(events);
    let (mut ours, mut truth) = (tpns(override_mode), tpns(override_mode));
    for batch in batches(&events, cuts, mix) {
        carry_out(&mut ours, &plan(&State::of(&batch), &Redelivered::default()));
    }
    for event in &events {
        apply_alone(&mut truth, event);
    }
    prop_assert_eq!(bindings(&ours), bindings(&truth));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn in_replace_mode_batches_end_as_one_by_one(
        events in testing::events(1..16), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4), mix: u64,
    ) {
        check(OverrideMode::Replace, events, &cuts, mix)?;
    }

    #[test]
    fn in_per_type_mode_they_do_when_a_devices_logins_name_the_same_types(
        events in testing::events_of_steady_types(1..16), cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..4), mix: u64,
    ) {
        check(OverrideMode::PerType, events, &cuts, mix)?;
    }

    /// Whatever a producer does with the types: what a batch says is out is not bound after it.
    #[test]
    fn in_either_mode_nothing_is_left_bound_that_the_batch_says_is_out(
        before in testing::events(0..8), batch in testing::events_without_types(1..12), per_type: bool,
    ) {
        let mode = if per_type { OverrideMode::PerType } else { OverrideMode::Replace };
        let mut tpns = tpns(mode);
        before.iter().for_each(|event| apply_alone(&mut tpns, event));
        let state = State::of(&batch);
        carry_out(&mut tpns, &plan(&state, &Redelivered::default()));
        for (device, known) in &state.devices {
            let bound = bound(&tpns, device);
            let signed_out = |Account { account, account_type }: &Account| {
                let listed = ListedAccount { account: account.clone(), account_type: Some(*account_type) };
                known.unbound().contains_key(&listed)
            };
            prop_assert!(!bound.iter().any(signed_out), "{device:?} was signed out: {bound:?}");
            let Some(owner) = known.owner() else { continue };
            let wanted = wanted(&state, device);
            prop_assert!(wanted.is_subset(&bound), "{device:?} is to have {wanted:?} and has {bound:?}");
            // And no others: but an account of a type that the batch does not speak of, where TPNS overrides per type.
            let spoken_of = |account_type| {
                owner.accounts.iter().any(|account| account.account_type == account_type)
                    || known.unbound().keys().any(|out| out.account_type == Some(account_type))
            };
            for other in bound.difference(&wanted) {
                let is_left = per_type && !wanted.is_empty() && !spoken_of(other.account_type);
                prop_assert!(is_left, "{device:?} is to have {wanted:?} and no others, not {other:?}");
            }
        }
    }

    /// A login carries all accounts of the device. In either mode, if a device's logins name the same types.
    #[test]
    fn a_device_has_the_accounts_of_its_login_and_no_others(
        before in testing::events_of_steady_types(0..8), batch in testing::events_of_steady_types(1..16), per_type: bool,
    ) {
        let mut tpns = tpns(if per_type { OverrideMode::PerType } else { OverrideMode::Replace });
        before.iter().for_each(|event| apply_alone(&mut tpns, event));
        let state = State::of(&batch);
        carry_out(&mut tpns, &plan(&state, &Redelivered::default()));
        for device in state.devices.iter().filter(|(_, known)| known.owner().is_some()).map(|(device, _)| device) {
            prop_assert_eq!(bound(&tpns, device), wanted(&state, device), "{:?}", device);
        }
    }

    /// With a ledger, whatever types a device's logins name, and in whatever order TPNS applies the calls.
    #[test]
    fn what_is_pushed_from_the_ledger_is_right_in_either_order(
        before in testing::events(0..8), batch in testing::events_without_types(1..8), per_type: bool, reverse: bool,
    ) {
        let mut tpns = tpns(if per_type { OverrideMode::PerType } else { OverrideMode::Replace });
        before.iter().for_each(|event| apply_alone(&mut tpns, event));
        let mut state = State::of(before.iter().chain(&batch));
        state.remembers = true;
        // The order of a deletion and a login after it matters; gates keep it.
        state.deleted.values_mut().for_each(|deletion| deletion.due = false);
        let mut plan = plan(&state, &Redelivered::default());
        if reverse {
            plan.items.reverse();
        }
        for item in &plan.items {
            send(&mut tpns, item.app, OperatorType::of(&item.work), &[item]);
        }
        for device in state.devices.iter().filter(|(_, known)| known.owner().is_some()).map(|(device, _)| device) {
            prop_assert_eq!(bound(&tpns, device), wanted(&state, device), "{:?}", device);
        }
    }

    #[test]
    fn there_are_as_few_calls_as_items_allow(events in testing::events(0..200)) {
        let plan = plan(&State::of(&events), &Redelivered::default());
        let calls = calls(&plan.items);
        let mut items: BTreeMap<(AppId, OperatorType), usize> = BTreeMap::new();
        plan.items.iter().for_each(|item| *items.entry((item.app, OperatorType::of(&item.work))).or_default() += 1);
        prop_assert_eq!(calls.len(), items.values().map(|count| count.div_ceil(ITEMS_PER_CALL)).sum::<usize>());
        let mut sent: Vec<_> = calls.iter().flat_map(|call| call.items.clone()).collect();
        sent.sort_unstable();
        prop_assert_eq!(sent, (0..plan.items.len()).map(ItemIndex).collect::<Vec<_>>(), "each item in one call");
        for call in &calls {
            prop_assert!((1..=ITEMS_PER_CALL).contains(&call.items.len()));
            for &item in &call.items {
                let item = plan.item(item);
                prop_assert_eq!((item.app, OperatorType::of(&item.work)), (call.app, call.operator_type));
            }
        }
        // Deletions, then what waits for none but them, then the rest.
        let waves = carry_out(&mut tpns(OverrideMode::Replace), &plan);
        prop_assert!(waves.len() <= 3, "{waves:?}");
    }

    #[test]
    fn every_event_depends_on_at_least_one_item(events in testing::events(1..30)) {
        let plan = plan(&State::of(&events), &Redelivered::default());
        for event in &events {
            let shares = plan.shares(event);
            prop_assert!(shares.iter().any(|share| matches!(share, Share::Own(_))), "{event:?}");
        }
    }
}
