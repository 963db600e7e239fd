//! The binary prints the metrics that the alarms and the dashboard use: those of `tests/metrics.json`, which the
//! template's tests read, too.

use std::collections::{BTreeMap, BTreeSet};

use lambda_sim::{AwsApi, Fault as AwsFault, Operation, Queue};
use serde_json::{Value, json};
use tpns_sim::Fault;

use crate::stage::{Stage, deletion, login, logout, numbered};

type Sets = BTreeSet<Vec<String>>;

/// The documented metrics of events, or of what is named: name, unit, dimension sets.
pub(crate) fn documented(of: Option<&str>) -> BTreeMap<String, (String, Sets)> {
    let file: Value = serde_json::from_str(include_str!("../metrics.json")).unwrap();
    let metrics = file["metrics"].as_array().unwrap().iter().filter(|metric| metric["of"].as_str() == of);
    let metrics = metrics.map(|metric| {
        let sets: Vec<Vec<String>> = serde_json::from_value(metric["dimension_sets"].clone()).unwrap();
        (text(&metric["name"]), (text(&metric["unit"]), sets.into_iter().collect()))
    });
    metrics.collect()
}

/// The printed metrics, read as CloudWatch reads them.
pub(crate) fn printed(lines: &[Value]) -> BTreeMap<String, (String, Sets)> {
    let mut metrics = BTreeMap::new();
    for directive in lines.iter().flat_map(|line| line["_aws"]["CloudWatchMetrics"].as_array().unwrap()) {
        assert_eq!(directive["Namespace"], "TpnsAccountSync");
        let sets: Sets = serde_json::from_value(directive["Dimensions"].clone()).unwrap();
        for metric in directive["Metrics"].as_array().unwrap() {
            metrics.insert(text(&metric["Name"]), (text(&metric["Unit"]), sets.clone()));
        }
    }
    metrics
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn sum(lines: &[Value], metric: &str) -> u64 {
    lines.iter().filter_map(|line| line[metric].as_u64()).sum()
}

#[tokio::test]
async fn every_documented_metric_is_printed_and_no_other() {
    let stage = Stage::new().await;
    stage.tpns.fault(Fault::status(503).times(1));
    stage.batch(&[login(1, "t", &["a"]), logout(2, "u"), deletion(3, "b"), "nonsense".to_owned()]).await;
    stage.tpns.fault(Fault::status(503).times(9));
    assert_eq!(stage.batch(&[login(4, "w", &["c"])]).await.len(), 1);
    let lines = stage.metrics();
    assert_eq!(printed(&lines), documented(None));
    // Everything that a directive names is in the line; otherwise CloudWatch silently ignores it.
    for line in &lines {
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            let dimensions = directive["Dimensions"].as_array().unwrap().iter().flat_map(|set| set.as_array().unwrap());
            assert!(dimensions.clone().all(|dimension| line[dimension.as_str().unwrap()].is_string()), "{line}");
            let metrics = directive["Metrics"].as_array().unwrap();
            assert!(metrics.iter().all(|metric| line.get(metric["Name"].as_str().unwrap()).is_some()), "{line}");
        }
    }
    let apps: BTreeSet<_> = lines.iter().map(|line| line["App"].as_str().unwrap()).collect();
    assert_eq!(apps, BTreeSet::from(["android", "ios", "several", "unknown"]));
}

/// Each: what goes wrong, and the metric with its increase.
#[tokio::test]
async fn every_outcome_is_counted_in_its_metric() {
    let bodies = [login(1, "t", &["a"])];
    for (name, settings, fault, metric) in [
        ("all is well", &[][..], None, "Applied"),
        ("TPNS is down", &[], Some(Fault::status(503)), "Retried"),
        ("the token is none", &[], Some(Fault::item_code(1_008_006)), "Rejected"),
        ("the key is wrong", &[], Some(Fault::ret_code(1_008_003)), "Misconfigured"),
    ] {
        let stage = Stage::with(settings).await;
        let quiet = stage.batch(&[login(1, "other", &["b"])]).await;
        assert!(quiet.is_empty(), "{name}");
        let before = stage.metrics().len();
        if let Some(fault) = fault {
            stage.tpns.fault(fault.times(9));
        }
        stage.batch(&bodies).await;
        let lines = &stage.metrics()[before..];
        assert_eq!(sum(lines, "Received"), 1, "{name}");
        for other in ["Applied", "Superseded", "Retried", "Rejected", "Parked", "Misconfigured"] {
            assert_eq!(sum(lines, other), u64::from(other == metric), "{name}: {other}");
        }
    }
}

#[tokio::test]
async fn superseded_and_parked_events_are_counted() {
    let aws = AwsApi::start().await.unwrap();
    let queue = aws.create_queue(Queue::builder("parked").build().unwrap());
    let stage = Stage::with(&[("PARKING_QUEUE_URL", &queue), ("AWS_ENDPOINT_URL", &aws.url())]).await;
    stage.batch(&[login(1, "t", &["a"]), logout(2, "t"), "nonsense".to_owned()]).await;
    let lines = stage.metrics();
    assert_eq!(["Applied", "Superseded", "Parked", "Rejected"].map(|metric| sum(&lines, metric)), [1, 1, 1, 0]);
}

#[tokio::test]
async fn failures_of_the_table_are_counted_separately() {
    let aws = AwsApi::start().await.unwrap();
    aws.create_table("ledger", "pk");
    let stage = Stage::with(&[("LEDGER_TABLE", "ledger"), ("AWS_ENDPOINT_URL", &aws.url())]).await;
    aws.fail_next(Operation::UpdateItem, usize::MAX, AwsFault::Throttling);
    assert_eq!(stage.batch(&[login(1, "t", &["a"])]).await, ["m0"]);
    let lines = stage.metrics();
    assert_eq!(["Retried", "LedgerFailed", "Calls"].map(|metric| sum(&lines, metric)), [1, 1, 0]);
}

#[tokio::test]
async fn calls_are_counted_with_their_items_duration_and_reason_of_failure() {
    let stage = Stage::new().await;
    stage.tpns.fault(Fault::status(429).times(1));
    let bodies: Vec<_> = (0..25).map(|n| login(1, &format!("t{n}"), &["a"])).collect();
    stage.batch(&bodies).await;
    let lines = stage.metrics();
    let [android, failures] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!(android["Calls"], 3, "20, 5, and one of them again");
    let times =
        |metric: &str| android[metric]["Counts"].as_array().unwrap().iter().map(|n| n.as_u64().unwrap()).sum::<u64>();
    assert_eq!([times("ItemsPerCall"), times("CallLatency")], [3, 3]);
    assert_eq!(failures["CallFailures"], 1);
    assert_eq!(failures["Reason"], "tpns_throttled");
}

#[tokio::test]
async fn metrics_are_printed_at_any_log_level_and_format() {
    for settings in [
        [("AWS_LAMBDA_LOG_LEVEL", "ERROR"), ("AWS_LAMBDA_LOG_FORMAT", "JSON")],
        [("AWS_LAMBDA_LOG_LEVEL", "INFO"), ("AWS_LAMBDA_LOG_FORMAT", "Text")],
    ] {
        let stage = Stage::with(&settings).await;
        stage.batch(&[login(1, "t", &["a"])]).await;
        assert_eq!(sum(&stage.metrics(), "Applied"), 1, "{settings:?}");
    }
}

#[tokio::test]
async fn events_directly_from_eventbridge_are_counted_as_well() {
    let stage = Stage::new().await;
    let detail =
        json!({"app": "ios", "token": "t", "account_list": [{"account": "a"}], "occurred_at": "2026-11-22T08:00:00Z"});
    let event = json!({"id": "e", "detail-type": "user.login", "time": "2026-11-22T08:00:00Z", "detail": detail});
    stage.invoke(event.to_string()).await;
    let lines = stage.metrics();
    assert_eq!((lines.len(), &lines[0]["App"], &lines[0]["Applied"]), (1, &json!("ios"), &json!(1)));
    // An invocation that is refused as a whole has no events to count; Lambda counts the error.
    stage.outcome("{}").await;
    assert_eq!(stage.metrics().len(), 1);
    stage.outcome(numbered(&[] as &[&str])).await;
    assert_eq!(stage.metrics().len(), 1);
}
