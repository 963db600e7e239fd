//! Queue, event source mapping and function together.

use std::time::Duration;

use lambda_sim::event_source::{EventSourceBuilder, EventSourceConfigError};
use lambda_sim::queue::QueueBuilder;
use lambda_sim::{Batch, EventSource, Malformation, ManualClock, Queue, SendMessage, Why};

use crate::{echo, shared};

fn source_of(queue: Queue) -> EventSourceBuilder {
    EventSource::builder(queue, shared(echo())).clock(ManualClock::starting_now())
}

fn source(queue: QueueBuilder, bodies: &[&str]) -> EventSource {
    let mut source = source_of(queue.build().unwrap()).build().unwrap();
    send(&mut source, bodies);
    source
}

fn fifo(queue: QueueBuilder, messages: &[(&str, &str)]) -> EventSource {
    let mut source = source_of(queue.content_based_deduplication().build().unwrap()).build().unwrap();
    let now = source.clock().now();
    for (group, body) in messages {
        source.queue_mut().send(SendMessage::new(*body).group(*group), now).unwrap();
    }
    source
}

fn send(source: &mut EventSource, bodies: &[&str]) {
    let now = source.clock().now();
    for body in bodies {
        source.queue_mut().send(*body, now).unwrap();
    }
}

fn delivered(batches: &[Batch]) -> Vec<Vec<&str>> {
    batches.iter().map(|batch| batch.messages.iter().map(|message| &*message.body).collect()).collect()
}

fn dead(source: &EventSource) -> Vec<String> {
    source.queue().dead_letter_queue().unwrap().messages().map(|message| message.body.to_string()).collect()
}

#[tokio::test]
async fn only_failed_messages_come_again() {
    let mut source = source(Queue::builder("q"), &["a", "fail<3 b", "c", "fail<2 d"]);
    let run = source.run_until_empty(10).await.unwrap();
    assert!(run.emptied);
    assert_eq!(
        delivered(&run.batches),
        [vec!["a", "fail<3 b", "c", "fail<2 d"], vec!["fail<3 b", "fail<2 d"], vec!["fail<3 b"]]
    );
    let first = &run.batches[0];
    assert_eq!(first.verdict.why, Why::Partial);
    assert_eq!(first.bodies_of(first.acknowledged()), ["a", "c"]);
    assert_eq!(first.bodies_of(first.failed()), ["fail<3 b", "fail<2 d"]);
    assert_eq!(run.batches[2].verdict.why, Why::EmptyList);
    let ids: Vec<_> = run.batches.iter().map(|batch| batch.messages.last().unwrap().receive_count).collect();
    assert_eq!(ids, [1, 2, 3]);
}

#[tokio::test]
async fn a_failed_message_stays_hidden_until_its_visibility_timeout() {
    let clock = ManualClock::starting_now();
    let queue = Queue::builder("q").visibility_timeout(Duration::from_secs(60)).build().unwrap();
    let mut source = EventSource::builder(queue, shared(echo())).clock(clock.clone()).build().unwrap();
    send(&mut source, &["fail<2"]);
    assert_eq!(source.poll_once().await.unwrap().unwrap().failed().len(), 1);
    clock.advance(Duration::from_secs(59));
    assert!(source.poll_once().await.unwrap().is_none());
    clock.advance(Duration::from_secs(1));
    assert_eq!(source.poll_once().await.unwrap().unwrap().acknowledged().len(), 1);
    assert!(!source.pass_to_next_message().await, "nothing is left to wait for");
}

#[tokio::test]
async fn malformed_answers_fail_the_whole_batch_and_the_queue_keeps_it() {
    for (answer, why) in [
        (r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#, Why::Malformed(Malformation::EmptyIdentifier(0))),
        (r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#, Why::Malformed(Malformation::NullIdentifier(0))),
        (r#"{"batchItemFailures":[{"id":"x"}]}"#, Why::Malformed(Malformation::WrongKey(0))),
        (r#"{"batchItemFailures":[{"itemIdentifier":"x"}]}"#, Why::Malformed(Malformation::UnknownMessage("x".into()))),
        (r#"{"batchItemFailures":"x"}"#, Why::Malformed(Malformation::NotAList)),
        ("[]", Why::Malformed(Malformation::NotAnObject)),
        ("{", Why::InvocationFailed("Runtime.InvalidResponse".into())),
    ] {
        let mut source = source(Queue::builder("q"), &["good", &format!("answer:{answer}")]);
        let batch = source.poll_once().await.unwrap().unwrap();
        assert_eq!((batch.acknowledged().len(), batch.failed().len()), (0, 2), "{answer}");
        assert_eq!(batch.verdict.why, why);
        assert_eq!(source.queue().depth(source.clock().now()).in_flight, 2);
    }
}

#[tokio::test]
async fn empty_answers_delete_the_whole_batch() {
    for answer in
        ["", "null", "{}", r#"{"batchItemFailures":null}"#, r#"{"batchItemFailures":[]}"#, r#"{"statusCode":500}"#]
    {
        let mut source = source(Queue::builder("q"), &["good", &format!("answer:{answer}")]);
        let batch = source.poll_once().await.unwrap().unwrap();
        assert_eq!((batch.acknowledged().len(), batch.failed().len()), (2, 0), "{answer}");
        assert_eq!(source.queue().depth(source.clock().now()).total(), 0);
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
        assert!(run.batches[0].verdict.why.is_complete_failure());
    }
}

#[tokio::test]
async fn without_report_batch_item_failures_a_response_deletes_everything() {
    let queue = Queue::builder("q").build().unwrap();
    let mut source = source_of(queue).report_batch_item_failures(false).build().unwrap();
    send(&mut source, &["fail", "good"]);
    let batch = source.poll_once().await.unwrap().unwrap();
    assert_eq!((batch.acknowledged().len(), batch.verdict.why), (2, Why::ResponseIgnored));
}

#[tokio::test]
async fn a_message_that_always_fails_reaches_the_dead_letter_queue_after_max_receive_count() {
    let mut source = source(Queue::builder("q").dead_letter_after(3), &["fail", "good"]);
    let run = source.run_until_empty(10).await.unwrap();
    assert!(run.emptied);
    assert_eq!(delivered(&run.batches), [vec!["fail", "good"], vec!["fail"], vec!["fail"]]);
    assert_eq!(dead(&source), ["fail"]);
}

#[tokio::test]
async fn a_run_ends_at_its_limit_and_says_what_is_left() {
    let mut source = source(Queue::builder("q"), &["fail"]);
    let run = source.run_until_empty(4).await.unwrap();
    assert_eq!((run.batches.len(), run.emptied), (4, false));
}

#[tokio::test]
async fn a_failing_fifo_message_holds_its_group_and_no_other() {
    let mut source = fifo(Queue::builder("q.fifo"), &[("a", "fail<2 a1"), ("b", "b1")]);
    let first = source.poll_once().await.unwrap().unwrap();
    assert_eq!(first.bodies_of(first.failed()), ["fail<2 a1"]);
    let now = source.clock().now();
    for (group, body) in [("a", "a2"), ("b", "b2")] {
        source.queue_mut().send(SendMessage::new(body).group(group), now).unwrap();
    }
    let run = source.run_until_empty(10).await.unwrap();
    assert_eq!(delivered(&run.batches), [vec!["b2"], vec!["fail<2 a1", "a2"]]);
    assert!(run.emptied);
}

#[tokio::test]
async fn acknowledging_behind_a_failure_in_a_fifo_group_is_found() {
    let mut source = fifo(Queue::builder("q.fifo"), &[("a", "a1"), ("a", "fail<2 a2"), ("a", "a3"), ("b", "b1")]);
    let run = source.run_until_empty(10).await.unwrap();
    let breaks = run.batches[0].fifo_order_breaks();
    assert_eq!(breaks.len(), 1);
    assert_eq!(run.batches[0].bodies_of(std::slice::from_ref(&breaks[0].acknowledged)), ["a3"]);
    assert_eq!(delivered(&run.batches[1..]), [["fail<2 a2"]], "AWS deleted a3 all the same");
}

#[tokio::test]
async fn a_fifo_group_goes_on_once_its_head_is_dead() {
    let mut source = fifo(Queue::builder("q.fifo").dead_letter_after(2), &[("a", "fail"), ("b", "b1")]);
    let run = source.run_until_empty(10).await.unwrap();
    assert_eq!(delivered(&run.batches), [vec!["fail", "b1"], vec!["fail"]]);
    assert_eq!(dead(&source), ["fail"]);
}

#[tokio::test]
async fn environments_work_at_the_same_time_on_different_groups() {
    let queue = Queue::builder("q.fifo").content_based_deduplication().build().unwrap();
    let mut source = source_of(queue).environment(shared(echo())).batch_size(2).build().unwrap();
    let now = source.clock().now();
    for (group, body) in [("a", "a1"), ("a", "a2"), ("b", "b1"), ("a", "a3")] {
        source.queue_mut().send(SendMessage::new(body).group(group), now).unwrap();
    }
    let mut batches = source.poll_all().await.unwrap();
    batches.sort_by_key(|batch| batch.messages[0].sequence_number.clone());
    assert_eq!(delivered(&batches), [vec!["a1", "a2"], vec!["b1"]], "a3 waits for its group");
    let requests: std::collections::HashSet<_> = batches.iter().map(|batch| &batch.invocation.request_id).collect();
    assert_eq!(requests.len(), 2);
    assert_eq!(delivered(&source.poll_all().await.unwrap()), [["a3"]]);
}

#[tokio::test]
async fn a_run_over_a_shuffled_queue_replays_from_its_seed() {
    let bodies: Vec<String> = (0..30).map(|n| format!("fail<{} {n}", n % 4)).collect();
    let run = async |seed| {
        let bodies: Vec<&str> = bodies.iter().map(String::as_str).collect();
        let mut source = source(Queue::builder("q").seed(seed).shuffled().duplicates(0.2), &bodies);
        let run = source.run_until_empty(200).await.unwrap();
        assert!(run.emptied);
        let log: Vec<(String, u32)> = run
            .batches
            .iter()
            .flat_map(|batch| &batch.messages)
            .map(|message| (message.message_id.clone(), message.receive_count))
            .collect();
        log
    };
    let first = run(1).await;
    assert_eq!(first, run(1).await);
    let ids = |log: &[(String, u32)]| log.iter().map(|(id, _)| id.clone()).collect::<std::collections::HashSet<_>>();
    assert_eq!(ids(&first).len(), 30);
    assert_ne!(ids(&first), ids(&run(2).await));
}

#[tokio::test]
async fn a_batch_is_cut_at_6_mb_of_payload() {
    let queue = Queue::builder("q").build().unwrap();
    let window = Duration::from_secs(1);
    let mut source = source_of(queue).batch_size(10_000).batching_window(window).build().unwrap();
    let large = "x".repeat(1_000_000);
    send(&mut source, &[large.as_str(); 8]);
    let run = source.run_until_empty(10).await.unwrap();
    let sizes: Vec<usize> = run.batches.iter().map(|batch| batch.messages.len()).collect();
    assert_eq!((sizes, run.emptied), (vec![6, 2], true));
}

#[tokio::test]
async fn a_batch_of_thousands_goes_through_as_one() {
    let queue = Queue::builder("q").build().unwrap();
    let window = Duration::from_secs(1);
    let mut source = source_of(queue).batch_size(10_000).batching_window(window).build().unwrap();
    let bodies: Vec<String> = (0..5_000).map(|n| format!("{} {n}", if n % 7 == 0 { "fail<2" } else { "ok" })).collect();
    send(&mut source, &bodies.iter().map(String::as_str).collect::<Vec<_>>());
    let run = source.run_until_empty(10).await.unwrap();
    let sizes: Vec<usize> = run.batches.iter().map(|batch| batch.messages.len()).collect();
    assert_eq!((sizes, run.emptied), (vec![5_000, 715], true));
}

#[tokio::test]
async fn an_acknowledgement_after_the_visibility_timeout_comes_too_late_in_fifo() {
    let clock = ManualClock::starting_now();
    let queue = Queue::builder("q.fifo").content_based_deduplication().build().unwrap();
    let mut source = EventSource::builder(queue, shared(echo())).clock(clock.clone()).build().unwrap();
    source.queue_mut().send(SendMessage::new("a").group("g"), clock.now()).unwrap();
    // The first invocation has an Init to wait for, long enough for the clock to pass the visibility timeout meanwhile.
    let (batch, ()) = tokio::join!(source.poll_once(), async { clock.advance(Duration::from_secs(31)) });
    let batch = batch.unwrap().unwrap();
    assert_eq!(batch.acknowledged(), batch.not_deleted);
    assert_eq!(source.queue().depth(clock.now()).visible, 1);
}

#[tokio::test]
async fn the_system_clock_is_waited_for() {
    let queue = Queue::builder("q").visibility_timeout(Duration::from_millis(1_000)).build().unwrap();
    let mut source = EventSource::builder(queue, shared(echo())).build().unwrap();
    send(&mut source, &["fail<2"]);
    let begun = std::time::Instant::now();
    let run = source.run_until_empty(5).await.unwrap();
    assert_eq!((run.batches.len(), run.emptied), (2, true));
    assert!(begun.elapsed() >= Duration::from_millis(990));
}

#[tokio::test]
async fn what_lambda_refuses_to_map_is_refused() {
    let mapping = |name: &str| source_of(Queue::builder(name).build().unwrap());
    let refused = |builder: EventSourceBuilder| builder.build().unwrap_err();
    assert_eq!(refused(mapping("q").batch_size(0)), EventSourceConfigError::BatchSize { max: 10_000, given: 0 });
    assert_eq!(refused(mapping("q.fifo").batch_size(11)), EventSourceConfigError::BatchSize { max: 10, given: 11 });
    assert_eq!(refused(mapping("q").batch_size(11)), EventSourceConfigError::BatchSizeNeedsWindow);
    let window = Duration::from_secs(1);
    assert_eq!(refused(mapping("q.fifo").batching_window(window)), EventSourceConfigError::BatchingWindow);
    let short = Queue::builder("q").visibility_timeout(Duration::from_millis(999)).build().unwrap();
    assert!(matches!(refused(source_of(short)), EventSourceConfigError::VisibilityTimeout { .. }));
}
