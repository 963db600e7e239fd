use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const NOW: Millis = 1_795_344_600_000;
const DAY: Millis = 86_400_000;

fn read(apps: &[&str], event: &Value) -> Result<Event, Invalid> {
    let json = event.to_string();
    let apps = AppNames::new(apps.iter().copied());
    let rules = Rules { apps: &apps, now: NOW, max_age: 14 * DAY, max_skew: 300_000, ledger: false };
    let fields = serde_json::from_str(&json).map_err(|_| explain::<EventFields>(&json, Place::Body))?;
    let fallbacks = Fallbacks { message_id: Some("message-1"), ..Fallbacks::default() };
    Event::new(fields, &fallbacks, &rules)
}

fn login() -> Value {
    json!({"type": "user.login", "id": "e1", "occurred_at": NOW, "app": "android", "token": "t1",
           "account_list": [{"account": "a1"}, {"account": "a2", "account_type": 1005}]})
}

/// `login()` with fields replaced; a field set to null is absent.
fn with(changes: &Value) -> Value {
    let mut event = login();
    for (field, value) in changes.as_object().unwrap() {
        event[field] = value.clone();
    }
    event.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    event
}

fn names(accounts: &[Account]) -> Vec<(&str, u32)> {
    accounts.iter().map(|each| (each.account.as_str(), each.account_type.0)).collect()
}

#[test]
fn a_login_carries_the_full_set_of_accounts() {
    let event = read(&["android"], &login()).unwrap();
    assert_eq!((event.version.at, event.version.rank, &*event.id), (NOW, Kind::Login, "e1"));
    let Change::Login(device, accounts) = &event.change else { panic!("not a login") };
    assert_eq!((device.app, device.token.as_str()), (AppId(0), "t1"));
    assert_eq!(names(accounts), [("a1", 0), ("a2", 1005)]);
}

#[test]
fn of_two_accounts_of_one_type_a_login_keeps_the_later_as_tpns_does() {
    let list = json!([{"account": "a1"}, {"account": "b", "account_type": 1}, {"account": "a2"}, {"account": "a2"}]);
    let event = read(&["android"], &with(&json!({"account_list": list}))).unwrap();
    let Change::Login(_, accounts) = &event.change else { panic!("not a login") };
    assert_eq!(names(accounts), [("b", 1), ("a2", 0)]);
}

#[test]
fn a_logout_without_accounts_signs_out_of_all_and_one_with_accounts_of_these() {
    let all = read(&["android"], &with(&json!({"type": "user.logout", "account_list": null}))).unwrap();
    assert!(matches!(all.change, Change::LogoutAll(_)));
    let list = json!([{"account": "a1"}, {"account": "a1"}, {"account": "a1", "account_type": 0}]);
    let some = read(&["android"], &with(&json!({"type": "user.logout", "account_list": list}))).unwrap();
    let Change::Logout(_, accounts) = &some.change else { panic!("not a logout") };
    let named: Vec<_> = accounts.iter().map(|each| (each.account.as_str(), each.account_type)).collect();
    assert_eq!(named, [("a1", None), ("a1", Some(AccountType(0)))], "doubles go; no type is not type 0");
}

#[test]
fn a_deletion_without_app_reaches_every_app() {
    let deletion =
        |app| read(&["android", "ios"], &with(&json!({"type": "account.deleted", "token": null, "app": app})));
    assert!(
        matches!(deletion(Value::Null).unwrap().change, Change::Deletion(apps, _) if *apps == [AppId(0), AppId(1)] && apps.every)
    );
    assert!(
        matches!(deletion(json!("ios")).unwrap().change, Change::Deletion(apps, _) if *apps == [AppId(1)] && !apps.every)
    );
}

#[test]
fn the_app_may_be_left_out_when_there_is_one() {
    assert!(read(&["android"], &with(&json!({"app": null}))).is_ok());
    let error = read(&["android", "ios"], &with(&json!({"app": null}))).unwrap_err();
    assert_eq!((error.reason, error.reason.as_str()), (Reason::MissingApp, "missing_field"));
    assert!(error.detail.starts_with("app: "), "{error}");
}

#[test]
fn times_are_read_to_the_millisecond_in_any_offset() {
    for (text, expected) in [
        (json!("2026-11-22T10:50:00Z"), NOW),
        (json!("2026-11-22T10:50:00.123Z"), NOW + 123),
        (json!("2026-11-22T10:50:00.1239999Z"), NOW + 123),
        (json!("2026-11-22T18:50:00+08:00"), NOW),
        (json!("2026-11-22T05:20:00.5-05:30"), NOW + 500),
        (json!(NOW + 7), NOW + 7),
    ] {
        assert_eq!(read(&["android"], &with(&json!({"occurred_at": text}))).unwrap().version.at, expected, "{text}");
    }
}

/// Every way to break the contract, with the reason and the field that the error must name.
#[test]
fn what_breaks_the_contract_is_refused_by_field() {
    let long = |length| "x".repeat(length);
    let accounts =
        |count: usize| (0..count).map(|n| json!({"account": n.to_string(), "account_type": n})).collect::<Vec<_>>();
    let table = [
        (json!({"type": null}), Reason::MissingField, "type"),
        (json!({"type": "user.renamed"}), Reason::UnknownType, "type"),
        (json!({"type": 5}), Reason::UnknownType, "type"),
        (json!({"id": 5}), Reason::InvalidField, "id"),
        (json!({"token": null}), Reason::MissingField, "token"),
        (json!({"token": ""}), Reason::InvalidField, "token"),
        (json!({"token": "t 1"}), Reason::InvalidField, "token"),
        (json!({"token": "t\u{a0}1"}), Reason::InvalidField, "token"),
        (json!({"token": "t\u{7}1"}), Reason::InvalidField, "token"),
        (json!({"token": long(65)}), Reason::InvalidField, "token"),
        (json!({"token": "tökén-✓"}), Reason::InvalidField, "token"),
        (json!({"id": long(129)}), Reason::InvalidField, "id"),
        (json!({"token": 5}), Reason::InvalidField, "token"),
        (json!({"app": "windows"}), Reason::UnknownApp, "app"),
        (json!({"app": ["android"]}), Reason::InvalidField, "app"),
        (json!({"account_list": null}), Reason::MissingField, "account_list"),
        (json!({"account_list": []}), Reason::MissingField, "account_list"),
        (json!({"account_list": {}}), Reason::InvalidField, "account_list"),
        (json!({"account_list": accounts(101)}), Reason::InvalidField, "account_list"),
        (json!({"account_list": ["a1"]}), Reason::InvalidField, "account_list[0]"),
        (json!({"account_list": [{"account": "a"}, {}]}), Reason::MissingField, "account_list[1].account"),
        (json!({"account_list": [{"account": ""}]}), Reason::InvalidField, "account_list[0].account"),
        (json!({"account_list": [{"account": long(101)}]}), Reason::InvalidField, "account_list[0].account"),
        (json!({"account_list": [{"account": "a\nb"}]}), Reason::InvalidField, "account_list[0].account"),
        (json!({"account_list": [{"account": "a "}]}), Reason::InvalidField, "account_list[0].account"),
        (json!({"account_list": [{"account": 5}]}), Reason::InvalidField, "account_list[0].account"),
        (
            json!({"account_list": [{"account": "a", "account_type": -1}]}),
            Reason::InvalidField,
            "account_list[0].account_type",
        ),
        (
            json!({"account_list": [{"account": "a", "account_type": "5"}]}),
            Reason::InvalidField,
            "account_list[0].account_type",
        ),
        (
            json!({"account_list": [{"account": "a", "account_type": 4_294_967_296_u64}]}),
            Reason::InvalidField,
            "account_list[0].account_type",
        ),
        (
            json!({"account_list": [{"account": "a", "account_type": 1.5}]}),
            Reason::InvalidField,
            "account_list[0].account_type",
        ),
        (json!({"occurred_at": "2026-11-22T10:50:00"}), Reason::InvalidField, "occurred_at"),
        (json!({"occurred_at": "yesterday"}), Reason::InvalidField, "occurred_at"),
        (json!({"occurred_at": 1.5}), Reason::InvalidField, "occurred_at"),
        (json!({"occurred_at": 18_446_744_073_709_551_615_u64}), Reason::InvalidField, "occurred_at"),
        (json!({"occurred_at": 1e300}), Reason::InvalidField, "occurred_at"),
        (json!({"occurred_at": true}), Reason::InvalidField, "occurred_at"),
        (json!({"occurred_at": null}), Reason::MissingField, "occurred_at"),
        (json!({"occurred_at": NOW - 14 * DAY - 1}), Reason::TooOld, "occurred_at"),
        (json!({"occurred_at": NOW / 1000}), Reason::TooOld, "occurred_at"),
        (json!({"occurred_at": -1}), Reason::TooOld, "occurred_at"),
        (json!({"occurred_at": NOW + 300_001}), Reason::InTheFuture, "occurred_at"),
        (json!({"type": "user.logout", "account_list": []}), Reason::InvalidField, "account_list"),
        (json!({"type": "account.deleted"}), Reason::InvalidField, "token"),
        (json!({"type": "account.deleted", "token": null, "account_list": null}), Reason::MissingField, "account_list"),
    ];
    for (changes, reason, field) in table {
        let error = read(&["android", "ios"], &with(&changes)).expect_err(&changes.to_string());
        assert_eq!(error.reason, reason, "{changes}: {error}");
        assert!(error.detail.starts_with(&format!("{field}: ")), "{changes}: {error}");
    }
}

#[test]
fn what_the_contract_allows_is_taken() {
    for changes in [
        json!({"token": "x".repeat(64)}),
        json!({"token": "!~"}),
        json!({"account_list": [{"account": "🦀".repeat(100)}]}),
        json!({"account_list": [{"account": "null"}, {"account": "a b", "account_type": u32::MAX}]}),
        json!({"account_list": [{"account": "a", "account_type": 0, "more": {"x": [1]}}]}),
        json!({"occurred_at": NOW - 14 * DAY}),
        json!({"occurred_at": NOW + 300_000}),
        json!({"id": ""}),
        json!({"id": "🦀".repeat(128)}),
        json!({"surprise": {"deep": [[[{}]]]}}),
    ] {
        assert!(read(&["android"], &with(&changes)).is_ok(), "{changes}");
    }
}

#[test]
fn a_repeated_key_is_refused_because_either_value_could_count() {
    let json = r#"{"type":"user.login","token":"t1","token":"t2"}"#;
    let error = explain::<EventFields>(json, Place::Body);
    assert_eq!((error.reason, &*error.detail), (Reason::InvalidField, "token: appears twice; keep one"));
    let json = r#"{"account_list":[{"account":"a","account":"b"}]}"#;
    assert_eq!(explain::<EventFields>(json, Place::Body).detail, "account_list[0].account: appears twice; keep one");
}

#[test]
fn ids_and_times_fall_back_from_the_event_to_eventbridge_to_sqs() {
    let raw = |text: &'static str| serde_json::from_str(text).unwrap();
    let own = || EventId::new("own");
    let bridge = || EventId::new("bridge");
    let all = Fallbacks {
        bridge_id: bridge(),
        bridge_time: Some(raw("\"2026-11-22T10:50:00Z\"")),
        sns_time: None,
        fifo: false,
        message_id: Some("message"),
        attributes: Some(raw(r#"{"ApproximateReceiveCount":"1","SentTimestamp":"1795344600001"}"#)),
    };
    assert_eq!(&*all.id(own()).unwrap(), "own");
    assert_eq!(&*all.id(EventId::new("")).unwrap(), "bridge", "an empty id counts as none");
    assert_eq!(&*all.id(None).unwrap(), "bridge");
    assert_eq!(all.time(Some(OccurredAt(5))).unwrap(), EventTime { at: 5, ahead: 0 });
    assert_eq!(all.time(None).unwrap().at, NOW);
    let sqs = Fallbacks { bridge_id: None, bridge_time: None, ..all.clone() };
    assert_eq!(&*sqs.id(None).unwrap(), "message");
    assert_eq!(sqs.time(None).unwrap().at, NOW + 1);
    let none = Fallbacks::default();
    assert_eq!(none.id(None).unwrap_err().reason, Reason::MissingField);
    assert_eq!(none.time(None).unwrap_err().reason, Reason::MissingField);
    let bad = Fallbacks { bridge_time: Some(raw("\"noon\"")), ..all };
    assert_eq!(bad.time(None).unwrap_err().detail, "time: EventBridge's time must be an RFC 3339 time with an offset");
}

#[test]
fn another_text_in_place_of_the_id_leaves_the_order_of_a_fifo_queue() {
    let mut event = read(&["android"], &login()).unwrap();
    event.name_in_version(|id| format!("<{id}>"));
    assert_eq!((&*event.version.tie_breaker, &*event.id), ("<e1>", "e1"));
    let attributes = serde_json::from_str(r#"{"SequenceNumber":"00000000018873491"}"#).unwrap();
    let fifo = Fallbacks { fifo: true, attributes: Some(attributes), ..Fallbacks::default() };
    let id: Text = "e1".into();
    event.version.tie_breaker = fifo.tie_breaker(Kind::Login, &id);
    assert_eq!(&*event.version.tie_breaker, "~0818873491~e1");
    event.name_in_version(|_| "hidden".to_owned());
    assert_eq!(&*event.version.tie_breaker, "~0818873491~hidden");
}

#[test]
fn at_equal_times_privacy_wins_and_the_id_breaks_the_tie() {
    let version = |at, rank, id: &str| Version { at, rank, tie_breaker: id.into() };
    let order = [
        version(1, Kind::Deletion, "z"),
        version(2, Kind::Login, "a"),
        version(2, Kind::Login, "b"),
        version(2, Kind::Logout, "a"),
        version(2, Kind::Deletion, "a"),
        version(3, Kind::Login, "a"),
    ];
    assert!(order.is_sorted(), "{order:?}");
}

proptest! {
    /// Whatever a field holds, an error contains none of it.
    #[test]
    fn no_error_quotes_a_value(field in "(type|id|occurred_at|app|token|account_list)", secret in "[a-z]{6}, expected [A-Z]{9}[\u{0}-\u{20}]?") {
        let values = [json!(secret), json!([{"account": secret, "account_type": secret}]), json!({secret.clone(): secret}), json!([secret])];
        for value in values {
            if let Err(error) = read(&["android"], &with(&json!({field.clone(): value}))) {
                let shown = error.to_string();
                prop_assert!(!shown.contains(&secret[..6]) && !shown.contains(&secret[17..26]), "{shown}");
            }
        }
    }
}
