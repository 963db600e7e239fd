//! A message that ends the process each time.

use std::{sync::Arc, time::Duration};

use lambda_sim::{AwsApi, Message, Outcome, Queue};
use test_support::trigger::{Delivered, TriggerQueue};
use tpns_sim::Fault;

use super::VISIBILITY;
use crate::stage::{Stage, login};

const TIMEOUT: Duration = Duration::from_secs(30);
const MOST_DELIVERIES: u32 = 12;
const KILLER: &str = "killer";

async fn world(ledger: bool) -> (Stage, TriggerQueue) {
    let aws = Arc::new(AwsApi::start().await.unwrap());
    aws.create_table("ledger", "pk");
    let endpoint = aws.url();
    let table = if ledger { "ledger" } else { "" };
    let settings = [("AWS_ENDPOINT_URL", endpoint.as_str()), ("RETRY_MAX_DELAY", "10m"), ("LEDGER_TABLE", table)];
    let stage = Stage::within(TIMEOUT, &settings).await;
    let queue = Queue::builder("auth-events").visibility_timeout(VISIBILITY).dead_letter_after(MOST_DELIVERIES);
    let queue = TriggerQueue::new(aws, queue.build().unwrap(), stage.function.clone());
    stage.tpns.fault(Fault::hang().token(KILLER).forever());
    queue.send(login(1, KILLER, &["x"]));
    (stage, queue)
}

fn is_killer(message: &Message) -> bool {
    message.body.contains(KILLER)
}

/// Delivers messages, and kills the process when TPNS is called for the killer.
async fn deliver(stage: &Stage, queue: &TriggerQueue, messages: Vec<Message>) -> Delivered {
    let before = stage.tpns.calls().len();
    let kill = async {
        while !stage.tpns.calls()[before..].iter().any(|call| call.fault == Some("hang")) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        stage.function.kill();
        std::future::pending::<Delivered>().await
    };
    tokio::select! {
        delivered = queue.deliver(messages) => delivered,
        never = kill => never,
    }
}

/// The bodies of the messages in the queue, whatever their state.
fn left(queue: &TriggerQueue) -> Vec<String> {
    queue.with(|queue| queue.messages().map(|message| message.body.to_string()).collect())
}

#[tokio::test]
async fn from_its_third_delivery_on_its_neighbours_are_applied_and_it_is_dead_lettered_within_minutes() {
    let (stage, queue) = world(true).await;
    let begun = queue.clock.now();
    let mut fresh = 0;
    loop {
        queue.skip();
        // Each time, two events that were never delivered before are in the batch with it.
        for _ in 0..2 {
            queue.send(login(1, &format!("t{fresh}"), &["x"]));
            fresh += 1;
        }
        let messages = queue.receive();
        let Some(killer) = messages.iter().find(|message| is_killer(message)) else {
            if queue.with(|queue| queue.dead_letter_queue().unwrap().messages().count()) > 0 {
                assert!(!deliver(&stage, &queue, messages).await.acknowledged.is_empty());
                break;
            }
            deliver(&stage, &queue, messages).await;
            continue;
        };
        let deliveries = killer.receive_count;
        let ended = deliver(&stage, &queue, messages).await;
        assert!(matches!(ended.outcome, Outcome::Exited { .. }), "delivery {deliveries}: {:?}", ended.outcome);
        if deliveries >= 3 {
            for token in [fresh - 2, fresh - 1].map(|n| format!("\"t{n}\"")) {
                assert!(!left(&queue).iter().any(|body| body.contains(&token)), "delivery {deliveries}: {token}");
            }
        }
    }
    while let Some(delivered) = queue.next().await {
        assert_eq!(delivered.acknowledged.len(), delivered.messages.len());
    }
    for n in 0..fresh {
        assert_eq!(stage.bound("android", &format!("t{n}")), ["x/0"], "t{n}");
    }
    let dead = queue.with(|queue| queue.dead_letter_queue().unwrap().messages().cloned().collect::<Vec<_>>());
    assert!(dead.len() == 1 && is_killer(&dead[0]), "{dead:?}");
    // Two visibility timeouts, then the rest of the invocation and ten seconds, or up to twice that.
    let longest = 2 * VISIBILITY + MOST_DELIVERIES * 2 * (TIMEOUT + Duration::from_secs(11));
    assert!(queue.clock.now() <= begun.plus(longest), "{} ms", queue.clock.now().as_millis() - begun.as_millis());
}

/// Without a ledger a batch is not divided; its neighbours are applied when they are delivered without it.
#[tokio::test]
async fn without_a_ledger_its_neighbours_are_applied_later() {
    let (stage, queue) = world(false).await;
    queue.send(login(1, "t0", &["x"]));
    loop {
        queue.skip();
        let messages = queue.receive();
        if messages.is_empty() {
            break;
        }
        deliver(&stage, &queue, messages).await;
    }
    assert_eq!(left(&queue), [""; 0]);
    assert_eq!(stage.bound("android", "t0"), ["x/0"]);
    assert_eq!(queue.with(|queue| queue.dead_letter_queue().unwrap().messages().count()), 1);
}
