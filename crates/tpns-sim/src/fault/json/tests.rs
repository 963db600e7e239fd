use std::collections::BTreeSet;

use serde_json::json;

use super::*;

fn refusal(fault: Value) -> String {
    Fault::from_json(fault).expect_err("must be refused").to_string()
}

#[test]
fn every_kind_survives_a_round_trip_through_json() {
    let faults = [
        Fault::status(503).retry_after("2").body("{}").app("ios"),
        Fault::ret_code(1_008_004).operator_type(2).skip(3).times(4),
        Fault::item_code(1_008_006).account("a").account_type(9),
        Fault::delay(10).forever().probability(0.25, 7),
        Fault::late(10).apply(false),
        Fault::late_effect(10).token("t"),
        Fault::lost_effect().probability(0.01, 7),
        Fault::hang().token("t").forever(),
        Fault::reset().apply(true),
        Fault::truncated().on_query(),
        Fault::malformed().body("<html>"),
        Fault::result_length(-1),
        Fault::ok_words(),
        Fault::disconnect(),
    ];
    let named: BTreeSet<&str> = faults.iter().map(|fault| fault.kind.name()).collect();
    assert_eq!(named, BTreeSet::from(FaultKind::NAMES));
    for fault in faults {
        assert_eq!(Fault::from_json(fault.to_json()), Ok(fault));
    }
}

#[test]
fn a_fault_hits_once_by_default_and_without_limit_with_a_probability() {
    let times = |fault: Value| Fault::from_json(fault).expect("a good fault").times;
    assert_eq!(times(json!({"fault": "hang"})), Some(1));
    assert_eq!(times(json!({"fault": "hang", "times": 3})), Some(3));
    assert_eq!(times(json!({"fault": "hang", "times": null})), None);
    assert_eq!(times(json!({"fault": "hang", "probability": 0.5})), None);
    assert_eq!(times(json!({"fault": "hang", "probability": 0.5, "times": 2})), Some(2));
}

#[test]
fn a_retry_after_is_a_number_of_seconds_or_a_date() {
    let header = |value: Value| {
        let fault = json!({"fault": "status", "status": 429, "retry_after": value});
        Fault::from_json(fault).map(|fault| fault.kind)
    };
    let expected = |text: &str| Ok(FaultKind::Status { status: 429, retry_after: Some(text.to_owned()), body: None });
    assert_eq!(header(json!(2)), expected("2"));
    let date = "Sun, 22 Nov 2026 08:15:30 GMT";
    assert_eq!(header(json!(date)), expected(date));
    assert!(header(json!("a\r\nb")).is_err());
    assert!(header(json!(-1)).is_err());
}

#[test]
fn a_refusal_names_the_field_and_what_it_may_be() {
    assert!(refusal(json!("hang")).contains("must be an object"));
    let missing = refusal(json!({}));
    assert!(missing.contains("`fault` is missing") && missing.contains("hang"), "{missing}");
    let unknown = refusal(json!({"fault": "hangs"}));
    assert!(unknown.contains("`fault` must be one of status, ret_code") && unknown.contains("hangs"));
    assert_eq!(refusal(json!({"fault": "status"})), "field `status` is missing: an HTTP status from 200 to 599");
    assert_eq!(
        refusal(json!({"fault": "status", "status": 99})),
        "field `status` must be an HTTP status from 200 to 599, not 99"
    );
    assert!(refusal(json!({"fault": "hang", "times": 0})).contains("`times`"));
    assert!(refusal(json!({"fault": "hang", "probability": 1.5})).contains("from 0 to 1"));
    assert!(refusal(json!({"fault": "hang", "operator_type": 6})).contains("1 to 5"));
    assert!(refusal(json!({"fault": "delay", "ms": 86_400_001})).contains("to 86400000"));
    assert!(refusal(json!({"fault": "effect", "late_ms": 86_400_001})).contains("to 86400000"));
    assert!(refusal(json!({"fault": "effect"})).contains("`late_ms` is missing"));
    assert!(refusal(json!({"fault": "effect", "late_ms": 5, "api": "query"})).contains("a query has no effect"));
    assert!(refusal(json!({"fault": "hang", "account_type": 9})).contains("`account` is missing"));
    assert!(refusal(json!({"fault": "item_code", "code": 0})).contains("other than 0"));
    assert!(refusal(json!({"fault": "result_length", "delta": 0})).contains("other than 0"));
}

#[test]
fn a_mistyped_field_is_refused_with_the_list_of_known_fields() {
    let text = refusal(json!({"fault": "delay", "ms": 5, "tims": 3}));
    assert!(text.contains("unknown field `tims`"), "{text}");
    assert!(text.contains("times") && text.contains("late") && !text.contains("retry_after"), "{text}");
}
