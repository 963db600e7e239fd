//! The atomic steps of an invocation, and the values of rows.

use std::collections::HashMap;

use tpns_account_sync::{
    event::{Change, Event},
    ledger::{DeletionRow, DeviceState},
};

use crate::events::{Book, By, EventId};

/// One atomic step, by what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Op {
    /// Adds to a device's row, and returns the row.
    RaiseDevice(u8, RowId),
    /// Adds a deletion to an account's row, and returns the row.
    RaiseDeletion(u8, EventId),
    /// Records that TPNS has accepted a deletion.
    Accept(u8, EventId),
    /// Records in a device's row that a check has confirmed it, if it is this row and has not changed for as long as a
    /// check waits: it becomes the other one.
    Confirm(u8, RowId, RowId),
    /// Reads one row of a device.
    ReadDevice(u8),
    /// Reads one row of an account.
    ReadDeletion(u8),
    /// Has TPNS apply one item.
    Item(Item),
    /// Sends a check.
    Send(Key),
    /// Asks TPNS for the accounts of a device, or for the devices of an account.
    Query(Key),
}

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    Device(u8),
    Account(u8),
    /// No check: how long the row of a device has not changed.
    Row(u8),
    /// No check: how long the row of an account has not changed.
    Deletion(u8),
}

impl Key {
    /// Whether it is what a check is about.
    pub(crate) fn is_check(self) -> bool {
        matches!(self, Self::Device(_) | Self::Account(_))
    }
}

/// An item of a call to TPNS. Accounts are bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Item {
    /// operator_type 2, and the login it was made for
    Bind { device: u8, accounts: u8, by: By },
    /// operator_type 3
    Unbind { device: u8, accounts: u8 },
    /// operator_type 4
    UnbindAll { device: u8 },
    /// operator_type 5
    UnbindEverywhere { account: u8 },
}

/// The result of a step, as the invocation sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Answer {
    Device(RowId),
    Deletion(RowId),
    /// The same, of a row that has changed within the time that a check waits. Only checks distinguish it.
    Young(RowId),
    /// Accounts or devices, as bits.
    Bound(u8),
    Done,
    /// No answer, or a refusal: it may have been done or not.
    Failed,
}

/// A step of an invocation, and how many times it has been requested.
pub(crate) type Asked = (Op, u8);

/// Index of a value that a row has had.
pub(crate) type RowId = u16;

/// A missing row, of either kind.
pub(crate) const NO_ROW: RowId = 0;

/// The values that rows have had, each once.
#[derive(Debug)]
pub(crate) struct Values {
    devices: Vec<DeviceState>,
    deletions: Vec<Option<DeletionRow>>,
    merged: HashMap<(RowId, RowId), RowId>,
    keeps: Keeps,
}

/// Which changes of a row leave a confirmation in it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Keeps {
    /// As the ledger's rule is: only a login with the same accounts.
    #[default]
    SameAccounts,
    /// Besides, logouts.
    Logouts,
    /// Besides, logins with other accounts.
    OtherAccounts,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            devices: vec![DeviceState::default()],
            deletions: vec![None],
            merged: HashMap::new(),
            keeps: Keeps::default(),
        }
    }
}

impl Values {
    pub(crate) fn of(keeps: Keeps) -> Self {
        Self { keeps, ..Self::default() }
    }

    /// The row of this login, confirmed by its check.
    pub(crate) fn confirmed(&mut self, login: &Event) -> RowId {
        let mut state = DeviceState::default();
        if let Change::Login(_, accounts) = &login.change {
            state.own(&login.version, accounts);
        }
        state.confirm(login.version.clone());
        self.device_id(state)
    }

    pub(crate) fn device(&self, id: RowId) -> &DeviceState {
        &self.devices[usize::from(id)]
    }

    pub(crate) fn deletion(&self, id: RowId) -> Option<&DeletionRow> {
        self.deletions[usize::from(id)].as_ref()
    }

    /// The first row known that has the same owner and logouts.
    pub(crate) fn ordered_as(&self, id: RowId) -> RowId {
        let same = self.devices.iter().position(|other| other.is_ordered_as(self.device(id)));
        RowId::try_from(same.unwrap()).unwrap()
    }

    pub(crate) fn device_id(&mut self, value: DeviceState) -> RowId {
        id_of(&mut self.devices, value)
    }

    /// A device's row after this change, by the ledger's own rule.
    pub(crate) fn merged(&mut self, row: RowId, change: RowId) -> RowId {
        if let Some(&known) = self.merged.get(&(row, change)) {
            return known;
        }
        let mut state = self.device(row).clone();
        state.raise(self.device(change));
        let signs_out = self.device(change).owner().is_none_or(|owner| owner.accounts.is_empty());
        let is_kept = match self.keeps {
            Keeps::SameAccounts => false,
            Keeps::Logouts => signs_out,
            Keeps::OtherAccounts => !signs_out,
        };
        if let Some(confirmed) = self.device(row).confirmed().filter(|_| is_kept) {
            state.confirm(confirmed.clone());
        }
        let merged = self.device_id(state);
        self.merged.insert((row, change), merged);
        merged
    }

    /// An account's row after this deletion was added to it, by the table's condition.
    pub(crate) fn deleted(&mut self, row: RowId, deletion: EventId, book: &Book) -> RowId {
        let version = &book.event(deletion).version;
        if self.deletion(row).is_some_and(|known| known.version >= *version) {
            return row;
        }
        id_of(&mut self.deletions, Some(DeletionRow { version: version.clone(), accepted: false, changed: None }))
    }

    /// An account's row after it was recorded that TPNS has accepted this deletion.
    pub(crate) fn accepted(&mut self, row: RowId, deletion: EventId, book: &Book) -> RowId {
        let version = &book.event(deletion).version;
        if self.deletion(row).is_none_or(|known| known.version != *version) {
            return row;
        }
        id_of(&mut self.deletions, Some(DeletionRow { version: version.clone(), accepted: true, changed: None }))
    }
}

fn id_of<T: PartialEq>(values: &mut Vec<T>, value: T) -> RowId {
    let known = values.iter().position(|known| *known == value);
    let index = known.unwrap_or_else(|| {
        values.push(value);
        values.len() - 1
    });
    RowId::try_from(index).unwrap()
}
