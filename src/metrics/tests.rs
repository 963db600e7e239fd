use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use super::*;
use crate::{
    apps::{AppId, AppNames},
    event::{AccountType, Change, Device, Event, Token},
    ingress::{Batch, MessageIndex},
    outcome::Failure,
    testing,
    testing::account,
    tpns::CallMade,
};

const NOW: u64 = 1_764_000_000_000;

fn event(rank: Kind, app: u16, lag: i64) -> Event {
    let device = Device { app: AppId(app), token: Token::new("t").unwrap() };
    let accounts = vec![account("a", AccountType(0))];
    let change = match rank {
        Kind::Login => Change::Login(device, accounts),
        Kind::Logout => Change::LogoutAll(device),
        Kind::Deletion => Change::Deletion(vec![AppId(0), AppId(1)].into(), accounts),
    };
    testing::happened(NOW as i64 - lag, rank, "id", change)
}

fn call(app: u16, items: usize, millis: u64, failures: &[Reason]) -> CallMade {
    CallMade { app: AppId(app), items, took: Duration::from_millis(millis), failures: failures.to_vec() }
}

fn retry(reason: Reason) -> Outcome {
    Outcome::Retry(Failure::of(reason))
}

/// The lines of a batch of the apps android and ios; a message without an event is one that could not be read.
fn lines(messages: &[(Option<Event>, Outcome)], calls: &[CallMade]) -> Vec<Value> {
    let sent = |n: usize| json!({"SentTimestamp": (NOW - 10 * n as u64).to_string()});
    let record = |n| json!({"messageId": format!("m{n}"), "body": "", "eventSource": "aws:sqs", "attributes": sent(n)});
    let payload = json!({"Records": (0..messages.len()).map(record).collect::<Vec<_>>()}).to_string();
    let outcomes: Vec<_> = messages.iter().map(|(_, outcome)| outcome.clone()).collect();
    let events: Vec<_> =
        messages.iter().enumerate().filter_map(|(n, (event, _))| Some((MessageIndex(n), event.clone()?))).collect();
    let finished = Finished {
        batch: &Batch::open(&payload).unwrap(),
        events: &events,
        outcomes: &outcomes,
        delayed: 0,
        calls,
        apps: &AppNames::new(["android", "ios"]),
        at: SystemTime::UNIX_EPOCH + Duration::from_millis(NOW),
        took: Duration::ZERO,
        remaining: Duration::ZERO,
    };
    let mut output = Vec::new();
    Metrics::new("sync".to_owned()).write("request", &finished, &mut output).unwrap();
    String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn each_app_has_a_line_with_all_that_became_of_its_events() {
    let rejected = || Failure::of(Reason::TooOld);
    let lines = lines(
        &[
            (Some(event(Kind::Login, 0, 40)), Outcome::Applied),
            (Some(event(Kind::Logout, 0, 30)), Outcome::Superseded),
            (Some(event(Kind::Logout, 1, 1)), retry(Reason::TpnsTimeout)),
            (None, Outcome::Parked(rejected())),
            (Some(event(Kind::Logout, 0, 1)), retry(Reason::LedgerThrottled)),
            (None, Outcome::Rejected(rejected())),
            (Some(event(Kind::Deletion, 0, -5)), Outcome::Applied),
            (Some(event(Kind::Login, 1, 1)), Outcome::Misconfigured(rejected())),
        ],
        &[call(0, 20, 21, &[]), call(0, 3, 21, &[])],
    );
    let apps: Vec<_> = lines.iter().map(|line| line["App"].as_str().unwrap()).collect();
    assert_eq!(apps, ["android", "ios", "unknown", "several"]);
    let counts = |line: &Value| {
        let names = ["Received", "Applied", "Superseded", "Retried", "Rejected", "Parked", "Misconfigured"];
        names.into_iter().chain(["LedgerFailed", "Calls"]).map(|name| line[name].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(counts(&lines[0]), [3, 1, 1, 1, 0, 0, 0, 1, 2]);
    assert_eq!(counts(&lines[1]), [2, 0, 0, 1, 0, 0, 1, 0, 0]);
    assert_eq!(counts(&lines[2]), [2, 0, 0, 0, 1, 1, 0, 0, 0]);
    assert_eq!(counts(&lines[3]), [1, 1, 0, 0, 0, 0, 0, 0, 0]);

    assert_eq!(lines[0]["EventLag"], json!({"Values": [30, 40], "Counts": [1, 1]}));
    // One logout is in effect, the other is late already.
    assert_eq!(lines[0]["UnbindLag"], json!({"Values": [1, 30], "Counts": [1, 1]}));
    // How long ago the messages were sent, whatever the events say.
    assert_eq!(lines[0]["RetryAge"], json!({"Values": [40], "Counts": [1]}));
    assert_eq!(lines[1]["RetryAge"], json!({"Values": [20, 70], "Counts": [1, 1]}));
    assert!(lines[2].get("RetryAge").is_none() && lines[3].get("RetryAge").is_none());
    assert_eq!(lines[0]["CallLatency"], json!({"Values": [21], "Counts": [2]}));
    assert_eq!(lines[0]["ItemsPerCall"], json!({"Values": [3, 20], "Counts": [1, 1]}));
    // A clock that is ahead makes no lag of less than nothing.
    assert_eq!(lines[3]["UnbindLag"], json!({"Values": [0], "Counts": [1]}));
    assert!(lines[1].get("EventLag").is_none() && lines[1].get("CallLatency").is_none());
}

#[test]
fn a_line_is_in_the_embedded_metric_format() {
    let lines =
        lines(&[(Some(event(Kind::Login, 0, 40)), Outcome::Applied)], &[call(0, 1, 7, &[Reason::TpnsInternal])]);
    let [app, failure] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(app["_aws"]["Timestamp"], NOW);
    let directive = &app["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Namespace"], "TpnsAccountSync");
    assert_eq!(directive["Dimensions"], json!([["FunctionName"], ["FunctionName", "App"]]));
    let metrics = directive["Metrics"].as_array().unwrap();
    assert!(metrics.contains(&json!({"Name": "Applied", "Unit": "Count"})), "{directive}");
    assert!(metrics.contains(&json!({"Name": "EventLag", "Unit": "Milliseconds"})), "{directive}");
    assert!(!metrics.iter().any(|metric| metric["Name"] == "UnbindLag"), "{directive}");
    assert_eq!([&app["FunctionName"], &app["requestId"]], ["sync", "request"]);

    let directive = &failure["_aws"]["CloudWatchMetrics"][0];
    assert_eq!(directive["Metrics"], json!([{"Name": "CallFailures", "Unit": "Count"}]));
    assert_eq!(
        directive["Dimensions"],
        json!([["FunctionName"], ["FunctionName", "Reason"], ["FunctionName", "App", "Reason"]])
    );
    assert_eq!([&failure["App"], &failure["Reason"]], ["android", "tpns_internal"]);
}

#[test]
fn failed_calls_are_counted_by_app_and_reason() {
    let calls = [
        call(0, 1, 1, &[Reason::TpnsTimeout]),
        call(1, 1, 1, &[Reason::TpnsTimeout]),
        call(0, 2, 1, &[Reason::TpnsInvalidToken, Reason::TpnsTimeout]),
        call(0, 1, 1, &[]),
    ];
    let lines = lines(&[(Some(event(Kind::Login, 0, 1)), retry(Reason::TpnsTimeout))], &calls);
    let failures = lines.iter().filter(|line| line.get("Reason").is_some());
    let counted: Vec<_> = failures.map(|line| json!([line["App"], line["Reason"], line["CallFailures"]])).collect();
    assert_eq!(
        counted,
        [
            json!(["android", "tpns_timeout", 2]),
            json!(["ios", "tpns_timeout", 1]),
            json!(["android", "tpns_invalid_token", 1])
        ]
    );
    assert_eq!(lines[0]["Calls"], 3);
}

#[test]
fn ten_thousand_events_are_one_line() {
    let event = |n: i64| (Some(event(Kind::Logout, 0, n * n)), Outcome::Applied);
    let lines = lines(&(0..10_000).map(event).collect::<Vec<_>>(), &[]);
    assert_eq!(lines.len(), 1);
    let lag = &lines[0]["UnbindLag"];
    assert!(lag["Values"].as_array().unwrap().len() <= 100);
    let counts = lag["Counts"].as_array().unwrap().iter().map(|count| count.as_u64().unwrap());
    assert_eq!(counts.sum::<u64>(), 10_000);
}
