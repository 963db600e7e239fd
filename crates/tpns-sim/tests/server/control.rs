//! `/_sim`.

use serde_json::{Value, json};
use tpns_sim::Fault;

use crate::client::{Client, builder, login, now, started};

#[tokio::test]
async fn bindings_show_every_app_and_accounts_by_type() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    let body = json!({"operator_type": 2, "token_accounts": [{"token": "t2", "account_list": [
        {"account": "926@126.com", "account_type": 1005}, {"account": "z"}]},
        {"token": "t1", "account_list": [{"account": "b"}]}]});
    client.operate(&body).await;
    assert_eq!(
        client.get("/_sim/bindings").await.text,
        r#"{"android":{"t1":[{"account":"b","account_type":0}],"t2":[{"account":"z","account_type":0},{"account":"926@126.com","account_type":1005}]},"ios":{}}"#
    );
}

#[tokio::test]
async fn calls_show_every_field() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    client.operate(&login("t", "a")).await;
    let mut calls = client.get("/_sim/calls").await.json();
    let at_ms = calls[0]["at_ms"].take().as_u64().expect("epoch ms");
    assert!((now() - 5) * 1000 < at_ms && at_ms < (now() + 5) * 1000);
    assert_eq!(
        calls,
        json!([{
            "seq": 1, "at_ms": null, "app": "android", "path": "/v3/device/account/batchoperate",
            "operator_type": 2, "items": 1, "connection": 1, "user_agent": null, "status": 200, "ret_code": 0,
            "result": ["0"], "fault": null, "applied": true, "hint": null,
            "request": login("t", "a"),
        }])
    );
}

#[tokio::test]
async fn calls_can_be_read_from_a_sequence_number_on() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    for account in ["a", "b", "c"] {
        client.operate(&login("t", account)).await;
    }
    let later = client.get("/_sim/calls?since=2").await.json();
    assert_eq!((later[0]["seq"].as_u64(), later.as_array().map(Vec::len)), (Some(3), Some(1)));
    let bad = client.get("/_sim/calls?since=x").await;
    assert_eq!(bad.status, 400);
    assert!(bad.text.contains("`since`"), "{}", bad.text);
}

#[tokio::test]
async fn the_connection_number_distinguishes_reuse_from_a_new_connection() {
    let sim = started(builder()).await;
    let warm = Client::of(&sim);
    warm.operate(&login("t", "a")).await;
    warm.operate(&login("t", "a")).await;
    Client::of(&sim).operate(&login("t", "a")).await;
    let connections: Vec<u64> = sim.calls().iter().map(|call| call.connection).collect();
    assert_eq!(connections, [1, 1, 2]);
}

#[tokio::test]
async fn faults_are_posted_alone_or_in_an_array_and_shown_with_their_remaining_hits() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    let one = json!({"fault": "status", "status": 503, "times": 2, "token": "t"});
    let more = json!([{"fault": "hang"}, {"fault": "delay", "ms": 5, "probability": 0.5, "seed": 7}]);
    let posted = client.control("/_sim/faults", &one).await;
    assert_eq!(posted.json(), json!({"faults": 1}));
    let posted = client.control("/_sim/faults", &more).await;
    assert_eq!(posted.json(), json!({"faults": 3}));
    assert_eq!(client.operate(&login("t", "a")).await.status, 503);
    let left = client.get("/_sim/faults").await.json();
    assert_eq!(
        left[0],
        json!({"fault": "status", "status": 503, "token": "t", "api": "batchoperate",
               "skip": 0, "times": 1, "apply": false, "fired": 1, "id": 1})
    );
    assert_eq!(left[1]["times"], 1);
    assert_eq!((&left[2]["times"], &left[2]["seed"]), (&Value::Null, &json!(7)));
    assert_eq!(client.operate(&login("t", "a")).await.status, 503);
    assert_eq!(sim.faults_left(), 2);
}

#[tokio::test]
async fn a_bad_fault_is_refused_by_name_together_with_its_whole_array() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    let mixed = json!([{"fault": "hang"}, {"fault": "explode"}]);
    let refused = client.control("/_sim/faults", &mixed).await;
    assert_eq!(refused.status, 400);
    let error = refused.json()["error"].as_str().map(ToOwned::to_owned);
    let error = error.expect("a message");
    assert!(error.starts_with("fault 1: field `fault` must be one of status,"), "{error}");
    assert_eq!(sim.faults_left(), 0);
    let stranger = client.control("/_sim/faults", &json!({"fault": "hang", "app": "andriod"})).await;
    assert_eq!(stranger.json()["error"], r#"field `app` must be one of android, ios, not "andriod""#);
    let broken = client.post_with("/_sim/faults", &[], "{").await;
    assert_eq!(broken.expect("an answer").status, 400);
}

#[tokio::test]
async fn a_reset_deletes_what_it_names_or_everything() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    let fill = async || {
        client.operate(&login("t", "a")).await;
        sim.fault(Fault::hang());
    };
    let state = || {
        let bound = sim.bindings()["android"].len();
        (bound, sim.calls().len(), sim.faults_left())
    };
    fill().await;
    client.control("/_sim/reset", &json!({"calls": true})).await;
    assert_eq!(state(), (1, 0, 1));
    client.control("/_sim/reset", &json!({"faults": true})).await;
    assert_eq!(state(), (1, 0, 0));
    client.control("/_sim/reset", &json!({"bindings": true})).await;
    assert_eq!(state(), (0, 0, 0));
    fill().await;
    let all = client.post_with("/_sim/reset", &[], "").await;
    assert_eq!(all.expect("an answer").json(), json!({"bindings": true, "calls": true, "faults": true}));
    assert_eq!(state(), (0, 0, 0));
    fill().await;
    sim.reset();
    assert_eq!(state(), (0, 0, 0));
    let odd = client.control("/_sim/reset", &json!({"binding": true})).await;
    assert_eq!(odd.status, 400);
    assert!(odd.text.contains("bindings, calls and faults"), "{}", odd.text);
}

#[tokio::test]
async fn an_unknown_control_path_is_answered_with_those_that_exist_and_is_not_logged() {
    let sim = started(builder()).await;
    let lost = Client::of(&sim).get("/_sim/binding").await;
    assert_eq!(lost.status, 404);
    assert!(lost.text.contains("GET bindings"), "{}", lost.text);
    assert!(sim.calls().is_empty());
}
