use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn retry() -> Outcome {
    Outcome::Retry(Failure::of(Reason::TpnsTimeout))
}

fn rejected() -> Outcome {
    Outcome::Rejected(Failure::new(Reason::TooOld, "occurred_at: is older"))
}

fn indices(messages: Vec<MessageIndex>) -> Vec<usize> {
    messages.into_iter().map(|MessageIndex(index)| index).collect()
}

fn payload(arn: &str, messages: &[(&str, &str)]) -> String {
    let record = |(id, group): &(&str, &str)| json!({"messageId": id, "body": "{}", "eventSource": "aws:sqs", "eventSourceARN": arn, "attributes": {"MessageGroupId": group}});
    json!({"Records": messages.iter().map(record).collect::<Vec<_>>()}).to_string()
}

fn answered(payload: &str, outcomes: &[Outcome]) -> Value {
    serde_json::to_value(answer(&Batch::open(payload).unwrap(), outcomes).unwrap()).unwrap()
}

fn bridge(count: usize) -> String {
    json!(vec![json!({"id": "b", "detail-type": "user.login", "detail": {}}); count]).to_string()
}

#[test]
fn a_queue_always_gets_the_list_of_failures() {
    let payload = payload("arn:events", &[("m1", "g"), ("m2", "g"), ("m3", "g")]);
    let failed = |ids: &[&str]| json!({"batchItemFailures": ids.iter().map(|id| json!({"itemIdentifier": id})).collect::<Vec<_>>()});
    assert_eq!(answered(&payload, &[Outcome::Applied, Outcome::Superseded, Outcome::Applied]), failed(&[]));
    assert_eq!(answered(&payload, &[retry(), Outcome::Applied, rejected()]), failed(&["m1", "m3"]));
    assert_eq!(answered(&payload, &[Outcome::Applied]), failed(&["m2", "m3"]), "what has no outcome failed");
}

#[test]
fn a_message_that_is_twice_in_a_batch_is_reported_once() {
    let payload = payload("arn:events", &[("m1", "g"), ("m1", "g"), ("m2", "g")]);
    let expected = json!({"batchItemFailures": [{"itemIdentifier": "m1"}]});
    assert_eq!(answered(&payload, &[retry(), retry(), Outcome::Applied]), expected);
    assert_eq!(answered(&payload, &[Outcome::Applied, retry(), Outcome::Applied]), expected);
}

#[test]
fn eventbridge_gets_null_or_an_error() {
    assert_eq!(answered(&bridge(2), &[Outcome::Applied, Outcome::Superseded]), Value::Null);
    assert_eq!(answered("[]", &[]), Value::Null);
    let payload = bridge(3);
    let error = answer(&Batch::open(&payload).unwrap(), &[Outcome::Applied, rejected(), retry()]).unwrap_err();
    assert_eq!(error.to_string(), "2 of 3 events not applied; the first: too_old occurred_at: is older");
    assert!(answer(&Batch::open(&payload).unwrap(), &[Outcome::Applied]).is_err(), "what has no outcome failed");
}

#[test]
fn in_a_fifo_queue_a_message_does_not_overtake_one_of_its_group_that_is_redelivered() {
    let messages = [("m1", "g"), ("m2", "h"), ("m3", "g"), ("m4", "g"), ("m5", "h")];
    let before = [Outcome::Applied, retry(), retry(), Outcome::Applied, rejected()];
    let held = |arn| {
        let payload = payload(arn, &messages);
        let mut outcomes = before.clone();
        hold_groups(&Batch::open(&payload).unwrap(), &mut outcomes);
        outcomes.iter().map(Outcome::name).collect::<Vec<_>>()
    };
    assert_eq!(held("arn:events.fifo"), ["applied", "retry", "retry", "retry", "rejected"]);
    assert_eq!(held("arn:events"), ["applied", "retry", "retry", "applied", "rejected"], "fair queues have groups too");
}

#[test]
fn in_a_fifo_queue_a_rejected_message_lets_its_group_go_on() {
    let payload = payload("arn:events.fifo", &[("m1", "g"), ("m2", "g")]);
    let mut outcomes = [rejected(), Outcome::Applied];
    hold_groups(&Batch::open(&payload).unwrap(), &mut outcomes);
    assert_eq!(outcomes[1], Outcome::Applied);
}

#[test]
fn what_is_delivered_again_is_not_parked() {
    let rows = [
        (vec![rejected(), Outcome::Applied, rejected()], vec![0, 2], vec![0, 2], vec![0, 2]),
        (vec![rejected(), retry(), rejected()], vec![0, 2], vec![0], vec![]),
        (
            vec![Outcome::Misconfigured(Failure::of(Reason::Panic)), rejected(), Outcome::Applied],
            vec![1],
            vec![],
            vec![],
        ),
        (vec![retry(), Outcome::Applied, Outcome::Superseded], vec![], vec![], vec![]),
    ];
    for (outcomes, in_standard, in_fifo, from_bridge) in rows {
        let of = |payload: &str| indices(parkable(&Batch::open(payload).unwrap(), &outcomes));
        let messages = [("m1", "g"), ("m2", "g"), ("m3", "g")];
        assert_eq!(of(&payload("arn:events", &messages)), in_standard, "{outcomes:?}");
        assert_eq!(of(&payload("arn:events.fifo", &messages)), in_fifo, "{outcomes:?}");
        assert_eq!(of(&bridge(3)), from_bridge, "{outcomes:?}");
    }
    let other_group = payload("arn:events.fifo", &[("m1", "g"), ("m2", "h")]);
    assert_eq!(indices(parkable(&Batch::open(&other_group).unwrap(), &[retry(), rejected()])), [1]);
    let same_id = payload("arn:events", &[("m1", "g"), ("m1", "g")]);
    assert_eq!(indices(parkable(&Batch::open(&same_id).unwrap(), &[rejected(), retry()])), [0; 0]);
}

proptest! {
    #[test]
    fn every_message_id_is_acknowledged_or_reported_exactly_once(kinds in prop::collection::vec((0..4_u8, 0..3_u8), 0..30), fifo: bool) {
        let messages: Vec<_> = kinds.iter().enumerate().map(|(n, (_, group))| (format!("m{n}"), format!("g{group}"))).collect();
        let borrowed: Vec<_> = messages.iter().map(|(id, group)| (id.as_str(), group.as_str())).collect();
        let payload = payload(if fifo { "arn:q.fifo" } else { "arn:q" }, &borrowed);
        let batch = Batch::open(&payload).unwrap();
        let mut outcomes: Vec<_> = kinds.iter().map(|(kind, _)| match kind {
            0 => Outcome::Applied, 1 => Outcome::Superseded, 2 => retry(), _ => rejected(),
        }).collect();
        hold_groups(&batch, &mut outcomes);
        let parked = indices(parkable(&batch, &outcomes));
        for &index in &parked {
            prop_assert_eq!(&outcomes[index], &rejected());
            outcomes[index] = Outcome::Parked(Failure::of(Reason::Panic));
        }
        let answer = answered(&payload, &outcomes);
        let reported: Vec<_> = answer["batchItemFailures"].as_array().unwrap().iter().map(|failure| failure["itemIdentifier"].as_str().unwrap()).collect();
        for ((id, _), outcome) in messages.iter().zip(&outcomes) {
            let times = reported.iter().filter(|reported| *reported == id).count();
            prop_assert_eq!(times, usize::from(!outcome.is_acknowledged()));
        }
        prop_assert_eq!(reported.len(), outcomes.iter().filter(|outcome| !outcome.is_acknowledged()).count());
    }
}
