//! The known state of one device, and how two states of it merge.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use super::{AccountKey, Accounts};
use crate::{
    apps::AppId,
    event::{Account, ListedAccount, Millis, Version},
};

/// The state of one device after the events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DeviceState {
    owner: Option<Owner>,
    unbound: BTreeMap<ListedAccount, Version>,
    /// Besides the owner's.
    may_have: BTreeSet<Account>,
    /// Boxed, since states are moved often and few are confirmed.
    confirmed: Option<Box<Version>>,
}

/// The most accounts that a device is signed out of one by one: with the longest names and ids, this number takes half
/// of a DynamoDB item (400 KB).
pub(super) const MOST_UNBOUND: usize = 200;
/// The most accounts of earlier owners that are kept, for the same reason.
pub(crate) const MOST_EARLIER: usize = 100;

/// How old an owner may be at whose time a check confirmed the device: younger than the rows of deletions are kept
/// (`LEDGER_ROW_LIFETIME` of the table, whose tests compare them), so that the row of each newer deletion is there.
pub(crate) const CONFIRMED_FOR: Millis = 30 * 24 * 3600 * 1000;

/// Whose device it is: the newest login's accounts, or no one's after a logout of all accounts.
///
/// The order is the order of merging: by version, and between two events that share a version (a producer's mistake) by
/// the accounts as the table keeps them, so that the result depends neither on their order nor on where they were
/// merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Since when.
    pub version: Version,
    /// None after a logout of all accounts.
    pub accounts: Accounts,
}

impl Owner {
    /// Whether one of the accounts is listed.
    #[must_use]
    pub fn has(&self, listed: &ListedAccount) -> bool {
        self.accounts.iter().any(|account| {
            account.account == listed.account && listed.account_type.is_none_or(|is| is == account.account_type)
        })
    }

    /// The accounts, each with its type.
    pub fn accounts(&self) -> impl Iterator<Item = Account> + '_ {
        self.accounts.iter().cloned()
    }

    /// The accounts as the keys of their deletions.
    pub(super) fn keys(&self, app: AppId) -> impl Iterator<Item = AccountKey> {
        self.accounts().map(move |account| AccountKey { app, account })
    }

    /// The accounts as the table keeps them and orders them: `{"0":"1527000000","1005":"926@126.com"}`.
    pub(crate) fn accounts_text(&self) -> String {
        // A map of numbers to strings can't fail to be JSON.
        serde_json::to_string(&self.accounts).unwrap_or_default()
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

    /// Accounts of earlier owners, which TPNS may still have for the device: no call that unbinds them has been seen to
    /// have its effect. None of them is the owner's.
    #[must_use]
    pub fn may_have(&self) -> &BTreeSet<Account> {
        &self.may_have
    }

    /// The owner's version when a check saw that TPNS had exactly its accounts, while no call was under way that says
    /// otherwise. No event since then has changed the accounts or signed one out.
    #[must_use]
    pub fn confirmed(&self) -> Option<&Version> {
        self.confirmed.as_deref()
    }

    /// A check has confirmed the owner of this version.
    pub fn confirm(&mut self, version: Version) {
        self.confirmed = Some(Box::new(version));
    }

    /// Whether TPNS has exactly the owner's accounts by a confirmation that is young enough to rely on. What is in
    /// `unbound` or `may_have` besides was written by a version of this function that knows no confirmations.
    #[must_use]
    pub fn is_confirmed(&self, now: Millis) -> bool {
        let is_young = |confirmed: &Version| now.saturating_sub(confirmed.at) <= CONFIRMED_FOR;
        let has_accounts = |owner: &Owner| !owner.accounts.is_empty();
        self.confirmed.as_deref().is_some_and(is_young)
            && self.owner.as_ref().is_some_and(has_accounts)
            && self.unbound.is_empty()
            && self.may_have.is_empty()
    }

    /// Whether events that are not in this state would make another of it: what TPNS may have besides does not count,
    /// since it follows from the owners.
    #[must_use]
    pub fn is_ordered_as(&self, other: &Self) -> bool {
        self.owner == other.owner && self.unbound == other.unbound
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
        // An older owner has lost, but TPNS may have what it bound.
        if self.owner.as_ref().is_some_and(|owner| owner.version > *version) {
            return self.remember(accounts.iter().cloned());
        }
        let lost = self.take_owner(Owner { version: version.clone(), accounts: accounts.iter().cloned().collect() });
        self.remember(lost.iter().flat_map(Owner::accounts));
    }

    /// TPNS may have these accounts for the device.
    pub fn remember(&mut self, accounts: impl IntoIterator<Item = Account>) {
        let owner = &self.owner;
        let is_owners = |account: &Account| owner.as_ref().is_some_and(|owner| owner.accounts.contains(account));
        self.may_have.extend(accounts.into_iter().filter(|account| !is_owners(account)));
    }

    /// TPNS does not have these accounts.
    pub fn forget(&mut self, accounts: &[Account]) {
        accounts.iter().for_each(|account| _ = self.may_have.remove(account));
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
            owner.accounts = Accounts::default();
        }
        self.confirmed = None;
    }

    /// Merges another state of the device.
    pub fn merge(&mut self, other: &Self) {
        self.raise(other);
        self.remember_all_of(other);
    }

    /// TPNS may have what it may have by another state of the device.
    pub fn remember_all_of(&mut self, other: &Self) {
        self.remember(other.owner.iter().flat_map(Owner::accounts));
        self.remember(other.may_have.iter().cloned());
    }

    /// Merges what a row keeps of another state: an owner that has lost leaves nothing behind.
    pub fn raise(&mut self, added: &Self) {
        if let Some(owner) = &added.owner {
            self.take_owner(owner.clone());
        }
        for (account, version) in &added.unbound {
            self.take_unbound(account, version);
        }
    }

    /// Returns the owner if it has lost to a newer one.
    pub(crate) fn take_owner(&mut self, owner: Owner) -> Option<Owner> {
        if self.owner.as_ref().is_some_and(|own| owner <= *own) {
            return Some(owner);
        }
        self.unbound.retain(|_, version| *version > owner.version);
        if !self.may_have.is_empty() {
            self.forget(&owner.accounts);
        }
        if self.confirmed.is_some() && self.owner.as_ref().is_none_or(|own| own.accounts != owner.accounts) {
            self.confirmed = None;
        }
        let earlier = self.owner.replace(owner);
        self.remember(earlier.iter().flat_map(Owner::accounts));
        None
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
        self.confirmed = None;
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
