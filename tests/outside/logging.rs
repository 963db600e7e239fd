//! The log lines (LOGGING.md).

use aws_lc_rs::digest::{SHA256, digest};
use lambda_sim::{AwsApi, Message, event::SqsEvent};
use serde_json::{Value, json};
use tpns_sim::Fault;

use crate::stage::{Stage, deletion, login, logout_of};

const QUEUE: &str = "arn:aws:sqs:us-east-1:123456789012:auth-events";

/// The lines of the log, without those of the metrics.
fn log(stage: &Stage) -> Vec<Value> {
    let printed = stage.printed();
    let lines = printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|_| panic!("{line}")));
    lines.filter(|line| line.get("_aws").is_none()).collect()
}

fn keys(line: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = line.as_object().unwrap().keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[tokio::test]
async fn a_successful_invocation_is_one_line() {
    let stage = Stage::with(&[("AWS_LAMBDA_LOG_LEVEL", "INFO")]).await;
    stage.batch(&[login(1, "t", &["a"]), logout_of(2, "t", "a")]).await;
    let lines = log(&stage);
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&line["level"], &line["message"]), (&json!("INFO"), &json!("batch done")));
    let counts = ["received", "applied", "superseded", "retry", "rejected", "parked", "misconfigured", "ledger_failed"];
    assert_eq!(counts.map(|count| line[count].as_u64().unwrap()), [2, 2, 0, 0, 0, 0, 0, 0]);
    assert_eq!((&line["calls"], &line["calls_failed"]), (&json!(1), &json!(0)));
    assert!(line["slowest_call_ms"].as_u64() <= line["took_ms"].as_u64(), "{line}");
    // The stage's timeout is 20 s.
    assert!((10_000..20_000).contains(&line["remaining_ms"].as_u64().unwrap()), "{line}");
    assert!(line["requestId"].is_string() && line["timestamp"].is_string(), "{line}");
    assert_eq!(line["version"], env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn each_call_to_tpns_has_the_version_in_its_user_agent() {
    let stage = Stage::new().await;
    stage.batch(&[login(1, "t", &["a"])]).await;
    let agents: Vec<_> = stage.tpns.calls().into_iter().map(|call| call.user_agent).collect();
    assert_eq!(agents, [Some(concat!("tpns-account-sync/", env!("CARGO_PKG_VERSION")).to_owned())]);
}

#[tokio::test]
async fn a_failed_event_is_one_line_with_everything_that_identifies_it() {
    let stage = Stage::with(&[("AWS_LAMBDA_LOG_LEVEL", "INFO")]).await;
    stage.tpns.fault(Fault::item_code(1_008_006).token("the-token"));
    let mut body: Value = serde_json::from_str(&login(1, "the-token", &["a"])).unwrap();
    body["id"] = json!("01JDA2V6K0Q3N8Z4T5W6X7Y8Z9");
    let message = Message::new("m0", body.to_string())
        .received(3)
        .trace_header("Root=1-67f7c400-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=1");
    stage.invoke(SqsEvent::of_queue(QUEUE).message(message).to_bytes()).await;
    let lines = log(&stage);
    assert_eq!(lines.len(), 2, "{lines:?}");
    let line = &lines[0];
    assert_eq!((&line["level"], &line["message"]), (&json!("WARN"), &json!("event failed")));
    let digest = digest(&SHA256, b"android\0the-token");
    let device: String = digest.as_ref().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    for (field, value) in [
        ("message_id", json!("m0")),
        ("event_id", json!("01JDA2V6K0Q3N8Z4T5W6X7Y8Z9")),
        ("type", json!("user.login")),
        ("app", json!("android")),
        ("device", json!(device)),
        ("outcome", json!("rejected")),
        ("reason", json!("tpns_invalid_token")),
        ("detail", json!("TPNS answered 1008006")),
        ("receive_count", json!(3)),
        ("trace", json!("1-67f7c400-0123456789abcdef01234567")),
    ] {
        assert_eq!(line[field], value, "{field}: {line}");
    }
    assert_eq!(line["requestId"], lines[1]["requestId"]);
}

#[tokio::test]
async fn fields_that_an_event_does_not_have_are_not_in_its_line() {
    let stage = Stage::with(&[("AWS_LAMBDA_LOG_LEVEL", "INFO")]).await;
    stage.tpns.fault(Fault::status(503).times(9));
    stage.batch(&[deletion(1, "a"), "nonsense".to_owned()]).await;
    let lines = log(&stage);
    let common = ["app", "detail", "level", "message", "message_id", "name", "outcome", "reason", "receive_count"];
    let with = |more: &[&'static str]| {
        let mut keys: Vec<_> =
            common.iter().chain(&["requestId", "timestamp", "xray_trace_id"]).chain(more).copied().collect();
        keys.sort_unstable();
        keys
    };
    assert_eq!(keys(&lines[0]), with(&["event_id", "type"]));
    assert_eq!(keys(&lines[1]), with(&[]));
    assert_eq!((&lines[0]["app"], &lines[1]["app"]), (&json!("several"), &json!("unknown")));
}

#[tokio::test]
async fn the_trace_of_an_invocation_is_in_each_of_its_lines() {
    let stage = Stage::new().await;
    stage.tpns.fault(Fault::status(503).times(1));
    stage.batch(&[login(1, "t", &["a"])]).await;
    let lines = log(&stage);
    // lambda-sim sets one for every invocation, as Lambda does.
    let traced = |line: &&Value| line["xray_trace_id"].as_str().is_some_and(|trace| trace.starts_with("1-"));
    let of_invocation: Vec<_> = lines.iter().filter(|line| line.get("requestId").is_some()).collect();
    assert!(of_invocation.len() >= 4, "two calls, the event, the batch: {lines:?}");
    assert!(of_invocation.iter().all(traced), "{of_invocation:?}");
}

#[tokio::test]
async fn a_failure_of_the_parking_queue_is_logged_with_the_invocations_id() {
    let aws = AwsApi::start().await.unwrap();
    let url = format!("{}/123456789012/no-such-queue", aws.url());
    let stage = Stage::with(&[("PARKING_QUEUE_URL", &url), ("AWS_ENDPOINT_URL", &aws.url())]).await;
    stage.batch(&["nonsense"]).await;
    let lines = log(&stage);
    let of_parking = |line: &&Value| line["message"].as_str().is_some_and(|text| text.starts_with("PARKING_QUEUE_URL"));
    let errors: Vec<_> = lines.iter().filter(of_parking).collect();
    assert_eq!(errors.len(), 1, "{lines:?}");
    assert_eq!((&errors[0]["level"], &errors[0]["requestId"]), (&json!("ERROR"), &lines[lines.len() - 1]["requestId"]));
}

#[tokio::test]
async fn an_invocation_of_an_unknown_shape_is_one_error_line() {
    let stage = Stage::new().await;
    stage.outcome(json!({"who": "am I"}).to_string()).await;
    let lines = log(&stage);
    let [line] = lines.as_slice() else { panic!("{lines:?}") };
    assert_eq!((&line["level"], &line["reason"]), (&json!("ERROR"), &json!("unrecognised_invocation")));
    assert!(line["message"].as_str().unwrap().contains("check the function's trigger"), "{line}");
    assert!(line["requestId"].is_string(), "{line}");
}

#[tokio::test]
async fn an_invalid_trace_header_is_not_logged() {
    let stage = Stage::new().await;
    let message = Message::new("m0", "nonsense").trace_header("Root=ann@example.com");
    stage.invoke(SqsEvent::of_queue(QUEUE).message(message).to_bytes()).await;
    assert!(!stage.printed().contains("ann"), "{}", stage.printed());
}
