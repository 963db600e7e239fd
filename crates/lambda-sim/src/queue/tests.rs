use super::*;

const VISIBILITY: Duration = Duration::from_secs(30);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + seconds * 1_000)
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| &*message.body).collect()
}

fn standard() -> Queue {
    Queue::builder("events").build().unwrap()
}

fn fifo(messages: &[(&str, &str)]) -> Queue {
    let mut queue = Queue::builder("events.fifo").content_based_deduplication().build().unwrap();
    for (group, body) in messages {
        queue.send(SendMessage::new(*body).group(*group), at(0)).unwrap();
    }
    queue
}

#[test]
fn a_received_message_is_hidden_until_its_visibility_timeout_and_counted_each_time() {
    let mut queue = standard();
    let sent = queue.send("a", at(0)).unwrap();
    let first = queue.receive(10, VISIBILITY, at(1)).remove(0);
    assert_eq!((first.message_id.as_str(), first.receive_count), (sent.message_id.as_str(), 1));
    assert_eq!((first.sent, first.first_received), (at(0), at(1)));
    assert_eq!(queue.depth(at(30)), Depth { in_flight: 1, ..Depth::default() });
    assert_eq!(queue.next_visible_at(at(1)), Some(at(31)));
    assert!(queue.receive(10, VISIBILITY, at(30)).is_empty());

    let again = queue.receive(10, VISIBILITY, at(31)).remove(0);
    assert_eq!((again.receive_count, again.first_received), (2, at(1)));
    assert_ne!(again.receipt_handle, first.receipt_handle);
}

#[test]
fn an_older_receipt_handle_deletes_nothing_and_an_invented_one_is_refused() {
    let mut queue = standard();
    queue.send("a", at(0)).unwrap();
    let first = queue.receive(1, VISIBILITY, at(0)).remove(0);
    let second = queue.receive(1, VISIBILITY, at(40)).remove(0);
    assert_eq!(queue.delete(&first.receipt_handle, at(41)), Ok(Deletion::Stale));
    assert_eq!(queue.delete("AQEB", at(41)), Err(ReceiptError::Invalid));
    assert_eq!(queue.delete(&second.receipt_handle, at(99)), Ok(Deletion::Deleted));
    assert_eq!(queue.delete(&second.receipt_handle, at(99)), Ok(Deletion::AlreadyGone));
    assert_eq!(queue.depth(at(99)).total(), 0);
}

#[test]
fn a_fifo_message_cannot_be_deleted_after_its_visibility_timeout() {
    let mut queue = fifo(&[("g", "a")]);
    let message = queue.receive(1, VISIBILITY, at(0)).remove(0);
    assert_eq!(queue.delete(&message.receipt_handle, at(30)), Err(ReceiptError::Expired));
    assert_eq!(queue.depth(at(30)).visible, 1);
}

#[test]
fn changing_the_visibility_shortens_or_lengthens_a_flight_but_starts_none() {
    let mut queue = standard();
    queue.send("a", at(0)).unwrap();
    let message = queue.receive(1, VISIBILITY, at(0)).remove(0);
    queue.change_visibility(&message.receipt_handle, Duration::from_secs(100), at(10)).unwrap();
    assert_eq!(queue.next_visible_at(at(10)), Some(at(110)));
    queue.change_visibility(&message.receipt_handle, Duration::ZERO, at(20)).unwrap();
    assert_eq!(queue.depth(at(20)).visible, 1);
    let refused = queue.change_visibility(&message.receipt_handle, VISIBILITY, at(20));
    assert_eq!(refused, Err(ReceiptError::NotInFlight));
}

#[test]
fn a_delayed_message_waits_for_its_delay() {
    let mut queue = standard();
    queue.send(SendMessage::new("a").delay(Duration::from_secs(5)), at(0)).unwrap();
    assert_eq!(queue.depth(at(4)), Depth { delayed: 1, ..Depth::default() });
    assert!(queue.receive(1, VISIBILITY, at(4)).is_empty());
    assert_eq!(queue.receive(1, VISIBILITY, at(5)).len(), 1);
}

#[test]
fn a_message_received_too_often_moves_to_the_dead_letter_queue_under_its_old_id() {
    let mut queue = Queue::builder("events").dead_letter_after(2).build().unwrap();
    let sent = queue.send("bad", at(0)).unwrap();
    for round in 0..2 {
        assert_eq!(queue.receive(1, VISIBILITY, at(round * 30)).len(), 1);
    }
    queue.send("good", at(60)).unwrap();
    assert_eq!(bodies(&queue.receive(1, VISIBILITY, at(60))), ["good"], "the batch is not short of a message for it");
    let dead = queue.dead_letter_queue().unwrap().messages().next().unwrap();
    assert_eq!((dead.message_id.as_str(), dead.sent), (sent.message_id.as_str(), at(0)));
    assert_eq!(dead.dead_letter_source_arn.as_deref(), Some("arn:aws:sqs:us-east-2:123456789012:events"));
}

#[test]
fn a_redriven_message_is_a_new_message_with_the_old_body() {
    let mut queue = Queue::builder("events").dead_letter_after(1).build().unwrap();
    let sent = queue.send("a", at(0)).unwrap();
    queue.receive(1, VISIBILITY, at(0));
    queue.receive(1, VISIBILITY, at(30));
    assert_eq!(queue.redrive_dead_letters(at(100)), 1);
    let again = queue.receive(1, VISIBILITY, at(100)).remove(0);
    assert_ne!(again.message_id, sent.message_id);
    assert_eq!((&*again.body, again.sent, again.receive_count), ("a", at(100), 1));
    assert_eq!(queue.dead_letter_queue().unwrap().depth(at(100)).total(), 0);
}

#[test]
fn fifo_hands_out_a_group_in_order_and_as_much_of_it_as_fits() {
    let mut queue = fifo(&[("a", "a1"), ("b", "b1"), ("a", "a2"), ("a", "a3")]);
    let batch = queue.receive(4, VISIBILITY, at(0));
    assert_eq!(bodies(&batch), ["a1", "a2", "a3", "b1"]);
    let numbers: Vec<_> = batch[..3].iter().map(|message| message.sequence_number.clone().unwrap()).collect();
    assert!(numbers.is_sorted() && numbers.iter().all(|number| number.len() == 20));
}

#[test]
fn a_group_with_a_message_in_flight_is_blocked_and_others_are_not() {
    let mut queue = fifo(&[("a", "a1"), ("a", "a2"), ("a", "a3"), ("b", "b1")]);
    let first = queue.receive(2, VISIBILITY, at(0));
    assert_eq!(bodies(&first), ["a1", "a2"]);
    assert_eq!(bodies(&queue.receive(10, VISIBILITY, at(1))), ["b1"]);

    queue.delete(&first[0].receipt_handle, at(2)).unwrap();
    assert!(queue.receive(10, VISIBILITY, at(2)).is_empty(), "a2 still blocks a3");
    assert_eq!(bodies(&queue.receive(10, VISIBILITY, at(30))), ["a2", "a3"], "a2 comes back ahead of a3");
}

#[test]
fn a_group_moves_on_once_its_head_went_to_the_dead_letter_queue() {
    let mut queue = Queue::builder("q.fifo").content_based_deduplication().dead_letter_after(1).build().unwrap();
    for body in ["a1", "a2"] {
        queue.send(SendMessage::new(body).group("a"), at(0)).unwrap();
    }
    assert_eq!(bodies(&queue.receive(1, VISIBILITY, at(0))), ["a1"]);
    assert_eq!(bodies(&queue.receive(1, VISIBILITY, at(30))), ["a2"]);
    let dead = queue.dead_letter_queue().unwrap();
    assert!(dead.is_fifo() && dead.name() == "q-dlq.fifo");
    assert_eq!(dead.messages().next().unwrap().sent, at(30), "FIFO: the enqueue time starts anew");
}

#[test]
fn a_deduplication_id_is_swallowed_for_five_minutes_even_after_the_message_is_gone() {
    let mut queue = Queue::builder("q.fifo").build().unwrap();
    let send = |queue: &mut Queue, seconds| {
        let message = SendMessage::new("x").group("g").deduplication_id("d");
        queue.send(message, at(seconds)).unwrap()
    };
    let first = send(&mut queue, 0);
    let message = queue.receive(1, VISIBILITY, at(0)).remove(0);
    queue.delete(&message.receipt_handle, at(1)).unwrap();
    let second = send(&mut queue, 299);
    assert_eq!(second, Sent { deduplicated: true, ..first.clone() });
    assert_eq!(queue.depth(at(299)).total(), 0);
    let third = send(&mut queue, 300);
    assert!(!third.deduplicated && third.message_id != first.message_id);
}

#[test]
fn what_sqs_refuses_to_take_is_refused() {
    let mut fifo = Queue::builder("q.fifo").build().unwrap();
    let mut standard = standard();
    let long = "x".repeat(1024 * 1024 + 1);
    assert_eq!(fifo.send("x", at(0)), Err(SendError::NoGroup));
    assert_eq!(fifo.send(SendMessage::new("x").group("g"), at(0)), Err(SendError::NoDeduplicationId));
    assert_eq!(standard.send("", at(0)), Err(SendError::EmptyBody));
    assert_eq!(standard.send("a\0", at(0)), Err(SendError::InvalidCharacter('\0')));
    assert_eq!(standard.send(long.as_str(), at(0)), Err(SendError::TooLong(1024 * 1024 + 1)));
    let deduplicated = standard.send(SendMessage::new("x").deduplication_id("d"), at(0));
    assert!(matches!(deduplicated, Err(SendError::WrongKind(..))));
    assert_eq!(standard.depth(at(0)).total() + fifo.depth(at(0)).total(), 0);
}

#[test]
fn a_queue_that_aws_would_not_make_is_not_made() {
    let refused = |builder: QueueBuilder| builder.build().unwrap_err();
    assert!(matches!(refused(Queue::builder("a.b")), QueueConfigError::Name(_)));
    assert!(matches!(refused(Queue::builder(".fifo")), QueueConfigError::Name(_)));
    assert_eq!(refused(Queue::builder("q").dead_letter_after(0)), QueueConfigError::MaxReceiveCount(0));
    assert!(matches!(refused(Queue::builder("q.fifo").shuffled()), QueueConfigError::WrongKind(..)));
    assert!(matches!(refused(Queue::builder("q.fifo").duplicates(0.1)), QueueConfigError::WrongKind(..)));
    assert_eq!(refused(Queue::builder("q").duplicates(1.0)), QueueConfigError::Probability);
}

/// Receives and deletes in rounds of three until the queue is empty; the bodies in the order they came.
fn drain(seed: u64) -> Vec<String> {
    let mut queue = Queue::builder("q").seed(seed).shuffled().duplicates(0.3).build().unwrap();
    for n in 0..20 {
        queue.send(format!("{n}").as_str(), at(0)).unwrap();
    }
    let mut seen = Vec::new();
    while queue.depth(at(0)).total() > 0 {
        let batch = queue.receive(3, VISIBILITY, at(0));
        assert!(!batch.is_empty(), "nothing stays in flight here, so there is always something to receive");
        for message in batch {
            seen.push(message.body.to_string());
            queue.delete(&message.receipt_handle, at(0)).unwrap();
        }
    }
    seen
}

#[test]
fn a_shuffled_queue_with_duplicates_replays_from_its_seed_and_loses_nothing() {
    let run = drain(7);
    assert_eq!(run, drain(7));
    assert_ne!(run, drain(8));
    assert!(run.len() > 20, "some came twice");
    let mut each: Vec<u32> = run.iter().map(|body| body.parse().unwrap()).collect();
    assert!(!each.is_sorted());
    each.sort_unstable();
    each.dedup();
    assert_eq!(each, (0..20).collect::<Vec<_>>());
}

#[test]
fn a_message_and_its_copy_never_share_a_batch() {
    let mut queue = Queue::builder("q").seed(1).duplicates(0.9).build().unwrap();
    for n in 0..10 {
        queue.send(format!("{n}").as_str(), at(0)).unwrap();
    }
    for round in 0..20 {
        let batch = queue.receive(1_000, VISIBILITY, at(round * 30));
        let ids: std::collections::HashSet<_> = batch.iter().map(|message| &message.message_id).collect();
        assert_eq!((ids.len(), batch.len()), (10, 10));
    }
    assert!(queue.depth(at(600)).total() > 10, "there were copies");
}
