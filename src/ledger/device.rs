//! The known state of one device, and how two states of it merge.

use std::{cmp::Ordering, collections::BTreeMap};

use super::AccountKey;
use crate::{
    apps::AppId,
    event::{Account, AccountName, AccountType, ListedAccount, Version},
};

/// The state of one device after the events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceState {
    owner: Option<Owner>,
    unbound: BTreeMap<ListedAccount, Version>,
}

/// The most accounts that a device is signed out of one by one: with the longest names and ids, this number takes half
/// of a DynamoDB item (400 KB).
pub(super) const MOST_UNBOUND: usize = 200;

/// Whose device it is: the newest login's accounts, or no one's after a logout of all accounts.
///
/// The order is the order of merging: by version, and between two events that share a version (a producer's mistake) by
/// the accounts as the table keeps them, so that the result depends neither on their order nor on where they were
/// merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Since when.
    pub version: Version,
    /// The accounts, one a type; none after a logout of all accounts.
    pub accounts: BTreeMap<AccountType, AccountName>,
}

impl Owner {
    /// Whether one of the accounts is listed.
    #[must_use]
    pub fn has(&self, listed: &ListedAccount) -> bool {
        match listed.account_type {
            Some(account_type) => self.accounts.get(&account_type) == Some(&listed.account),
            None => self.accounts.values().any(|name| *name == listed.account),
        }
    }

    /// The accounts as the keys of their deletions.
    pub(super) fn keys(&self, app: AppId) -> impl Iterator<Item = AccountKey> {
        self.accounts.iter().map(move |(&account_type, name)| AccountKey {
            app,
            account: Account { account: name.clone(), account_type },
        })
    }

    /// The accounts as the table keeps them and orders them: `{"0":"1527000000","1005":"926@126.com"}`.
    pub(crate) fn accounts_text(&self) -> String {
        let accounts: BTreeMap<u32, &str> = self.accounts.iter().map(|(kind, name)| (kind.0, name.as_str())).collect();
        // A map of numbers to strings can't fail to be JSON.
        serde_json::to_string(&accounts).unwrap_or_default()
    }
}

impl Ord for Owner {
    fn cmp(&self, other: &Self) -> Ordering {
        self.version.cmp(&other.version).then_with(|| self.accounts_text().cmp(&other.accounts_text()))
    }
}

impl PartialOrd for Owner {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl DeviceState {
    /// The newest owner, if any event named one.
    #[must_use]
    pub fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// The accounts that logouts newer than the owner took away, with the newest logout's version. Where one took the
    /// account away under every type, older ones under a single type are not kept.
    #[must_use]
    pub fn unbound(&self) -> &BTreeMap<ListedAccount, Version> {
        &self.unbound
    }

    /// Whether a logout newer than the owner took this account away.
    #[must_use]
    pub fn is_unbound(&self, account: &Account) -> bool {
        let Account { account, account_type } = account;
        let listed = |account_type| ListedAccount { account: account.clone(), account_type };
        // Nearly every device has none.
        !self.unbound.is_empty()
            && (self.unbound.contains_key(&listed(Some(*account_type))) || self.unbound.contains_key(&listed(None)))
    }

    /// The newest logout that took away all that this one names.
    #[must_use]
    pub fn unbound_since(&self, listed: &ListedAccount) -> Option<&Version> {
        let every_type = ListedAccount { account: listed.account.clone(), account_type: None };
        self.unbound.get(listed).max(self.unbound.get(&every_type))
    }

    /// From this version on the device has these accounts and no others.
    pub fn own(&mut self, version: &Version, accounts: &[Account]) {
        // An older owner changes nothing, so nothing is built for it.
        if self.owner.as_ref().is_some_and(|owner| owner.version > *version) {
            return;
        }
        let accounts = accounts.iter().map(|each| (each.account_type, each.account.clone())).collect();
        self.take_owner(Owner { version: version.clone(), accounts });
    }

    /// From this version on the device does not have these accounts.
    pub fn unbind(&mut self, version: &Version, accounts: &[ListedAccount]) {
        for account in accounts {
            self.take_unbound(account, version);
        }
    }

    /// Keeps the owner's version, and none of its accounts.
    pub(super) fn give_up_accounts(&mut self) {
        if let Some(owner) = &mut self.owner {
            owner.accounts.clear();
        }
    }

    /// Merges another state of the device.
    pub fn merge(&mut self, other: &Self) {
        if let Some(owner) = &other.owner {
            self.take_owner(owner.clone());
        }
        for (account, version) in &other.unbound {
            self.take_unbound(account, version);
        }
    }

    pub(crate) fn take_owner(&mut self, owner: Owner) {
        if self.owner.as_ref().is_none_or(|own| owner > *own) {
            self.unbound.retain(|_, version| *version > owner.version);
            self.owner = Some(owner);
        }
    }

    pub(crate) fn take_unbound(&mut self, listed: &ListedAccount, version: &Version) {
        let overtaken = self.owner.as_ref().is_some_and(|owner| owner.version >= *version)
            || self.unbound_since(listed).is_some_and(|known| known >= version);
        if overtaken {
            return;
        }
        if listed.account_type.is_none() {
            self.unbound.retain(|known, since| known.account != listed.account || *since > *version);
        }
        self.unbound.insert(listed.clone(), version.clone());
    }

    /// Keeps what a row holds within bounds: a device that [`MOST_UNBOUND`] accounts and more have been signed out of
    /// since its last login counts as signed out of all.
    pub(crate) fn bounded(mut self) -> Self {
        if self.unbound.len() > MOST_UNBOUND
            && let Some(newest) = self.unbound.values().max().cloned()
        {
            self.own(&newest, &[]);
        }
        self
    }
}
