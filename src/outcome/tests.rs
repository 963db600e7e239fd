use std::collections::BTreeMap;

use super::*;

#[test]
fn each_reason_has_a_word_of_its_own() {
    let mut reasons: BTreeMap<&str, Vec<Reason>> = BTreeMap::new();
    for reason in Reason::ALL {
        assert!(reason.as_str().chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{reason}");
        reasons.entry(reason.as_str()).or_default().push(*reason);
    }
    reasons.retain(|_, reasons| reasons.len() > 1);
    // Only the function distinguishes a missing app: another apps document may make it superfluous.
    assert_eq!(reasons, BTreeMap::from([("missing_field", vec![Reason::MissingField, Reason::MissingApp])]));
}

#[test]
fn the_detail_shows_the_code_and_what_was_added() {
    let mut failure = Failure::of(Reason::TpnsTimeout);
    assert_eq!((failure.detail(), failure.to_string()), ("".into(), "tpns_timeout ".to_owned()));
    failure.add("not parked: a");
    assert_eq!(failure.detail(), "not parked: a");
    failure.add("b");
    assert_eq!(failure.to_string(), "tpns_timeout not parked: a; b");
    let mut failure = Failure { code: Some(1_008_001), ..Failure::of(Reason::TpnsBadInput) };
    assert_eq!(failure.detail(), "TPNS answered 1008001");
    failure.add("not parked: a");
    assert_eq!(failure.detail(), "TPNS answered 1008001; not parked: a");
}
