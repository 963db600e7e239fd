//! Checks that the search's model of TPNS behaves like `tpns-sim`.

use tpns_sim::model::{self, BatchOperate, OverrideMode, Settings, TokenAccounts};

use crate::{
    events::{ACCOUNTS, Bound, DEVICES, NAMES, NOT_BOUND, Tpns, device},
    sets::Scenario,
    steps::Item,
    world::{Luck, State, each},
};

const APP: &str = "app";

fn account(tpns: Tpns, account: usize) -> model::Account {
    model::Account::new(NAMES[account], tpns.account_type(account))
}

fn token(index: usize) -> String {
    device(index).token.as_str().to_owned()
}

fn named(tpns: Tpns, index: usize, accounts: u8) -> Vec<TokenAccounts> {
    let account_list = each(accounts).map(|each| account(tpns, each)).collect();
    vec![TokenAccounts { token: token(index), account_list }]
}

fn operation(tpns: Tpns, item: Item) -> BatchOperate {
    match item {
        Item::Bind { device, accounts, .. } => BatchOperate::Override(named(tpns, device.into(), accounts)),
        Item::Unbind { device, accounts } => BatchOperate::Unbind(named(tpns, device.into(), accounts)),
        Item::UnbindAll { device } => BatchOperate::UnbindTokens(vec![token(device.into())]),
        Item::UnbindEverywhere { account: each } => BatchOperate::UnbindAccounts(vec![account(tpns, each.into())]),
    }
}

/// Sets of accounts that a device can have: one per type.
fn possible(tpns: Tpns) -> Vec<u8> {
    let one_a_type = |&set: &u8| {
        let types = each(set).map(|account| tpns.account_type(account));
        types.collect::<std::collections::HashSet<_>>().len() == each(set).count()
    };
    (0..1 << ACCOUNTS).filter(one_a_type).collect()
}

fn items(tpns: Tpns) -> Vec<Item> {
    let mut items: Vec<_> = (0..3).map(|account| Item::UnbindEverywhere { account }).collect();
    for device in 0..2 {
        items.push(Item::UnbindAll { device });
        for accounts in possible(tpns).into_iter().filter(|accounts| *accounts != 0) {
            items.push(Item::Bind { device, accounts, by: 1 });
            items.push(Item::Unbind { device, accounts });
        }
    }
    items
}

fn bound(service: &model::Tpns, tpns: Tpns) -> [u8; DEVICES] {
    let bindings = service.bindings(APP);
    std::array::from_fn(|device| {
        let bound = bindings.get(&token(device)).map_or(&[][..], Vec::as_slice);
        (0..ACCOUNTS).filter(|&each| bound.contains(&account(tpns, each))).fold(0, |set, each| set | 1 << each)
    })
}

#[test]
fn the_model_of_tpns_behaves_like_tpns_sim() {
    for tpns in Tpns::ALL {
        let override_mode = if tpns == Tpns::Replaces { OverrideMode::Replace } else { OverrideMode::PerType };
        for (first, second) in
            possible(tpns).into_iter().flat_map(|first| possible(tpns).into_iter().map(move |second| (first, second)))
        {
            for item in items(tpns) {
                let mut service = model::Tpns::new([APP], Settings { override_mode, ..Settings::default() });
                let mut before = Bound::default();
                for (device, accounts) in [first, second].into_iter().enumerate() {
                    service.batch_operate(APP, &BatchOperate::Override(named(tpns, device, accounts)));
                    each(accounts).for_each(|account| before[device][account] = 1);
                }
                let mut state =
                    State::start(&Scenario { messages: Vec::new(), before, confirmed: None }, Luck::default());
                assert_eq!(bound(&service, tpns), [first, second]);

                let answer = service.batch_operate(APP, &operation(tpns, item));
                state.apply(item, tpns);

                assert_eq!(answer.ret_code, 0);
                let set = |bound: [u8; ACCOUNTS]| {
                    (0..ACCOUNTS).filter(|&each| bound[each] != NOT_BOUND).fold(0, |set, each| set | 1 << each)
                };
                assert_eq!(
                    bound(&service, tpns),
                    state.bound.map(set),
                    "{tpns:?}: {first:03b}, {second:03b}, {item:?}"
                );
            }
        }
    }
}
