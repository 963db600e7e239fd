//! What is known of one device, and how two such pieces of knowledge merge.

use std::collections::BTreeMap;

use crate::event::{Account, AccountName, AccountType, Version};

/// What the events say about one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceState {
    owner: Option<Owner>,
    unbound: BTreeMap<Account, Version>,
}

/// Whose device it is: the newest login's accounts, or nobody's after a logout of all accounts.
///
/// The derived order is the order of merging: by version, and between two events that share a version (a producer's
/// mistake) by content, so that the result does not depend on who came first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Owner {
    /// Since when.
    pub version: Version,
    /// The accounts, one a type; none after a logout of all accounts.
    pub accounts: BTreeMap<AccountType, AccountName>,
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

    fn take_owner(&mut self, owner: Owner) {
        if self.owner.as_ref().is_none_or(|own| owner > *own) {
            self.unbound.retain(|_, version| *version > owner.version);
            self.owner = Some(owner);
        }
    }

    fn take_unbound(&mut self, account: &Account, version: &Version) {
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
