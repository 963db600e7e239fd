//! The delay that SQS was asked for, for each cause: in every case of the matrix for the first delivery, and in a table
//! for later ones and for causes that are not faults of TPNS.

use std::{
    collections::{BTreeMap, HashMap},
    ops::RangeInclusive,
    sync::Arc,
    time::Duration,
};

use lambda_sim::{ApiRequest, AwsApi, Fault as AwsFault, Message, Operation, Queue, SqsEvent};
use serde_json::json;
use test_support::stage::{deletion, login, logout};
use tpns_sim::Fault;

use crate::{envelope::Envelope, expect::EventOutcome, secrets::assert_no_secrets, stage::Stage};

/// The seconds that SQS may be asked for when a message failed for this reason in its first delivery.
fn first_delay(outcome: &str, reason: &str, envelope: Envelope) -> RangeInclusive<u64> {
    match (outcome, reason) {
        // It must not keep its group back.
        ("rejected", _) if envelope == Envelope::Fifo => 1..=1,
        ("misconfigured", _) | (_, "apps_document_unread") => 15..=30,
        (_, "deadline" | "not_attempted") => 1..=1,
        _ => 1..=2,
    }
}

/// Checks that SQS was asked for a delay for each reported message and for no other.
pub(crate) fn check(
    requests: &[ApiRequest],
    outcomes: &BTreeMap<String, EventOutcome>,
    envelope: Envelope,
) -> Result<(), String> {
    let asked: HashMap<&str, u64> = requests
        .iter()
        .flat_map(|request| &request.timeouts)
        .map(|(handle, seconds)| (handle.as_str(), *seconds))
        .collect();
    let mut expected = 0;
    for (id, outcome) in outcomes {
        let EventOutcome::Reported((outcome, reason)) = outcome else { continue };
        if !envelope.is_queue() {
            continue;
        }
        expected += 1;
        let range = first_delay(outcome, reason, envelope);
        let seconds = asked.get(Message::new(id, "").receipt_handle.as_str());
        if seconds.is_none_or(|seconds| !range.contains(seconds)) {
            return Err(format!("{id}, {outcome} {reason}: SQS was asked for {seconds:?} s, not {range:?}"));
        }
    }
    if asked.len() == expected { Ok(()) } else { Err(format!("{} delays instead of {expected}", asked.len())) }
}

/// One message, `deliveries` times delivered, and the seconds that SQS is asked for.
struct Row {
    cause: &'static str,
    body: String,
    deliveries: u32,
    seconds: RangeInclusive<u64>,
}

const OFF: &str = "not JSON";

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    let row = |cause, body: &str, deliveries, seconds| Row { cause, body: body.to_owned(), deliveries, seconds };
    let out = logout(1, "t");
    vec![
        row("tpns_unavailable",          &out,                    1,  1..=2),
        row("tpns_unavailable",          &out,                    2,  2..=4),
        row("tpns_unavailable",          &out,                    5,  16..=32),
        row("tpns_unavailable",          &out,                    9,  256..=512),
        row("tpns_unavailable",          &out,                    10, 300..=600),
        row("tpns_unavailable",          &out,                    296, 300..=600),
        row("tpns_throttled",            &out,                    1,  1200..=1200),
        row("tpns_throttled",            &out,                    10, 1200..=1200),
        row("tpns_timeout",              &out,                    3,  4..=8),
        row("tpns_auth_failed",          &out,                    1,  15..=30),
        row("tpns_auth_failed",          &out,                    2,  30..=60),
        row("tpns_auth_failed",          &out,                    7,  300..=600),
        row("tpns_not_paid",             &out,                    1,  15..=30),
        row("tpns_invalid_token",        &out,                    4,  8..=16),
        row("tpns_token_not_yet_known",  "a fresh login",         1,  1..=2),
        row("malformed_json",            OFF,                     1,  1..=2),
        row("malformed_json",            OFF,                     6,  32..=64),
        row("ledger_throttled",          &out,                    1,  1..=2),
        row("ledger_throttled",          &out,                    8,  128..=256),
        row("deadline",                  &out,                    1,  1..=1),
        row("deadline",                  &out,                    8,  1..=1),
        row("deadline",                  &out,                    9,  256..=512),
        row("waits_for_another_call",    &login(2, "t", &["gone"]), 1, 1..=2),
    ]
}

#[tokio::test]
async fn for_each_cause_sqs_is_asked_for_its_delay() {
    for Row { cause, body, deliveries, seconds } in rows() {
        let aws = Arc::new(AwsApi::start().await.unwrap());
        aws.create_table("ledger", "pk");
        let queue = Queue::builder("auth-events").build().unwrap();
        let arn = queue.arn().to_owned();
        aws.create_queue(queue);
        let endpoint = aws.url();
        let timeout = if cause == "tpns_timeout" { "300" } else { "20000" };
        // Half of the reserve is for asking SQS.
        let (lasts, reserve) = if cause == "deadline" { (12, "6000") } else { (20, "1000") };
        let settings = [
            ("AWS_ENDPOINT_URL", endpoint.as_str()),
            ("LEDGER_TABLE", "ledger"),
            ("RETRY_MAX_DELAY", "10m"),
            ("TPNS_MAX_ATTEMPTS", "1"),
            ("TPNS_TIMEOUT_MS", timeout),
            ("TPNS_CONCURRENCY", "1"),
            ("DEADLINE_RESERVE_MS", reserve),
        ];
        let stage = Stage::within(Duration::from_secs(lasts), &settings).await;
        let body = if cause == "tpns_token_not_yet_known" { fresh_login() } else { body };
        let fault = match cause {
            "tpns_unavailable" => Some(Fault::status(503)),
            "tpns_throttled" => Some(Fault::status(429).retry_after("1200")),
            "tpns_timeout" | "deadline" => Some(Fault::hang()),
            "tpns_auth_failed" => Some(Fault::ret_code(1_008_003)),
            "tpns_not_paid" => Some(Fault::ret_code(1_008_030)),
            "tpns_invalid_token" | "tpns_token_not_yet_known" => Some(Fault::item_code(1_008_006)),
            "waits_for_another_call" => Some(Fault::status(503).operator_type(5)),
            "ledger_throttled" | "malformed_json" => None,
            other => panic!("{other}"),
        };
        fault.into_iter().for_each(|fault| stage.tpns.fault(fault.forever()));
        if cause == "ledger_throttled" {
            aws.fail_next(Operation::UpdateItem, usize::MAX, AwsFault::Throttling);
        }
        let mut bodies = vec![body];
        if cause == "waits_for_another_call" {
            bodies.insert(0, deletion(1, "gone"));
        }
        if cause == "deadline" {
            // Its call is the one that hangs, and there is no time for the other.
            bodies.insert(0, login(1, "other", &["x"]));
        }
        let messages: Vec<_> = bodies
            .iter()
            .zip(0..)
            .map(|(body, n)| Message::new(format!("m{n}"), body.as_str()).received(deliveries))
            .collect();
        let handle = messages.last().unwrap().receipt_handle.clone();
        stage.invoke(SqsEvent::of_queue(&arn).messages(messages).to_bytes()).await;
        let line = stage.lines("event failed").pop().unwrap_or_default();
        assert_eq!(line["reason"], cause, "{cause} {deliveries}");
        let requests = aws.requests();
        let asked: Vec<_> = requests.iter().flat_map(|request| &request.timeouts).collect();
        // What is delivered often is hidden for the rest of the invocation first.
        let times = if deliveries >= 3 { 2 } else { 1 };
        let of_message: Vec<u64> =
            asked.iter().filter(|(own, _)| *own == handle).map(|(_, seconds)| *seconds).collect();
        assert_eq!(of_message.len(), times, "{cause} {deliveries}: {asked:?}");
        let asked = &of_message[times - 1];
        assert!(seconds.contains(asked), "{cause} {deliveries}: {asked} s, not {seconds:?}");
        assert_no_secrets(&stage.function);
    }
}

/// Of a token that TPNS does not know yet.
fn fresh_login() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    json!({"type": "user.login", "occurred_at": u64::try_from(now).unwrap(), "app": "android", "token": "t",
           "account_list": [{"account": "x"}]})
    .to_string()
}
