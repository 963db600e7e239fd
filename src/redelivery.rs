//! What earlier deliveries mean for the next one: what makes an event fail again and again must not fail its
//! neighbours, and what waited for another event must not wait for ever. Pure.

mod turns;

use std::collections::{HashMap, HashSet};

pub use turns::Turns;

use crate::{
    event::{Change, Device, Event, EventIndex},
    ledger::AccountKey,
};

/// From this delivery on a message's items travel in calls of their own, and it is handled after the others.
const ALONE_FROM: u32 = 3;
/// At most this many messages of an app in one invocation: after an outage all are redelivered.
const MOST_ALONE: usize = 100;

/// The devices and deleted accounts of some events, as far as the events were delivered before.
#[derive(Clone, Debug, Default)]
pub struct Redelivered {
    devices: HashMap<Device, Travel>,
    deletions: HashMap<AccountKey, Travel>,
}

/// How an item of a redelivered event travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Travel {
    /// With others.
    Together,
    /// Only with other items of this event.
    Alone(EventIndex),
}

/// The events, by their places, whose items travel alone: those that were delivered most often.
#[must_use]
pub fn alone<'e>(events: impl IntoIterator<Item = (EventIndex, &'e Event)>) -> HashSet<EventIndex> {
    let mut often: Vec<_> = events
        .into_iter()
        .filter(|(_, event)| event.deliveries >= ALONE_FROM)
        .map(|(place, event)| (place, event.deliveries))
        .collect();
    often.sort_by_key(|&(_, deliveries)| std::cmp::Reverse(deliveries));
    often.into_iter().take(MOST_ALONE).map(|(place, _)| place).collect()
}

impl Redelivered {
    /// Those of these events, given with their places; `alone` has the places of those that travel alone.
    #[must_use]
    pub fn of<'e>(events: impl IntoIterator<Item = (EventIndex, &'e Event)>, alone: &HashSet<EventIndex>) -> Self {
        let mut again = Self::default();
        for (place, event) in events.into_iter().filter(|(_, event)| event.deliveries > 1) {
            let travel = if alone.contains(&place) { Travel::Alone(place) } else { Travel::Together };
            match &event.change {
                Change::Login(device, _) | Change::Logout(device, _) | Change::LogoutAll(device) => {
                    let known = again.devices.entry(device.clone()).or_insert(travel);
                    *known = travel.max(*known);
                }
                Change::Deletion(apps, accounts) => {
                    for key in AccountKey::each(apps, accounts) {
                        let known = again.deletions.entry(key).or_insert(travel);
                        *known = travel.max(*known);
                    }
                }
            }
        }
        again
    }

    /// How the items of a device travel, if one of its events was delivered before.
    #[must_use]
    pub fn device(&self, device: &Device) -> Option<Travel> {
        // Nearly always there is none.
        if self.devices.is_empty() { None } else { self.devices.get(device).copied() }
    }

    /// How the item of a deletion travels, if it was delivered before.
    #[must_use]
    pub fn deletion(&self, key: &AccountKey) -> Option<Travel> {
        if self.deletions.is_empty() { None } else { self.deletions.get(key).copied() }
    }
}

#[cfg(test)]
mod tests;
