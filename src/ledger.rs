//! The ledger: the state of each device and each account after the events so far (ARCHITECTURE.md, "Order").
//!
//! Merging [`State`]s is commutative, associative and idempotent, so neither order nor duplicates matter. [`Ledger`] is
//! where the state is kept: for one invocation, or in a table that all invocations share.

mod accounts;
mod device;
mod known;
mod protocol;

use std::collections::HashSet;

use indexmap::{IndexMap, map::Entry};

pub use accounts::Accounts;
pub(crate) use device::{CONFIRMED_FOR, MOST_EARLIER};
pub use device::{DeviceState, Owner};
pub use known::{FailedRows, KnownState, RowError, Unchecked};
pub(crate) use protocol::WRITES_AT_A_TIME;
pub use protocol::{Confirmation, DeletionRow, Ledger, Read, Rows};

use crate::{
    apps::AppId,
    event::{Account, Change, Device, Event, Millis, Version},
};

/// An account of an app, the key of its deletion.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountKey {
    /// The app.
    pub app: AppId,
    /// The account.
    pub account: Account,
}

impl AccountKey {
    /// The keys of a deletion: each account in each app.
    pub fn each<'a>(apps: &'a [AppId], accounts: &'a [Account]) -> impl Iterator<Item = Self> + 'a {
        apps.iter().flat_map(|&app| accounts.iter().map(move |account| Self { app, account: account.clone() }))
    }
}

/// The state after a set of events, in whatever order they arrive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// Each device that a login or logout named.
    pub devices: IndexMap<Device, DeviceState>,
    /// Each account that was deleted, with the newest deletion.
    pub deleted: IndexMap<AccountKey, Deletion>,
    /// Whether it holds what earlier batches said of its devices.
    pub remembers: bool,
    /// Devices for which TPNS has exactly what this state says: they need no call.
    pub unchanged: HashSet<Device>,
}

/// The newest deletion of an account.
///
/// The derived order is the order of merging.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deletion {
    /// When.
    pub version: Version,
    /// Whether its operator_type 5 has to be sent now. It does not if TPNS has accepted it before, or if it is only
    /// known from the table: then its own message sends it.
    pub due: bool,
    /// When its row last changed, in milliseconds since 1970, where the table knows.
    pub changed: Option<Millis>,
}

impl State {
    /// The state after these events.
    pub fn of<'e>(events: impl IntoIterator<Item = &'e Event>) -> Self {
        let events = events.into_iter();
        let mut state = Self::default();
        // Nearly all events are of a device each.
        state.devices.reserve_exact(events.size_hint().0);
        events.for_each(|event| state.absorb(event));
        state
    }

    /// The same without the accounts of any login: what is left is what each event removes.
    #[must_use]
    pub fn without_logins(mut self) -> Self {
        self.devices.values_mut().for_each(DeviceState::give_up_accounts);
        self
    }

    /// Merges one event.
    pub fn absorb(&mut self, event: &Event) {
        let version = &event.version;
        match &event.change {
            Change::Login(device, accounts) => self.device(device).own(version, accounts),
            Change::LogoutAll(device) => self.device(device).own(version, &[]),
            Change::Logout(device, accounts) => self.device(device).unbind(version, accounts),
            Change::Deletion(apps, accounts) => {
                for key in AccountKey::each(apps, accounts) {
                    self.delete(key, Deletion { version: version.clone(), due: true, changed: None });
                }
            }
        }
    }

    /// Merges another state.
    pub fn merge(&mut self, other: &Self) {
        for (device, state) in &other.devices {
            self.device(device).merge(state);
        }
        for (key, deletion) in &other.deleted {
            self.delete(key.clone(), deletion.clone());
        }
    }

    /// Finds the devices that need no call: a check has confirmed their owner's accounts, and no deletion of one of
    /// these is known.
    pub fn find_unchanged(&mut self, now: Millis) {
        let is_unchanged = |(device, state): &(&Device, &DeviceState)| {
            state.is_confirmed(now) && !state.owner().is_some_and(|owner| self.knows_a_deletion(device, owner))
        };
        self.unchanged = self.devices.iter().filter(is_unchanged).map(|(device, _)| device.clone()).collect();
    }

    /// Whether a deletion of one of the owner's accounts is known, however old.
    #[must_use]
    pub fn knows_a_deletion(&self, device: &Device, owner: &Owner) -> bool {
        owner.keys(device.app).any(|key| self.deleted.contains_key(&key))
    }

    /// The deletion that takes this account from an owner of this version, if one does.
    #[must_use]
    pub fn deletion_after(&self, key: &AccountKey, owner: &Version) -> Option<&Version> {
        self.deleted.get(key).map(|deletion| &deletion.version).filter(|deleted| *deleted > owner)
    }

    /// The newest event that superseded this one, if nothing of it is left in the state.
    #[must_use]
    pub fn superseded_by(&self, event: &Event) -> Option<&Version> {
        let newer = |by: &&Version| **by > event.version;
        let state = event.device().and_then(|device| self.devices.get(device));
        let owner = state.and_then(DeviceState::owner).map(|owner| &owner.version).filter(newer);
        match &event.change {
            Change::Login(..) | Change::LogoutAll(_) => owner,
            Change::Logout(_, accounts) => owner.or_else(|| {
                let since = |listed| state.and_then(|state| state.unbound_since(listed)).filter(newer);
                newest_of_all(accounts.iter().map(since))
            }),
            Change::Deletion(apps, accounts) => {
                let since = |key| self.deleted.get(&key).map(|deletion| &deletion.version).filter(newer);
                newest_of_all(AccountKey::each(apps, accounts).map(since))
            }
        }
    }

    fn device(&mut self, device: &Device) -> &mut DeviceState {
        self.devices.entry(device.clone()).or_default()
    }

    fn delete(&mut self, key: AccountKey, deletion: Deletion) {
        match self.deleted.entry(key) {
            Entry::Occupied(mut known) if *known.get() < deletion => _ = known.insert(deletion),
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => _ = place.insert(deletion),
        }
    }
}

/// The newest, if there is one for each.
fn newest_of_all<'v>(mut versions: impl Iterator<Item = Option<&'v Version>>) -> Option<&'v Version> {
    versions.try_fold(None, |newest, version| Some(newest.max(Some(version?)))).flatten()
}

#[cfg(test)]
mod tests;
