use super::*;
use crate::outcome::Reason;

/// 2026-11-22T08:20:00.500Z
const NOW: Millis = 1_795_335_600_500;
const DAY: Millis = 86_400_000;
const ID: &str = "01JDA2V6K0Q3N8Z4T5W6X7Y8Z9";

fn settings(apps: Option<&[&str]>) -> Settings {
    let apps = apps.map(|names| AppNames::new(names.iter().copied()));
    Settings { apps, max_age: 14 * DAY, max_skew: 300_000, ledger: true }
}

fn words(body: &str) -> Vec<&'static str> {
    settings(None).preview(body, NOW).warnings.iter().map(Warning::word).collect()
}

fn parked(body: &str, apps: Option<&[&str]>) -> Option<Reason> {
    settings(apps).preview(body, NOW).verdict.err().map(|invalid| invalid.reason)
}

/// A login without anything to warn of, with one text replaced.
fn login(old: &str, new: &str) -> String {
    let body = format!(
        r#"{{"type":"user.login","id":"{ID}","occurred_at":"2026-11-22T08:15:30.123Z","app":"android","token":"05da87c0ae5973bd2dfa9e08d884aada5bb2","account_list":[{{"account":"926@126.com","account_type":1005}},{{"account":"1527000000"}}]}}"#
    );
    assert!(body.contains(old), "{old}");
    body.replace(old, new)
}

fn logout(occurred_at: &str, rest: &str) -> String {
    format!(r#"{{"type":"user.logout","id":"{ID}","occurred_at":{occurred_at},"app":"android","token":"t"{rest}}}"#)
}

#[test]
fn the_example_of_the_readme_has_no_warning() {
    assert_eq!(words(&login("", "")), [""; 0]);
    assert_eq!(parked(&login("", ""), None), None);
}

#[test]
fn each_oddity_of_a_login_has_its_warning() {
    for (old, new, expected) in [
        (r#""occurred_at":"2026-11-22T08:15:30.123Z","#, "", "no_time"),
        ("30.123Z", "30Z", "whole_seconds"),
        ("30.123Z", "30.000Z", "whole_seconds"),
        (r#""2026-11-22T08:15:30.123Z""#, "1795335330000", "whole_seconds"),
        (r#""2026-11-22T08:15:30.123Z""#, "1795335700500", "clock_ahead"),
        (r#""2026-11-22T08:15:30.123Z""#, "1795335330", "seconds"),
        (r#""app":"android","#, "", "no_app"),
        (r#","account_type":1005"#, "", "account_replaced"),
        (r#""id":"01JDA2V6K0Q3N8Z4T5W6X7Y8Z9","#, "", "no_id"),
        (ID, "", "no_id"),
        (ID, "login-7", "id_not_shown"),
        (ID, "9f86d1527000000a", "id_not_shown"),
        ("05da87c0ae5973bd2dfa9e08d884aada5bb2", &"a1".repeat(32), "long_token"),
        (r#""app""#, r#""ocurred_at":1,"app""#, "ignored_field"),
    ] {
        assert_eq!(words(&login(old, new)), [expected], "{new}");
    }
}

#[test]
fn each_oddity_of_an_unbind_has_its_warning() {
    let account = r#","account_list":[{"account":"ann"}]"#;
    assert_eq!(words(&logout("1795335330123", account)), [""; 0]);
    assert_eq!(words(&logout("1795335330123", "")), ["every_account"]);
    // A misspelt list signs out everyone.
    let misspelt = account.replace("account_list", "acount_list");
    assert_eq!(words(&logout("1795335330123", &misspelt)), ["every_account", "ignored_field"]);
    // These are applied, and lose to everything else.
    assert_eq!(words(&logout("1795335330", account)), ["seconds"]);
    assert_eq!(parked(&logout("1795335330", account), None), None);
    assert_eq!(words(&logout("1700000000123", account)), ["old_unbind"]);
    // Microseconds.
    assert_eq!(words(&logout("1795335330123456", account)), ["clock_ahead"]);
    let deletion = format!(
        r#"{{"type":"account.deleted","id":"{ID}","occurred_at":1795335330123,"account_list":[{{"account":"ann"}}]}}"#
    );
    assert_eq!(words(&deletion), ["every_app"]);
    assert!(settings(Some(&["android"])).preview(&deletion, NOW).warnings.is_empty());
}

#[test]
fn an_event_that_the_function_would_park_has_the_functions_reason() {
    let old = login("2026-11-22", "2023-11-22");
    assert_eq!(parked(&old, None), Some(Reason::TooOld));
    assert_eq!(parked(&login(r#""2026-11-22T08:15:30.123Z""#, "1795335330"), None), Some(Reason::TooOld));
    assert_eq!(parked(&login("2026-11-22", "2026-11-23"), None), Some(Reason::InTheFuture));
    assert_eq!(parked(&login("android", "windows"), Some(&["android"])), Some(Reason::UnknownApp));
    assert_eq!(parked(&login("android", "windows"), None), None);
    assert_eq!(parked(&login("token", "Token"), None), Some(Reason::InvalidField));
    assert_eq!(parked(r#"{"type":"user.login""#, None), Some(Reason::MalformedJson));
    let unbind = logout("1700000000123", "");
    let without_ledger = Settings { ledger: false, ..settings(None) }.preview(&unbind, NOW);
    assert_eq!(without_ledger.verdict.map_err(|invalid| invalid.reason), Err(Reason::TooOld));
    assert!(without_ledger.warnings.iter().all(|warning| *warning != Warning::OldUnbind));
}

#[test]
fn an_event_in_an_envelope_is_checked_as_a_bare_one() {
    let detail = login(r#""type":"user.login","#, "").replace("30.123Z", "30Z");
    let bridge = format!(r#"{{"detail-type":"user.login","time":"2026-11-22T08:15:31Z","detail":{detail}}}"#);
    assert_eq!(words(&bridge), ["whole_seconds"]);
    let timeless = bridge.replace(r#""occurred_at":"2026-11-22T08:15:30Z","#, "");
    assert_eq!(words(&timeless), ["time_of_envelope"]);
    let sns = |message: &str| {
        serde_json::json!({"Type": "Notification", "Message": message, "Timestamp": "2026-11-22T08:15:31.5Z"})
            .to_string()
    };
    for (body, envelope) in [
        (login("", ""), EnvelopeKind::Bare),
        (bridge.clone(), EnvelopeKind::EventBridge),
        (sns(&login("", "")), EnvelopeKind::Sns),
        (sns(&bridge), EnvelopeKind::SnsEventBridge),
        ("{}".into(), EnvelopeKind::Unknown),
        ("[".into(), EnvelopeKind::Unknown),
    ] {
        let opened = Opened::new(&body);
        assert_eq!(opened.envelope, envelope, "{body}");
        let is_event = envelope != EnvelopeKind::Unknown;
        assert_eq!(opened.app(), is_event.then_some("android"), "{body}");
        assert_eq!(opened.kind(), is_event.then_some(Kind::Login), "{body}");
    }
}

#[test]
fn events_of_one_time_or_one_id_are_found_and_an_event_that_appears_twice_is_harmless() {
    let other_id = "9f86d081884c7d65";
    let lines = [
        (login("", ""), vec![]),
        (login("", ""), vec![]),
        (login(ID, other_id), vec![Warning::SameTime { line: 1 }]),
        (login("30.123Z", "31.123Z"), vec![Warning::SameId { line: 1 }]),
        (login("android", "ios"), vec![Warning::SameId { line: 1 }]),
        (
            login(ID, other_id).replace("android", "ios"),
            vec![Warning::SameTime { line: 5 }, Warning::SameId { line: 3 }],
        ),
    ];
    let mut neighbours = Neighbours::default();
    for (line, (body, expected)) in (1..).zip(lines) {
        let mut preview = settings(None).preview(&body, NOW);
        neighbours.add(line, &mut preview);
        assert_eq!(preview.warnings, expected, "line {line}");
    }
}
