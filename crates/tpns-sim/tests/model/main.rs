//! The binding model, from the outside.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers fail a test by panicking; clippy.toml spares only functions marked as tests"
)]

mod limits;
mod operations;
mod properties;
mod query;

use tpns_sim::model::{Account, BatchOperate, OverrideMode, Settings, TokenAccounts, Tpns};

const APP: &str = "android";

fn tpns(override_mode: OverrideMode) -> Tpns {
    Tpns::new([APP, "ios"], Settings { override_mode, ..Settings::default() })
}

fn per_type() -> Tpns {
    tpns(OverrideMode::PerType)
}

fn account(name: &str, account_type: u32) -> Account {
    Account::new(name, account_type)
}

fn entry(token: &str, accounts: &[(&str, u32)]) -> TokenAccounts {
    TokenAccounts {
        token: token.to_owned(),
        account_list: accounts.iter().map(|&(name, account_type)| account(name, account_type)).collect(),
    }
}

fn login(token: &str, accounts: &[(&str, u32)]) -> BatchOperate {
    BatchOperate::Override(vec![entry(token, accounts)])
}

/// The bindings of `token`, written `name/type`, by type.
fn bound(tpns: &Tpns, token: &str) -> Vec<String> {
    let bindings = tpns.bindings(APP);
    let accounts = bindings.get(token).into_iter().flatten();
    accounts.map(|account| format!("{}/{}", account.account, account.account_type)).collect()
}
