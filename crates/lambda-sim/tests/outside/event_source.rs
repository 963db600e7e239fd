//! Queue, event source mapping and function together.

use std::time::Duration;

use lambda_sim::{Batch, EventSource, Malformation, ManualClock, Queue, SendMessage, Why, queue::QueueBuilder};

use crate::{echo, shared};

/// A source of a queue with these bodies, and its clock.
fn source(queue: QueueBuilder, bodies: &[&str]) -> EventSource {
    let (clock, mut queue) = (ManualClock::starting_now(), queue.build().unwrap());
    for body in bodies {
        queue.send(*body, clock.now()).unwrap();
    }
    EventSource::new(queue, shared(echo()), clock).unwrap()
}

/// The same of a FIFO queue with these message groups and bodies.
fn fifo(queue: QueueBuilder, messages: &[(&str, &str)]) -> EventSource {
    let (clock, mut queue) = (ManualClock::starting_now(), queue.content_based_deduplication().build().unwrap());
    for (group, body) in messages {
        queue.send(SendMessage::new(*body).group(*group), clock.now()).unwrap();
    }
    EventSource::new(queue, shared(echo()), clock).unwrap()
}

fn delivered(batches: &[Batch]) -> Vec<Vec<&str>> {
    batches.iter().map(|batch| batch.messages.iter().map(|message| &*message.body).collect()).collect()
}

/// The bodies of these messages of a batch.
fn bodies_of<'a>(batch: &'a Batch, ids: &[String]) -> Vec<&'a str> {
    let messages = batch.messages.iter().filter(|message| ids.contains(&message.message_id));
    messages.map(|message| &*message.body).collect()
}

fn dead(source: &EventSource) -> Vec<String> {
    source.queue().dead_letter_queue().unwrap().messages().map(|message| message.body.to_string()).collect()
}

#[tokio::test]
async fn only_failed_messages_are_redelivered() {
    let mut source = source(Queue::builder("q"), &["a", "fail<3 b", "c", "fail<2 d"]);
    let run = source.run_until_empty(10).await.unwrap();
    assert!(run.emptied);
    assert_eq!(
        delivered(&run.batches),
        [vec!["a", "fail<3 b", "c", "fail<2 d"], vec!["fail<3 b", "fail<2 d"], vec!["fail<3 b"]]
    );
    let first = &run.batches[0];
    assert_eq!(first.verdict.why, Why::Partial);
    assert_eq!(bodies_of(first, &first.verdict.deletes), ["a", "c"]);
    assert_eq!(bodies_of(first, &first.verdict.fails), ["fail<3 b", "fail<2 d"]);
    assert_eq!(run.batches[2].verdict.why, Why::EmptyList);
    let counts: Vec<_> = run.batches.iter().map(|batch| batch.messages.last().unwrap().receive_count).collect();
    assert_eq!(counts, [1, 2, 3]);
}

#[tokio::test]
async fn a_failed_message_stays_hidden_until_its_visibility_timeout() {
    let clock = ManualClock::starting_now();
    let mut queue = Queue::builder("q").visibility_timeout(Duration::from_secs(60)).build().unwrap();
    queue.send("fail<2", clock.now()).unwrap();
    let mut source = EventSource::new(queue, shared(echo()), clock.clone()).unwrap();
    assert_eq!(source.poll().await.unwrap().unwrap().verdict.fails.len(), 1);
    clock.advance(Duration::from_secs(59));
    assert!(source.poll().await.unwrap().is_none());
    clock.advance(Duration::from_secs(1));
    assert_eq!(source.poll().await.unwrap().unwrap().verdict.deletes.len(), 1);
}

#[tokio::test]
async fn a_malformed_answer_fails_the_whole_batch_and_the_queue_keeps_it() {
    for (answer, why) in [
        (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, Why::Malformed(Malformation::InvalidEntry(0))),
        (r#"{"batchItemFailures":[{"itemIdentifier":"x"}]}"#, Why::Malformed(Malformation::UnknownMessage("x".into()))),
        ("[]", Why::Malformed(Malformation::NotAnObject)),
        ("{", Why::InvocationFailed("Runtime.InvalidResponse".into())),
    ] {
        let mut source = source(Queue::builder("q"), &["good", &format!("answer:{answer}")]);
        let batch = source.poll().await.unwrap().unwrap();
        assert_eq!((batch.verdict.deletes.len(), batch.verdict.fails.len()), (0, 2), "{answer}");
        assert_eq!(batch.verdict.why, why);
        assert_eq!(source.queue().messages().count(), 2);
    }
}

#[tokio::test]
async fn a_failed_invocation_fails_the_whole_batch() {
    for (body, error_type) in [("exit<2", "Runtime.ExitError"), ("hang<2", "Sandbox.Timedout")] {
        let mut source = source(Queue::builder("q"), &["good", body]);
        let run = source.run_until_empty(10).await.unwrap();
        assert!(run.emptied);
        assert_eq!(delivered(&run.batches), [["good", body], ["good", body]]);
        assert_eq!(run.batches[0].verdict.why, Why::InvocationFailed(error_type.into()));
    }
}

#[tokio::test]
async fn a_message_that_always_fails_reaches_the_dead_letter_queue() {
    let mut source = source(Queue::builder("q").dead_letter_after(3), &["fail", "good"]);
    let run = source.run_until_empty(10).await.unwrap();
    assert!(run.emptied);
    assert_eq!(delivered(&run.batches), [vec!["fail", "good"], vec!["fail"], vec!["fail"]]);
    assert_eq!(dead(&source), ["fail"]);
}

#[tokio::test]
async fn a_run_ends_at_its_limit_and_reports_whether_the_queue_is_empty() {
    let mut source = source(Queue::builder("q"), &["fail"]);
    let run = source.run_until_empty(4).await.unwrap();
    assert_eq!((run.batches.len(), run.emptied), (4, false));
}

#[tokio::test]
async fn a_failing_fifo_message_holds_its_group_and_no_other() {
    let mut source = fifo(Queue::builder("q.fifo"), &[("a", "fail<2 a1"), ("b", "b1")]);
    let first = source.poll().await.unwrap().unwrap();
    assert_eq!(bodies_of(&first, &first.verdict.fails), ["fail<2 a1"]);
    for (group, body) in [("a", "a2"), ("b", "b2")] {
        source.queue_mut().send(SendMessage::new(body).group(group), first.messages[0].first_received).unwrap();
    }
    let run = source.run_until_empty(10).await.unwrap();
    assert_eq!(delivered(&run.batches), [vec!["b2"], vec!["fail<2 a1", "a2"]]);
    assert!(run.emptied);
}

#[tokio::test]
async fn acknowledging_a_message_after_a_failure_of_its_fifo_group_is_found() {
    let mut source = fifo(Queue::builder("q.fifo"), &[("a", "a1"), ("a", "fail<2 a2"), ("a", "a3"), ("b", "b1")]);
    let run = source.run_until_empty(10).await.unwrap();
    let breaks = run.batches[0].fifo_order_breaks();
    assert_eq!(breaks.len(), 1);
    assert_eq!(bodies_of(&run.batches[0], std::slice::from_ref(&breaks[0].acknowledged)), ["a3"]);
    assert_eq!(delivered(&run.batches[1..]), [["fail<2 a2"]], "AWS deleted a3 all the same");
}

#[tokio::test]
async fn a_batch_has_at_most_6_mb_of_payload() {
    let large = "x".repeat(1_000_000);
    let mut source = source(Queue::builder("q"), &[large.as_str(); 8]);
    let run = source.run_until_empty(10).await.unwrap();
    let sizes: Vec<usize> = run.batches.iter().map(|batch| batch.messages.len()).collect();
    assert_eq!((sizes, run.emptied), (vec![6, 2], true));
}

#[tokio::test]
async fn an_acknowledgement_after_the_visibility_timeout_is_too_late_in_fifo() {
    let clock = ManualClock::starting_now();
    let mut queue = Queue::builder("q.fifo").content_based_deduplication().build().unwrap();
    queue.send(SendMessage::new("a").group("g"), clock.now()).unwrap();
    let mut source = EventSource::new(queue, shared(echo()), clock.clone()).unwrap();
    // The first invocation waits for an Init, long enough for the clock to pass the visibility timeout meanwhile.
    let (batch, ()) = tokio::join!(source.poll(), async { clock.advance(Duration::from_secs(31)) });
    let batch = batch.unwrap().unwrap();
    assert_eq!(batch.verdict.deletes, batch.not_deleted);
    assert_eq!(source.queue().depth(clock.now()).visible, 1);
}

#[tokio::test]
async fn a_visibility_timeout_shorter_than_the_functions_timeout_is_refused() {
    let short = Queue::builder("q").visibility_timeout(Duration::from_millis(999)).build().unwrap();
    assert!(EventSource::new(short, shared(echo()), ManualClock::starting_now()).is_err());
}
