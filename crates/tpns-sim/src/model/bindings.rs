//! The bindings of one app, indexed both ways.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use super::{
    Bindings,
    limits::{ItemError, TOKENS_PER_ACCOUNT},
    request::{Account, TokenAccounts},
    settings::{OverrideMode, Settings, TokenCap},
};

/// One account on one token. `since` is the number of this binding in the order in which bindings
/// were made, so that an account's oldest token is known.
#[derive(Clone, Debug)]
struct Bound {
    account: Arc<str>,
    since: u64,
}

/// The tokens of one account, by [`Bound::since`].
type Tokens = BTreeMap<u64, Arc<str>>;

/// Both maps hold the same bindings; every change goes through [`bind`](Self::bind) and
/// [`remove`](Self::remove), which keep them consistent. The first can't represent two accounts of
/// one type on a token, which TPNS rules out.
#[derive(Clone, Debug, Default)]
pub(super) struct AppBindings {
    by_token: HashMap<Arc<str>, BTreeMap<u32, Bound>>,
    by_account: HashMap<u32, HashMap<Arc<str>, Tokens>>,
    made: u64,
    /// Tokens whose bindings changed since they were last taken, with repetitions.
    touched: Vec<Arc<str>>,
}

impl AppBindings {
    /// `operator_type` 2 for one token.
    pub(super) fn override_accounts(&mut self, entry: &TokenAccounts, settings: &Settings) {
        if settings.override_mode == OverrideMode::Replace {
            self.unbind_token(&entry.token);
        }
        for account in effective(entry) {
            self.bind(&entry.token, account);
            if settings.token_cap == TokenCap::Evict {
                self.evict_beyond_cap(account);
            }
        }
    }

    /// Sets the accounts of one token, whatever they were.
    pub(super) fn set_accounts(&mut self, token: &str, accounts: &[Account]) {
        self.unbind_token(token);
        for account in accounts {
            self.bind(token, account);
        }
    }

    /// Whether the entry's accounts can take another token, under [`TokenCap::Reject`].
    pub(super) fn check_capacity(&self, entry: &TokenAccounts) -> Result<(), ItemError> {
        let full = |account: &Account| {
            !self.has(&entry.token, account)
                && self.tokens(account).is_some_and(|tokens| tokens.len() >= TOKENS_PER_ACCOUNT)
        };
        if effective(entry).into_iter().any(full) {
            return Err(ItemError::AccountFull);
        }
        Ok(())
    }

    /// `operator_type` 3 for one token: name and type must both be those bound.
    pub(super) fn unbind(&mut self, entry: &TokenAccounts) {
        for account in &entry.account_list {
            if self.has(&entry.token, account) {
                self.remove(&entry.token, account.account_type);
            }
        }
    }

    /// `operator_type` 4 for one token.
    pub(super) fn unbind_token(&mut self, token: &str) {
        let types: Vec<u32> = match self.by_token.get(token) {
            Some(accounts) => accounts.keys().copied().collect(),
            None => return,
        };
        for account_type in types {
            self.remove(token, account_type);
        }
    }

    /// `operator_type` 5 for one account.
    pub(super) fn unbind_account(&mut self, account: &Account) {
        let tokens: Vec<Arc<str>> = match self.tokens(account) {
            Some(tokens) => tokens.values().cloned().collect(),
            None => return,
        };
        for token in tokens {
            self.remove(&token, account.account_type);
        }
    }

    /// The tokens whose bindings changed since the last call, with repetitions.
    pub(super) fn take_touched(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.touched)
    }

    /// The accounts of a token, by type.
    pub(super) fn accounts_of(&self, token: &str) -> Vec<Account> {
        self.by_token.get(token).map(to_accounts).unwrap_or_default()
    }

    /// The tokens of an account, oldest binding first.
    pub(super) fn tokens_of(&self, account: &Account) -> Vec<String> {
        self.tokens(account)
            .map(|tokens| tokens.values().map(|token| String::from(&**token)).collect())
            .unwrap_or_default()
    }

    pub(super) fn to_bindings(&self) -> Bindings {
        self.by_token.iter().map(|(token, accounts)| (String::from(&**token), to_accounts(accounts))).collect()
    }

    fn bind(&mut self, token: &str, account: &Account) {
        self.remove(token, account.account_type);
        self.made += 1;
        let token: Arc<str> = token.into();
        let name: Arc<str> = account.account.as_str().into();
        self.by_account
            .entry(account.account_type)
            .or_default()
            .entry(name.clone())
            .or_default()
            .insert(self.made, token.clone());
        self.touched.push(token.clone());
        self.by_token.entry(token).or_default().insert(account.account_type, Bound { account: name, since: self.made });
    }

    /// Removes the token's account of this type, if any, and the entries that are then empty.
    fn remove(&mut self, token: &str, account_type: u32) {
        let Some(accounts) = self.by_token.get_mut(token) else {
            return;
        };
        let Some(bound) = accounts.remove(&account_type) else {
            return;
        };
        self.touched.push(token.into());
        if accounts.is_empty() {
            self.by_token.remove(token);
        }
        if let Some(names) = self.by_account.get_mut(&account_type)
            && let Some(tokens) = names.get_mut(&bound.account)
        {
            tokens.remove(&bound.since);
            if tokens.is_empty() {
                names.remove(&bound.account);
            }
        }
    }

    fn evict_beyond_cap(&mut self, account: &Account) {
        let oldest = match self.tokens(account) {
            Some(tokens) if tokens.len() > TOKENS_PER_ACCOUNT => tokens.values().next().cloned(),
            _ => None,
        };
        if let Some(token) = oldest {
            self.remove(&token, account.account_type);
        }
    }

    fn has(&self, token: &str, account: &Account) -> bool {
        self.by_token
            .get(token)
            .and_then(|accounts| accounts.get(&account.account_type))
            .is_some_and(|bound| *bound.account == account.account)
    }

    fn tokens(&self, account: &Account) -> Option<&Tokens> {
        self.by_account.get(&account.account_type)?.get(account.account.as_str())
    }
}

/// Of several accounts of one type the last one counts, also within a request.
fn effective(entry: &TokenAccounts) -> impl IntoIterator<Item = &Account> {
    let by_type: BTreeMap<u32, &Account> =
        entry.account_list.iter().map(|account| (account.account_type, account)).collect();
    by_type.into_values()
}

fn to_accounts(accounts: &BTreeMap<u32, Bound>) -> Vec<Account> {
    accounts.iter().map(|(&account_type, bound)| Account::new(&*bound.account, account_type)).collect()
}
