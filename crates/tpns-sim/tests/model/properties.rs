//! Rules that must hold for any operations in any order.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tpns_sim::model::{Account, BatchOperate, Bindings, Found, OverrideMode, Query, TokenAccounts, Tpns};

use super::{APP, tpns};

/// Few names, so that operations affect the same bindings.
fn any_account() -> impl Strategy<Value = Account> {
    ("[abc]", 0..3_u32).prop_map(|(name, account_type)| Account::new(name, account_type))
}

fn any_entries() -> impl Strategy<Value = Vec<TokenAccounts>> {
    let entry = ("t[0-4]", prop::collection::vec(any_account(), 1..4))
        .prop_map(|(token, account_list)| TokenAccounts { token, account_list });
    prop::collection::vec(entry, 1..4)
}

fn any_operation() -> impl Strategy<Value = BatchOperate> {
    prop_oneof![
        any_entries().prop_map(BatchOperate::Append),
        any_entries().prop_map(BatchOperate::Override),
        any_entries().prop_map(BatchOperate::Unbind),
        prop::collection::vec("t[0-4]", 1..3).prop_map(BatchOperate::UnbindTokens),
        prop::collection::vec(any_account(), 1..3).prop_map(BatchOperate::UnbindAccounts),
    ]
}

fn any_mode() -> impl Strategy<Value = OverrideMode> {
    prop_oneof![Just(OverrideMode::Replace), Just(OverrideMode::PerType)]
}

/// The rules again, as simple as possible: (token, type) to name.
#[derive(Default)]
struct Reference(BTreeMap<(String, u32), String>);

impl Reference {
    fn apply(&mut self, mode: OverrideMode, operation: &BatchOperate) {
        match operation {
            BatchOperate::Append(entries) | BatchOperate::Override(entries) => {
                for entry in entries {
                    if mode == OverrideMode::Replace {
                        self.0.retain(|(token, _), _| *token != entry.token);
                    }
                    for account in &entry.account_list {
                        let key = (entry.token.clone(), account.account_type);
                        self.0.insert(key, account.account.clone());
                    }
                }
            }
            BatchOperate::Unbind(entries) => {
                for entry in entries {
                    for account in &entry.account_list {
                        let key = (entry.token.clone(), account.account_type);
                        if self.0.get(&key) == Some(&account.account) {
                            self.0.remove(&key);
                        }
                    }
                }
            }
            BatchOperate::UnbindTokens(tokens) => {
                self.0.retain(|(token, _), _| !tokens.contains(token));
            }
            BatchOperate::UnbindAccounts(accounts) => {
                self.0.retain(|(_, account_type), name| !accounts.contains(&Account::new(name.as_str(), *account_type)))
            }
        }
    }

    fn bindings(&self) -> Bindings {
        let mut bindings = Bindings::new();
        for ((token, account_type), name) in &self.0 {
            let accounts = bindings.entry(token.clone()).or_default();
            accounts.push(Account::new(name.as_str(), *account_type));
        }
        bindings
    }
}

/// The bindings as the account side of the index has them.
fn by_account(tpns: &Tpns) -> BTreeSet<(String, String, u32)> {
    let names = ["a", "b", "c"];
    let all = names.into_iter().flat_map(|name| (0..3).map(move |account_type| Account::new(name, account_type)));
    let Some(Found::AccountTokens(found)) = tpns.query(APP, &Query::ByAccount(all.collect())).found else {
        panic!("a query by account finds account_tokens");
    };
    found
        .into_iter()
        .flat_map(|found| {
            let Account { account, account_type } = found.account;
            let tokens = found.token_list.into_iter();
            tokens.map(move |token| (token, account.clone(), account_type))
        })
        .collect()
}

proptest! {
    #[test]
    fn any_operations_have_the_effect_of_the_simple_rules(
        mode in any_mode(),
        operations in prop::collection::vec(any_operation(), 0..20),
    ) {
        let (mut tpns, mut reference) = (tpns(mode), Reference::default());
        for operation in &operations {
            let answer = tpns.batch_operate(APP, operation);
            prop_assert_eq!(answer.result, vec!["0"; operation.len()]);
            reference.apply(mode, operation);
            prop_assert_eq!(tpns.bindings(APP), reference.bindings());
        }
    }

    #[test]
    fn a_token_never_has_two_accounts_of_one_type_and_both_indexes_agree(
        mode in any_mode(),
        operations in prop::collection::vec(any_operation(), 0..20),
    ) {
        let mut tpns = tpns(mode);
        for operation in &operations {
            tpns.batch_operate(APP, operation);
        }
        let mut by_token = BTreeSet::new();
        for (token, accounts) in tpns.bindings(APP) {
            let types: Vec<u32> = accounts.iter().map(|account| account.account_type).collect();
            prop_assert!(!types.is_empty() && types.is_sorted_by(|one, two| one < two));
            for account in accounts {
                by_token.insert((token.clone(), account.account, account.account_type));
            }
        }
        prop_assert_eq!(by_token, by_account(&tpns));
    }

    #[test]
    fn every_operation_is_idempotent(
        mode in any_mode(),
        before in prop::collection::vec(any_operation(), 0..5), operation in any_operation(),
    ) {
        let mut tpns = tpns(mode);
        for operation in before.iter().chain([&operation]) {
            tpns.batch_operate(APP, operation);
        }
        let once = tpns.bindings(APP);
        tpns.batch_operate(APP, &operation);
        prop_assert_eq!(once, tpns.bindings(APP));
    }

    #[test]
    fn any_operation_survives_a_round_trip_through_json(operation in any_operation()) {
        let body = serde_json::to_vec(&operation).expect("serializable");
        prop_assert_eq!(BatchOperate::from_json(&body), Ok(operation));
    }

    #[test]
    fn no_bytes_make_the_reader_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        prop_assert!(BatchOperate::from_json(&body).is_err());
    }
}
