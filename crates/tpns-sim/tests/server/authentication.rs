//! Both authentications (facts.md, section 2), from the header to the code.

use serde_json::json;
use tpns_sim::AuthFailureStatus;

use crate::client::{ACCESS_ID, BATCH, Client, QUERY, SECRET, basic, builder, login, now, started};

const V4_BODY: &str = r#"{"operator_type":4,"token_list":["token1","token2","token3"]}"#;
const V4: [(&str, &str); 3] = [
    ("accessid", "1500001048"),
    ("timestamp", "1565314789"),
    ("sign", "ZDZkOWFhYWU0ZDI5MzAyNDFkMGU5OTdmNThlMzBjNTE1OGMxYmNkNmUzYTAwZGRhNjJiNGM2MTEyYjQwOTQ5Zg=="),
];

#[tokio::test]
async fn a_known_signature_is_accepted_when_the_window_is_off_and_stale_when_it_is_on() {
    let open = started(builder().timestamp_window(0)).await;
    let answer = Client::of(&open).post_with(BATCH, &V4, V4_BODY).await;
    assert_eq!(answer.expect("an answer").codes().0, 0);
    let windowed = started(builder()).await;
    let answer = Client::of(&windowed).post_with(BATCH, &V4, V4_BODY).await;
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, answer.codes()), (200, (1_008_003, vec![])));
    let hint = answer.header("x-tpns-sim-hint").expect("a hint");
    assert!(hint.starts_with("TimeStamp is "), "{hint}");
}

#[tokio::test]
async fn a_signature_over_other_bytes_is_refused() {
    let sim = started(builder().timestamp_window(0)).await;
    let spaced = V4_BODY.replace(":4,", ": 4,");
    let answer = Client::of(&sim).post_with(BATCH, &V4, spaced).await;
    let answer = answer.expect("an answer");
    assert_eq!(answer.json(), json!({"ret_code": 1_008_003, "err_msg": "auth failure", "result": []}));
}

#[tokio::test]
async fn basic_is_accepted_and_a_wrong_password_is_not() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    for (header, code) in [
        (basic(), 0),
        ("Basic MTUwMDAwMTA0ODpvdGhlcg==".to_owned(), 1_008_003),
        ("Basic MTpvdGhlcg==".to_owned(), 1_008_035),
    ] {
        let headers = [("Authorization", header.as_str())];
        let answer = client.post_with(BATCH, &headers, V4_BODY).await;
        assert_eq!(answer.expect("an answer").codes().0, code, "{header}");
    }
}

#[tokio::test]
async fn an_auth_failure_can_be_an_http_403_with_the_same_body() {
    let forbidden = AuthFailureStatus::Forbidden;
    let sim = started(builder().auth_failure_status(forbidden)).await;
    let client = Client::of(&sim);
    let answer = client.post_with(BATCH, &[], V4_BODY).await;
    let answer = answer.expect("an answer");
    assert_eq!((answer.status, answer.codes().0), (403, 1_008_003));
    let good = client.operate(&login("t", "a")).await;
    assert_eq!((good.status, good.codes().0), (200, 0));
}

#[tokio::test]
async fn the_query_api_refuses_with_its_own_key_names() {
    let sim = started(builder()).await;
    let answer = Client::of(&sim).post_with(QUERY, &[], "{}").await;
    assert_eq!(
        answer.expect("an answer").json(),
        json!({"retCode": 1_008_003, "errMsg": "auth failure", "result": []})
    );
}

#[tokio::test]
async fn a_refused_call_is_logged_for_the_app_it_names_and_changes_nothing() {
    let sim = started(builder()).await;
    let client = Client::of(&sim);
    let (time, access_id) = (now().to_string(), ACCESS_ID.to_string());
    let headers = [("AccessId", &*access_id), ("TimeStamp", &time), ("Sign", "AAAA")];
    let body = login("t", "a");
    let answer = client.post_with(BATCH, &headers, body.to_string()).await;
    answer.expect("an answer");
    let calls = sim.calls();
    assert_eq!(calls[0].app.as_deref(), Some("android"));
    assert_eq!(calls[0].ret_code.map(|code| code.0), Some(1_008_003));
    assert_eq!((calls[0].applied, calls[0].items), (false, 1));
    assert_eq!(calls[0].request.as_ref(), Some(&body));
    assert!(sim.bindings()["android"].is_empty());
    let whole_log = format!("{calls:?}");
    assert!(!whole_log.contains(SECRET));
}
