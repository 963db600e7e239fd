//! Failures of TPNS: what is retried, what is reported, and that the invocation always ends in time.

use std::time::{Duration, Instant};

use lambda_sim::Outcome;
use serde_json::json;
use tpns_sim::Fault;

use crate::stage::{SECRETS, Stage, deletion, fifo, function, login, logout, numbered};

#[tokio::test]
async fn a_transient_failure_is_retried_within_the_invocation() {
    // Whether it was over in time. What was not may take effect later, so it is delivered once more.
    for (fault, in_time) in [
        (Fault::status(503), true),
        (Fault::status(429), true),
        (Fault::ret_code(1_008_004), true),
        (Fault::ret_code(1_008_028), true),
        (Fault::malformed(), true),
        (Fault::reset(), true),
        (Fault::truncated(), true),
        (Fault::disconnect(), true),
        (Fault::hang(), false),
    ] {
        let timeout = if in_time { "15000" } else { "3000" };
        let stage = Stage::with(&[("TPNS_TIMEOUT_MS", timeout)]).await;
        let name = format!("{fault:?}");
        stage.tpns.fault(fault);
        let logins = [login(1, "t1", &["x"]), login(1, "t2", &["y"])];
        let reported: &[&str] = if in_time { &[] } else { &["m0", "m1"] };
        assert_eq!(stage.batch(&logins).await, reported, "{name}");
        assert_eq!(stage.bound("android", "t2"), ["y/0"], "{name}");
        assert_eq!(stage.calls().len(), 2, "{name}: one more call");
        let reasons: Vec<_> = stage.lines("event failed").iter().map(|line| line["reason"].clone()).collect();
        assert_eq!(reasons, vec!["tpns_in_doubt"; reported.len()], "{name}");
        assert_eq!(stage.batch(&logins).await, [""; 0], "{name}");
    }
}

#[tokio::test]
async fn a_lasting_failure_is_reported_after_the_configured_number_of_attempts() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "4")]).await;
    stage.tpns.fault(Fault::status(503).forever());
    assert_eq!(stage.batch(&[login(1, "t1", &["x"])]).await, ["m0"]);
    assert_eq!(stage.calls().len(), 4);
    let line = &stage.lines("event failed")[0];
    assert_eq!((&line["outcome"], &line["reason"]), (&json!("retry"), &json!("tpns_unavailable")));
}

#[tokio::test]
async fn only_the_items_that_tpns_did_not_accept_are_retried() {
    let stage = Stage::new().await;
    stage.tpns.fault(Fault::item_code(1_008_004).token("t1"));
    assert_eq!(stage.batch(&[login(1, "t0", &["x"]), login(1, "t1", &["x"]), login(1, "t2", &["x"])]).await, [""; 0]);
    assert_eq!(stage.calls(), [("android".into(), 2, 3), ("android".into(), 2, 1)]);
}

#[tokio::test]
async fn retry_after_is_honoured_if_there_is_time() {
    let stage = Stage::new().await;
    stage.tpns.fault(Fault::status(503).retry_after("1"));
    let begun = Instant::now();
    assert_eq!(stage.batch(&[login(1, "t1", &["x"])]).await, [""; 0]);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    stage.tpns.fault(Fault::status(503).retry_after("3600"));
    let begun = Instant::now();
    assert_eq!(stage.batch(&[login(1, "t1", &["x"])]).await, ["m0"]);
    assert!(begun.elapsed() < Duration::from_secs(15), "there is no time for that, so the function does not wait");
}

#[tokio::test]
async fn a_result_of_another_length_is_never_read_by_index() {
    let stage = Stage::new().await;
    stage.tpns.fault(Fault::result_length(-1).apply(false));
    let logins: Vec<_> = (0..4).map(|n| login(1, &format!("t{n}"), &["x"])).collect();
    assert_eq!(stage.batch(&logins).await, [""; 0]);
    let items: Vec<_> = stage.calls().into_iter().map(|(.., items)| items).collect();
    assert_eq!(items, [4, 2, 2], "halved");
    for n in 0..4 {
        assert_eq!(stage.bound("android", &format!("t{n}")), ["x/0"]);
    }
}

#[tokio::test]
async fn a_wrong_key_is_reported_as_misconfigured_and_not_retried() {
    let stage = Stage::new().await;
    let wrong = stage.tpns.apps_document().replace(SECRETS[0], "another-secret");
    let stage = Stage { function: function(&wrong, &[]), tpns: stage.tpns };
    let bodies = [login(1, "t1", &["x"]), login(1, "t2", &["y"]), deletion(1, "z")];
    assert_eq!(stage.batch(&bodies).await, ["m0", "m1", "m2"]);
    let android = stage.tpns.calls().iter().filter(|call| call.ret_code == Some(tpns_sim::RetCode(1_008_003))).count();
    assert!((1..=2).contains(&android), "{android} calls: the deletion's and, at the same time, the logins'");
    let refusals = stage.lines("TPNS refuses the app; check access_id, secret_key, region and billing");
    assert_eq!(refusals.len(), 1, "once per invocation");
    assert_eq!((&refusals[0]["level"], &refusals[0]["detail"]), (&json!("ERROR"), &json!("TPNS answered 1008003")));
}

/// Calls continue until the reserve begins, less what reading needed.
#[tokio::test]
async fn a_hanging_tpns_never_makes_the_invocation_time_out() {
    let timeout = Duration::from_secs(12);
    let stage = Stage::within(timeout, &[("TPNS_TIMEOUT_MS", "60000"), ("DEADLINE_RESERVE_MS", "5000")]).await;
    stage.tpns.fault(Fault::hang().forever());
    let invocation = stage.function.invoke(numbered(&[login(1, "t1", &["x"]), logout(1, "t2")])).await.unwrap();
    let Outcome::Response { body } = invocation.outcome else { panic!("{:?}", invocation.outcome) };
    assert_eq!(crate::stage::failures(&serde_json::from_slice(&body).unwrap()), ["m0", "m1"]);
    let took = invocation.duration;
    assert!(took < timeout && took >= Duration::from_secs(4), "the time is used: {took:?}");
    assert_eq!(stage.function.cold_starts(), 1);
}

#[tokio::test]
async fn the_failure_of_one_app_does_not_affect_the_other() {
    let stage = Stage::with(&[("TPNS_TIMEOUT_MS", "1500"), ("TPNS_CONCURRENCY", "1")]).await;
    stage.tpns.fault(Fault::hang().app("android").forever());
    let mut bodies: Vec<_> = (0..200).map(|n| login(1, &format!("t{n}"), &["x"])).collect();
    bodies.push(login(1, "t1", &["x"]).replace("android", "ios"));
    let failed = stage.batch(&bodies).await;
    assert_eq!(failed.len(), 200);
    assert_eq!(stage.bound("ios", "t1"), ["x/0"]);
    let android = stage.calls().into_iter().filter(|(app, ..)| app == "android").count();
    assert!(
        (5..=6).contains(&android),
        "after several failures in a row the app is not called any more: {android} of 10 calls, 3 attempts each"
    );
}

#[tokio::test]
async fn an_unreachable_tpns_fails_every_event_and_nothing_else() {
    for endpoint in ["http://127.0.0.1:1", "https://127.0.0.1:1", "https://tpns.invalid"] {
        let stage = Stage::with(&[]).await;
        let apps = json!({"android": {"access_id": 1, "secret_key": "k", "endpoint": endpoint}}).to_string();
        let stage = Stage { function: function(&apps, &[("TPNS_TIMEOUT_MS", "1000")]), tpns: stage.tpns };
        assert_eq!(stage.batch(&[login(1, "t1", &["x"]), "bad".into()]).await, ["m0", "m1"], "{endpoint}");
        let line = &stage.lines("event failed")[0];
        assert_eq!((&line["outcome"], &line["message_id"]), (&json!("retry"), &json!("m0")), "{endpoint}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_no_tpns() {
    let stage = Stage::new().await;
    let apps = stage.tpns.apps_document().replace("http://", "https://");
    let stage = Stage { function: function(&apps, &[]), tpns: stage.tpns };
    assert_eq!(stage.batch(&[login(1, "t1", &["x"])]).await, ["m0"]);
    assert_eq!(stage.calls(), []);
}

#[tokio::test]
async fn killed_during_a_call_nothing_is_lost() {
    let stage = Stage::new().await;
    stage.tpns.fault(Fault::hang().apply(true));
    let invoked = stage.function.invoke(numbered(&[login(1, "t1", &["alice"])]));
    let killed = async {
        while stage.calls().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stage.function.kill();
    };
    let (outcome, ()) = tokio::join!(invoked, killed);
    assert!(matches!(outcome.unwrap().outcome, Outcome::Exited { .. }));
    // The queue redelivers it, together with a new message.
    assert_eq!(stage.batch(&[login(1, "t1", &["alice"]), logout(2, "t1")]).await, [""; 0]);
    assert_eq!(stage.bound("android", "t1"), [""; 0]);
    assert_eq!(stage.function.cold_starts(), 2);
}

#[tokio::test]
async fn in_a_fifo_queue_a_group_waits_for_its_failed_message() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
    stage.tpns.fault(Fault::item_code(1_008_004).token("t1"));
    let bodies = [
        (login(1, "t1", &["x"]), "g"),
        (login(1, "t2", &["x"]), "g"),
        (login(1, "t3", &["x"]), "h"),
        ("bad".into(), "h"),
        (logout(2, "t4"), "h"),
    ];
    let answer = stage.invoke(fifo(&bodies)).await;
    assert_eq!(
        crate::stage::failures(&answer),
        ["m0", "m1", "m3"],
        "g waits behind m0; h continues behind a message that can never be applied"
    );
}

#[tokio::test]
async fn a_login_that_a_failed_deletion_could_undo_is_retried_with_it() {
    let stage = Stage::with(&[("TPNS_MAX_ATTEMPTS", "1")]).await;
    stage.tpns.fault(Fault::status(503).app("android").operator_type(5));
    let bodies = [deletion(1, "alice"), login(2, "t1", &["alice"]), login(2, "t2", &["bob"])];
    assert_eq!(stage.batch(&bodies).await, ["m0", "m1"], "a later operator_type 5 would unbind alice from t1 again");
    assert_eq!(stage.bound("android", "t2"), ["bob/0"]);
    assert_eq!(stage.batch(&bodies[..2]).await, [""; 0]);
    assert_eq!(stage.bound("android", "t1"), ["alice/0"]);
}

#[tokio::test]
async fn ten_thousand_messages_need_five_hundred_calls() {
    // As long as a busy machine may need.
    let settings = [("AWS_LAMBDA_LOG_LEVEL", "INFO"), ("TPNS_TIMEOUT_MS", "60000")];
    let stage = Stage::within(Duration::from_secs(900), &settings).await;
    // Small bodies: with larger ones, ten thousand do not fit into the 6 MB of a payload.
    let bodies: Vec<_> =
        (0..10_000).map(|n| format!(r#"{{"type":"user.logout","token":"t{n}","app":"ios"}}"#)).collect();
    assert_eq!(stage.batch(&bodies).await, [""; 0]);
    assert_eq!(stage.calls(), vec![("ios".to_owned(), 4, 20); 500]);
}
