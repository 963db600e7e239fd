//! The protocol with a check behind it: every delivery sends a check before it pushes, and a check compares what TPNS has
//! with the rows. Checks stay in their queue until TPNS is seen to agree.

use tpns_account_sync::{
    apply::{Push, apply},
    event::{Account, Device, Event, ListedAccount, Version},
    ingress::MessageIndex,
    ledger::{AccountKey, Deletion, DeviceState, Ledger, Rows, State},
    outcome::Outcome,
    plan::{Plan, Verdict, Work, plan},
    redelivery::Redelivered,
    tpns::Verdicts,
};

use crate::{
    desk::Desk,
    events::{APP, device},
    steps::Key,
};

/// How an invocation sends checks, and how a check ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) name: &'static str,
    /// Whether checks are sent before the merge, and not after the push.
    pub(crate) sends_first: bool,
    /// Whether a deletion asks who has the account before its operator_type 5, and sends checks of the devices whose rows
    /// are newer.
    pub(crate) asks_first: bool,
    /// Whether it is not pushed before TPNS has answered that.
    pub(crate) needs_answer: bool,
    /// Whether a deletion has its account checked.
    pub(crate) checks_accounts: bool,
    /// Whether it does so although TPNS has accepted it before.
    pub(crate) checks_accepted: bool,
    /// Whether a check that has repaired something is deleted.
    pub(crate) ends_repaired: bool,
}

impl Form {
    /// As it has to be.
    pub(crate) const WHOLE: Self = Self {
        name: "with a check",
        sends_first: true,
        asks_first: true,
        needs_answer: true,
        checks_accounts: true,
        checks_accepted: true,
        ends_repaired: false,
    };
}

/// A delivery of events.
pub(crate) async fn settle(form: Form, desk: &Desk<'_>, events: &[(MessageIndex, Event)]) -> Vec<Outcome> {
    let untouched = || vec![Outcome::UNTOUCHED; events.len()];
    let state = State::of(events.iter().map(|(_, event)| event));
    let mut is_sent = true;
    if form.sends_first {
        is_sent = send(form, desk, &state).await;
    }
    if form.asks_first {
        for (key, deletion) in &state.deleted {
            // An operator_type 5 would remove a newer binding, and no check would restore it.
            if !protect(form, desk, key, &deletion.version).await {
                return untouched();
            }
        }
    }
    let mut outcomes = untouched();
    apply(&Ledger::Table(desk), desk, events, 0, None, &mut outcomes).await;
    if !form.sends_first {
        is_sent = send(form, desk, &state).await;
    }
    if is_sent { outcomes } else { untouched() }
}

/// Sends the checks of everything the events name.
async fn send(form: Form, desk: &Desk<'_>, state: &State) -> bool {
    let mut are_sent = true;
    for device in state.devices.keys() {
        are_sent &= desk.send(Desk::key_of(device)).await;
    }
    for key in state.deleted.keys().filter(|_| form.checks_accounts) {
        if form.checks_accepted || !is_accepted(desk, key).await {
            are_sent &= desk.send(desk.key_of_account(&key.account)).await;
        }
    }
    are_sent
}

async fn is_accepted(desk: &Desk<'_>, key: &AccountKey) -> bool {
    let rows = desk.read(&[], std::slice::from_ref(key)).await.deletions;
    rows.into_iter().any(|(_, row)| matches!(row, Ok(Some(row)) if row.accepted))
}

/// Has those devices checked that have the account by a login that is newer than its deletion.
async fn protect(form: Form, desk: &Desk<'_>, key: &AccountKey, version: &Version) -> bool {
    let Some(devices) = desk.devices_of(&key.account).await else { return !form.needs_answer };
    for device in devices {
        let Some(mut state) = look(desk, &device).await else { return false };
        let known = state.deleted.get(key).map(|known| &known.version);
        if known.is_none_or(|known| known < version) {
            state.deleted.insert(key.clone(), Deletion { version: version.clone(), due: false });
        }
        if desired(&state).contains(&key.account) && !desk.send(Desk::key_of(&device)).await {
            return false;
        }
    }
    true
}

/// A delivery of a check. Returns whether it is deleted.
pub(crate) async fn check(form: Form, desk: &Desk<'_>, key: Key) -> bool {
    match key {
        Key::Device(index) => check_device(form, desk, &device(index.into())).await,
        Key::Account(index) => check_account(form, desk, desk.account_of(index)).await,
    }
}

/// TPNS first, then the rows: if a login comes between the two, its newer state is pushed.
async fn check_device(form: Form, desk: &Desk<'_>, device: &Device) -> bool {
    let Some(bound) = desk.accounts_of(device).await else { return false };
    let Some(state) = look(desk, device).await else { return false };
    let Some(row) = state.devices.get(device) else { return true };
    let agrees = if row.owner().is_some() {
        let desired = desired(&state);
        desired.len() == bound.len() && desired.iter().all(|account| bound.contains(account))
    } else {
        !bound.iter().any(|account| row.is_unbound(account))
    };
    agrees || push(desk, &state).await && form.ends_repaired
}

/// No device has a deleted account, but by a newer login.
async fn check_account(form: Form, desk: &Desk<'_>, account: Account) -> bool {
    let Some(devices) = desk.devices_of(&account).await else { return false };
    let mut agrees = true;
    for device in devices {
        let Some(mut state) = look(desk, &device).await else { return false };
        if desired(&state).contains(&account) {
            continue;
        }
        if state.devices.get(&device).is_none_or(|row| row.owner().is_none()) {
            state = State::default();
            let mut unbound = DeviceState::default();
            // The version is not pushed.
            let version = desk.any_version();
            let Account { account, account_type } = account.clone();
            unbound.unbind(&version, &[ListedAccount { account, account_type: Some(account_type) }]);
            state.devices.insert(device, unbound);
        }
        agrees = false;
        if !push(desk, &state).await {
            return false;
        }
    }
    agrees || form.ends_repaired
}

/// A device's row, if there is one, and the rows of its owner's accounts.
async fn look(desk: &Desk<'_>, device: &Device) -> Option<State> {
    let mut state = State { remembers: true, ..State::default() };
    let read = desk.read(std::slice::from_ref(device), &[]).await;
    for (device, row) in read.devices {
        let row = row.ok()?;
        if row != DeviceState::default() {
            state.devices.insert(device, row);
        }
    }
    let accounts = state.devices.values().filter_map(DeviceState::owner).flat_map(|owner| owner.accounts());
    let accounts: Vec<_> = accounts.map(|account| AccountKey { app: APP, account }).collect();
    for (key, row) in desk.read(&[], &accounts).await.deletions {
        if let Some(row) = row.ok()? {
            state.deleted.insert(key, Deletion { version: row.version, due: false });
        }
    }
    Some(state)
}

fn planned(state: &State) -> Plan {
    plan(state, &Redelivered::default())
}

/// The accounts that the device's own push would bind.
fn desired(state: &State) -> Vec<Account> {
    let bound = planned(state).items.into_iter().find_map(|item| match item.work {
        Work::Bind(_, accounts) => Some(accounts),
        _ => None,
    });
    bound.unwrap_or_default()
}

/// Pushes what the rows say. Returns whether TPNS has accepted it.
async fn push(desk: &Desk<'_>, state: &State) -> bool {
    let plan = planned(state);
    let verdicts = Verdicts::new(plan.items.len());
    desk.push(&plan, &verdicts, None).await;
    verdicts.all().iter().all(|verdict| *verdict == Verdict::Accepted)
}
