//! Answers of TPNS that are easy to misread.

use std::{
    collections::BTreeMap,
    time::{SystemTime, UNIX_EPOCH},
};

use lambda_sim::{AwsApi, Queue};
use serde_json::{Value, json};
use tpns_sim::Fault;

use crate::stage::{Stage, deletion, login, logout, logout_of};

/// HTTP 200 with this body; the call takes effect.
fn answers(body: &str) -> Fault {
    Fault::malformed().body(body).apply(true)
}

/// The outcome and reason of each event that failed, by message id.
fn failed(stage: &Stage) -> BTreeMap<String, String> {
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let failed = stage.lines("event failed").into_iter();
    failed
        .map(|line| (word(&line["message_id"]), format!("{} {}", word(&line["outcome"]), word(&line["reason"]))))
        .collect()
}

fn tokens(count: usize) -> Vec<String> {
    (0..count).map(|n| format!("t{n}")).collect()
}

#[tokio::test]
async fn a_code_is_understood_in_any_notation() {
    for body in [
        "\u{feff}{\"ret_code\":0,\"err_msg\":\"NO_ERROR\",\"result\":[\"0\",\"0\"]}",
        r#"{"ret_code":"0","result":["0","0"]}"#,
        r#"{"retCode":"0","result":[0,0]}"#,
        r#"{"ret_code":" 0 ","result":[" 0 ","0"]}"#,
        r#"{"ret_code":0.0,"result":["0.0",0.0]}"#,
        r#"{"ret_code":"0"}"#,
        r#"{"ret_code":0,"result":"[\"0\",\"0\"]"}"#,
    ] {
        let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
        stage.tpns.fault(answers(body));
        assert_eq!(stage.batch(&[login(1, "t0", &["x"]), login(1, "t1", &["y"])]).await, [""; 0], "{body}");
        assert_eq!(stage.calls().len(), 1, "{body}");
    }
    for (body, expected) in [
        (r#"{"ret_code":"1008026","result":["0","1008007"]}"#, "rejected tpns_bad_input"),
        (r#"{"ret_code":1008026.0,"result":[0.0,1008007.0]}"#, "rejected tpns_bad_input"),
        ("\u{feff}{\"ret_code\":1008026,\"result\":[\"0\",\"1008007\"]}", "rejected tpns_bad_input"),
        (r#"{"ret_code":"1008026","result":"[\"0\",\"1008004\"]"}"#, "retry tpns_internal"),
    ] {
        let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
        stage.tpns.fault(answers(body));
        assert_eq!(stage.batch(&[login(1, "t0", &["x"]), login(1, "t1", &["y"])]).await, ["m1"], "{body}");
        assert_eq!(failed(&stage), BTreeMap::from([("m1".to_owned(), expected.to_owned())]), "{body}");
    }
    for (body, expected) in [
        (r#"{"ret_code":"1008003"}"#, "misconfigured tpns_auth_failed"),
        (r#"{"retCode":"1008028"}"#, "retry tpns_throttled"),
        (r#"{"ret_code":"none","result":["0"]}"#, "retry tpns_broken_answer"),
        (r#"{"ret_code":0.5,"result":["0"]}"#, "retry tpns_broken_answer"),
        (r#"{"ret_code":null,"result":["0"]}"#, "retry tpns_broken_answer"),
    ] {
        let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
        stage.tpns.fault(answers(body).apply(false));
        assert_eq!(stage.batch(&[login(1, "t0", &["x"])]).await, ["m0"], "{body}");
        assert_eq!(failed(&stage), BTreeMap::from([("m0".to_owned(), expected.to_owned())]), "{body}");
    }
}

#[tokio::test]
async fn a_success_whose_result_of_another_length_holds_an_error_is_halved() {
    for (body, expected) in [
        (r#"{"ret_code":0,"result":["0","1008007","0","0","0","0","0"]}"#, Some("rejected tpns_bad_input")),
        (r#"{"ret_code":0,"result":["1008006","1008006",0,0,0,0,0]}"#, Some("rejected tpns_invalid_token")),
        (r#"{"ret_code":"0","result":["later","0",0,0,0,0,0]}"#, Some("rejected tpns_unknown_code")),
        (r#"{"ret_code":0,"result":["1008004","0",0,0,0,0,0]}"#, Some("retry tpns_internal")),
        (r#"{"ret_code":0,"result":["1008006","1008007",0,0,0,0,0]}"#, Some("retry tpns_broken_answer")),
        (r#"{"ret_code":0,"result":"[1008007,0,0,0,0,0,0]"}"#, Some("rejected tpns_bad_input")),
        // Everything is ok, or nothing is known.
        (r#"{"ret_code":0,"result":["0","0","0","0","0","0","0"]}"#, None),
        (r#"{"ret_code":0,"result":["ok"]}"#, None),
        (r#"{"ret_code":0,"result":[]}"#, None),
        (r#"{"ret_code":0,"result":{}}"#, None),
        (r#"{"ret_code":0}"#, None),
    ] {
        let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
        stage.tpns.fault(answers(body).apply(expected.is_none()).token("t2").forever());
        let logins: Vec<_> = tokens(6).iter().map(|token| login(1, token, &["x"])).collect();
        let reported = stage.batch(&logins).await;
        let expected: BTreeMap<_, _> = expected.map(|why| ("m2".to_owned(), why.to_owned())).into_iter().collect();
        assert_eq!(failed(&stage), expected, "{body}");
        assert_eq!(reported, expected.keys().cloned().collect::<Vec<_>>(), "{body}");
        for token in tokens(6).iter().filter(|token| *token != "t2" || expected.is_empty()) {
            assert_eq!(stage.bound("android", token), ["x/0"], "{token}, {body}");
        }
    }
}

/// Rejections of whole calls, and the code in the log.
fn rejections() -> Vec<(Fault, i64)> {
    vec![
        (Fault::ret_code(1_008_005), 1_008_005),
        (Fault::ret_code(-1), -1),
        (Fault::ret_code(1_008_019), 1_008_019),
        (Fault::ret_code(1_008_007), 1_008_007),
        (Fault::status(400), 400),
        (Fault::status(413).body("<html>too large</html>"), 413),
        (Fault::status(422).body(r#"{"message":"no"}"#), 422),
        (Fault::status(400).body(r#"{"ret_code":0}"#), 400),
    ]
}

#[tokio::test]
async fn events_whose_calls_are_all_rejected_alike_are_reported_and_not_parked() {
    let aws = AwsApi::start().await.unwrap();
    let parked = aws.create_queue(Queue::builder("parked").build().unwrap());
    for (fault, code) in rejections() {
        for concurrency in ["1", "8"] {
            let stage = Stage::with(&[
                ("PARKING_QUEUE_URL", &parked),
                ("AWS_ENDPOINT_URL", &aws.url()),
                ("TPNS_CONCURRENCY", concurrency),
            ])
            .await;
            stage.tpns.fault(fault.clone().app("android").forever());
            let logouts: Vec<_> = tokens(200).iter().map(|token| logout(1, token)).collect();
            assert_eq!(stage.batch(&logouts).await.len(), 200, "{fault:?}");
            let calls = stage.calls().len();
            assert!(calls <= 10 + 3 + 6, "{fault:?}: ten calls, and a few to find the cause: {calls}");
            for line in stage.lines("event failed") {
                assert_eq!(line["outcome"], "retry", "{fault:?}");
                assert_eq!(line["reason"], "tpns_rejects_every_call", "{fault:?}");
                assert_eq!(line["detail"], format!("TPNS answered {code}"), "{fault:?}");
            }
            assert_eq!(aws.with_queue("parked", |queue| queue.messages().count()), Some(0), "{fault:?}");

            // The fault ends, and Lambda redelivers all of them.
            stage.tpns.reset();
            assert_eq!(stage.batch(&logouts).await, [""; 0], "{fault:?}");
            assert_eq!(stage.calls().len(), 10, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn an_app_whose_calls_are_all_rejected_does_not_affect_the_other() {
    for (fault, _) in rejections() {
        let stage = Stage::new().await;
        stage.tpns.fault(fault.clone().app("android").forever());
        let mut bodies: Vec<_> = tokens(45).iter().map(|token| login(1, token, &["x"])).collect();
        bodies.extend((0..45).map(|n| logout(1, &format!("out{n}"))));
        bodies.extend((0..45).map(|n| logout_of(1, &format!("part{n}"), "x")));
        bodies.extend((0..25).map(|n| deletion(1, &format!("gone{n}"))));
        let reported = bodies.len();
        bodies.extend(tokens(25).iter().map(|token| login(1, token, &["y"]).replace("android", "ios")));
        assert_eq!(stage.batch(&bodies).await.len(), reported, "{fault:?}");
        let calls = stage.calls().into_iter().filter(|(app, ..)| app == "android").count();
        assert!(calls <= 11 + 4 * (3 + 6), "{fault:?}: eleven calls, and a few of each operator_type: {calls}");
        assert!(stage.lines("event failed").iter().all(|line| line["outcome"] == "retry"), "{fault:?}");
        for token in tokens(25) {
            assert_eq!(stage.bound("ios", &token), ["y/0"], "{fault:?}");
        }
    }
}

/// Also if the app accepts everything else: it is not plausible that 100 items are at fault at the same time.
#[tokio::test]
async fn an_operator_type_whose_calls_are_all_rejected_is_reported() {
    for (fault, _) in rejections() {
        let stage = Stage::new().await;
        stage.tpns.fault(fault.clone().operator_type(4).forever());
        let mut bodies: Vec<_> = tokens(100).iter().map(|token| logout(1, token)).collect();
        bodies.push(login(1, "in", &["x"]));
        assert_eq!(stage.batch(&bodies).await.len(), 100, "{fault:?}");
        assert!(stage.lines("event failed").iter().all(|line| line["outcome"] == "retry"), "{fault:?}");
        assert_eq!(stage.bound("android", "in"), ["x/0"], "{fault:?}");
        assert!(stage.calls().len() <= 5 + 1 + 3 + 6, "{fault:?}: {:?}", stage.calls());
    }
}

#[tokio::test]
async fn the_items_at_fault_are_found_among_good_neighbours() {
    let every = |step: usize| (0..60).step_by(step).collect::<Vec<_>>();
    let places = [vec![0], vec![59], vec![0, 9, 19], vec![3, 10, 16], (0..12).collect(), every(20), every(7), every(2)];
    for (fault, _) in rejections() {
        let settings = [("AWS_LAMBDA_LOG_LEVEL", "INFO")];
        let stage = Stage::with(&settings).await;
        for bad in &places {
            stage.tpns.reset();
            for place in bad {
                stage.tpns.fault(fault.clone().token(format!("t{place}")).forever());
            }
            let before = stage.lines("event failed").len();
            let logins: Vec<_> = tokens(60).iter().map(|token| login(1, token, &["x"])).collect();
            let expected: Vec<_> = bad.iter().map(|place| format!("m{place}")).collect();
            assert_eq!(stage.batch(&logins).await, expected, "{fault:?} {bad:?}");
            let lines = stage.lines("event failed").split_off(before);
            assert!(lines.iter().all(|line| line["outcome"] == "rejected"), "{fault:?} {bad:?}: {lines:?}");
            for place in (0..60).filter(|place| !bad.contains(place)) {
                assert_eq!(stage.bound("android", &format!("t{place}")), ["x/0"], "{fault:?} {bad:?} t{place}");
            }
        }
    }
}

/// In small batches every neighbour is tried in a call of its own.
#[tokio::test]
async fn in_a_small_batch_the_one_good_item_is_found() {
    for count in 2..=6 {
        for good in 0..count {
            let stage = Stage::new().await;
            for place in (0..count).filter(|place| *place != good) {
                stage.tpns.fault(Fault::ret_code(1_008_005).token(format!("t{place}")).forever());
            }
            let logins: Vec<_> = tokens(count).iter().map(|token| login(1, token, &["x"])).collect();
            let expected: Vec<_> = (0..count).filter(|place| *place != good).map(|place| format!("m{place}")).collect();
            assert_eq!(stage.batch(&logins).await, expected, "{good} of {count}");
            assert!(
                failed(&stage).values().all(|failure| failure == "rejected tpns_unknown_code"),
                "{good} of {count}"
            );
        }
    }
}

#[tokio::test]
async fn an_event_alone_is_rejected_for_what_tpns_documents_and_reported_for_anything_else() {
    let unclear = "retry tpns_rejects_every_call";
    for (fault, expected) in [
        (Fault::ret_code(1_008_001), "rejected tpns_bad_input"),
        (Fault::ret_code(1_008_002), "rejected tpns_bad_input"),
        (Fault::ret_code(1_008_007), "rejected tpns_bad_input"),
        (Fault::status(422).body(r#"{"ret_code":1008001}"#), "rejected tpns_bad_input"),
        (Fault::ret_code(1_008_006), "rejected tpns_invalid_token"),
        (Fault::ret_code(1_008_029), "rejected tpns_invalid_token"),
        (Fault::ret_code(1_008_026), "rejected tpns_batch_error"),
        (Fault::item_code(1_008_006), "rejected tpns_invalid_token"),
        (Fault::item_code(1_008_005), "rejected tpns_unknown_code"),
        (Fault::ret_code(1_008_005), unclear),
        (Fault::ret_code(1_008_011), unclear),
        (Fault::ret_code(10_010_018), unclear),
        (Fault::ret_code(i64::MAX), unclear),
        (Fault::status(400), unclear),
        (Fault::status(409), unclear),
        (Fault::status(451), unclear),
    ] {
        for body in [login(1, "t0", &["x"]), logout(1, "t0"), logout_of(1, "t0", "x")] {
            let stage = Stage::new().await;
            stage.tpns.fault(fault.clone().forever());
            assert_eq!(stage.batch(&[&body]).await, ["m0"]);
            assert_eq!(failed(&stage), BTreeMap::from([("m0".to_owned(), expected.to_owned())]), "{fault:?} {body}");
            // A rejected login signs out the accounts that were signed in before.
            let signs_out = usize::from(expected.starts_with("rejected") && body.contains("login"));
            assert_eq!(stage.calls().len(), 1 + signs_out, "{fault:?} {body}");
        }
    }
}

/// A login that happened this many seconds ago.
fn login_ago(seconds: u64, token: &str, accounts: &[&str]) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let mut event: Value = serde_json::from_str(&login(1, token, accounts)).unwrap();
    event["occurred_at"] = json!((now - seconds) * 1000);
    event.to_string()
}

#[tokio::test]
async fn a_login_of_a_token_that_tpns_does_not_know_yet_is_retried_while_it_is_fresh() {
    let unknown = [1_008_006, 1_008_029, 10_110_008];
    for (code, fault) in
        unknown.into_iter().flat_map(|code| [(code, Fault::item_code(code)), (code, Fault::ret_code(code))])
    {
        let stage = Stage::new().await;
        stage.tpns.fault(fault.clone().operator_type(2).token("new").forever());
        let bodies = [login_ago(1, "new", &["x"]), login_ago(1, "known", &["y"])];
        assert_eq!(stage.batch(&bodies).await, ["m0"], "{fault:?}");
        let line = &stage.lines("event failed")[0];
        assert_eq!(
            (&line["outcome"], &line["reason"]),
            (&json!("retry"), &json!("tpns_token_not_yet_known")),
            "{fault:?}"
        );
        assert_eq!(line["detail"], format!("TPNS answered {code}"));
        assert_eq!(stage.bound("android", "known"), ["y/0"]);
        let alone = stage.tpns.calls().iter().filter(|call| call.items == 1).count();
        assert!(alone <= 2, "{fault:?}: too many calls");

        // The phone has registered by the next delivery.
        stage.tpns.reset();
        assert_eq!(stage.batch(&bodies[..1]).await, [""; 0], "{fault:?}");
        assert_eq!(stage.bound("android", "new"), ["x/0"]);

        stage.tpns.reset();
        stage.tpns.fault(fault.clone().operator_type(2).token("new").forever());
        assert_eq!(stage.batch(&[login_ago(130, "new", &["x"]), bodies[1].clone()]).await, ["m0"], "{fault:?}");
        assert_eq!(stage.lines("event failed")[1]["outcome"], "rejected", "{fault:?}: it is no longer fresh");
    }
}

/// If the logout were acknowledged, the login would be redelivered alone and bind the account.
#[tokio::test]
async fn events_merged_with_a_fresh_login_are_retried_with_it() {
    let stage = Stage::new().await;
    stage.tpns.fault(Fault::item_code(1_008_006).operator_type(2).token("new").forever());
    let now = || login_ago(0, "new", &["x", "y"]);
    let mut logout: Value = serde_json::from_str(&logout_of(1, "new", "x")).unwrap();
    logout["occurred_at"] = serde_json::from_str::<Value>(&now()).unwrap()["occurred_at"].clone();
    let bodies = [login_ago(5, "new", &["x", "y"]), logout.to_string(), login_ago(0, "known", &["z"])];
    assert_eq!(stage.batch(&bodies).await, ["m0", "m1"]);
    assert!(failed(&stage).values().all(|failure| failure == "retry tpns_token_not_yet_known"), "{:?}", failed(&stage));
    stage.tpns.reset();
    assert_eq!(stage.batch(&bodies[..2]).await, [""; 0]);
    assert_eq!(stage.bound("android", "new"), ["y/1"]);
}
