//! With a queue in front: redelivery of what failed and nothing else, dead letters, order of groups.

use std::{collections::BTreeMap, time::Duration};

use lambda_sim::{ManualClock, Queue, SendMessage};
use tpns_sim::Fault;

use crate::stage::{Stage, login, logout};

const VISIBILITY: Duration = Duration::from_secs(120);

fn queue(name: &str) -> Queue {
    Queue::builder(name).visibility_timeout(VISIBILITY).dead_letter_after(5).build().unwrap()
}

#[tokio::test]
async fn only_what_failed_is_redelivered() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
    stage.tpns.fault(Fault::item_code(1_008_004).token("t1"));
    let clock = ManualClock::starting_now();
    let mut queue = queue("auth-events");
    for n in 0..3 {
        queue.send(login(1, &format!("t{n}"), &["x"]).as_str(), clock.now()).unwrap();
    }
    let run = stage.source(queue, clock).run_until_empty(10).await.unwrap();
    assert!(run.emptied);
    let delivered: Vec<_> = run.batches.iter().map(|batch| batch.delivered().len()).collect();
    assert_eq!(delivered, [3, 1]);
    let items: Vec<_> = stage.calls().into_iter().map(|(.., items)| items).collect();
    assert_eq!(items, [3, 1]);
    assert_eq!(stage.bound("android", "t1"), ["x/0"]);
}

#[tokio::test]
async fn what_can_never_be_applied_ends_in_the_dead_letter_queue_and_nothing_else_does() {
    let stage = Stage::new().await;
    let clock = ManualClock::starting_now();
    let mut queue = queue("auth-events");
    for body in ["not JSON", &login(1, "t1", &["x"]), r#"{"type":"user.login","token":"t2"}"#] {
        queue.send(body, clock.now()).unwrap();
    }
    let mut source = stage.source(queue, clock);
    let run = source.run_until_empty(50).await.unwrap();
    assert!(run.emptied);
    let dead: Vec<_> =
        source.queue().dead_letter_queue().unwrap().messages().map(|message| message.body.to_string()).collect();
    assert_eq!(dead, ["not JSON", r#"{"type":"user.login","token":"t2"}"#]);
    let counts: Vec<_> =
        stage.lines("event failed").iter().map(|line| line["receive_count"].as_u64().unwrap()).collect();
    assert_eq!(counts, [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
    assert_eq!(stage.calls().len(), 1);
}

#[tokio::test]
async fn a_fifo_queue_keeps_the_order_of_a_group_through_failures() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
    let clock = ManualClock::starting_now();
    let mut queue = Queue::builder("auth-events.fifo")
        .visibility_timeout(VISIBILITY)
        .content_based_deduplication()
        .dead_letter_after(5)
        .build()
        .unwrap();
    // Each device: alice, nobody, bob; the calls that fail are those of every other batch.
    for (second, who) in [(1, Some("alice")), (2, None), (3, Some("bob"))] {
        for token in ["t1", "t2", "t3", "t4", "t5"] {
            let body = who.map_or_else(|| logout(second, token), |who| login(second, token, &[who]));
            queue.send(SendMessage::new(body).group(token), clock.now()).unwrap();
        }
    }
    stage.tpns.fault(Fault::status(503).times(2));
    stage.tpns.fault(Fault::ret_code(1_008_004).skip(1).times(2));
    let mut source = stage.source(queue, clock);
    let run = source.run_until_empty(50).await.unwrap();
    assert!(run.emptied);
    for batch in &run.batches {
        assert!(batch.fifo_order_breaks().is_empty(), "{batch:?}");
    }
    for token in ["t1", "t2", "t3", "t4", "t5"] {
        assert_eq!(stage.bound("android", token), ["bob/0"], "{token}");
    }
    assert!(source.queue().dead_letter_queue().unwrap().messages().next().is_none());
}

#[tokio::test]
async fn doubles_and_shuffles_within_a_batch_do_not_matter() {
    for seed in 0..5_u64 {
        let stage = Stage::new().await;
        let clock = ManualClock::starting_now();
        let mut queue =
            Queue::builder("auth-events").visibility_timeout(VISIBILITY).seed(seed).shuffled().build().unwrap();
        for body in [
            login(1, "t1", &["alice"]),
            logout(2, "t1"),
            login(3, "t1", &["bob"]),
            login(3, "t1", &["bob"]),
            logout(4, "t2"),
        ] {
            queue.send(body.as_str(), clock.now()).unwrap();
        }
        assert!(stage.source(queue, clock).run_until_empty(10).await.unwrap().emptied);
        assert_eq!(stage.bound("android", "t1"), ["bob/0"], "seed {seed}");
    }
}

/// Two devices and a fault that changes from batch to batch, until all of it went through.
#[tokio::test]
async fn no_message_is_lost_whatever_fails_on_the_way() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "2"), ("TPNS_TIMEOUT_MS", "200")]).await;
    let clock = ManualClock::starting_now();
    let mut queue = Queue::builder("auth-events").visibility_timeout(VISIBILITY).build().unwrap();
    let mut expected = BTreeMap::new();
    for n in 0..30 {
        let token = format!("t{n}");
        queue.send(login(1, &token, &["x"]).as_str(), clock.now()).unwrap();
        expected.insert(token, ());
    }
    for fault in [
        Fault::status(502),
        Fault::hang(),
        Fault::reset(),
        Fault::truncated(),
        Fault::malformed(),
        Fault::disconnect(),
        Fault::result_length(-1),
        Fault::result_length(1),
        Fault::ret_code(1_008_028),
        Fault::ret_code(1_008_003),
        Fault::ok_words(),
    ] {
        stage.tpns.fault(fault);
    }
    let run = stage.source(queue, clock).run_until_empty(100).await.unwrap();
    assert!(run.emptied);
    let bound: BTreeMap<_, _> =
        stage.tpns.bindings().remove("android").unwrap().into_keys().map(|token| (token, ())).collect();
    assert_eq!(bound, expected);
    assert_eq!(stage.function.violations(), []);
}
