//! The two requests of the account API, with TPNS's names.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An account as TPNS keys it: name and type together.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Account {
    /// The account's name, unique only within its type.
    pub account: String,
    /// 0 when none is given; the table of types is in facts.md, section 3.
    #[serde(default)]
    pub account_type: u32,
}

impl Account {
    /// An account of the given type.
    pub fn new(account: impl Into<String>, account_type: u32) -> Self {
        Self { account: account.into(), account_type }
    }
}

/// One item of `operator_type` 1, 2 and 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenAccounts {
    /// The device.
    pub token: String,
    /// Its accounts; of one type, the last counts.
    pub account_list: Vec<Account>,
}

/// Body of `POST /v3/device/account/batchoperate` (facts.md, section 3).
///
/// Reads and writes the provider's JSON: `{"operator_type":2,"token_accounts":[…]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum BatchOperate {
    /// `operator_type` 1, deprecated: does what [`Override`](Self::Override) does.
    Append(Vec<TokenAccounts>),
    /// `operator_type` 2: binds each token to its accounts, overriding earlier ones.
    Override(Vec<TokenAccounts>),
    /// `operator_type` 3: unbinds the listed accounts from each token.
    Unbind(Vec<TokenAccounts>),
    /// `operator_type` 4: unbinds each token from all its accounts.
    UnbindTokens(Vec<String>),
    /// `operator_type` 5: unbinds each account from all its tokens.
    UnbindAccounts(Vec<Account>),
}

/// Body of `POST /v3/device/account/query` (facts.md, section 5).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub enum Query {
    /// `operator_type` 1: the tokens of each account.
    ByAccount(Vec<Account>),
    /// `operator_type` 2: the accounts of each token.
    ByToken(Vec<String>),
}

/// The token and the accounts of one item of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemView<'a> {
    /// The token the item names, if its operation works on tokens.
    pub token: Option<&'a str>,
    /// The accounts the item names; none when the operation applies to all of them.
    pub accounts: &'a [Account],
}

impl BatchOperate {
    /// 1 to 5.
    #[must_use]
    pub fn operator_type(&self) -> u8 {
        match self {
            Self::Append(_) => 1,
            Self::Override(_) => 2,
            Self::Unbind(_) => 3,
            Self::UnbindTokens(_) => 4,
            Self::UnbindAccounts(_) => 5,
        }
    }

    /// The number of items in the request, and in the `result` of its answer.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Append(items) | Self::Override(items) | Self::Unbind(items) => items.len(),
            Self::UnbindTokens(items) => items.len(),
            Self::UnbindAccounts(items) => items.len(),
        }
    }

    /// Whether the request has no items, which TPNS refuses.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The items, in request order.
    #[must_use]
    pub fn items(&self) -> Vec<ItemView<'_>> {
        match self {
            Self::Append(entries) | Self::Override(entries) | Self::Unbind(entries) => entries
                .iter()
                .map(|entry| ItemView { token: Some(&entry.token), accounts: &entry.account_list })
                .collect(),
            Self::UnbindTokens(tokens) => of_tokens(tokens),
            Self::UnbindAccounts(accounts) => of_accounts(accounts),
        }
    }
}

impl Query {
    /// 1 or 2.
    #[must_use]
    pub fn operator_type(&self) -> u8 {
        match self {
            Self::ByAccount(_) => 1,
            Self::ByToken(_) => 2,
        }
    }

    /// The items, in request order.
    #[must_use]
    pub fn items(&self) -> Vec<ItemView<'_>> {
        match self {
            Self::ByAccount(accounts) => of_accounts(accounts),
            Self::ByToken(tokens) => of_tokens(tokens),
        }
    }
}

fn of_tokens(tokens: &[String]) -> Vec<ItemView<'_>> {
    tokens.iter().map(|token| ItemView { token: Some(token), accounts: &[] }).collect()
}

fn of_accounts(accounts: &[Account]) -> Vec<ItemView<'_>> {
    accounts.iter().map(|account| ItemView { token: None, accounts: std::slice::from_ref(account) }).collect()
}
