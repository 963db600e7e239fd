//! What each device was bound to after each event sent, and from where on that still counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use tpns_sim::model::{Account, Bindings, Tpns};

use crate::{
    books::{APPS, apply},
    script::{End, Event},
};

type Device = (&'static str, String);

/// TPNS's past, had it been told the events one by one as they were sent.
#[derive(Default)]
pub(crate) struct Past {
    /// What a device was bound to after each event that concerns it, by the event's place in the order of sending.
    states: HashMap<Device, Vec<(usize, Vec<Account>)>>,
    /// Up to where acknowledged events reach: what was before is over.
    over: HashMap<Device, usize>,
    /// The place of an event, and the devices it concerns.
    places: HashMap<usize, (usize, Vec<Device>)>,
}

impl Past {
    /// Applies an event that is being sent; once, though it may be sent twice.
    pub(crate) fn apply(&mut self, index: usize, event: &Event, model: &mut Tpns) {
        if event.end != End::InEffect || self.places.contains_key(&index) {
            return;
        }
        let mut devices: Vec<Device> = Vec::new();
        for app in event.apps() {
            match event.what.token() {
                Some(token) => devices.push((app, token.to_owned())),
                None => {
                    let bindings = model.bindings(app).into_iter();
                    let loses = |list: &[Account]| list.iter().any(|account| event.what.accounts().contains(account));
                    devices.extend(bindings.filter(|(_, list)| loses(list)).map(|(token, _)| (app, token)));
                }
            }
        }
        apply(model, event);
        let place = self.places.len();
        for (app, token) in &devices {
            let state = model.bindings(app).remove(token).unwrap_or_default();
            self.states.entry((app, token.clone())).or_default().push((place, state));
        }
        self.places.insert(index, (place, devices));
    }

    pub(crate) fn acknowledged(&mut self, index: usize) {
        let Some((place, devices)) = self.places.get(&index) else { return };
        for device in devices {
            let over = self.over.entry(device.clone()).or_default();
            *over = (*over).max(*place);
        }
    }

    /// Nobody is bound who was not bound at any time since the newest acknowledged event of the device. Accounts whose
    /// deletion is on its way may be bound still.
    pub(crate) fn check(&self, bound: &BTreeMap<String, Bindings>, dying: &HashSet<&Account>) -> Result<(), String> {
        for app in APPS {
            for (token, accounts) in &bound[app] {
                let device = (app, token.clone());
                let over = self.over.get(&device).copied().unwrap_or_default();
                let states = self.states.get(&device).map_or(&[][..], Vec::as_slice);
                let since = || states.iter().filter(|(place, _)| *place >= over);
                for account in accounts.iter().filter(|account| !dying.contains(account)) {
                    if !since().any(|(_, state)| state.contains(account)) {
                        let since: Vec<_> = since().map(|(_, state)| state).collect();
                        return Err(format!("{app} {token} is bound to {account:?}, which is over: {since:?}"));
                    }
                }
            }
        }
        Ok(())
    }
}
