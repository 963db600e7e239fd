//! The protocol, and weaker ones that look as good: the search must catch each of those, or it proves nothing.

use std::{cell::RefCell, collections::HashMap};

use tpns_account_sync::{
    apply::{Push, apply},
    event::{Change, Device, Event, Version},
    ingress::MessageIndex,
    ledger::{
        AccountKey, Confirmation, Deletion, DeletionRow, DeviceState, Ledger, Read, RowError, Rows, State, Unchecked,
    },
    outcome::Outcome,
    plan::{Verdict, plan},
    redelivery::Redelivered,
    tpns::Verdicts,
};

use crate::{
    checked::{self, Confirms, Form},
    desk::Desk,
    steps::Key,
};

/// How an invocation handles its events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `apply`, as the function runs it.
    Real,
    /// `apply` without a table: correct only for a FIFO queue.
    NoTable,
    /// `apply` whose second read returns the result of the first one.
    NoVerify,
    /// `apply` that reads the device's row again, but not those of the accounts.
    VerifyOfDevices,
    /// Reads the rows, drops the event if they are newer, pushes, then writes.
    CheckThenAct,
    /// Merges, drops the event if it is superseded, and pushes otherwise.
    ClaimThenDrop,
    /// `apply` with a check behind it.
    Checked(Form),
}

impl Protocol {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Real => "merge, push the winner, verify",
            Self::NoTable => "no table",
            Self::NoVerify => "no verify",
            Self::VerifyOfDevices => "verify of devices only",
            Self::CheckThenAct => "check, then act",
            Self::ClaimThenDrop => "claim, drop what is stale",
            Self::Checked(form) => form.name,
        }
    }

    /// Whether it pushes the row it has read, and not the result of its own events.
    pub(crate) fn pushes_rows(self) -> bool {
        matches!(self, Self::Real | Self::NoVerify | Self::VerifyOfDevices | Self::Checked(_))
    }

    /// How it sends checks, if it does.
    pub(crate) fn form(self) -> Option<Form> {
        if let Self::Checked(form) = self { Some(form) } else { None }
    }

    /// Which rows checks confirm.
    pub(crate) fn confirms(self) -> Confirms {
        self.form().map_or(Confirms::None, |form| form.confirms)
    }

    /// One invocation of a check. Returns whether the check is deleted.
    pub(crate) async fn check(self, desk: &Desk<'_>, key: Key) -> bool {
        match self {
            Self::Checked(form) => checked::check(form, desk, key).await,
            _ => unreachable!("only a protocol that sends checks receives them"),
        }
    }

    /// One invocation of events.
    pub(crate) async fn settle(self, desk: &Desk<'_>, events: &[(MessageIndex, Event)]) -> Vec<Outcome> {
        let (rows, tpns) = (desk, desk);
        let mut outcomes = vec![Outcome::UNTOUCHED; events.len()];
        match self {
            Self::Real => apply(&Ledger::Table(rows), tpns, events, 0, None, &mut outcomes).await,
            Self::NoTable => apply(&Ledger::<&Desk<'_>>::Invocation, tpns, events, 0, None, &mut outcomes).await,
            Self::NoVerify => {
                apply(&Ledger::Table(Blind::new(rows, false)), tpns, events, 0, None, &mut outcomes).await
            }
            Self::VerifyOfDevices => {
                apply(&Ledger::Table(Blind::new(rows, true)), tpns, events, 0, None, &mut outcomes).await
            }
            Self::Checked(form) => outcomes = checked::settle(form, desk, events).await,
            Self::CheckThenAct | Self::ClaimThenDrop => {
                for (index, event) in events {
                    outcomes[index.0] = match self {
                        Self::CheckThenAct => check_then_act(rows, tpns, event).await,
                        _ => claim_then_drop(rows, tpns, event).await,
                    };
                }
            }
        }
        outcomes
    }
}

async fn check_then_act(rows: impl Rows, tpns: &impl Push, event: &Event) -> Outcome {
    let Some(mut state) = read_rows(&rows, event).await else { return Outcome::UNTOUCHED };
    if state.superseded_by(event).is_some() {
        return Outcome::Superseded;
    }
    state.absorb(event);
    if !push(tpns, &state).await || write(&rows, event).await.is_none() || !record(&rows, event).await {
        return Outcome::UNTOUCHED;
    }
    Outcome::Applied
}

async fn claim_then_drop(rows: impl Rows, tpns: &impl Push, event: &Event) -> Outcome {
    let Some(mut state) = read_rows(&rows, event).await else { return Outcome::UNTOUCHED };
    let Some(claimed) = write(&rows, event).await else { return Outcome::UNTOUCHED };
    state.merge(&claimed);
    if state.superseded_by(event).is_some() {
        return Outcome::Superseded;
    }
    if !push(tpns, &state).await || !record(&rows, event).await {
        return Outcome::UNTOUCHED;
    }
    Outcome::Applied
}

/// The rows of the event's device, or of the accounts it names.
async fn read_rows(rows: &impl Rows, event: &Event) -> Option<State> {
    let of_event = State::of([event]);
    let devices: Vec<_> = event.device().into_iter().cloned().collect();
    let mut accounts: Vec<_> = of_event.deleted.keys().cloned().collect();
    if let Change::Login(device, named) = &event.change {
        accounts.extend(named.iter().map(|account| AccountKey { app: device.app, account: account.clone() }));
    }
    let read = rows.read(&devices, &accounts).await;
    let mut state = State::default();
    for (device, row) in read.devices {
        state.devices.insert(device, row.ok()?);
    }
    for (key, row) in read.deletions {
        if let Some(row) = row.ok()? {
            state.deleted.insert(key, Deletion { version: row.version, due: false, changed: None });
        }
    }
    Some(state)
}

async fn write(rows: &impl Rows, event: &Event) -> Option<State> {
    let mut state = State::of([event]);
    for (device, change) in &mut state.devices {
        *change = rows.raise_device(device, change).await.ok()?;
    }
    for (key, deletion) in &mut state.deleted {
        let row = rows.raise_deletion(key, &deletion.version).await.ok()?;
        *deletion = Deletion { due: !row.accepted, version: row.version, changed: None };
    }
    Some(state)
}

async fn push(tpns: &impl Push, state: &State) -> bool {
    let plan = plan(state, &Redelivered::default());
    let verdicts = Verdicts::new(plan.items.len());
    tpns.push(&plan, &verdicts, None).await;
    verdicts.all().iter().all(|verdict| *verdict == Verdict::Accepted)
}

async fn record(rows: &impl Rows, event: &Event) -> bool {
    for (key, deletion) in State::of([event]).deleted {
        if rows.accept_deletion(&key, &deletion.version).await.is_err() {
            return false;
        }
    }
    true
}

/// Rows whose second read returns the result of the first one.
pub(crate) struct Blind<R> {
    rows: R,
    /// Whether devices are read again all the same.
    rereads_devices: bool,
    devices: RefCell<HashMap<Device, DeviceState>>,
    deletions: RefCell<HashMap<AccountKey, Option<DeletionRow>>>,
}

impl<R> Blind<R> {
    pub(crate) fn new(rows: R, rereads_devices: bool) -> Self {
        Self { rows, rereads_devices, devices: RefCell::default(), deletions: RefCell::default() }
    }
}

impl<R: Rows> Rows for Blind<R> {
    async fn raise_device(&self, device: &Device, change: &DeviceState) -> Result<DeviceState, RowError> {
        let row = self.rows.raise_device(device, change).await?;
        self.devices.borrow_mut().insert(device.clone(), row.clone());
        Ok(row)
    }

    async fn raise_deletion(&self, key: &AccountKey, version: &Version) -> Result<DeletionRow, RowError> {
        let row = self.rows.raise_deletion(key, version).await?;
        self.deletions.borrow_mut().insert(key.clone(), Some(row.clone()));
        Ok(row)
    }

    async fn accept_deletion(&self, key: &AccountKey, version: &Version) -> Result<(), RowError> {
        self.rows.accept_deletion(key, version).await
    }

    async fn confirm(&self, seen: &Confirmation) -> Result<(), RowError> {
        self.rows.confirm(seen).await
    }

    fn are_checked(&self) -> bool {
        self.rows.are_checked()
    }

    async fn send_checks(&self, devices: &[Device], accounts: &[AccountKey]) -> Unchecked {
        self.rows.send_checks(devices, accounts).await
    }

    async fn read(&self, devices: &[Device], accounts: &[AccountKey]) -> Read {
        // Only the verification reads devices.
        let is_second = !devices.is_empty();
        let seen = |key: &AccountKey| is_second && self.deletions.borrow().contains_key(key);
        let unseen: Vec<_> = accounts.iter().filter(|key| !seen(key)).cloned().collect();
        let is_known = |device: &&Device| !self.rereads_devices && self.devices.borrow().contains_key(*device);
        let to_read: Vec<_> = devices.iter().filter(|device| !is_known(device)).cloned().collect();
        let mut read = self.rows.read(&to_read, &unseen).await;
        for (key, row) in &read.deletions {
            if let Ok(row) = row {
                self.deletions.borrow_mut().insert(key.clone(), row.clone());
            }
        }
        if !self.rereads_devices {
            let known = self.devices.borrow();
            let known = devices.iter().filter_map(|device| Some((device.clone(), Ok(known.get(device)?.clone()))));
            read.devices.extend(known);
        }
        let known = self.deletions.borrow();
        read.deletions.extend(accounts.iter().filter_map(|key| Some((key.clone(), Ok(known.get(key)?.clone())))));
        read
    }
}
