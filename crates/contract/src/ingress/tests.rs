mod opening;

use serde_json::{Value, json};

use super::*;
use crate::{
    apps::AppNames,
    event::{Change, Kind},
    outcome::Reason,
};

const NOW: i64 = 1_795_344_600_000;
/// Before any envelope was sent.
const OCCURRED: i64 = NOW - 20_000;

fn bare() -> Value {
    json!({"type": "user.logout", "id": "own", "occurred_at": OCCURRED, "token": "t1"})
}

fn bridge(detail: &Value) -> Value {
    json!({"version": "0", "id": "bridge-1", "detail-type": "user.logout", "source": "x", "account": "123456789012",
           "time": "2026-11-22T10:49:50Z", "region": "eu-west-1", "resources": [], "detail": detail})
}

fn sns(message: &Value) -> Value {
    json!({"Type": "Notification", "MessageId": "sns-1", "TopicArn": "arn:aws:sns:x", "Message": message.to_string(),
           "Timestamp": "2026-11-22T10:49:55.000Z"})
}

fn record(id: &str, body: &str) -> Value {
    json!({"messageId": id, "receiptHandle": "r", "body": body, "attributes": {"SentTimestamp": "1795344599000"},
           "messageAttributes": {}, "md5OfBody": "x", "eventSource": "aws:sqs",
           "eventSourceARN": "arn:aws:sqs:eu-west-1:1:events", "awsRegion": "eu-west-1"})
}

fn events(payload: &str) -> Vec<Result<Event, Invalid>> {
    let apps = AppNames::new(["android"]);
    let rules = Rules { apps: &apps, now: NOW, max_age: 86_400_000, max_skew: 0, ledger: false };
    Batch::open(payload).unwrap().messages.iter().map(|message| message.event(&rules)).collect()
}

fn one_body(body: &str) -> Result<Event, Invalid> {
    read(body, 0)
}

fn read(body: &str, max_skew: i64) -> Result<Event, Invalid> {
    let apps = AppNames::new(["android"]);
    let rules = Rules { apps: &apps, now: NOW, max_age: 86_400_000, max_skew, ledger: false };
    Batch::open(&json!({"Records": [record("m1", body)]}).to_string()).unwrap().messages[0].event(&rules)
}

fn in_the_future() -> Invalid {
    Invalid::new(
        Reason::InTheFuture,
        "occurred_at: is further ahead than MAX_CLOCK_SKEW; set the producer's clock, and count milliseconds",
    )
}

fn detail() -> Value {
    json!({"id": "own", "occurred_at": OCCURRED, "token": "t1"})
}

#[test]
fn every_envelope_holds_the_same_event() {
    let expected = one_body(&bare().to_string()).unwrap();
    assert!(matches!(expected.change, Change::LogoutAll(_)));
    let bridge = bridge(&detail());
    for body in [bridge.to_string(), sns(&bare()).to_string(), sns(&bridge).to_string()] {
        assert_eq!(one_body(&body).unwrap(), expected, "{body}");
    }
    for payload in [bridge.to_string(), json!([bridge]).to_string(), format!(" \n{bridge}\n")] {
        assert_eq!(events(&payload), [Ok(expected.clone())], "{payload}");
    }
    let two = json!([bridge, bridge]).to_string();
    assert_eq!(events(&two).len(), 2);
}

#[test]
fn what_the_event_leaves_out_comes_from_its_envelope() {
    let detail = json!({"token": "t1"});
    let at_bridge = |event: &Event| (event.version.at, event.id.to_string());
    let from_bridge = (NOW - 10_000, "bridge-1".to_owned());
    for event in [
        one_body(&bridge(&detail).to_string()).unwrap(),
        one_body(&sns(&bridge(&detail)).to_string()).unwrap(),
        events(&bridge(&detail).to_string()).remove(0).unwrap(),
    ] {
        assert_eq!(at_bridge(&event), from_bridge);
    }
    let bare = json!({"type": "user.logout", "token": "t1"});
    for (body, at) in [(bare.to_string(), NOW - 1000), (sns(&bare).to_string(), NOW - 5000)] {
        let event = one_body(&body).unwrap();
        assert_eq!(at_bridge(&event), (at, "m1".to_owned()), "SQS's id, and the time of the innermost envelope");
    }
}

#[test]
fn nothing_happens_after_it_was_sent() {
    let ahead = |mut body: Value| {
        body["occurred_at"] = json!(NOW + 240_000);
        body
    };
    for (body, at) in [
        (ahead(bare()), NOW - 1000),
        (sns(&ahead(bare())), NOW - 5000),
        (bridge(&ahead(detail())), NOW - 10_000 + 999),
        (sns(&bridge(&ahead(detail()))), NOW - 10_000 + 999),
    ] {
        let event = one_body(&body.to_string());
        assert_eq!(event, Err(in_the_future()), "{body}: a clock that far ahead is refused without a ledger");
        let event = read(&body.to_string(), 300_000).unwrap();
        assert_eq!((event.version.at, event.clock_ahead), (at, NOW + 240_000 - at), "{body}");
    }
    let within_the_second = bridge(&json!({"id": "own", "occurred_at": NOW - 10_000 + 998, "token": "t1"}));
    assert_eq!(
        one_body(&within_the_second.to_string()).unwrap().clock_ahead,
        0,
        "EventBridge's time has no milliseconds"
    );
}

#[test]
fn a_fifo_queues_sequence_number_decides_before_the_id() {
    let event = |number: Value, id: &str| {
        let mut body = bare();
        body["id"] = json!(id);
        let mut record = record("m1", &body.to_string());
        record["eventSourceARN"] = json!("arn:aws:sqs:eu-west-1:1:events.fifo");
        record["attributes"]["SequenceNumber"] = number;
        events(&json!({"Records": [record]}).to_string()).remove(0).unwrap()
    };
    let numbers = [
        "9",
        "00000000000000000010",
        "18849496460467696128",
        "18849496460467696129",
        "340282366920938463463374607431768211455",
    ];
    let versions: Vec<_> =
        numbers.iter().zip(["e", "d", "c", "b", "a"]).map(|(n, id)| event(json!(n), id).version).collect();
    assert!(versions.is_sorted(), "{versions:?}");
    assert_eq!(&*event(json!("7"), "own").id, "own", "the id itself stays as it is");
    let deletion =
        json!({"type": "account.deleted", "id": "own", "occurred_at": OCCURRED, "account_list": [{"account": "a"}]});
    let mut record = record("m1", &deletion.to_string());
    record["eventSourceARN"] = json!("arn:aws:sqs:eu-west-1:1:events.fifo");
    record["attributes"]["SequenceNumber"] = json!("7");
    let deletion = events(&json!({"Records": [record]}).to_string()).remove(0).unwrap();
    assert_eq!(&*deletion.version.tie_breaker, "own", "a redriven deletion is the one that was accepted");
    for odd in [json!(7), json!("seven"), json!(""), json!(null), json!("9".repeat(40))] {
        let version = event(odd.clone(), "own").version;
        assert!(version < versions[0], "{odd}: counts as none, which sorts first");
    }
}

#[test]
fn one_bad_body_does_not_harm_its_neighbours() {
    let good = bare().to_string();
    let deep = "[".repeat(200_000);
    let bad: [(&str, Reason, &str); 14] = [
        ("", Reason::MalformedJson, "body"),
        ("not JSON", Reason::MalformedJson, "body"),
        ("{\"type\":", Reason::MalformedJson, "body"),
        ("5", Reason::MalformedJson, "body"),
        ("[]", Reason::MalformedJson, "body"),
        ("\"user.login\"", Reason::MalformedJson, "body"),
        ("{}", Reason::UnknownEnvelope, "type"),
        (&deep, Reason::MalformedJson, "body"),
        (r#"{"type":"user.logout","token":"\ud800"}"#, Reason::MalformedJson, "body"),
        (r#"{"type":"user.logout","token":"t1"} {}"#, Reason::MalformedJson, "body"),
        (r#"{"type":"user.logout","token":"t1","token":"t2"}"#, Reason::InvalidField, "token"),
        (
            r#"{"type":"user.logout","token":"t1","occurred_at":99999999999999999999999}"#,
            Reason::InvalidField,
            "occurred_at",
        ),
        (r#"{"type":"user.logout","detail-type":"user.login","detail":{}}"#, Reason::UnknownEnvelope, "body"),
        (r#"{"detail-type":"user.logout","detail":{"token":5}}"#, Reason::InvalidField, "detail.token"),
    ];
    for (body, reason, field) in bad {
        let records = [record("m1", &good), record("m2", body), record("m3", &good)];
        let events = events(&json!({"Records": records}).to_string());
        assert!(events[0].is_ok() && events[2].is_ok());
        let error = events[1].as_ref().expect_err(body);
        assert_eq!(error.reason, reason, "{error}");
        assert!(error.detail.starts_with(&format!("{field}: ")), "{error}");
    }
}

#[test]
fn an_odd_record_harms_its_own_message_only() {
    let good = record("m1", &bare().to_string());
    for (field, value) in [("body", json!(null)), ("body", json!({"type": "user.logout"})), ("body", json!(5))] {
        let mut odd = record("m2", "");
        odd[field] = value;
        let events = events(&json!({"Records": [good, odd, good]}).to_string());
        assert!(events[0].is_ok() && events[1].is_err() && events[2].is_ok());
    }
    let lone_surrogate =
        json!({"Records": [good, record("m2", "X"), good]}).to_string().replace("\"X\"", "\"\\ud800\"");
    assert_eq!(events(&lone_surrogate)[1].as_ref().unwrap_err().reason, Reason::MalformedJson);
    let mut no_attributes = record("m2", &bare().to_string());
    no_attributes["attributes"] = json!("none");
    assert!(events(&json!({"Records": [no_attributes]}).to_string())[0].is_ok(), "attributes are read when needed");
}

#[test]
fn to_a_bare_event_the_marks_of_an_envelope_are_unknown_fields() {
    for (field, value) in [("Message", json!({})), ("detail", json!(1)), ("time", json!([])), ("detail-type", json!(7))]
    {
        let mut event = bare();
        event[field] = value;
        assert!(one_body(&event.to_string()).is_ok(), "{field}");
    }
}

#[test]
fn a_missing_mark_is_named() {
    for (body, field) in [
        (json!({"detail-type": "user.login"}), "detail"),
        (json!({"detail": {}}), "detail-type"),
        (json!({"Type": "Notification"}), "Message"),
        (json!({"Message": "{}"}), "Type"),
        (json!({"token": "t1"}), "type"),
    ] {
        let error = one_body(&body.to_string()).unwrap_err();
        assert_eq!(error.reason, Reason::UnknownEnvelope);
        assert!(error.detail.starts_with(&format!("{field}: ")), "{error}");
    }
}

#[test]
fn only_a_notification_around_an_event_is_opened_and_only_once() {
    let mut confirmation = sns(&bare());
    confirmation["Type"] = json!("SubscriptionConfirmation");
    assert_eq!(one_body(&confirmation.to_string()).unwrap_err().detail, "Type: must be Notification");
    assert_eq!(one_body(&sns(&sns(&bare())).to_string()).unwrap_err().reason, Reason::UnknownEnvelope);
    let in_bridge = bridge(&bridge(&detail()));
    assert_eq!(
        one_body(&in_bridge.to_string()).unwrap_err().reason,
        Reason::UnknownEnvelope,
        "the detail is the event itself"
    );
    assert_eq!(
        events(&json!([{"detail-type": "user.logout", "detail": {}, "type": "user.login"}]).to_string())[0]
            .as_ref()
            .unwrap_err()
            .reason,
        Reason::UnknownEnvelope
    );
}

#[test]
fn the_detail_type_is_the_type_and_the_detail_must_not_contradict_it() {
    let mut repeated = detail();
    repeated["type"] = json!("user.logout");
    assert_eq!(one_body(&bridge(&repeated).to_string()).unwrap().version.rank, Kind::Logout);
    repeated["type"] = json!("user.login");
    assert!(one_body(&bridge(&repeated).to_string()).unwrap_err().detail.starts_with("detail.type: "));
    let mut scheduled = bridge(&json!({}));
    scheduled["detail-type"] = json!("Scheduled Event");
    let error = one_body(&scheduled.to_string()).unwrap_err();
    assert_eq!(
        (error.reason, &*error.detail),
        (Reason::UnknownType, "detail-type: must be user.login, user.logout or account.deleted")
    );
}
