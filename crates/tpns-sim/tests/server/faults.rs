//! Faults that are complete HTTP answers.

use serde_json::{Value, json};
use tpns_sim::{Fault, RunningSim};

use crate::client::{Client, QUERY, builder, login, started};

fn last_fault(sim: &RunningSim) -> Option<&'static str> {
    sim.calls().last().and_then(|call| call.fault)
}

fn is_bound(sim: &RunningSim) -> bool {
    sim.bindings()["android"].contains_key("t")
}

async fn with(fault: Fault) -> (RunningSim, Client) {
    let sim = started(builder()).await;
    sim.fault(fault);
    let client = Client::of(&sim);
    (sim, client)
}

#[tokio::test]
async fn a_status_comes_with_its_retry_after_and_body_and_without_effect() {
    let body = r#"{"ret_code":1008028,"err_msg":"request too fast"}"#;
    let (sim, client) = with(Fault::status(429).retry_after("2").body(body)).await;
    let answer = client.operate(&login("t", "a")).await;
    assert_eq!((answer.status, answer.text.as_str()), (429, body));
    assert_eq!(answer.header("retry-after"), Some("2"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let call = &sim.calls()[0];
    assert_eq!((call.status, call.fault, call.applied), (Some(429), Some("status"), false));
    assert_eq!(call.ret_code.map(|code| code.0), Some(1_008_028));
    assert!(!is_bound(&sim));
    assert_eq!(client.operate(&login("t", "a")).await.status, 200);
}

#[tokio::test]
async fn a_bare_status_has_an_empty_body_and_may_still_take_effect() {
    let (sim, client) = with(Fault::status(504).apply(true)).await;
    let answer = client.operate(&login("t", "a")).await;
    assert_eq!((answer.status, answer.text.as_str()), (504, ""));
    assert_eq!(answer.header("retry-after"), None);
    assert!(is_bound(&sim) && sim.calls()[0].applied);
}

#[tokio::test]
async fn a_ret_code_comes_with_its_message_and_an_empty_result_unless_given() {
    let (sim, client) = with(Fault::ret_code(1_008_004)).await;
    assert_eq!(
        client.operate(&login("t", "a")).await.json(),
        json!({"ret_code": 1_008_004, "err_msg": "invoke service error", "result": []})
    );
    assert!(!is_bound(&sim));
    let free = json!({"fault": "ret_code", "ret_code": 7, "err_msg": "x", "result": ["1", "2"]});
    client.control("/_sim/faults", &free).await;
    assert_eq!(
        client.operate(&login("t", "a")).await.json(),
        json!({"ret_code": 7, "err_msg": "x", "result": ["1", "2"]})
    );
}

#[tokio::test]
async fn an_item_code_fails_the_items_it_names_and_the_others_succeed() {
    let (sim, client) = with(Fault::item_code(1_008_006).token("t2").forever()).await;
    let body = json!({"operator_type": 2, "token_accounts": [
        {"token": "t1", "account_list": [{"account": "a"}]},
        {"token": "t2", "account_list": [{"account": "b"}]}]});
    let (code, result) = client.operate(&body).await.codes();
    assert_eq!((code, result), (1_008_026, vec!["0".to_owned(), "1008006".to_owned()]));
    let tokens: Vec<_> = sim.bindings()["android"].keys().cloned().collect();
    assert_eq!(tokens, ["t1"]);
    // A call without the token does not match, and one with no other token fails as a whole.
    assert_eq!(client.operate(&login("t1", "a")).await.codes().0, 0);
    assert_eq!(client.operate(&login("t2", "b")).await.codes().0, 1_008_027);
    assert!(!sim.calls()[2].applied);
}

#[tokio::test]
async fn an_item_code_by_account_can_be_restricted_to_one_type() {
    let (_sim, client) = with(Fault::item_code(1_008_004).account("a").account_type(9).forever()).await;
    let body = json!({"operator_type": 5, "account_list": [
        {"account": "a"}, {"account": "a", "account_type": 9}, {"account": "b", "account_type": 9}]});
    let (_, result) = client.operate(&body).await.codes();
    assert_eq!(result, ["0", "1008004", "0"]);
}

#[tokio::test]
async fn a_malformed_body_is_not_json_under_status_200() {
    let (sim, client) = with(Fault::malformed()).await;
    let answer = client.operate(&login("t", "a")).await;
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_str::<Value>(&answer.text).is_err());
    assert!(!is_bound(&sim));
    sim.fault(Fault::malformed().body("<html>oops</html>"));
    assert_eq!(client.operate(&login("t", "a")).await.text, "<html>oops</html>");
}

#[tokio::test]
async fn a_result_can_be_shorter_or_longer_than_the_request() {
    let body = json!({"operator_type": 4, "token_list": ["t1", "t2"]});
    for (fault, expected) in [
        (Fault::result_length(-1), (1_008_026, 1)),
        (Fault::result_length(2), (1_008_026, 4)),
        (Fault::result_length(-9), (1_008_026, 0)),
    ] {
        let (_sim, client) = with(fault).await;
        let (code, result) = client.operate(&body).await.codes();
        assert_eq!((code, result.len()), expected);
    }
    let (sim, client) = with(Fault::hang().times(0)).await;
    let fault = json!({"fault": "result_length", "delta": -1, "ret_code": 0});
    client.control("/_sim/faults", &fault).await;
    assert_eq!(client.operate(&login("t", "a")).await.codes(), (0, vec![]));
    assert!(is_bound(&sim));
}

#[tokio::test]
async fn ok_words_replace_the_zero_and_the_message() {
    let (sim, client) = with(Fault::ok_words().times(2)).await;
    assert_eq!(
        client.operate(&login("t", "a")).await.json(),
        json!({"ret_code": 0, "err_msg": "ok", "result": ["ok"]})
    );
    assert!(is_bound(&sim));
    let mixed = json!({"operator_type": 4, "token_list": ["t", ""]});
    assert_eq!(
        client.operate(&mixed).await.json(),
        json!({"ret_code": 1_008_026, "err_msg": "batch op, partly error", "result": ["ok", "1008029"]})
    );
}

#[tokio::test]
async fn a_fault_hits_only_calls_in_its_scope_and_only_those_that_authenticate() {
    let (sim, client) = with(Fault::status(500).operator_type(3)).await;
    client.operate(&login("t", "a")).await;
    assert_eq!(last_fault(&sim), None);
    let unsigned = client.post_with("/v3/device/account/batchoperate", &[], r#"{"operator_type":3}"#).await;
    assert_eq!(unsigned.expect("an answer").codes().0, 1_008_003);
    assert_eq!(sim.faults_left(), 1);
    let unbind = json!({"operator_type": 3, "token_accounts": []});
    assert_eq!(client.operate(&unbind).await.status, 500);
    assert_eq!(last_fault(&sim), Some("status"));
}

#[tokio::test]
async fn the_query_api_is_hit_only_when_a_fault_says_so() {
    let (sim, client) = with(Fault::ret_code(1_008_004).forever()).await;
    let query = json!({"operator_type": 2, "token_list": ["t"]});
    let answer = client.signed(QUERY, &query).await.expect("an answer");
    assert_eq!(answer.json()["retCode"], 1_008_027);
    sim.fault(Fault::ret_code(1_008_028).on_query());
    let answer = client.signed(QUERY, &query).await.expect("an answer");
    assert_eq!(answer.json(), json!({"retCode": 1_008_028, "errMsg": "request too fast", "result": []}));
    sim.fault(Fault::item_code(1_008_006).on_query());
    let answer = client.signed(QUERY, &query).await.expect("an answer");
    assert_eq!(answer.json()["result"], json!(["1008006"]));
}
