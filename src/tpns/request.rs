//! The body of a call (facts.md, section 3).

use serde::Serialize;

use super::OperatorType;
use crate::{
    event::Account,
    plan::{Item, Work},
};

#[derive(Serialize)]
struct BatchOperate<'a> {
    operator_type: u8,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_accounts: Vec<TokenAccounts<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    token_list: Vec<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    account_list: Vec<AccountEntry<'a>>,
}

#[derive(Serialize)]
struct TokenAccounts<'a> {
    token: &'a str,
    account_list: Vec<AccountEntry<'a>>,
}

/// `account_type` 0 is TPNS's default and is omitted, as in its samples.
#[derive(Serialize)]
pub(super) struct AccountEntry<'a> {
    account: &'a str,
    #[serde(skip_serializing_if = "is_default")]
    account_type: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_default(account_type: &u32) -> bool {
    *account_type == 0
}

impl<'a> From<&'a Account> for AccountEntry<'a> {
    fn from(account: &'a Account) -> Self {
        Self { account: account.account.as_str(), account_type: account.account_type.0 }
    }
}

/// The bytes to sign and to send: one serialization, since the signature covers every byte of it.
///
/// # Errors
/// None in practice: the parts are strings and numbers.
pub fn body<'a>(operator_type: OperatorType, items: impl IntoIterator<Item = &'a Item>) -> serde_json::Result<Vec<u8>> {
    let mut call = BatchOperate {
        operator_type: operator_type as u8,
        token_accounts: Vec::new(),
        token_list: Vec::new(),
        account_list: Vec::new(),
    };
    for item in items {
        match &item.work {
            Work::Bind(token, accounts) | Work::Unbind(token, accounts) => call.token_accounts.push(TokenAccounts {
                token: token.as_str(),
                account_list: accounts.iter().map(AccountEntry::from).collect(),
            }),
            Work::UnbindAll(token) => call.token_list.push(token.as_str()),
            Work::UnbindEverywhere(account) => call.account_list.push(account.into()),
        }
    }
    serde_json::to_vec(&call)
}
