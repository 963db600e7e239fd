use OperatorType::{Bind, Unbind, UnbindAll, UnbindEverywhere};

use super::*;

const ALL: [OperatorType; 4] = [Bind, Unbind, UnbindAll, UnbindEverywhere];

/// The class of a verdict and its reason.
fn told(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Accepted => ("accepted", ""),
        Verdict::Retry(why, after) => {
            assert_eq!(after, None, "how long is said by the answer's headers");
            ("retry", why.reason)
        }
        Verdict::Rejected(why) => ("rejected", why.reason),
        Verdict::Misconfigured(why) => ("misconfigured", why.reason),
    }
}

/// facts.md, section 4, row by row.
#[test]
fn each_documented_code_has_its_class() {
    let table = [
        (0, "accepted", ""),
        (1_008_001, "rejected", "tpns_bad_input"),
        (1_008_002, "rejected", "tpns_bad_input"),
        (1_008_003, "misconfigured", "tpns_auth_failed"),
        (1_008_004, "retry", "tpns_internal"),
        (1_008_006, "rejected", "tpns_invalid_token"),
        (1_008_007, "rejected", "tpns_bad_input"),
        (1_008_011, "rejected", "tpns_unexpected_code"),
        (1_008_012, "rejected", "tpns_unexpected_code"),
        (1_008_013, "rejected", "tpns_unexpected_code"),
        (1_008_015, "rejected", "tpns_unexpected_code"),
        (1_008_016, "rejected", "tpns_unexpected_code"),
        (1_008_019, "rejected", "tpns_unexpected_code"),
        (1_008_020, "rejected", "tpns_unexpected_code"),
        (1_008_021, "rejected", "tpns_unexpected_code"),
        (1_008_022, "rejected", "tpns_unexpected_code"),
        (1_008_023, "rejected", "tpns_unexpected_code"),
        (1_008_025, "rejected", "tpns_unexpected_code"),
        (1_008_026, "rejected", "tpns_batch_error"),
        (1_008_027, "rejected", "tpns_batch_error"),
        (1_008_028, "retry", "tpns_throttled"),
        (1_008_029, "rejected", "tpns_invalid_token"),
        (1_008_030, "misconfigured", "tpns_not_paid"),
        (1_008_031, "misconfigured", "tpns_not_paid"),
        (1_008_035, "misconfigured", "tpns_wrong_region_or_access_id"),
        (1_010_001, "misconfigured", "tpns_not_paid"),
        (10_010_005, "rejected", "tpns_unexpected_code"),
        (10_010_012, "rejected", "tpns_unexpected_code"),
        (10_010_018, "rejected", "tpns_unexpected_code"),
        (10_030_002, "misconfigured", "tpns_auth_failed"),
        // Not documented.
        (1_008_005, "rejected", "tpns_unknown_code"),
        (-1, "rejected", "tpns_unknown_code"),
        (i64::MAX, "rejected", "tpns_unknown_code"),
    ];
    for (code, class, reason) in table {
        for operator_type in ALL {
            let verdict = classify(Signal::Code(code), operator_type);
            assert_eq!(told(verdict), (class, reason), "{code} for {operator_type:?}");
            if let Verdict::Retry(why, _) | Verdict::Rejected(why) | Verdict::Misconfigured(why) = verdict {
                assert_eq!(why.code, Some(code), "the log names TPNS's number");
            }
        }
    }
}

#[test]
fn what_is_not_there_needs_no_unbinding_but_can_not_be_bound() {
    for operator_type in [Unbind, UnbindAll, UnbindEverywhere] {
        assert_eq!(classify(Signal::Code(10_110_008), operator_type), Verdict::Accepted);
    }
    assert_eq!(told(classify(Signal::Code(10_110_008), Bind)), ("rejected", "tpns_no_token"));
}

#[test]
fn a_status_without_a_code_has_its_class() {
    for (statuses, class) in [
        (vec![200, 204, 299, 408, 425, 429, 500, 502, 503, 504, 599, 100, 600], "retry"),
        (vec![301, 302, 307, 308, 401, 403, 404, 405, 407, 410, 421], "misconfigured"),
        (vec![400, 409, 411, 413, 414, 415, 422, 431, 451], "rejected"),
    ] {
        for status in statuses {
            for operator_type in ALL {
                assert_eq!(told(classify(Signal::Status(status), operator_type)).0, class, "{status}");
            }
        }
    }
}

#[test]
fn without_an_answer_it_is_tried_again() {
    for transport in [Transport::Connect, Transport::Timeout, Transport::Broken, Transport::TooLong] {
        assert!(classify(Signal::Transport(transport), Bind).is_retry());
    }
}
