use std::collections::{BTreeMap, BTreeSet};

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

/// The words in the first column of the Markdown tables whose header's first cell is `reason` or `reasons`.
fn reasons_in_tables(document: &str) -> BTreeSet<&str> {
    let mut words = BTreeSet::new();
    // Whether the table, if the line before is in one, is about reasons.
    let mut table: Option<bool> = None;
    for line in document.lines() {
        let first = line.strip_prefix('|').map(|row| row.split('|').next().unwrap_or_default().trim());
        table = match (first, table) {
            (None, _) => None,
            (Some(header), None) => Some(matches!(header.trim_matches('`'), "reason" | "reasons")),
            (Some(cell), Some(is_about_reasons)) => {
                words.extend(cell.split('`').skip(1).step_by(2).filter(|_| is_about_reasons));
                Some(is_about_reasons)
            }
        };
    }
    words
}

/// The tables of reasons: LOGGING.md's names each reason, TPNS's by a link to the table of its codes (which is
/// generated, see `tpns/codes/tests.rs`).
#[test]
fn the_tables_of_the_docs_name_the_reasons_that_exist() {
    let codes = include_str!("../../../../docs/tpns/codes.md");
    let logging = reasons_in_tables(include_str!("../../../../LOGGING.md"));
    let is_in_logging = |reason: &&Reason| {
        let word = reason.as_str();
        logging.contains(word) || word.starts_with("tpns_") && logging.contains("tpns_…")
    };
    // Among "Other lines": they are no event's.
    let has_a_line = |reason: &&Reason| {
        let rows = include_str!("../../../../LOGGING.md").lines().filter(|line| line.starts_with('|'));
        matches!(reason, Reason::UnrecognisedInvocation | Reason::DeduplicatedByContent)
            && rows.into_iter().any(|row| row.contains(&format!("`{reason}`")))
    };
    for reason in Reason::ALL {
        assert!(is_in_logging(&reason) || has_a_line(&reason), "{reason} is not in the tables of LOGGING.md");
        let is_of_tpns = reason.as_str().starts_with("tpns_");
        assert!(!is_of_tpns || codes.contains(&format!("`{reason}`")), "{reason} is not in docs/tpns/codes.md");
    }
    let words: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).chain(["tpns_…", "ledger_…"]).collect();
    for (name, document, least) in [
        ("LOGGING.md", include_str!("../../../../LOGGING.md"), 20),
        ("docs/producers.md", include_str!("../../../../docs/producers.md"), 8),
        ("docs/runbook.md", include_str!("../../../../docs/runbook.md"), 8),
    ] {
        let named = reasons_in_tables(document);
        assert!(named.len() >= least, "{name}: its tables of reasons were not found");
        assert_eq!(named.difference(&words).collect::<Vec<_>>(), [&""; 0], "{name} names reasons that do not exist");
    }
}

/// The alarms and the dashboard may use the reasons in `tests/metrics.json`: those that a call can fail for.
#[test]
fn the_metrics_file_names_the_reasons_of_calls() {
    let file: serde_json::Value = serde_json::from_str(include_str!("../../../../tests/metrics.json")).unwrap();
    let named: BTreeSet<_> = file["reasons"].as_array().unwrap().iter().filter_map(serde_json::Value::as_str).collect();
    // Of an event or a check, not of a call: what several answers together mean.
    let of_calls = |reason: &&Reason| {
        matches!(reason.cause(), Cause::Provider | Cause::Credentials)
            && !matches!(
                reason,
                Reason::TpnsRejectsEveryCall
                    | Reason::TpnsTokenNotYetKnown
                    | Reason::TpnsInDoubt
                    | Reason::CheckDiffers
            )
    };
    let expected: BTreeSet<_> = Reason::ALL.iter().filter(of_calls).map(|reason| reason.as_str()).collect();
    assert_eq!(named, expected);
}
