//! What an invocation knows of the devices and accounts of a batch, and what it can't know now.

use std::collections::{HashMap, HashSet};

use super::{AccountKey, State};
use crate::{
    event::{Change, Device, Event},
    outcome::{Failure, Reason},
};

/// Why a row can't be relied on. Its events come again; never are they applied without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Trouble {
    /// The table is there, and has no capacity left.
    Throttled,
    /// No answer in time, or a refusal.
    Unreachable,
    /// The row is not as this program writes it.
    Unreadable,
    /// Others write to the row all the time.
    KeepsChanging,
    /// The row is as large as a DynamoDB item may be.
    RowFull,
    /// It was not asked for: there was no time.
    NoTime,
}

/// What is known of the devices and accounts that a batch speaks of.
#[derive(Debug, Default)]
pub struct Known {
    /// What all events say, so far as this batch has to do with it.
    pub state: State,
    /// What can't be told now. Not in the state.
    pub troubled: Troubled,
}

/// Devices and deletions whose rows can't be relied on.
#[derive(Debug, Default)]
pub struct Troubled {
    pub(super) devices: HashMap<Device, Trouble>,
    pub(super) deletions: HashMap<AccountKey, Trouble>,
}

impl Known {
    /// Adds what is known of other devices and accounts.
    pub fn extend(&mut self, other: Self) {
        self.state.devices.extend(other.state.devices);
        for (key, deletion) in other.state.deleted {
            self.state.delete(key, deletion);
        }
        self.troubled.devices.extend(other.troubled.devices);
        self.troubled.deletions.extend(other.troubled.deletions);
    }

    /// Takes out what is known of these devices and deletions. What else is known of accounts is in both parts then.
    #[must_use]
    pub fn split_off(&mut self, devices: &HashSet<&Device>, deletions: &HashSet<AccountKey>) -> Self {
        let mut other = Self::default();
        if devices.is_empty() && deletions.is_empty() {
            return other;
        }
        other.state.devices = self.state.devices.extract_if(.., |device, _| devices.contains(device)).collect();
        let own = self.state.deleted.extract_if(.., |key, _| deletions.contains(key));
        other.state.deleted = own.collect();
        let known = self.state.deleted.iter().filter(|(_, deletion)| !deletion.due);
        other.state.deleted.extend(known.map(|(key, deletion)| (key.clone(), deletion.clone())));
        other.troubled.devices = self.troubled.devices.extract_if(|device, _| devices.contains(device)).collect();
        other.troubled.deletions = self.troubled.deletions.extract_if(|key, _| deletions.contains(key)).collect();
        other
    }
}

impl Troubled {
    /// Whether the row of a deletion can't be relied on.
    #[must_use]
    pub fn has_deletion(&self, key: &AccountKey) -> bool {
        self.deletions.contains_key(key)
    }

    /// Why an event can't be settled now, if it can't.
    #[must_use]
    pub fn of(&self, event: &Event) -> Option<Trouble> {
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

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Throttled => Self::new(
                Reason::LedgerThrottled,
                "LEDGER_TABLE: DynamoDB throttles the table",
            ),
            Trouble::Unreachable => Self::new(
                Reason::LedgerUnreachable,
                "LEDGER_TABLE: DynamoDB did not answer in time, or refused",
            ),
            Trouble::Unreadable => Self::new(
                Reason::LedgerUnreadable,
                "LEDGER_TABLE: a row is not in the format that this function writes",
            ),
            Trouble::KeepsChanging => Self::new(
                Reason::LedgerKeepsChanging,
                "LEDGER_TABLE: other invocations keep changing the device's row",
            ),
            Trouble::NoTime => Self::of(Reason::Deadline),
            Trouble::RowFull => Self::new(
                Reason::LedgerRowFull,
                "LEDGER_TABLE: the device's row has reached the 400 KB of a DynamoDB item; delete the row",
            ),
        }
    }
}
