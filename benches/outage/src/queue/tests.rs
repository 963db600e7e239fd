use super::*;
use crate::messages::{Kind, State};

const RULES: Rules = Rules { deliveries: 2, retention: 1_000, order: Order::Visible };

fn queue(rules: Rules, count: u32) -> (Queue, Messages) {
    let (mut queue, mut messages) = (Queue::new(rules), Messages::with_capacity(0));
    for _ in 0..count {
        queue.send(messages.send(0, 0, Kind::Login));
    }
    (queue, messages)
}

fn numbers(messages: &[Message]) -> Vec<u32> {
    messages.iter().map(|message| message.0).collect()
}

#[test]
fn a_receive_takes_ten_messages_in_the_order_in_which_they_became_visible() {
    let (mut queue, mut messages) = queue(RULES, 12);
    let mut rng = Rng::with_seed(1);
    let first = queue.receive(0, &mut messages, &mut rng).batch;
    assert_eq!(numbers(&first), (0..10).collect::<Vec<_>>());
    queue.keep_back(first[7], 100);
    queue.keep_back(first[3], 50);
    assert_eq!((queue.visible(), queue.in_flight(), queue.next_visible()), (2, 10, Some(64)));
    queue.release(128);
    assert_eq!(numbers(&queue.receive(128, &mut messages, &mut rng).batch), [10, 11, 3, 7]);
}

#[test]
fn a_message_is_dead_lettered_after_its_deliveries_and_not_before() {
    let (mut queue, mut messages) = queue(RULES, 1);
    let mut rng = Rng::with_seed(1);
    for delivery in 1..=2 {
        let received = queue.receive(delivery * 100, &mut messages, &mut rng);
        assert_eq!(numbers(&received.batch), [0], "delivery {delivery}");
        queue.keep_back(received.batch[0], delivery * 100 + 64);
        queue.release(delivery * 100 + 128);
    }
    let received = queue.receive(300, &mut messages, &mut rng);
    assert_eq!((numbers(&received.batch), numbers(&received.dead_lettered)), (vec![], vec![0]));
    assert!(queue.is_empty());
}

#[test]
fn a_message_that_is_as_old_as_the_retention_period_is_deleted() {
    let (mut queue, mut messages) = queue(RULES, 1);
    let received = queue.receive(1_000, &mut messages, &mut Rng::with_seed(1));
    assert_eq!((received.batch, numbers(&received.expired)), (vec![], vec![0]));
}

#[test]
fn no_more_messages_are_in_flight_than_the_quota_allows() {
    let (mut queue, mut messages) = queue(RULES, MOST_IN_FLIGHT as u32 + 5);
    let mut rng = Rng::with_seed(1);
    while !queue.receive(0, &mut messages, &mut rng).batch.is_empty() {}
    assert_eq!((queue.in_flight(), queue.visible()), (MOST_IN_FLIGHT, 5));
    queue.delete();
    assert_eq!(queue.receive(0, &mut messages, &mut rng).batch.len(), 1);
}

#[test]
fn a_message_ends_once() {
    let (_, mut messages) = queue(RULES, 1);
    assert!(messages.end(Message(0), State::Applied));
    assert!(!messages.end(Message(0), State::DeadLettered));
}
