//! The bindings in the answer of a query, with or without account types.

use serde::Serialize;

use super::request::{Account, TokenAccounts};

/// The tokens of one queried account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountTokens {
    /// The account, its two fields next to `token_list`.
    pub account: Account,
    /// Its tokens, oldest binding first.
    pub token_list: Vec<String>,
}

/// The result of a query: an entry per item that has a binding, in request order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// `account_tokens`, of a query by account.
    AccountTokens(Vec<AccountTokens>),
    /// `token_accounts`, of a query by token.
    TokenAccounts(Vec<TokenAccounts>),
}

/// [`Found`] as JSON.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum FoundFields<'a> {
    AccountTokens(Vec<AccountTokensFields<'a>>),
    TokenAccounts(Vec<TokenAccountsFields<'a>>),
}

#[derive(Serialize)]
pub(super) struct AccountTokensFields<'a> {
    #[serde(flatten)]
    account: AccountFields<'a>,
    token_list: &'a [String],
}

#[derive(Serialize)]
pub(super) struct TokenAccountsFields<'a> {
    token: &'a str,
    account_list: Vec<AccountFields<'a>>,
}

#[derive(Serialize)]
struct AccountFields<'a> {
    account: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    account_type: Option<u32>,
}

impl<'a> AccountFields<'a> {
    fn of(Account { account, account_type }: &'a Account, omits_type: bool) -> Self {
        Self { account, account_type: (!omits_type).then_some(*account_type) }
    }
}

impl<'a> FoundFields<'a> {
    /// The key in the answer, and its value.
    pub(super) fn of(found: &'a Found, omits_type: bool) -> (&'static str, Self) {
        match found {
            Found::AccountTokens(found) => {
                let fields = found.iter().map(|AccountTokens { account, token_list }| AccountTokensFields {
                    account: AccountFields::of(account, omits_type),
                    token_list,
                });
                ("account_tokens", Self::AccountTokens(fields.collect()))
            }
            Found::TokenAccounts(found) => {
                let fields = found.iter().map(|TokenAccounts { token, account_list }| TokenAccountsFields {
                    token,
                    account_list: account_list.iter().map(|account| AccountFields::of(account, omits_type)).collect(),
                });
                ("token_accounts", Self::TokenAccounts(fields.collect()))
            }
        }
    }
}
