//! TPNS's two paths as a client sees them.

use serde_json::{Value, json};

use crate::client::{BATCH, Client, QUERY, basic, builder, login, started};

async fn post(client: &Client, body: &str) -> Value {
    let authorization = basic();
    let headers = [("Authorization", &*authorization)];
    let answer = client.post_with(BATCH, &headers, body).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.status, 200);
    answer.json()
}

#[tokio::test]
async fn every_documented_sample_is_accepted_and_done() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    let both = |operator_type: u8| {
        json!({"operator_type": operator_type, "token_accounts": [
            {"token": "token1", "account_list": [{"account": "926@126.com"}, {"account": "1527000000"}]},
            {"token": "token2", "account_list": [{"account": "926@163.com"}, {"account": "1527000001"}]}]})
    };
    let left = [
        (both(1), json!(["token1", "token2"])),
        (both(2), json!(["token1", "token2"])),
        (both(3), json!([])),
        (both(2), json!(["token1", "token2"])),
        (json!({"operator_type": 4, "token_list": ["token1", "token3"]}), json!(["token2"])),
        (
            json!({"operator_type": 5, "account_list": [{"account": "926@126.com"}, {"account": "1527000001"}]}),
            json!([]),
        ),
    ];
    for (body, tokens) in left {
        assert_eq!(
            client.operate(&body).await.json(),
            json!({"ret_code": 0, "err_msg": "NO_ERROR", "result": ["0", "0"]})
        );
        let bindings = serde_json::to_value(sim.bindings()).expect("serializable");
        let bound: Vec<&String> = bindings["android"].as_object().expect("an app").keys().collect();
        assert_eq!(json!(bound), tokens, "after {body}");
    }
}

#[tokio::test]
async fn every_reason_to_refuse_a_whole_call_has_its_code_and_a_hint_in_the_log() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    let many: Vec<Value> =
        (0..21).map(|index| json!({"token": format!("t{index}"), "account_list": [{"account": "a"}]})).collect();
    let many = json!({"operator_type": 2, "token_accounts": many}).to_string();
    for (body, code, message) in [
        ("{", 1_008_001, "parameter parse error"),
        ("", 1_008_001, "parameter parse error"),
        (r#"{"operator_type":4}"#, 1_008_002, "missing parameter"),
        (r#"{"operator_type":7}"#, 1_008_007, "invalid parameter"),
        (&many, 1_008_007, "invalid parameter"),
    ] {
        let expected = json!({"ret_code": code, "err_msg": message, "result": []});
        assert_eq!(post(&client, body).await, expected, "{body}");
        let call = sim.calls().pop().expect("a call");
        assert!(call.hint.is_some() && !call.applied, "{call:?}");
    }
    let operator_types: Vec<_> = sim.calls().iter().map(|call| call.operator_type).collect();
    assert_eq!(operator_types, [None, None, Some(4), Some(7), Some(2)]);
    assert_eq!(sim.calls()[4].items, 21);
    assert!(sim.bindings()["android"].is_empty());
}

#[tokio::test]
async fn the_result_has_a_code_per_item_in_request_order() {
    let sim = started(builder().known_tokens(["t1", "t2"])).await;
    let client = Client::of(&sim);
    let body = json!({"operator_type": 4, "token_list": ["t1", "stranger", "", "t2"]});
    assert_eq!(
        client.operate(&body).await.json(),
        json!({"ret_code": 1_008_026, "err_msg": "batch op, partly error",
               "result": ["0", "1008006", "1008029", "0"]})
    );
    let body = json!({"operator_type": 4, "token_list": ["stranger"]});
    let (code, result) = client.operate(&body).await.codes();
    assert_eq!((code, result), (1_008_027, vec!["1008006".to_owned()]));
}

#[tokio::test]
async fn the_query_api_returns_bindings_in_both_directions() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    client.operate(&login("t", "a")).await;
    let by_token = client.signed(QUERY, &json!({"operator_type": 2, "token_list": ["t"]})).await;
    let by_account = client.signed(QUERY, &json!({"operator_type": 1, "account_list": [{"account": "a"}]})).await;
    assert_eq!(
        by_token.expect("an answer").json()["token_accounts"],
        json!([{"token": "t", "account_list": [{"account": "a", "account_type": 0}]}])
    );
    assert_eq!(
        by_account.expect("an answer").json()["account_tokens"],
        json!([{"account": "a", "account_type": 0, "token_list": ["t"]}])
    );
    assert!(!sim.calls()[1].applied);
}

#[tokio::test]
async fn another_path_or_method_is_logged_and_answered_with_the_paths_that_exist() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    let lost = client.signed("/v3/push/app", &login("t", "a")).await;
    let lost = lost.expect("an answer");
    assert_eq!(lost.status, 404);
    assert!(lost.text.contains(BATCH), "{}", lost.text);
    assert_eq!(client.get(BATCH).await.status, 405);
    let calls = sim.calls();
    assert_eq!(calls[0].path, "/v3/push/app");
    assert_eq!((calls[0].status, calls[1].status), (Some(404), Some(405)));
}

#[tokio::test]
async fn the_apps_document_points_a_client_at_the_simulator() {
    let sim = started(builder()).await;
    let document: Value = serde_json::from_str(&sim.apps_document()).expect("JSON");
    assert_eq!(document["android"]["access_id"], 1_500_001_048);
    assert_eq!(document["ios"]["secret_key"], "ios-secret");
    assert_eq!(document["ios"]["endpoint"], sim.url());
    assert!(tpns_sim::Apps::from_json(&sim.apps_document()).is_ok());
}

#[tokio::test]
async fn a_simulator_without_apps_or_with_a_taken_port_does_not_start() {
    let none = tpns_sim::Sim::builder().start().await.expect_err("no app");
    assert!(none.to_string().contains("add at least one"), "{none}");
    let sim = started(builder()).await;
    let taken = builder().listen(sim.address()).start().await;
    let taken = taken.expect_err("the port is taken").to_string();
    assert!(taken.contains(&sim.address().to_string()), "{taken}");
}

#[tokio::test]
async fn a_dropped_simulator_closes_its_connections_and_its_port() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    client.operate(&login("t", "a")).await;
    drop(sim);
    assert!(client.signed(BATCH, &login("t", "a")).await.is_err());
}
