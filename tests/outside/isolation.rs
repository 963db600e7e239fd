//! A failure affects only the events it concerns, and the log has the reason.

use std::time::Duration;

use serde_json::{Value, json};
use tpns_sim::Fault;

use crate::stage::{Stage, deletion, login, logout, logout_of};

/// Bad messages, with the reason and field that the log must name.
#[tokio::test]
async fn one_bad_message_fails_alone_with_its_reason_and_field() {
    let stage = Stage::with(&[("MAX_EVENT_AGE", "3650d")]).await;
    let good = login(1, "token-good", &["neighbour"]);
    let with = |field: &str, value: Value| {
        let mut event: Value = serde_json::from_str(&login(1, "token-bad", &["other"])).unwrap();
        event[field] = value;
        event.to_string()
    };
    let table = [
        ("not JSON".to_owned(), "malformed_json", "body: "),
        (String::new(), "malformed_json", "body: "),
        (r#"{"type":"user.login","token":"\ud800"}"#.to_owned(), "malformed_json", "body: "),
        ("[".repeat(100_000), "malformed_json", "body: "),
        (with("type", json!("user.renamed")), "unknown_type", "type: "),
        (with("type", json!(null)), "unknown_envelope", "type: "),
        (with("token", json!(null)), "missing_field", "token: "),
        (with("token", json!("t t")), "invalid_field", "token: "),
        (with("account_list", json!([{"account_type": 1}])), "missing_field", "account_list[0].account: "),
        (
            with("account_list", json!([{"account": "x", "account_type": 1e30}])),
            "invalid_field",
            "account_list[0].account_type: ",
        ),
        (with("app", json!("windows")), "unknown_app", "app: "),
        (with("app", json!(null)), "missing_field", "app: "),
        (with("occurred_at", json!("2001-01-01T00:00:00Z")), "too_old", "occurred_at: "),
        (with("occurred_at", json!("2999-01-01T00:00:00Z")), "in_the_future", "occurred_at: "),
    ];
    for (n, (bad, reason, field)) in table.iter().enumerate() {
        stage.tpns.reset();
        assert_eq!(stage.batch(&[&good, bad, &good]).await, ["m1"], "{reason}");
        assert_eq!(stage.bound("android", "token-good"), ["neighbour/0"]);
        let lines = stage.lines("event failed");
        assert_eq!(lines.len(), n + 1, "one line for each failure");
        let line = &lines[n];
        assert_eq!(
            (&line["reason"], &line["outcome"], &line["message_id"]),
            (&json!(reason), &json!("rejected"), &json!("m1"))
        );
        assert!(line["detail"].as_str().unwrap().starts_with(field), "{line}");
    }
}

#[tokio::test]
async fn a_batch_is_merged_into_one_item_per_device() {
    let stage = Stage::new().await;
    let bodies = [
        login(3, "t1", &["carol"]),
        logout(2, "t1"),
        login(1, "t1", &["alice"]),
        login(1, "t2", &["alice"]),
        logout(2, "t2"),
    ];
    assert_eq!(stage.batch(&bodies).await, [""; 0]);
    let mut calls = stage.calls();
    calls.sort();
    assert_eq!(calls, [("android".into(), 2, 1), ("android".into(), 4, 1)]);
    assert_eq!(stage.bound("android", "t1"), ["carol/0"]);
    assert_eq!(stage.lines("event applied").len() + stage.lines("event superseded").len(), 5);
    assert_eq!(stage.lines("event superseded").len(), 3);
}

#[tokio::test]
async fn a_deletion_goes_first_and_to_every_app() {
    let stage = Stage::new().await;
    let bodies = [login(3, "t1", &["alice"]), deletion(2, "alice"), login(1, "t2", &["alice", "mail"])];
    assert_eq!(stage.batch(&bodies).await, [""; 0]);
    assert_eq!(stage.bound("android", "t1"), ["alice/0"], "logged in after the deletion");
    assert_eq!(stage.bound("android", "t2"), ["mail/1"]);
    let calls = stage.tpns.calls();
    let of_alice = |operator_type: i64| {
        let is_it = |call: &&tpns_sim::Call| {
            call.app.as_deref() == Some("android")
                && call.operator_type == Some(operator_type)
                && call.request.as_ref().unwrap().to_string().contains("alice")
        };
        calls.iter().find(is_it).unwrap().seq
    };
    assert!(of_alice(5) < of_alice(2), "the newer login waits for it");
    assert!(stage.calls().contains(&("ios".into(), 5, 1)));
}

#[tokio::test]
async fn a_deletion_is_acknowledged_only_when_every_app_has_accepted_it() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
    stage.tpns.fault(tpns_sim::Fault::status(500).app("ios"));
    let bodies = [deletion(1, "alice"), login(1, "t1", &["bob"])];
    assert_eq!(stage.batch(&bodies).await, ["m0"]);
    assert_eq!(stage.batch(&bodies[..1]).await, [""; 0]);
}

#[tokio::test]
async fn twenty_items_need_one_call_and_twenty_one_need_two() {
    let stage = Stage::new().await;
    let logins: Vec<_> = (0..21).map(|n| login(1, &format!("t{n}"), &["x"])).collect();
    assert_eq!(stage.batch(&logins[..20]).await, [""; 0]);
    assert_eq!(stage.calls(), [("android".into(), 2, 20)]);
    stage.tpns.reset();
    assert_eq!(stage.batch(&logins).await, [""; 0]);
    let mut calls = stage.calls();
    calls.sort();
    assert_eq!(calls, [("android".into(), 2, 1), ("android".into(), 2, 20)]);
}

#[tokio::test]
async fn one_connection_serves_warm_invocations() {
    let stage = Stage::new().await;
    for second in 1..5 {
        stage.batch(&[login(second, "t1", &["a"]), logout_of(second, "t2", "b")]).await;
    }
    let connections: std::collections::BTreeSet<_> = stage.tpns.calls().iter().map(|call| call.connection).collect();
    assert!(connections.len() <= 2, "two calls at a time: {connections:?}");
    assert_eq!(stage.function.cold_starts(), 1);
    assert_eq!(stage.function.violations(), []);
}

#[tokio::test]
async fn a_bad_item_is_found_and_its_neighbours_are_applied() {
    let stage = Stage::new().await;
    let logins: Vec<_> = (0..20).map(|n| login(1, &format!("t{n}"), &["x"])).collect();
    stage.tpns.fault(tpns_sim::Fault::ret_code(1_008_007).token("t7").forever());
    assert_eq!(stage.batch(&logins).await, ["m7"]);
    for n in (0..20).filter(|n| *n != 7) {
        assert_eq!(stage.bound("android", &format!("t{n}")), ["x/0"], "t{n}");
    }
    let line = &stage.lines("event failed")[0];
    assert_eq!((&line["reason"], &line["detail"]), (&json!("tpns_bad_input"), &json!("TPNS answered 1008007")));
}

#[tokio::test]
async fn logouts_of_a_device_are_applied_although_tpns_rejects_its_login() {
    let stage = Stage::new().await;
    stage.batch(&[login(1, "t1", &["alice"])]).await;
    stage.tpns.fault(tpns_sim::Fault::item_code(1_008_007).account("bad").forever());
    let failed = stage.batch(&[login(3, "t1", &["bad"]), logout_of(2, "t1", "alice")]).await;
    assert_eq!(failed, ["m0"]);
    assert_eq!(stage.bound("android", "t1"), [""; 0], "alice signed out");
}

/// A function in which a hanging call hangs to the end: no call timeout helps the others.
async fn patient(concurrency: &str) -> Stage {
    let settings = [("TPNS_TIMEOUT_MS", "60000"), ("TPNS_CONCURRENCY", concurrency), ("DEADLINE_RESERVE_MS", "4000")];
    Stage::within(Duration::from_secs(12), &settings).await
}

/// The outcome and reason of each event that failed, in the order of the messages.
fn failed(stage: &Stage) -> Vec<String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let sign = |line: &Value| ["message_id", "outcome", "reason"].map(|name| word(&line[name])).join(" ");
    stage.lines("event failed").iter().map(sign).collect()
}

fn logins(count: usize) -> Vec<String> {
    (0..count).map(|n| login(1, &format!("t{n}"), &["x"])).collect()
}

fn logouts(count: usize) -> Vec<String> {
    (0..count).map(|n| logout(2, &format!("t{n}"))).collect()
}

#[tokio::test]
async fn a_call_that_hangs_fails_alone() {
    let stage = patient("2").await;
    stage.tpns.fault(Fault::hang().token("t25").forever());
    let mut bodies = logins(100);
    bodies.extend([logout(1, "t100"), login(1, "t0", &["x"]).replace("android", "ios"), deletion(1, "gone")]);
    let expected: Vec<_> = (20..40).map(|n| format!("m{n}")).collect();
    assert_eq!(stage.batch(&bodies).await, expected);
    assert!(failed(&stage).iter().all(|sign| sign.ends_with("retry tpns_timeout")), "{:?}", failed(&stage));
    for n in (0..100).filter(|n| !(20..40).contains(n)) {
        assert_eq!(stage.bound("android", &format!("t{n}")), ["x/0"], "t{n}");
    }
    assert_eq!(stage.bound("ios", "t0"), ["x/0"]);
}

#[tokio::test]
async fn a_bad_item_is_found_while_another_call_hangs() {
    for fault in [Fault::ret_code(1_008_007), Fault::ret_code(1_008_005), Fault::status(400)] {
        let stage = patient("2").await;
        assert_eq!(stage.batch(&logins(40)).await, [""; 0]);
        stage.tpns.fault(fault.clone().token("t5").forever());
        stage.tpns.fault(Fault::hang().token("t25").forever());
        let expected: Vec<_> = std::iter::once(5).chain(20..40).map(|n| format!("m{n}")).collect();
        assert_eq!(stage.batch(&logouts(40)).await, expected, "{fault:?}");
        assert!(failed(&stage)[0].starts_with("m5 rejected"), "{fault:?}: {:?}", failed(&stage));
        for n in (0..20).filter(|n| *n != 5) {
            assert_eq!(stage.bound("android", &format!("t{n}")), [""; 0], "{fault:?} t{n}");
        }
    }
}

/// At any positions: the search for one does not wait for the other.
#[tokio::test]
async fn a_bad_item_is_found_in_a_batch_with_a_hanging_one() {
    let places = [(3, 10), (10, 3), (16, 0), (0, 16), (7, 8), (19, 18)];
    let found = places.map(async |(bad, hangs)| {
        let stage = patient("4").await;
        stage.tpns.fault(Fault::ret_code(1_008_005).token(format!("t{bad}")).forever());
        stage.tpns.fault(Fault::hang().token(format!("t{hangs}")).forever());
        stage.batch(&logouts(20)).await;
        let failed = failed(&stage);
        assert!(failed.contains(&format!("m{bad} rejected tpns_unknown_code")), "{bad}, {hangs}: {failed:?}");
        // Events in the same call as the hanging one are retried with it.
        assert!(failed.contains(&format!("m{hangs} retry tpns_timeout")), "{bad}, {hangs}: {failed:?}");
        assert!(failed.len() <= 1 + 10, "{bad}, {hangs}: {failed:?}");
    });
    futures_util::future::join_all(found).await;
}

#[tokio::test]
async fn a_slow_app_does_not_slow_the_other() {
    let stage = patient("2").await;
    stage.tpns.fault(Fault::delay(2000).app("android").forever());
    let mut bodies = logins(30);
    bodies.extend((0..30).map(|n| login(1, &format!("t{n}"), &["x"]).replace("android", "ios")));
    assert_eq!(stage.batch(&bodies).await, [""; 0]);
    for n in 0..30 {
        assert_eq!(
            (stage.bound("android", &format!("t{n}")), stage.bound("ios", &format!("t{n}"))),
            (vec!["x/0".into()], vec!["x/0".into()])
        );
    }
}
