//! The query API (facts.md, section 5).

use serde_json::{Value, json};
use tpns_sim::model::{Query, Tpns};

use super::{APP, account, login, per_type};

fn ask(tpns: &Tpns, body: &Value) -> Value {
    let query = Query::from_json(body.to_string().as_bytes()).expect("a good query");
    serde_json::to_value(tpns.query(APP, &query)).expect("serializable")
}

#[test]
fn a_query_by_account_returns_its_tokens_in_the_order_they_were_bound() {
    let mut tpns = per_type();
    for token in ["t2", "t1"] {
        tpns.batch_operate(APP, &login(token, &[("a", 1)]));
    }
    let body = json!({"operator_type": 1, "account_list": [
        {"account": "a", "account_type": 1}, {"account": "a"}]});
    let expected = json!({
        "retCode": 1_008_026, "errMsg": "batch op, partly error", "result": ["0", "10110008"],
        "account_tokens": [{"account": "a", "account_type": 1, "token_list": ["t2", "t1"]}],
    });
    assert_eq!(ask(&tpns, &body), expected);
}

#[test]
fn a_query_by_token_returns_its_accounts_by_type() {
    let mut tpns = per_type();
    tpns.batch_operate(APP, &login("t", &[("b", 1005), ("a", 0)]));
    let expected = json!({
        "retCode": 0, "errMsg": "NO_ERROR", "result": ["0"],
        "token_accounts": [{"token": "t", "account_list": [
            {"account": "a", "account_type": 0}, {"account": "b", "account_type": 1005}]}],
    });
    let body = json!({"operator_type": 2, "token_list": ["t"]});
    assert_eq!(ask(&tpns, &body), expected);
}

#[test]
fn an_unbound_token_and_an_invalid_one_have_their_own_item_codes() {
    let body = json!({"operator_type": 2, "token_list": ["t", ""]});
    let expected = json!({
        "retCode": 1_008_027, "errMsg": "batch op, total error",
        "result": ["10110008", "1008029"], "token_accounts": [],
    });
    assert_eq!(ask(&per_type(), &body), expected);
}

#[test]
fn a_query_without_items_or_of_an_unknown_app_is_refused_as_a_whole() {
    let empty = json!({"operator_type": 1, "account_list": []});
    let expected = json!({"retCode": 1_008_007, "errMsg": "invalid parameter", "result": []});
    assert_eq!(ask(&per_type(), &empty), expected);
    let answer = per_type().query("watch", &Query::ByAccount(vec![account("a", 0)]));
    assert_eq!(answer.answer.ret_code, 1_008_035);
    assert_eq!(answer.found, None);
}

#[test]
fn a_query_survives_a_round_trip_through_json() {
    for query in [Query::ByAccount(vec![account("a", 9)]), Query::ByToken(vec!["t".to_owned()])] {
        let body = serde_json::to_vec(&query).expect("serializable");
        assert_eq!(Query::from_json(&body), Ok(query));
    }
}
