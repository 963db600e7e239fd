//! Change each device was bound to after each event sent, and from which event on that still counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use tpns_sim::model::{Account, Bindings, Tpns};

use crate::{
    records::{APPS, apply},
    script::{End, Event},
};

type Device = (&'static str, String);

/// TPNS's history if it had received the events one by one as they were sent.
#[derive(Default)]
pub(crate) struct History {
    /// Change a device was bound to after each event that concerns it, by the event's position in the order of sending.
    states: HashMap<Device, Vec<(usize, Vec<Account>)>>,
    /// The newest acknowledged event of a device: earlier states are outdated.
    acknowledged: HashMap<Device, usize>,
    /// The position of an event, and the devices it concerns.
    positions: HashMap<usize, (usize, Vec<Device>)>,
}

impl History {
    /// Applies an event that is being sent; only once, although it may be sent twice.
    pub(crate) fn apply(&mut self, index: usize, event: &Event, model: &mut Tpns) {
        if event.end != End::InEffect || self.positions.contains_key(&index) {
            return;
        }
        let mut devices: Vec<Device> = Vec::new();
        for app in event.apps() {
            match event.change.token() {
                Some(token) => devices.push((app, token.to_owned())),
                None => {
                    let bindings = model.bindings(app).into_iter();
                    let loses = |list: &[Account]| list.iter().any(|account| event.change.accounts().contains(account));
                    devices.extend(bindings.filter(|(_, list)| loses(list)).map(|(token, _)| (app, token)));
                }
            }
        }
        apply(model, event);
        let position = self.positions.len();
        for (app, token) in &devices {
            let state = model.bindings(app).remove(token).unwrap_or_default();
            self.states.entry((app, token.clone())).or_default().push((position, state));
        }
        self.positions.insert(index, (position, devices));
    }

    pub(crate) fn acknowledged(&mut self, index: usize) {
        let Some((position, devices)) = self.positions.get(&index) else { return };
        for device in devices {
            let newest = self.acknowledged.entry(device.clone()).or_default();
            *newest = (*newest).max(*position);
        }
    }

    /// No account is bound that was not bound at some time since the newest acknowledged event of the device. Accounts
    /// whose deletion is still in the queue may be bound.
    pub(crate) fn check(
        &self,
        bound: &BTreeMap<String, Bindings>,
        being_deleted: &HashSet<&Account>,
    ) -> Result<(), String> {
        for app in APPS {
            for (token, accounts) in &bound[app] {
                let device = (app, token.clone());
                let newest = self.acknowledged.get(&device).copied().unwrap_or_default();
                let states = self.states.get(&device).map_or(&[][..], Vec::as_slice);
                let since = || states.iter().filter(|(position, _)| *position >= newest);
                for account in accounts.iter().filter(|account| !being_deleted.contains(account)) {
                    if !since().any(|(_, state)| state.contains(account)) {
                        let since: Vec<_> = since().map(|(_, state)| state).collect();
                        return Err(format!("{app} {token} is bound to {account:?}, which is outdated: {since:?}"));
                    }
                }
            }
        }
        Ok(())
    }
}
