//! Which event ids the log shows, and which only as a fingerprint.

use aws_lc_rs::digest::{SHA256, digest};
use lambda_sim::{Message, event::SqsEvent};
use serde_json::{Value, json};

use crate::stage::{Stage, at};

const TOKEN: &str = "05da87c0ae5973bd2dfa9e08d884aada5bb2";
const PHONE: &str = "+8613711112222";
const SUBJECT: &str = "auth0|64f2a1b3c4d5e6f708192a3b";
const MAIL: &str = "alice.smith@example.com";
const ULID: &str = "01JDA2V6K0Q3N8Z4T5W6X7Y8Z9";
const UUID: &str = "6f0c2a4e-1b3d-4c5f-8a7b-9c0d1e2f3a40";

/// Computed as described in LOGGING.md.
fn fingerprint(app: &str, token: &str, id: &str) -> String {
    let digest = digest(&SHA256, [app, token, id].join("\0").as_bytes());
    digest.as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn login(account: &str) -> Value {
    json!({"type": "user.login", "occurred_at": at(1), "app": "android", "token": TOKEN, "account_list": [{"account": account}]})
}

fn logout(account: &str) -> Value {
    json!({"type": "user.logout", "occurred_at": at(2), "app": "android", "token": TOKEN, "account_list": [{"account": account}]})
}

fn logout_all() -> Value {
    json!({"type": "user.logout", "occurred_at": at(2), "app": "android", "token": TOKEN})
}

fn deletion(account: &str) -> Value {
    json!({"type": "account.deleted", "occurred_at": at(3), "app": "android", "account_list": [{"account": account}]})
}

fn bridge(id: &str, event: &Value) -> Value {
    let (mut detail, time) = (event.clone(), "2026-11-22T08:00:00Z");
    let kind = detail.as_object_mut().unwrap().remove("type").unwrap();
    json!({"id": id, "detail-type": kind, "time": time, "detail": detail})
}

/// The event's line.
async fn line(stage: &Stage, payload: impl Into<bytes::Bytes>) -> Value {
    let mark = stage.function.output_len().unwrap();
    stage.outcome(payload).await;
    let printed = stage.function.lines_since(mark).unwrap();
    let mut lines = printed.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    lines.find(|line| line.get("outcome").is_some()).unwrap_or_else(|| panic!("{printed:?}"))
}

/// An event in an SQS message with an id as SQS makes it.
fn sqs(event: &Value) -> bytes::Bytes {
    let message = Message::new("059f36b4-87a3-44ab-83d2-661975830a7d", event.to_string());
    SqsEvent::of_queue("arn:aws:sqs:us-east-1:123456789012:auth-events").message(message).to_bytes()
}

/// Ids that could identify a person, each with an event.
fn identifying() -> Vec<(&'static str, Value)> {
    vec![
        ("logout-13711112222-1", logout(PHONE)),
        ("logout-13711112222-1", logout_all()),
        ("login-13711112222", login(PHONE)),
        ("delete-13711112222", deletion(PHONE)),
        ("13711112222", logout_all()),
        ("user:13711112222:logout", logout_all()),
        ("x-137-1111-2222-9a7b", logout_all()),
        ("a0b1c2d13711112222e3f4a5", logout_all()),
        ("6f0c2a4e-1b3d-4c5f-8a7b-a13711112222", logout(PHONE)),
        ("00000000-0000-0000-0000-013711112222", logout_all()),
        ("64f2a1b3c4d5e6f708192a3b", login(SUBJECT)),
        ("64F2A1B3C4D5E6F708192A3B", deletion(SUBJECT)),
        ("0000000064f2a1b3c4d5e6f7", login(SUBJECT)),
        (MAIL, logout_all()),
        ("login-alice.smith", login(MAIL)),
        ("logout-alice-smith-2026", logout_all()),
        ("LogoutAliceSmith", logout_all()),
        ("YWxpY2Uuc21pdGhAZXhhbXBsZS5jb20", logout_all()),
        ("616c6963652e736d697468406578616d706c65", logout_all()),
        (TOKEN, logout_all()),
        ("login-05da87c0ae5973bd", login(MAIL)),
        ("evt-001", login(MAIL)),
        ("login-7\nlevel=ERROR", login(MAIL)),
        ("登录一", login(MAIL)),
    ]
}

#[tokio::test]
async fn an_event_id_that_could_identify_a_person_is_logged_as_a_fingerprint() {
    let stage = Stage::new().await;
    for (id, mut event) in identifying() {
        event["id"] = json!(id);
        let device = event["token"].as_str().map_or(["", ""], |token| ["android", token]);
        for payload in [sqs(&event), sqs(&bridge(UUID, &event))] {
            let line = line(&stage, payload).await;
            assert_eq!(line.get("event_id"), None, "{id}: {line}");
            assert_eq!(line["event_id_hash"], fingerprint(device[0], device[1], id), "{id}");
            assert_eq!(line["message_id"], "059f36b4-87a3-44ab-83d2-661975830a7d");
        }
        assert!(!stage.printed().contains(id), "{id}");
    }
}

#[tokio::test]
async fn an_opaque_event_id_is_logged_unchanged() {
    let stage = Stage::new().await;
    for id in [
        UUID,
        "17793124-05d4-b198-2fde-7ededc63b103",
        "123e4567-e89b-12d3-a456-426614174000",
        ULID,
        "0ujtsYcgvSTl8PAuAdqWYSMnLOv",
        "64f2a1b3c4d5e6f708192a3b",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "JBSWY3DPEHPK3PXP",
        "V1StGXR8_Z5jdHi6B-myT",
    ] {
        for mut event in [login(MAIL), logout(PHONE), logout_all(), deletion(MAIL)] {
            event["id"] = json!(id);
            let line = line(&stage, sqs(&event)).await;
            assert_eq!((&line["event_id"], line.get("event_id_hash")), (&json!(id), None), "{event}");
        }
    }
}

#[tokio::test]
async fn an_event_without_an_id_is_logged_with_that_of_its_message() {
    let stage = Stage::new().await;
    let of_sqs = line(&stage, sqs(&logout_all())).await;
    assert_eq!(of_sqs["event_id"], of_sqs["message_id"]);
    let of_bridge = line(&stage, sqs(&bridge(UUID, &logout_all()))).await;
    assert_eq!(of_bridge["event_id"], UUID);
}

#[tokio::test]
async fn the_id_of_an_eventbridge_invocation_is_logged_as_a_message_id_by_the_same_rules() {
    let stage = Stage::new().await;
    for (id, mut event) in identifying() {
        // With an id of its own, and without.
        for own in [Some(json!(ULID)), None] {
            event.as_object_mut().unwrap().remove("id");
            if let Some(own) = own {
                event["id"] = own;
            }
            let line = line(&stage, bridge(id, &event).to_string()).await;
            assert_eq!(line.get("message_id"), None, "{id}: {line}");
            let device = event["token"].as_str().map_or(["", ""], |token| ["android", token]);
            assert_eq!(line["message_id_hash"], fingerprint(device[0], device[1], id), "{line}");
            assert!(!stage.printed().contains(id), "{id}");
        }
    }
    let line = line(&stage, bridge(UUID, &logout_all()).to_string()).await;
    assert_eq!((&line["message_id"], line.get("message_id_hash")), (&json!(UUID), None));
}

/// Such an event can't be read, so its id is compared with its whole text.
#[tokio::test]
async fn the_id_of_an_eventbridge_invocation_without_an_event_follows_the_same_rules() {
    let stage = Stage::new().await;
    let broken = |account: Value| json!({"app": "android", "token": TOKEN, "account_list": [{"account": account}, {}]});
    for (id, account) in [
        ("logout-13711112222-1", json!(PHONE)),
        ("64f2a1b3c4d5e6f708192a3b", json!(SUBJECT)),
        ("64f2a1b3-c4d5-e6f7-0819-2a3b00aa11bb", json!(SUBJECT)),
        ("6f0c2a4e-1b3d-4c5f-8a7b-a13711112222", json!(13_711_112_222_u64)),
        (UUID, json!(UUID)),
    ] {
        let event = json!({"id": id, "detail-type": "user.login", "detail": broken(account)}).to_string();
        let line = line(&stage, event).await;
        assert_eq!((line.get("message_id"), &line["outcome"]), (None, &json!("rejected")), "{id}: {line}");
        assert_eq!(line["message_id_hash"], fingerprint("", "", id));
    }
    let event = json!({"id": UUID, "detail-type": "user.login", "detail": broken(json!(MAIL))}).to_string();
    assert_eq!(line(&stage, event).await["message_id"], UUID);
    let event = json!({"detail-type": "user.login", "detail": broken(json!(MAIL))}).to_string();
    assert_eq!(line(&stage, event).await["message_id"], "-");
}

#[tokio::test]
async fn a_trace_of_another_form_than_x_rays_is_not_logged() {
    let stage = Stage::new().await;
    let event = |header: &str| {
        let message = Message::new("m0", logout_all().to_string()).trace_header(header);
        SqsEvent::of_queue("arn:aws:sqs:us-east-1:123456789012:auth-events").message(message).to_bytes()
    };
    for root in ["13711112222", "1-13711112222", "alice", "1-67f7c400-0123456789abcdef0123456g", "1-67f7c400"] {
        let line = line(&stage, event(&format!("Root={root};Sampled=1"))).await;
        assert_eq!(line.get("trace"), None, "{root}");
    }
    let line = line(&stage, event("Root=1-67f7c400-0123456789abcdef01234567;Sampled=1")).await;
    assert_eq!(line["trace"], "1-67f7c400-0123456789abcdef01234567");
}
