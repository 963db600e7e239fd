//! What earlier deliveries mean for the next one: what makes an event fail again and again must not fail its
//! neighbours, and what waited for another event must not wait for ever. Pure.

use std::collections::{HashMap, HashSet};

use crate::{
    event::{Change, Device, Event, EventIndex},
    ledger::AccountKey,
};

/// From this delivery on a message's items travel in calls of their own.
const ALONE_FROM: u32 = 3;
/// At most this many messages of an app in one invocation: after an outage all are redelivered.
const MOST_ALONE: usize = 100;

/// The devices and deleted accounts of some events, as far as the events were delivered before.
#[derive(Clone, Debug, Default)]
pub struct Redelivered {
    devices: HashMap<Device, Travels>,
    deletions: HashMap<AccountKey, Travels>,
}

/// How an item of a redelivered event travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Travels {
    /// With others.
    InCompany,
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
            let travels = if alone.contains(&place) { Travels::Alone(place) } else { Travels::InCompany };
            match &event.change {
                Change::Login(device, _) | Change::Logout(device, _) | Change::LogoutAll(device) => {
                    let known = again.devices.entry(device.clone()).or_insert(travels);
                    *known = travels.max(*known);
                }
                Change::Deletion(apps, accounts) => {
                    for key in AccountKey::each(apps, accounts) {
                        let known = again.deletions.entry(key).or_insert(travels);
                        *known = travels.max(*known);
                    }
                }
            }
        }
        again
    }

    /// How the items of a device travel, if one of its events was delivered before.
    #[must_use]
    pub fn device(&self, device: &Device) -> Option<Travels> {
        // Nearly always there is none.
        if self.devices.is_empty() { None } else { self.devices.get(device).copied() }
    }

    /// How the item of a deletion travels, if it was delivered before.
    #[must_use]
    pub fn deletion(&self, key: &AccountKey) -> Option<Travels> {
        if self.deletions.is_empty() { None } else { self.deletions.get(key).copied() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        ledger::State,
        plan::{Gate, ItemIndex, OperatorType, plan},
        testing::{deletion_of, of_token},
    };

    fn delivered(times: u32, event: Event) -> Event {
        Event { deliveries: times, ..event }
    }

    fn indexed(events: &[Event]) -> impl Iterator<Item = (EventIndex, &Event)> {
        events.iter().enumerate().map(|(place, event)| (EventIndex(place), event))
    }

    /// The calls as (operator_type, items).
    fn calls(events: &[Event]) -> Vec<(OperatorType, usize)> {
        let events = || indexed(events);
        let redelivered = Redelivered::of(events(), &alone(events()));
        let plan = plan(&State::of(events().map(|(_, event)| event)), &redelivered);
        plan.calls.iter().map(|call| (call.operator_type, call.items.len())).collect()
    }

    #[test]
    fn from_the_third_delivery_on_a_messages_items_travel_in_calls_of_their_own_behind_the_others() {
        use OperatorType::{Bind, UnbindAll, UnbindEverywhere};
        let events = [
            delivered(3, of_token(0, 0)),
            delivered(2, of_token(1, 0)),
            delivered(1, of_token(2, 0)),
            delivered(4, of_token(3, 1)),
            delivered(9, of_token(4, 0)),
            delivered(3, deletion_of(100, 30)),
            delivered(2, deletion_of(200, 1)),
        ];
        let expected = [
            (UnbindEverywhere, 1),
            (Bind, 2),
            (UnbindEverywhere, 20),
            (UnbindEverywhere, 10),
            (Bind, 1),
            (UnbindAll, 1),
            (Bind, 1),
        ];
        let mut made = calls(&events);
        assert_eq!(made[..2], expected[..2], "the others go first");
        made.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!(made, expected);
    }

    #[test]
    fn at_most_a_hundred_messages_travel_alone_and_those_that_failed_most_often() {
        let events: Vec<_> = (0..300_u32).map(|n| delivered(3 + n % 2, of_token(n as usize, 0))).collect();
        let made = calls(&events);
        assert_eq!(made.len(), 100 + 200_usize.div_ceil(20));
        let alone = alone(indexed(&events));
        assert!(alone.iter().all(|&EventIndex(place)| events[place].deliveries == 4) && alone.len() == 100);
    }

    #[test]
    fn only_in_its_first_delivery_a_login_waits_until_the_deletion_is_accepted() {
        for (deliveries, gate) in [(1, Gate::Deleted(ItemIndex(0))), (2, Gate::Tried(ItemIndex(0)))] {
            let events = [deletion_of(0, 1), delivered(deliveries, of_token(0, 0))];
            let events = || indexed(&events);
            let redelivered = Redelivered::of(events(), &alone(events()));
            let plan = plan(&State::of(events().map(|(_, event)| event)), &redelivered);
            assert_eq!(plan.items[1].after, [gate]);
        }
    }
}
