//! A batch, app by app: apps are independent of each other, so none waits for another's events.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use crate::{
    apps::AppId,
    event::{Change, Event, EventIndex, Reach},
    ingress::MessageIndex,
    redelivery,
};

/// The part of a batch that concerns one app. Events are named by their places in the batch.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) app: AppId,
    pub(super) places: Vec<EventIndex>,
    /// Deletions of several apps, reduced to this one.
    of_this_app: HashMap<EventIndex, Event>,
    /// The events whose items go in calls of their own.
    pub(super) alone: HashSet<EventIndex>,
}

impl Part {
    /// The parts of a batch.
    pub(super) fn of(events: &[(MessageIndex, Event)]) -> Vec<Self> {
        let mut parts: IndexMap<AppId, Self> = IndexMap::new();
        for (place, (_, event)) in events.iter().enumerate() {
            let place = EventIndex(place);
            match &event.change {
                Change::Login(device, _) | Change::Logout(device, _) | Change::LogoutAll(device) => {
                    of_app(&mut parts, device.app).places.push(place);
                }
                Change::Deletion(apps, _) if apps.len() == 1 => of_app(&mut parts, apps[0]).places.push(place),
                Change::Deletion(apps, accounts) => {
                    for &app in apps.iter() {
                        let change = Change::Deletion(Reach::from(vec![app]), accounts.clone());
                        let part = of_app(&mut parts, app);
                        part.places.push(place);
                        part.of_this_app.insert(place, Event { change, ..event.clone() });
                    }
                }
            }
        }
        let mut parts: Vec<_> = parts.into_values().collect();
        for part in &mut parts {
            let events = part.places.iter().map(|&place| (place, part.event(events, place)));
            part.alone = redelivery::alone(events);
        }
        parts
    }

    /// An event of the batch, as far as it is this app's.
    pub(super) fn event<'e>(&'e self, events: &'e [(MessageIndex, Event)], place: EventIndex) -> &'e Event {
        self.of_this_app.get(&place).unwrap_or(&events[place.0].1)
    }

    /// The events that concern other apps, too.
    pub(super) fn shared(&self) -> impl Iterator<Item = EventIndex> {
        self.of_this_app.keys().copied()
    }
}

fn of_app(parts: &mut IndexMap<AppId, Part>, app: AppId) -> &mut Part {
    let new = || Part { app, places: Vec::new(), of_this_app: HashMap::new(), alone: HashSet::new() };
    parts.entry(app).or_insert_with(new)
}
