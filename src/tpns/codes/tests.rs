use std::{collections::BTreeSet, env, fmt::Write as _, fs, path::Path};

use OperatorType::{Bind, Unbind, UnbindAll, UnbindEverywhere};

use super::{documented::CODES, *};
use crate::{tpns::QueryBy, transport::NoConnection};

const ALL: [OperatorType; 4] = [Bind, Unbind, UnbindAll, UnbindEverywhere];

/// The class of a verdict and its reason.
fn class_and_reason(verdict: Verdict) -> (&'static str, &'static str) {
    match verdict {
        Verdict::Accepted => ("accepted", ""),
        Verdict::Retry(failure, after) => {
            assert_eq!(after, None, "how long is said by the answer's headers");
            ("retry", failure.reason.as_str())
        }
        Verdict::Rejected(failure) => ("rejected", failure.reason.as_str()),
        Verdict::Misconfigured(failure) => ("misconfigured", failure.reason.as_str()),
    }
}

/// facts.md, section 4, row by row.
#[test]
fn each_documented_code_has_its_class() {
    let table = [
        (0, "accepted", ""),
        (1008001, "rejected", "tpns_bad_input"),
        (1008002, "rejected", "tpns_bad_input"),
        (1008003, "misconfigured", "tpns_auth_failed"),
        (1008004, "retry", "tpns_internal"),
        (1008006, "rejected", "tpns_invalid_token"),
        (1008007, "rejected", "tpns_bad_input"),
        (1008011, "rejected", "tpns_unexpected_code"),
        (1008012, "rejected", "tpns_unexpected_code"),
        (1008013, "rejected", "tpns_unexpected_code"),
        (1008015, "rejected", "tpns_unexpected_code"),
        (1008016, "rejected", "tpns_unexpected_code"),
        (1008019, "rejected", "tpns_unexpected_code"),
        (1008020, "rejected", "tpns_unexpected_code"),
        (1008021, "rejected", "tpns_unexpected_code"),
        (1008022, "rejected", "tpns_unexpected_code"),
        (1008023, "rejected", "tpns_unexpected_code"),
        (1008025, "rejected", "tpns_unexpected_code"),
        (1008026, "rejected", "tpns_batch_error"),
        (1008027, "rejected", "tpns_batch_error"),
        (1008028, "retry", "tpns_throttled"),
        (1008029, "rejected", "tpns_invalid_token"),
        (1008030, "misconfigured", "tpns_not_paid"),
        (1008031, "misconfigured", "tpns_not_paid"),
        (1008035, "misconfigured", "tpns_wrong_region_or_access_id"),
        (1010001, "misconfigured", "tpns_not_paid"),
        (10010005, "rejected", "tpns_unexpected_code"),
        (10010012, "rejected", "tpns_unexpected_code"),
        (10010018, "rejected", "tpns_unexpected_code"),
        (10030002, "misconfigured", "tpns_auth_failed"),
        // Not documented.
        (1008005, "rejected", "tpns_unknown_code"),
        (-1, "rejected", "tpns_unknown_code"),
        (i64::MAX, "rejected", "tpns_unknown_code"),
    ];
    // Those that mean something else for another operation have tests of their own below.
    let tested: BTreeSet<i64> = table.iter().map(|row| row.0).chain([10110008]).collect();
    let missing: Vec<i64> = CODES.iter().map(|row| row.0).filter(|code| !tested.contains(code)).collect();
    assert!(missing.is_empty(), "codes without a row in this test: {missing:?}");
    for (code, class, reason) in table {
        for operator_type in ALL {
            let verdict = classify(Signal::Code(code), operator_type);
            if let Some(failure) = verdict.failure() {
                assert_eq!(failure.code, Some(code), "the log names TPNS's number");
            }
            assert_eq!(class_and_reason(verdict), (class, reason), "{code} for {operator_type:?}");
        }
    }
}

#[test]
fn nothing_is_bound_to_what_a_query_does_not_find() {
    for by in [QueryBy::Account, QueryBy::Token] {
        for code in [0, 10110008, 1008006, 1008029] {
            assert_eq!(classify(Signal::Code(code), by), Verdict::Accepted, "{code}");
        }
    }
}

#[test]
fn any_other_code_means_for_a_query_what_it_means_for_a_change() {
    let documented = CODES.iter().map(|&(code, ..)| code).filter(|code| ![10110008, 1008006, 1008029].contains(code));
    let signals = documented.chain([-1, 1008005]).map(Signal::Code).chain((100..=600).map(Signal::Status));
    for signal in signals.chain([Signal::Word, Signal::Transport(TransportError::Timeout)]) {
        assert_eq!(classify(signal, QueryBy::Token), classify(signal, Bind), "{signal:?}");
    }
}

#[test]
fn what_is_not_there_needs_no_unbinding_but_can_not_be_bound() {
    for operator_type in [Unbind, UnbindAll, UnbindEverywhere] {
        assert_eq!(classify(Signal::Code(10110008), operator_type), Verdict::Accepted);
    }
    assert_eq!(class_and_reason(classify(Signal::Code(10110008), Bind)), ("rejected", "tpns_no_token"));
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
                assert_eq!(class_and_reason(classify(Signal::Status(status), operator_type)).0, class, "{status}");
            }
        }
    }
}

#[test]
fn without_an_answer_it_is_tried_again() {
    for transport in
        [NoConnection::Refused.into(), TransportError::Timeout, TransportError::Broken, TransportError::TooLong]
    {
        assert!(classify(Signal::Transport(transport), Bind).is_retry());
    }
}

/// The table of the docs, asked of the code that decides.
fn table() -> String {
    let mut text = String::from(
        "<!-- Made from src/tpns/codes/documented.rs: UPDATE_DOCS=1 cargo test --lib codes -->\n\
         # What each answer of TPNS leads to\n\n\
         *accepted*: the events are acknowledged. *retry*: tried again within the invocation, then redelivered. *rejected*: a call\n\
         of several items is halved down to the item at fault; its event is parked, or reported until the redrive policy takes it.\n\
         *misconfigured*: reported for redelivery and logged at ERROR; the app gets no more calls in the invocation, and where newer\n\
         keys could help, the secret is read again once. A bare status may also be a gateway's, because of what is in a call: then\n\
         the call is halved, and the status is the app's fault only if calls of single items agree.\n\n\
         A code means the same for a whole call (`ret_code`) and for one of its items (`result`); 1008026 and 1008027 decide only\n\
         when `result` can't say which items failed. A code is a number or text: `0`, `\"0\"`, `0.0`. With `ret_code` 0 and a\n\
         `result` whose length differs from the call's, the call is accepted only if every element is; otherwise it is halved, and a\n\
         single item gets the code that all errors agree on (*retry* as `tpns_broken_answer` if they don't).\n\n\
         Two more reasons, both *retry* and both with the code in `detail`:\n\n\
         - `tpns_rejects_every_call`: TPNS rejected the item's own call as a whole (`ret_code` or HTTP status, not `result`),\n  \
         and accepted nothing of the app in this invocation. TPNS may be rejecting every call, so nothing is parked. Codes\n  \
         that are *rejected* without a condition below point to the item at fault even then, unless three items or more get\n  \
         the same code.\n\
         - `tpns_token_not_yet_known`: 1008006, 1008029 or 10110008 for a device whose newest login is less than two minutes\n  \
         old. A new installation registers its token with TPNS by itself, at the same time. Later, *rejected*.\n\n\
         A third one, *retry* without a code: `tpns_in_doubt`, only without a check queue. TPNS accepted the item after a try that\n\
         got no answer and may still take effect, after newer calls. The redelivery sends it again.\n\n\
         The column \"query\" is for `/v3/device/account/query`, which reads bindings, where it differs. *nothing bound* is an answer:\n\
         the device has no account, or the account no device. If a code that means it is the `ret_code` of a query of several\n\
         items, the query is halved. An item with code 0 that the answer lists nothing for is asked for once more, alone, and\n\
         then is *retry* as `tpns_broken_answer`.\n\n\
         | `ret_code` | TPNS's words | what it leads to | query | reason in the log |\n|---|---|---|---|---|\n",
    );
    let mut row = |name: &str, words: &str, signal: Signal| {
        let verdicts: Vec<_> =
            ALL.iter().map(|operator_type| class_and_reason(classify(signal, *operator_type))).collect();
        let ((class, reason), (other, _)) = (verdicts[0], verdicts[1]);
        let class = if verdicts.iter().all(|verdict| verdict.0 == class) {
            class.to_owned()
        } else {
            format!("operator_type 2: {class}; 3, 4, 5: {other}")
        };
        let bind = classify(signal, Bind);
        let of_the_input = bind.failure().is_some_and(is_of_the_input);
        // A word is always an item's.
        let class = match class.as_str() {
            "misconfigured" if bind.failure().is_some_and(is_a_status_of_the_app) => {
                "misconfigured; rejected as `tpns_bad_input`, if another call is accepted".to_owned()
            }
            "rejected" if !of_the_input && signal != Signal::Word => "rejected, if another call is accepted".to_owned(),
            _ => class,
        };
        let reason = if reason.is_empty() { String::new() } else { format!("`{reason}`") };
        let query = match classify(signal, QueryBy::Token) {
            Verdict::Accepted if signal.is_success() => "answered",
            Verdict::Accepted => "nothing bound",
            verdict => {
                assert_eq!(verdict, bind, "{name}");
                ""
            }
        };
        writeln!(text, "| {name} | {words} | {class} | {query} | {reason} |").unwrap();
    };
    for (code, words, _) in CODES {
        row(&code.to_string(), words, Signal::Code(code));
    }
    row("any other", "", Signal::Code(-1));
    row("no number", "an item's word other than \"ok\"", Signal::Word);
    for status in [200, 302, 400, 401, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504] {
        row(&format!("none, HTTP {status}"), "", Signal::Status(status));
    }
    for (transport, words) in [
        (NoConnection::Refused.into(), "no connection: name, address or TLS; `detail` says which"),
        (TransportError::Timeout, "nothing within TPNS_TIMEOUT_MS"),
        (TransportError::Broken, "the connection broke, or the answer was cut short"),
        (TransportError::TooLong, "an answer of over 1 MiB"),
    ] {
        row("no answer", words, Signal::Transport(transport));
    }
    text
}

#[test]
fn the_table_in_the_docs_is_the_one_the_code_makes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tpns/codes.md");
    if env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, table()).unwrap();
    }
    let file = fs::read_to_string(&path).unwrap_or_default();
    assert!(file == table(), "docs/tpns/codes.md is out of date; run: UPDATE_DOCS=1 cargo test --lib codes");
}
