//! From the known state to the fewest items that make TPNS agree with it (ARCHITECTURE.md, "Calls"), what an item waits
//! for, and the verdicts on them. Pure.

mod gates;
mod verdict;

use std::{
    collections::{BTreeSet, HashMap},
    ops::Range,
};

pub use gates::{GateState, HELD, Patience};
pub use verdict::Verdict;

use crate::{
    apps::AppId,
    event::{Account, Change, Device, Event, EventIndex, ListedAccount, Token},
    ledger::{AccountKey, DeviceState, Owner, State},
    redelivery::{Redelivered, Travel},
};

/// The place of an item in [`Plan::items`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemIndex(pub usize);

/// One element of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The app it belongs to.
    pub app: AppId,
    /// What it says.
    pub work: Work,
    /// Items that TPNS must have accepted before this one may be sent.
    pub after: Vec<Gate>,
    /// The redelivered event whose items travel in calls of their own, if it is one of its items.
    pub alone: Option<EventIndex>,
}

/// What an item says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    /// The token has these accounts.
    Bind(Token, Vec<Account>),
    /// The token has none of these accounts.
    Unbind(Token, Vec<Account>),
    /// The token has no account.
    UnbindAll(Token),
    /// No token has this account.
    UnbindEverywhere(Account),
}

/// What an item waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// The device's own operator_type 4 ([`plan`] says when there is one): without it the item would be wrong.
    Cleared(ItemIndex),
    /// The operator_type 5 of an account that the item binds again: applied later, it would take the account away. One
    /// that TPNS rejects can't be applied later.
    Deleted(ItemIndex),
    /// The same for an item that has waited in an earlier delivery: now it waits until the deletion has been tried, as
    /// long as there is time. A deletion that TPNS never accepts must not hold it for ever.
    Tried(ItemIndex),
}

/// The items, and which of them belong to which event.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Everything that TPNS must be sent.
    pub items: Vec<Item>,
    /// The places of their items, which are neighbours.
    devices: HashMap<Device, Range<usize>>,
    deletions: HashMap<AccountKey, PlannedDeletion>,
    /// Whether a device needs no item.
    has_unchanged: bool,
}

#[derive(Clone, Debug, Default)]
struct PlannedDeletion {
    /// None when there is nothing to send.
    item: Option<ItemIndex>,
    /// The devices' items that the deletion took the account out of.
    shaped: Vec<ItemIndex>,
}

/// How an item belongs to an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// The item does what the event says.
    Own(ItemIndex),
    /// The item does what another event says, but would be different without this one.
    Shaped(ItemIndex),
    /// TPNS has accepted what the event says, in an earlier invocation, or a check has seen that it has it.
    Done,
}

/// Plans the calls that make TPNS agree with the state.
///
/// TPNS may apply accepted calls in any order, so no state of the ledger needs two ordered calls on one device. A device
/// has one item, with one exception: TPNS may have an account for it under a type that the login does not name. If TPNS
/// overrides per type (facts.md, section 3: the documents allow both readings), the operator_type 2 leaves it bound, and
/// someone who signed out would go on getting messages. An operator_type 3 unbinds it. The two name different types, so
/// they are right in either order.
///
/// Without a ledger it is not known which account that would be. There, where the operator_type 2 names fewer types than
/// the events did, an operator_type 4 goes first.
#[must_use]
pub fn plan(state: &State, redelivered: &Redelivered) -> Plan {
    let mut plan = Plan::default();
    // Nearly each device and each deleted account has one.
    plan.items.reserve_exact(state.devices.len() + state.deleted.len());
    plan.devices.reserve(state.devices.len());
    for (key, deletion) in &state.deleted {
        let work = || Work::UnbindEverywhere(key.account.clone());
        let item = deletion.due.then(|| plan.add(key.app, work(), Vec::new()));
        if let (Some(item), Some(Travel::Alone(number))) = (item, redelivered.deletion(key)) {
            plan.items[item.0].alone = Some(number);
        }
        plan.deletions.insert(key.clone(), PlannedDeletion { item, shaped: Vec::new() });
    }
    for (device, known) in &state.devices {
        if state.unchanged.contains(device) {
            plan.devices.insert(device.clone(), 0..0);
            plan.has_unchanged = true;
            continue;
        }
        let travel = redelivered.device(device);
        plan.add_device(device, known, state, travel.is_some());
        if let Some(Travel::Alone(number)) = travel {
            for item in plan.items_of(device) {
                plan.items[item.0].alone = Some(number);
            }
        }
    }
    plan
}

impl Plan {
    /// The items an event depends on: it is settled when they are.
    #[must_use]
    pub fn shares(&self, event: &Event) -> Vec<Share> {
        match &event.change {
            Change::Login(device, _) | Change::Logout(device, _) | Change::LogoutAll(device)
                if self.is_unchanged(device) =>
            {
                vec![Share::Done]
            }
            Change::Logout(device, _) => self.items_of(device).map(Share::Own).collect(),
            Change::Login(device, _) | Change::LogoutAll(device) => {
                let share = |item| match self.item(item).work {
                    // Others bound or signed out what is unbound beside a login.
                    Work::Unbind(..) => Share::Shaped(item),
                    _ => Share::Own(item),
                };
                self.items_of(device).map(share).collect()
            }
            Change::Deletion(apps, accounts) => AccountKey::each(apps, accounts)
                .filter_map(|key| self.deletions.get(&key))
                .flat_map(|deletion| {
                    let shaped = deletion.shaped.iter().copied().map(Share::Shaped);
                    std::iter::once(deletion.item.map_or(Share::Done, Share::Own)).chain(shaped)
                })
                .collect(),
        }
    }

    /// The item at this place.
    #[must_use]
    pub fn item(&self, index: ItemIndex) -> &Item {
        &self.items[index.0]
    }

    /// The operator_type 5 of an account, if it is sent.
    #[must_use]
    pub fn deletion_of(&self, key: &AccountKey) -> Option<ItemIndex> {
        self.deletions.get(key).and_then(|deletion| deletion.item)
    }

    /// The device's items.
    #[must_use]
    pub fn items_of(&self, device: &Device) -> impl ExactSizeIterator<Item = ItemIndex> + Clone + use<> {
        self.devices.get(device).cloned().unwrap_or_default().map(ItemIndex)
    }

    /// Whether the device needs no item, since TPNS has what the state says.
    #[must_use]
    pub fn is_unchanged(&self, device: &Device) -> bool {
        // Asked of each login, and most plans have none.
        self.has_unchanged && self.devices.get(device).is_some_and(Range::is_empty)
    }

    /// These items, which belong to no event.
    #[must_use]
    pub fn of_items(items: Vec<Item>) -> Self {
        Self { items, ..Self::default() }
    }

    fn add(&mut self, app: AppId, work: Work, after: Vec<Gate>) -> ItemIndex {
        self.items.push(Item { app, work, after, alone: None });
        ItemIndex(self.items.len() - 1)
    }

    fn add_device(&mut self, device: &Device, known: &DeviceState, state: &State, redelivered: bool) {
        let (app, token, first) = (device.app, device.token.clone(), self.items.len());
        let Some(owner) = known.owner() else {
            let unbound: BTreeSet<_> = known.unbound().keys().cloned().map(ListedAccount::with_default_type).collect();
            let unbound = unbound.into_iter().collect();
            self.add(app, Work::Unbind(token, unbound), Vec::new());
            self.devices.insert(device.clone(), first..self.items.len());
            return;
        };
        let desired = desired(app, known, owner, state);
        let mut shaped_by = Vec::new();
        if desired.len() < owner.accounts.len() {
            let keys = owner.accounts().map(|account| AccountKey { app, account });
            shaped_by.extend(keys.filter(|key| state.deletion_after(key, &owner.version).is_some()));
        }
        let gate = if redelivered { Gate::Tried } else { Gate::Deleted };
        let mut gates = Vec::new();
        if !self.deletions.is_empty() {
            let keys = desired.iter().map(|account| AccountKey { app, account: account.clone() });
            gates.extend(keys.filter_map(|key| self.deletion_of(&key)).map(gate));
        }
        if desired.is_empty() {
            self.add(app, Work::UnbindAll(token), Vec::new());
        } else if state.remembers {
            let undesired = undesired(known, owner, &desired);
            self.add(app, Work::Bind(token.clone(), desired), gates);
            if !undesired.is_empty() {
                self.add(app, Work::Unbind(token, undesired), Vec::new());
            }
        } else {
            if !names_all_types(known, owner, &desired) {
                let clear = self.add(app, Work::UnbindAll(token.clone()), Vec::new());
                gates.push(Gate::Cleared(clear));
            }
            self.add(app, Work::Bind(token, desired), gates);
        }
        let items = first..self.items.len();
        for key in shaped_by {
            if let Some(deletion) = self.deletions.get_mut(&key) {
                deletion.shaped.extend(items.clone().map(ItemIndex));
            }
        }
        self.devices.insert(device.clone(), items);
    }
}

/// The accounts that a device is to have: its owner's, less those that were signed out or deleted since.
#[must_use]
pub fn desired(app: AppId, known: &DeviceState, owner: &Owner, state: &State) -> Vec<Account> {
    let is_deleted = |account: &Account| {
        let key = AccountKey { app, account: account.clone() };
        state.deletion_after(&key, &owner.version).is_some()
    };
    let has_deletions = !state.deleted.is_empty();
    let is_out = |account: &Account| known.is_unbound(account) || (has_deletions && is_deleted(account));
    let mut desired = Vec::with_capacity(owner.accounts.len());
    desired.extend(owner.accounts.iter().filter(|account| !is_out(account)).cloned());
    desired
}

/// The accounts that TPNS may have, and that the operator_type 2 with the desired ones does not replace: those under other
/// types.
fn undesired(known: &DeviceState, owner: &Owner, desired: &[Account]) -> Vec<Account> {
    // Nearly every device has none.
    if known.may_have().is_empty() && known.unbound().is_empty() && desired.len() == owner.accounts.len() {
        return Vec::new();
    }
    let signed_out = signed_out(known, owner).cloned().map(ListedAccount::with_default_type);
    let all: BTreeSet<_> = known.may_have().iter().cloned().chain(owner.accounts()).chain(signed_out).collect();
    let is_named = |account: &Account| desired.iter().any(|other| other.account_type == account.account_type);
    all.into_iter().filter(|account| !is_named(account)).collect()
}

/// Whether the desired accounts are under all types that the events named.
fn names_all_types(known: &DeviceState, owner: &Owner, desired: &[Account]) -> bool {
    let signed_out = signed_out(known, owner).map(|out| out.account_type.unwrap_or_default());
    let mut named = owner.accounts.iter().map(|account| account.account_type).chain(signed_out);
    named.all(|account_type| desired.iter().any(|account| account.account_type == account_type))
}

/// What was signed out and may be under other types than the owner's. Without a type a logout means the types under which
/// the owner has the account, or 0 if it has none.
fn signed_out<'k>(known: &'k DeviceState, owner: &'k Owner) -> impl Iterator<Item = &'k ListedAccount> {
    known.unbound().keys().filter(|out| out.account_type.is_some() || !owner.has(out))
}

#[cfg(test)]
mod tests;
