//! What is known of one device, and how two such pieces of knowledge merge.

use std::{cmp::Ordering, collections::BTreeMap};

use super::AccountKey;
use crate::{
    config::AppId,
    event::{Account, AccountName, AccountType, Version},
};

/// What the events say about one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceState {
    owner: Option<Owner>,
    unbound: BTreeMap<Account, Version>,
}

/// Whose device it is: the newest login's accounts, or nobody's after a logout of all accounts.
///
/// The order is the order of merging: by version, and between two events that share a version (a producer's mistake) by
/// the accounts as the table keeps them, so that the result depends neither on who came first nor on where they met.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Since when.
    pub version: Version,
    /// The accounts, one a type; none after a logout of all accounts.
    pub accounts: BTreeMap<AccountType, AccountName>,
}

impl Owner {
    /// The accounts as the keys of their deletions.
    pub(super) fn keys(&self, app: AppId) -> impl Iterator<Item = AccountKey> {
        self.accounts.iter().map(move |(&account_type, name)| AccountKey {
            app,
            account: Account { account: name.clone(), account_type },
        })
    }

    /// The accounts as the table keeps them and orders them: `{"0":"1527000000","1005":"926@126.com"}`.
    pub(super) fn accounts_text(&self) -> String {
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

    /// The accounts that logouts newer than the owner took away, with the newest logout's version.
    #[must_use]
    pub fn unbound(&self) -> &BTreeMap<Account, Version> {
        &self.unbound
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
    pub fn unbind(&mut self, version: &Version, accounts: &[Account]) {
        for account in accounts {
            self.take_unbound(account, version);
        }
    }

    /// Adds what another piece of knowledge says.
    pub fn merge(&mut self, other: &Self) {
        if let Some(owner) = &other.owner {
            self.take_owner(owner.clone());
        }
        for (account, version) in &other.unbound {
            self.take_unbound(account, version);
        }
    }

    pub(super) fn take_owner(&mut self, owner: Owner) {
        if self.owner.as_ref().is_none_or(|own| owner > *own) {
            self.unbound.retain(|_, version| *version > owner.version);
            self.owner = Some(owner);
        }
    }

    pub(super) fn take_unbound(&mut self, account: &Account, version: &Version) {
        if self.owner.as_ref().is_some_and(|owner| owner.version >= *version) {
            return;
        }
        match self.unbound.get_mut(account) {
            Some(known) if *known >= *version => {}
            Some(known) => *known = version.clone(),
            None => {
                self.unbound.insert(account.clone(), version.clone());
            }
        }
    }
}
