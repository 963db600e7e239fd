//! The known state of a batch's devices and accounts, and the rows that can't be relied on.

use std::collections::{HashMap, HashSet};

use super::{AccountKey, State};
use crate::{
    event::{Change, Device, Event},
    outcome::{Failure, Reason},
};

/// Why a row can't be relied on. Its events are redelivered; they are never applied without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowError {
    /// The table is there, and has no capacity left.
    Throttled,
    /// No answer in time, or a refusal.
    Unreachable,
    /// The row is not as this program writes it.
    Unreadable,
    /// The row was written with a ledger key that the apps document does not have.
    NoKey,
    /// Other invocations keep writing to the row.
    KeepsChanging,
    /// The row is as large as a DynamoDB item may be.
    RowFull,
    /// There was no time for a request.
    NoTime,
}

/// The known state of the devices and accounts that a batch names.
#[derive(Debug, Default)]
pub struct KnownState {
    /// What all events say, as far as it concerns this batch.
    pub state: State,
    /// Rows that can't be relied on now. They are not in the state.
    pub failed: FailedRows,
    /// Devices and deletions that no check was sent for.
    pub unchecked: Unchecked,
}

/// Devices and deletions that a check had to be sent for and was not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unchecked {
    /// The devices.
    pub devices: HashSet<Device>,
    /// The accounts of the deletions.
    pub deletions: HashSet<AccountKey>,
}

impl Unchecked {
    /// Adds others.
    pub fn extend(&mut self, other: Self) {
        self.devices.extend(other.devices);
        self.deletions.extend(other.deletions);
    }

    /// Whether an event's device or one of its deletions is among them.
    #[must_use]
    pub fn has(&self, event: &Event) -> bool {
        match &event.change {
            Change::Login(device, _) | Change::Logout(device, _) | Change::LogoutAll(device) => {
                !self.devices.is_empty() && self.devices.contains(device)
            }
            Change::Deletion(..) if self.deletions.is_empty() => false,
            Change::Deletion(apps, accounts) => {
                AccountKey::each(apps, accounts).any(|key| self.deletions.contains(&key))
            }
        }
    }
}

/// Devices and deletions whose rows can't be relied on.
#[derive(Debug, Default)]
pub struct FailedRows {
    pub(super) devices: HashMap<Device, RowError>,
    pub(super) deletions: HashMap<AccountKey, RowError>,
}

impl KnownState {
    /// Adds the known state of other devices and accounts.
    pub fn extend(&mut self, other: Self) {
        self.state.remembers |= other.state.remembers;
        self.state.devices.extend(other.state.devices);
        self.state.unchanged.extend(other.state.unchanged);
        for (key, deletion) in other.state.deleted {
            self.state.delete(key, deletion);
        }
        self.unchecked.extend(other.unchecked);
        self.failed.devices.extend(other.failed.devices);
        self.failed.deletions.extend(other.failed.deletions);
    }

    /// Takes out these devices and deletions. What else is known of accounts is in both parts then.
    #[must_use]
    pub fn split_off(&mut self, devices: &HashSet<&Device>, deletions: &HashSet<AccountKey>) -> Self {
        let mut other = Self::default();
        other.state.remembers = self.state.remembers;
        if devices.is_empty() && deletions.is_empty() {
            return other;
        }
        other.state.devices = self.state.devices.extract_if(.., |device, _| devices.contains(device)).collect();
        other.state.unchanged = self.state.unchanged.extract_if(|device| devices.contains(device)).collect();
        let own = self.state.deleted.extract_if(.., |key, _| deletions.contains(key));
        other.state.deleted = own.collect();
        let known = self.state.deleted.iter().filter(|(_, deletion)| !deletion.due);
        other.state.deleted.extend(known.map(|(key, deletion)| (key.clone(), deletion.clone())));
        other.unchecked = self.unchecked.clone();
        other.failed.devices = self.failed.devices.extract_if(|device, _| devices.contains(device)).collect();
        other.failed.deletions = self.failed.deletions.extract_if(|key, _| deletions.contains(key)).collect();
        other
    }
}

impl FailedRows {
    /// Why the row of a device can't be relied on.
    #[must_use]
    pub fn device(&self, device: &Device) -> Option<&RowError> {
        self.devices.get(device)
    }

    /// Why the row of a deletion can't be relied on.
    #[must_use]
    pub fn deletion(&self, key: &AccountKey) -> Option<&RowError> {
        self.deletions.get(key)
    }

    /// Whether the row of a deletion can't be relied on.
    #[must_use]
    pub fn has_deletion(&self, key: &AccountKey) -> bool {
        self.deletions.contains_key(key)
    }

    /// Why an event can't be settled now; `None` if it can.
    #[must_use]
    pub fn of(&self, event: &Event) -> Option<RowError> {
        match &event.change {
            Change::Login(device, _) | Change::Logout(device, _) | Change::LogoutAll(device) => {
                self.devices.get(device).copied()
            }
            Change::Deletion(..) if self.deletions.is_empty() => None,
            Change::Deletion(apps, accounts) => {
                AccountKey::each(apps, accounts).find_map(|key| self.deletions.get(&key).copied())
            }
        }
    }
}

impl From<RowError> for Failure {
    fn from(row_error: RowError) -> Self {
        match row_error {
            RowError::Throttled => Self::new(Reason::LedgerThrottled, "LEDGER_TABLE: DynamoDB throttles the table"),
            RowError::Unreachable => {
                Self::new(Reason::LedgerUnreachable, "LEDGER_TABLE: DynamoDB did not answer in time, or refused")
            }
            RowError::Unreadable => Self::new(
                Reason::LedgerUnreadable,
                "LEDGER_TABLE: a row is not in the format that this function writes",
            ),
            RowError::NoKey => Self::new(
                Reason::LedgerUnreadable,
                "ledger_keys: the table was written with a key that the apps document does not have; put it back",
            ),
            RowError::KeepsChanging => {
                Self::new(Reason::LedgerKeepsChanging, "LEDGER_TABLE: other invocations keep changing the device's row")
            }
            RowError::NoTime => Self::of(Reason::Deadline),
            RowError::RowFull => Self::new(
                Reason::LedgerRowFull,
                "LEDGER_TABLE: the device's row has reached the 400 KB of a DynamoDB item; delete the row",
            ),
        }
    }
}
