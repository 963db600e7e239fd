use super::*;

const VISIBILITY: Duration = Duration::from_secs(30);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + seconds * 1_000)
}

fn bodies(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| &*message.body).collect()
}

#[test]
fn a_sent_message_is_hidden_for_the_delay_of_the_queue() {
    let mut queue = Queue::builder("checks").delay(Duration::from_secs(300)).build().unwrap();
    queue.send("a", at(0)).unwrap();
    assert!(queue.receive(10, VISIBILITY, at(299)).is_empty());
    assert_eq!(queue.depth(at(299)), Depth { delayed: 1, ..Depth::default() });
    assert_eq!(queue.next_visible_at(at(0)), Some(at(300)));
    let received = queue.receive(10, VISIBILITY, at(300));
    assert_eq!((received[0].sent, received[0].first_received), (at(0), at(300)));
    let too_long = Queue::builder("checks").delay(Duration::from_secs(901)).build();
    assert_eq!(too_long.err(), Some(QueueConfigError::Delay));
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
fn a_received_message_is_hidden_until_its_visibility_timeout_and_its_receives_are_counted() {
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
    assert_eq!(queue.delete(&first.receipt_handle, at(41)), Ok(false));
    assert_eq!(queue.delete("AQEB", at(41)), Err(ReceiptError::Invalid));
    assert_eq!(queue.delete(&second.receipt_handle, at(99)), Ok(true));
    assert_eq!(queue.delete(&second.receipt_handle, at(99)), Ok(true));
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
fn a_message_in_flight_can_be_hidden_for_another_time_of_at_most_12_hours() {
    let mut queue = standard();
    queue.send("a", at(0)).unwrap();
    let first = queue.receive(1, VISIBILITY, at(0)).remove(0).receipt_handle;
    let hidden =
        |queue: &mut Queue, handle: &str, seconds, now| queue.hide(handle, Duration::from_secs(seconds), at(now));
    assert_eq!(hidden(&mut queue, &first, 43_200, 1), Err(ReceiptError::TooLong));
    hidden(&mut queue, &first, 43_199, 1).unwrap();
    assert_eq!(queue.next_visible_at(at(1)), Some(at(43_200)));
    hidden(&mut queue, &first, 0, 20).unwrap();
    assert_eq!(queue.depth(at(20)).visible, 1);
    assert_eq!(hidden(&mut queue, &first, 0, 20), Err(ReceiptError::NotInFlight));
    queue.receive(1, VISIBILITY, at(21));
    assert_eq!(hidden(&mut queue, &first, 0, 22), Err(ReceiptError::NotInFlight), "that of an earlier delivery");
}

#[test]
fn a_message_received_too_often_moves_to_the_dead_letter_queue_under_its_old_id() {
    let mut queue = Queue::builder("events").dead_letter_after(2).build().unwrap();
    let sent = queue.send("bad", at(0)).unwrap();
    for round in 0..2 {
        assert_eq!(queue.receive(1, VISIBILITY, at(round * 30)).len(), 1);
    }
    queue.send("good", at(60)).unwrap();
    assert_eq!(bodies(&queue.receive(1, VISIBILITY, at(60))), ["good"], "it takes no place in the batch");
    let dead = queue.dead_letter_queue().unwrap().messages().next().unwrap();
    assert_eq!((dead.message_id.as_str(), dead.sent), (sent.message_id.as_str(), at(0)));
    assert_eq!(dead.dead_letter_source_arn.as_deref(), Some("arn:aws:sqs:us-east-2:123456789012:events"));
}

#[test]
fn fifo_delivers_a_group_in_order_and_as_much_of_it_as_fits() {
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
    assert_eq!(bodies(&queue.receive(10, VISIBILITY, at(30))), ["a2", "a3"], "a2 is redelivered before a3");
}

#[test]
fn a_group_continues_once_its_first_message_is_in_the_dead_letter_queue() {
    let mut queue = Queue::builder("q.fifo").content_based_deduplication().dead_letter_after(1).build().unwrap();
    for body in ["a1", "a2"] {
        queue.send(SendMessage::new(body).group("a"), at(0)).unwrap();
    }
    assert_eq!(bodies(&queue.receive(1, VISIBILITY, at(0))), ["a1"]);
    assert_eq!(bodies(&queue.receive(1, VISIBILITY, at(30))), ["a2"]);
    let dead = queue.dead_letter_queue().unwrap();
    assert!(dead.is_fifo() && dead.name() == "q-dlq.fifo");
    assert_eq!(dead.messages().next().unwrap().sent, at(30), "FIFO resets the enqueue time");
}

#[test]
fn a_deduplication_id_is_dropped_for_five_minutes_even_after_the_message_is_deleted() {
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
fn a_message_that_sqs_would_not_take_is_refused() {
    let mut fifo = Queue::builder("q.fifo").build().unwrap();
    let mut standard = standard();
    let long = "x".repeat(1024 * 1024 + 1);
    assert_eq!(fifo.send("x", at(0)), Err(SendError::NoGroup));
    assert_eq!(fifo.send(SendMessage::new("x").group("g"), at(0)), Err(SendError::NoDeduplicationId));
    assert_eq!(standard.send("", at(0)), Err(SendError::EmptyBody));
    assert_eq!(standard.send("a\0", at(0)), Err(SendError::InvalidCharacter('\0')));
    let long = SendMessage::new(long);
    for message in [long, SendMessage::new("x").deduplication_id("d"), SendMessage::new("x").group("g 1")] {
        assert!(matches!(standard.send(message, at(0)), Err(SendError::Invalid(_))));
    }
    assert_eq!(standard.depth(at(0)).total() + fifo.depth(at(0)).total(), 0);
}

#[test]
fn a_queue_that_sqs_would_not_create_is_refused() {
    let refused = |builder: QueueBuilder| builder.build().unwrap_err();
    assert!(matches!(refused(Queue::builder("a.b")), QueueConfigError::Name(_)));
    assert!(matches!(refused(Queue::builder(".fifo")), QueueConfigError::Name(_)));
    assert_eq!(refused(Queue::builder("q").dead_letter_after(0)), QueueConfigError::MaxReceiveCount(0));
    assert!(matches!(refused(Queue::builder("q.fifo").shuffled()), QueueConfigError::WrongKind(..)));
}

/// The bodies in the order of delivery, in batches of three.
fn drain(seed: u64) -> Vec<u32> {
    let mut queue = Queue::builder("q").seed(seed).shuffled().build().unwrap();
    for n in 0..20 {
        queue.send(n.to_string().as_str(), at(0)).unwrap();
    }
    let batches = std::iter::repeat_with(|| queue.receive(3, VISIBILITY, at(0))).take(7);
    batches.flatten().map(|message| message.body.parse().unwrap()).collect()
}

#[test]
fn a_shuffled_queue_can_be_repeated_from_its_seed_and_loses_nothing() {
    let mut bodies = drain(7);
    assert_eq!(bodies, drain(7));
    assert_ne!(bodies, drain(8));
    assert!(!bodies.is_sorted());
    bodies.sort_unstable();
    assert_eq!(bodies, (0..20).collect::<Vec<_>>());
}
