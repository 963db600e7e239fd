use proptest::prelude::*;

use super::*;

#[derive(Clone, Debug)]
struct Message {
    number: usize,
    size: usize,
    group: Option<String>,
}

impl Item for Message {
    fn size(&self) -> usize {
        self.size
    }
    fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }
}

fn messages(fifo: bool) -> impl Strategy<Value = Vec<Message>> {
    let size = prop_oneof![8 => 1_usize..2000, 2 => 1_usize..=MOST_BYTES];
    proptest::collection::vec((size, 0_u8..6), 0..80).prop_map(move |list| {
        let message = |(number, (size, group)): (usize, (usize, u8))| Message {
            number,
            size,
            group: fifo.then(|| group.to_string()),
        };
        list.into_iter().enumerate().map(message).collect()
    })
}

/// Sends everything, with `dice` choosing which call ends next; returns the calls in the order they began.
fn run(messages: Vec<Message>, most: usize, dice: &[usize]) -> Vec<Vec<Message>> {
    let mut batcher = Batcher::new();
    let count = messages.len();
    messages.into_iter().for_each(|message| batcher.push(message));
    let (mut calls, mut open): (Vec<Vec<Message>>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut dice = dice.iter().cycle();
    loop {
        let call = batcher.take(most);
        let stuck = call.is_empty();
        if !stuck {
            // No group is in flight twice.
            let in_flight = || open.iter().flat_map(|&index: &usize| &calls[index]);
            let clash = |one: &Message| one.group.is_some() && in_flight().any(|other| other.group == one.group);
            assert!(!call.iter().any(clash));
            open.push(calls.len());
            calls.push(call);
        }
        let throw = dice.next().copied().unwrap_or(0);
        if !open.is_empty() && (throw % 2 == 0 || stuck || open.len() > 7) {
            let ended = open.remove(throw % open.len());
            calls[ended].iter().for_each(|message| batcher.finish(message));
        }
        if open.is_empty() && batcher.len() == 0 {
            assert_eq!(calls.iter().map(Vec::len).sum::<usize>(), count);
            assert_eq!(batcher.bytes, 0);
            return calls;
        }
    }
}

proptest! {
    #[test]
    fn no_call_is_larger_than_sqs_accepts(
        messages in any::<bool>().prop_flat_map(messages),
        most in 1_usize..15,
        dice in proptest::collection::vec(0_usize..100, 1..40),
    ) {
        for call in run(messages, most, &dice) {
            prop_assert!(!call.is_empty() && call.len() <= most.min(10));
            prop_assert!(call.iter().map(Item::size).sum::<usize>() <= MOST_BYTES);
        }
    }

    /// Whichever calls end first: within a group, messages are sent in order, one per call.
    #[test]
    fn a_group_keeps_its_order(
        messages in messages(true),
        dice in proptest::collection::vec(0_usize..100, 1..40),
    ) {
        let calls = run(messages, 10, &dice);
        for group in 0..6_u8 {
            let group = Some(group.to_string());
            let numbers: Vec<_> = calls.iter().flatten().filter(|one| one.group == group).map(|one| one.number).collect();
            prop_assert!(numbers.is_sorted(), "{numbers:?}");
            prop_assert!(calls.iter().all(|call| call.iter().filter(|one| one.group == group).count() <= 1));
        }
    }

    #[test]
    fn a_standard_queue_gets_the_lines_in_order(messages in messages(false)) {
        let calls = run(messages, 10, &[1]);
        prop_assert!(calls.iter().flatten().map(|one| one.number).is_sorted());
    }
}

#[test]
fn a_call_is_as_full_as_possible() {
    let messages = (0..25).map(|number| Message { number, size: 10, group: None }).collect();
    assert_eq!(run(messages, 10, &[1]).iter().map(Vec::len).collect::<Vec<_>>(), [10, 10, 5]);
}
