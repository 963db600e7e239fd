//! Merges a batch's events with those of earlier batches: merge, push the winner, verify, acknowledge. Why each step is
//! needed is in ARCHITECTURE.md, "The ledger"; `crates/search` shows that they are enough.

use std::{
    cmp::Ordering,
    collections::{HashMap, HashSet},
};

use futures_util::{
    future::{join, join3},
    stream::{self, StreamExt},
};
use indexmap::{IndexMap, IndexSet};

use super::{AccountKey, Deletion, DeviceState, FailedRows, KnownState, RowError, State, Unchecked};
use crate::event::{Account, Device, Millis, Version};

/// More than an ordinary batch needs, and few enough for the memory of a small function.
pub(crate) const WRITES_AT_A_TIME: usize = 64;

/// Rows that all invocations share. Operations on one row are atomic; for several rows nothing is guaranteed.
#[expect(async_fn_in_trait, reason = "an invocation runs on one thread")]
pub trait Rows {
    /// Adds to a device's row, and returns the row as it then is.
    async fn raise_device(&self, device: &Device, added: &DeviceState) -> Result<DeviceState, RowError>;
    /// Adds a deletion to an account's row, and returns the row as it then is. If TPNS has not accepted the deletion
    /// that it has, the row counts as changed.
    async fn raise_deletion(&self, key: &AccountKey, version: &Version) -> Result<DeletionRow, RowError>;
    /// Records that TPNS has accepted the deletion of this version, unless there is a newer one.
    async fn accept_deletion(&self, key: &AccountKey, version: &Version) -> Result<(), RowError>;
    /// Records in a device's row what a check has seen, if the row has not changed since.
    async fn confirm(&self, seen: &Confirmation) -> Result<(), RowError>;
    /// Whether TPNS is compared with the rows later on, by a check.
    fn are_checked(&self) -> bool;
    /// Has a check sent of each of these devices and deleted accounts. Returns those that were not sent.
    async fn send_checks(&self, devices: &[Device], accounts: &[AccountKey]) -> Unchecked;
    /// Reads rows, each as it is at some moment after the call. Every row asked for is in the answer.
    async fn read(&self, devices: &[Device], accounts: &[AccountKey]) -> Read;
}

/// Rows as they were read.
#[derive(Debug, Default)]
pub struct Read {
    /// Of devices; with nothing in the state where there is no row.
    pub devices: HashMap<Device, Result<DeviceState, RowError>>,
    /// Of deleted accounts.
    pub deletions: HashMap<AccountKey, Result<Option<DeletionRow>, RowError>>,
    /// When devices' rows last changed, where the table knows.
    pub changed: HashMap<Device, Millis>,
}

/// The row of a deleted account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletionRow {
    /// The newest deletion.
    pub version: Version,
    /// Whether TPNS has accepted that one.
    pub accepted: bool,
    /// When the row last changed, in milliseconds since 1970, where the table knows.
    pub changed: Option<Millis>,
}

impl DeletionRow {
    /// The newer one of two rows of the account.
    #[must_use]
    pub fn or(self, other: Option<Self>) -> Self {
        let Some(other) = other else { return self };
        let changed = self.changed.max(other.changed);
        match other.version.cmp(&self.version) {
            Ordering::Greater => Self { changed, ..other },
            Ordering::Equal => Self { accepted: self.accepted || other.accepted, changed, ..self },
            Ordering::Less => Self { changed, ..self },
        }
    }
}

/// What a check has seen of a device and its row need not leave to a push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Confirmation {
    /// The device.
    pub device: Device,
    /// When its row last changed, in milliseconds since 1970.
    pub changed: Millis,
    /// The version of the owner, if TPNS has exactly its accounts.
    pub owner: Option<Version>,
    /// Accounts of earlier owners that TPNS does not have.
    pub without: Vec<Account>,
}

/// Where the state is kept.
#[derive(Debug)]
pub enum Ledger<R> {
    /// For this invocation, in memory.
    Invocation,
    /// In rows that all invocations share.
    Table(R),
}

impl<R: Rows> Ledger<R> {
    /// Merges a batch, and returns the state that is known then. What is not done when `over` resolves is omitted.
    pub async fn merge<F: Future<Output = ()>>(&self, batch: State, over: impl Fn() -> F) -> KnownState {
        let Self::Table(rows) = self else {
            return KnownState { state: batch, ..KnownState::default() };
        };
        let is_read = |key: &AccountKey| !batch.deleted.contains_key(key);
        let others: IndexSet<_> = batch.devices.iter().flat_map(owned).filter(is_read).collect();
        let others: Vec<_> = others.into_iter().collect();
        // The accounts' rows are read while the devices' are written: most owners will be those of this batch. The read
        // is begun first, since in a sandbox's first invocation it brings what the writes wait for.
        // A check is sent beside, also for what turns out to be stale: an event that is merged and then ends in the
        // dead-letter queue is completed by its check.
        let writes = join(raise_devices(rows, &batch, over()), raise_deletions(rows, &batch, over()));
        let (mut deletions, (devices, raised), unchecked) =
            join3(read_deletions(rows, &others), writes, send_checks(rows, &batch)).await;
        let no_time = batch.deleted.keys().filter(|key| !raised.contains_key(*key));
        let mut failed: HashMap<_, _> = no_time.map(|key| (key.clone(), RowError::NoTime)).collect();
        failed.extend(raised.iter().filter_map(|(key, row)| Some((key.clone(), *row.as_ref().err()?))));
        deletions.extend(raised.into_iter().map(|(key, row)| (key, row.map(Some))));
        let mut known = complete(rows, devices, deletions).await;
        known.failed.deletions = failed;
        known.unchecked = unchecked;
        known
    }

    /// Whether TPNS is compared with the ledger later on, by a check.
    pub fn is_checked(&self) -> bool {
        matches!(self, Self::Table(rows) if rows.are_checked())
    }

    /// The known state of these devices and accounts, and when the devices' rows last changed.
    pub async fn look(&self, devices: &[Device], accounts: &[AccountKey]) -> (KnownState, HashMap<Device, Millis>) {
        let Self::Table(rows) = self else { return <_>::default() };
        let Read { devices, deletions, changed } = rows.read(devices, accounts).await;
        let failed = deletions.iter().filter_map(|(key, row)| Some((key.clone(), *row.as_ref().err()?))).collect();
        let mut known = complete(rows, devices.into_iter().collect(), known_from_table(deletions)).await;
        known.failed.deletions = failed;
        (known, changed)
    }

    /// Records what a check has seen of a device in its row, if that has not changed since. Nothing depends on its
    /// success: at worst accounts are bound and unbound once more.
    pub async fn confirm(&self, seen: &Confirmation) {
        if let Self::Table(rows) = self {
            _ = rows.confirm(seen).await;
        }
    }

    /// Has a check sent of each of these devices. Returns those that were not sent.
    pub async fn send_checks(&self, devices: &[Device]) -> Unchecked {
        match self {
            Self::Table(rows) if rows.are_checked() && !devices.is_empty() => rows.send_checks(devices, &[]).await,
            _ => Unchecked::default(),
        }
    }

    /// Checks whether these devices have changed since they were pushed. Returns those that have, in their current
    /// state.
    pub async fn verify(&self, known: &KnownState, devices: &[Device]) -> KnownState {
        let Self::Table(rows) = self else { return KnownState::default() };
        if devices.is_empty() {
            return KnownState::default();
        }
        let pushed = |device: &Device| known.state.devices.get_key_value(device);
        let accounts: IndexSet<_> = devices.iter().filter_map(pushed).flat_map(owned).collect();
        let accounts: Vec<_> = accounts.into_iter().collect();
        let mut read = rows.read(devices, &accounts).await;
        let deletions = known_from_table(std::mem::take(&mut read.deletions));
        let mut changed = Vec::new();
        for device in devices {
            let row = read.devices.remove(device).unwrap_or(Err(RowError::Unreachable));
            let row = match (row, known.state.devices.get(device)) {
                (_, None) => Err(RowError::Unreadable),
                (Ok(row), Some(pushed)) if is_as_pushed(device, &row, pushed, &deletions, &known.state) => continue,
                // A row never loses its owner, unless someone deletes it from the table.
                (Ok(row), Some(_)) if row.owner().is_none() => Err(RowError::Unreadable),
                (Ok(mut row), Some(pushed)) => {
                    // What was just pushed, the other invocation may have unbound before.
                    row.remember_all_of(pushed);
                    Ok(row)
                }
                (Err(row_error), Some(_)) => Err(row_error),
            };
            changed.push((device.clone(), row));
        }
        complete(rows, changed, deletions).await
    }

    /// Records the deletions that TPNS has accepted, so that a later copy does not delete again.
    pub async fn accept(&self, accepted: &[(&AccountKey, &Version)]) -> FailedRows {
        let Self::Table(rows) = self else { return FailedRows::default() };
        let notes = accepted.iter().map(async |(key, version)| (*key, rows.accept_deletion(key, version).await));
        let noted = side_by_side(notes, std::future::pending()).await.into_iter();
        let deletions = noted.filter_map(|(key, noted)| Some((key.clone(), noted.err()?))).collect();
        FailedRows { devices: HashMap::new(), deletions }
    }
}

async fn send_checks<R: Rows>(rows: &R, batch: &State) -> Unchecked {
    if !rows.are_checked() {
        return Unchecked::default();
    }
    let devices: Vec<_> = batch.devices.keys().cloned().collect();
    let accounts: Vec<_> = batch.deleted.keys().cloned().collect();
    rows.send_checks(&devices, &accounts).await
}

/// Adds the batch to its devices' rows. All of them are in the result, also those for which there was no time.
async fn raise_devices<R: Rows>(
    rows: &R,
    batch: &State,
    over: impl Future<Output = ()>,
) -> Vec<(Device, Result<DeviceState, RowError>)> {
    let raises = batch.devices.iter().map(async |(device, state)| {
        let row = rows.raise_device(device, state).await.map(|mut row| {
            // Without a known owner, what other logouts say is pushed by their own invocations.
            if row.owner().is_none() {
                return state.clone();
            }
            // An earlier delivery of a login that has lost may have bound its accounts.
            row.remember_all_of(state);
            row
        });
        (device.clone(), row)
    });
    let mut raised = side_by_side(raises, over).await;
    if raised.len() < batch.devices.len() {
        let done: HashSet<Device> = raised.iter().map(|(device, _)| device.clone()).collect();
        let left = batch.devices.keys().filter(|device| !done.contains(*device));
        raised.extend(left.map(|device| (device.clone(), Err(RowError::NoTime))));
    }
    raised
}

/// Adds the batch's deletions to their rows. Those for which there was no time are not in the result.
async fn raise_deletions<R: Rows>(
    rows: &R,
    batch: &State,
    over: impl Future<Output = ()>,
) -> IndexMap<AccountKey, Result<Deletion, RowError>> {
    let raises = batch.deleted.iter().map(async |(key, deletion)| {
        let row = rows.raise_deletion(key, &deletion.version).await;
        (key.clone(), row.map(|row| Deletion { due: !row.accepted, version: row.version, changed: row.changed }))
    });
    side_by_side(raises, over).await.into_iter().collect()
}

/// Runs some at a time, since each takes memory; returns the results in the order in which they end, until it is
/// `over`.
async fn side_by_side<F: Future>(futures: impl Iterator<Item = F>, over: impl Future<Output = ()>) -> Vec<F::Output> {
    stream::iter(futures).buffer_unordered(WRITES_AT_A_TIME).take_until(over).collect().await
}

type Deletions = IndexMap<AccountKey, Result<Option<Deletion>, RowError>>;

/// The accounts a device's owner has: whether they are deleted matters to the device.
fn owned<'a>((device, state): (&'a Device, &'a DeviceState)) -> impl Iterator<Item = AccountKey> + 'a {
    state.owner().into_iter().flat_map(|owner| owner.keys(device.app))
}

/// Whether a device's row, and the deletions of its accounts, are what was known when it was pushed.
fn is_as_pushed(
    device: &Device,
    row: &DeviceState,
    pushed: &DeviceState,
    deletions: &Deletions,
    known: &State,
) -> bool {
    if row.owner().is_none() && pushed.owner().is_none() {
        return true;
    }
    let is_same_deletion = |key: AccountKey| {
        let Some(Ok(deletion)) = deletions.get(&key) else { return false };
        let version = deletion.as_ref().map(|deletion| &deletion.version);
        version == known.deleted.get(&key).map(|deletion| &deletion.version)
    };
    row.is_ordered_as(pushed) && owned((device, pushed)).all(is_same_deletion)
}

/// Deletions that are only known from rows are not due: each has a message of its own.
fn known_from_table(rows: HashMap<AccountKey, Result<Option<DeletionRow>, RowError>>) -> Deletions {
    let known = |row: DeletionRow| Deletion { version: row.version, due: false, changed: row.changed };
    rows.into_iter().map(|(key, row)| (key, row.map(|row| row.map(known)))).collect()
}

async fn read_deletions<R: Rows>(rows: &R, keys: &[AccountKey]) -> Deletions {
    if keys.is_empty() {
        return Deletions::new();
    }
    known_from_table(rows.read(&[], keys).await.deletions)
}

/// Adds the deletions of accounts that only rows name, and separates the known state from rows that failed.
async fn complete<R: Rows>(
    rows: &R,
    devices: Vec<(Device, Result<DeviceState, RowError>)>,
    mut deletions: Deletions,
) -> KnownState {
    let states = devices.iter().filter_map(|(device, row)| Some((device, row.as_ref().ok()?)));
    let missing: IndexSet<_> = states.flat_map(owned).filter(|key| !deletions.contains_key(key)).collect();
    deletions.extend(read_deletions(rows, &missing.into_iter().collect::<Vec<_>>()).await);
    let mut known = KnownState::default();
    known.state.remembers = true;
    for (device, row) in devices {
        let accounts = |state: &DeviceState| {
            let row_error =
                |key| deletions.get(&key).map_or(Some(RowError::Unreachable), |row| row.as_ref().err().copied());
            owned((&device, state)).find_map(row_error)
        };
        match row.and_then(|state| accounts(&state).map_or(Ok(state), Err)) {
            Ok(state) => _ = known.state.devices.insert(device, state),
            Err(row_error) => _ = known.failed.devices.insert(device, row_error),
        }
    }
    let deleted = deletions.into_iter().filter_map(|(key, row)| Some((key, row.ok()??)));
    known.state.deleted.extend(deleted);
    known
}
