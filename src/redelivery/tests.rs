use super::*;
use crate::{
    ledger::State,
    plan::{Gate, ItemIndex, plan},
    testing::{deletion_of, of_token},
    tpns::{self, OperatorType},
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
    tpns::calls(&plan.items).iter().map(|call| (call.operator_type, call.items.len())).collect()
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
