//! From the third delivery on a message's items travel alone.

use std::time::Duration;

use lambda_sim::Message;
use tpns_sim::Fault;

use super::{Scene, batch, deletion_of, delivery};
use crate::stage::{failures, login};

const TIME: Duration = Duration::from_secs(20);

fn logins(count: usize) -> Vec<String> {
    (0..count).map(|n| login(1, &format!("t{n}"), &["x"])).collect()
}

#[tokio::test]
async fn whatever_poisons_a_call_takes_no_neighbour_to_the_dead_letter_queue() {
    for ledger in [false, true] {
        for fault in [Fault::reset(), Fault::disconnect(), Fault::malformed(), Fault::status(503)] {
            let Scene { stage, aws: _aws } = Scene::new(ledger, TIME, &[]).await;
            stage.tpns.fault(fault.clone().apply(false).token("t7").forever());
            let bodies = logins(20);
            assert_eq!(failures(&stage.invoke(delivery(2, &bodies)).await).len(), 20, "{fault:?}");
            for count in 3..=5 {
                assert_eq!(failures(&stage.invoke(delivery(count, &bodies)).await), ["m7"], "{fault:?}, {count}");
            }
            for n in (0..20).filter(|n| *n != 7) {
                assert_eq!(stage.bound("android", &format!("t{n}")), ["x/0"]);
            }
        }
    }
}

#[tokio::test]
async fn only_messages_of_the_third_delivery_have_calls_of_their_own_and_they_come_last() {
    let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[("TPNS_CONCURRENCY", "1")]).await;
    let messages = logins(43).into_iter().enumerate();
    let messages = messages.map(|(n, body)| {
        Message::new(format!("m{n}"), body).received(if n % 10 == 0 { 3 } else { 1 + u32::from(n % 2 == 0) })
    });
    assert_eq!(failures(&stage.invoke(batch(messages)).await), [""; 0]);
    let items: Vec<_> = stage.calls().into_iter().map(|(.., items)| items).collect();
    assert_eq!(items, [20, 18, 1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn a_messages_own_items_share_calls() {
    let Scene { stage, aws: _aws } = Scene::new(false, TIME, &[]).await;
    let accounts: Vec<_> = (0..60).map(|n| format!("account{n}")).collect();
    let bodies = [deletion_of(1, "android", &accounts), deletion_of(1, "android", &["another".into()])];
    assert_eq!(failures(&stage.invoke(delivery(3, &bodies)).await), [""; 0]);
    let mut items: Vec<_> = stage.calls().into_iter().map(|(.., items)| items).collect();
    items.sort_unstable();
    assert_eq!(items, [1, 20, 20, 20]);
}

#[tokio::test]
async fn after_an_outage_the_calls_stay_bounded() {
    for ledger in [false, true] {
        let Scene { stage, aws: _aws } = Scene::new(ledger, 15 * TIME, &[]).await;
        assert_eq!(failures(&stage.invoke(delivery(4, &logins(900))).await), [""; 0]);
        assert_eq!(stage.calls().len(), 100 + 800 / 20, "ledger {ledger}");
    }
}
