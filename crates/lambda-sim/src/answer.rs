//! How an event source mapping with `ReportBatchItemFailures` interprets a function's response
//! (Lambda developer guide, "Implementing partial batch responses", success and failure conditions).
//!
//! Everything that is neither a complete success nor a flawless partial one is a complete failure: one bad entry fails
//! every message of the batch, including those that were processed.

use std::collections::{HashMap, HashSet};

use serde_json::Value;

use crate::message::Message;

/// Which messages of a batch are deleted. Every id of the batch is in exactly one of the lists, in the batch's order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Deleted from the queue.
    pub deletes: Vec<String>,
    /// Left in the queue until their visibility timeout runs out.
    pub fails: Vec<String>,
    /// The rule that decided.
    pub why: Why,
}

/// The rule that decided about a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// Complete success: `{"batchItemFailures":[]}`.
    EmptyList,
    /// Complete success: `{"batchItemFailures":null}`, `{}`, `null`, or no response body at all.
    Nothing,
    /// Complete success: an object with other keys only. AWS ignores unknown keys, so `{"statusCode":500}` or a
    /// misspelt `BatchItemFailures` deletes everything; a test should treat this one as a bug in the function.
    ForeignKeys(Vec<String>),
    /// Partial: the listed messages failed.
    Partial,
    /// Complete failure of the invocation itself, with its error type: function error, timeout, exit or failed Init.
    InvocationFailed(String),
    /// Complete failure, since the response breaks the format.
    Malformed(Malformation),
}

/// How a response breaks the format of a partial batch response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformation {
    /// Not JSON.
    #[error("the response is not JSON: {0}")]
    InvalidJson(String),
    /// JSON, but neither an object nor null.
    #[error("the response is neither an object nor null")]
    NotAnObject,
    /// `batchItemFailures` is neither an array nor null.
    #[error("batchItemFailures is neither an array nor null")]
    NotAList,
    /// An entry that is not an object with a non-empty string `itemIdentifier`.
    #[error("entry {0} of batchItemFailures has no itemIdentifier that is a non-empty string")]
    InvalidEntry(usize),
    /// The id of no message of this batch.
    #[error("no message of the batch has the itemIdentifier {0:?}")]
    UnknownMessage(String),
}

/// Interprets `response` to a batch of the messages `ids`.
pub fn interpret(response: &[u8], ids: &[String]) -> Verdict {
    match failures(response, ids) {
        Ok((failed, why)) => {
            let (fails, deletes) = ids.iter().cloned().partition(|id| failed.contains(id.as_str()));
            Verdict { deletes, fails, why }
        }
        Err(malformation) => complete_failure(ids, Why::Malformed(malformation)),
    }
}

/// All of `ids` fail.
pub(crate) fn complete_failure(ids: &[String], why: Why) -> Verdict {
    Verdict { deletes: Vec::new(), fails: ids.to_vec(), why }
}

fn failures(response: &[u8], ids: &[String]) -> Result<(HashSet<String>, Why), Malformation> {
    let none = |why| Ok((HashSet::new(), why));
    if response.is_empty() {
        return none(Why::Nothing);
    }
    let response: Value =
        serde_json::from_slice(response).map_err(|error| Malformation::InvalidJson(error.to_string()))?;
    let object = match response {
        Value::Null => return none(Why::Nothing),
        Value::Object(object) if object.is_empty() => return none(Why::Nothing),
        Value::Object(object) => object,
        _ => return Err(Malformation::NotAnObject),
    };
    let entries = match object.get("batchItemFailures") {
        None => return none(Why::ForeignKeys(object.keys().cloned().collect())),
        Some(Value::Null) => return none(Why::Nothing),
        Some(Value::Array(entries)) if entries.is_empty() => return none(Why::EmptyList),
        Some(Value::Array(entries)) => entries,
        Some(_) => return Err(Malformation::NotAList),
    };
    let known: HashSet<&str> = ids.iter().map(String::as_str).collect();
    let mut failed = HashSet::new();
    for (index, entry) in entries.iter().enumerate() {
        let id = entry["itemIdentifier"].as_str().filter(|id| !id.is_empty());
        let id = id.ok_or(Malformation::InvalidEntry(index))?;
        if !known.contains(id) {
            return Err(Malformation::UnknownMessage(id.to_owned()));
        }
        failed.insert(id.to_owned());
    }
    Ok((failed, Why::Partial))
}

/// A message acknowledged although an earlier one of its group failed: after the redelivery of that one, the group was
/// processed out of order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FifoOrderBreak {
    /// The message group.
    pub group_id: String,
    /// The earlier message, which failed.
    pub failed: String,
    /// The later message, which was acknowledged.
    pub acknowledged: String,
}

/// Where acknowledging all of `batch` except `failed` breaks the order of a group: each acknowledged message with the
/// first failed one before it.
///
/// AWS deletes such messages all the same, so this is not part of [`interpret`]; it is for the assertions of tests.
pub fn fifo_order_breaks(batch: &[Message], failed: &[String]) -> Vec<FifoOrderBreak> {
    let failed: HashSet<&str> = failed.iter().map(String::as_str).collect();
    let mut first_failed: HashMap<&str, &str> = HashMap::new();
    let mut breaks = Vec::new();
    for message in batch {
        let Some(group) = message.group_id.as_deref() else { continue };
        let id = message.message_id.as_str();
        if failed.contains(id) {
            first_failed.entry(group).or_insert(id);
        } else if let Some(earlier) = first_failed.get(group) {
            breaks.push(FifoOrderBreak {
                group_id: group.to_owned(),
                failed: (*earlier).to_owned(),
                acknowledged: id.to_owned(),
            });
        }
    }
    breaks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids() -> Vec<String> {
        ["a", "b", "c"].map(str::to_owned).to_vec()
    }

    fn fails(response: &str) -> (Vec<String>, Why) {
        let verdict = interpret(response.as_bytes(), &ids());
        let mut all = [verdict.deletes, verdict.fails.clone()].concat();
        all.sort();
        assert_eq!(all, ids(), "every id is in exactly one list after {response}");
        (verdict.fails, verdict.why)
    }

    #[test]
    fn every_empty_or_null_answer_is_a_complete_success() {
        for (response, why) in [
            (r#"{"batchItemFailures":[]}"#, Why::EmptyList),
            (r#"{"batchItemFailures":null}"#, Why::Nothing),
            ("{}", Why::Nothing),
            ("", Why::Nothing),
            ("null", Why::Nothing),
            (" null\n", Why::Nothing),
        ] {
            assert_eq!(fails(response), (vec![], why), "{response}");
        }
    }

    #[test]
    fn an_object_without_the_key_deletes_everything_and_shows_as_foreign_keys() {
        for (response, keys) in [
            (r#"{"statusCode":500,"body":"x"}"#, vec!["body", "statusCode"]),
            (r#"{"BatchItemFailures":[{"itemIdentifier":"a"}]}"#, vec!["BatchItemFailures"]),
        ] {
            let (failed, why) = fails(response);
            assert_eq!(failed, Vec::<String>::new());
            let Why::ForeignKeys(mut found) = why else { panic!("{why:?}") };
            found.sort();
            assert_eq!(found, keys);
        }
    }

    #[test]
    fn listed_messages_fail_and_the_others_are_deleted() {
        for (response, failed) in [
            (r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#, vec!["b"]),
            (r#"{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"a"}]}"#, vec!["a", "c"]),
            (r#"{"batchItemFailures":[{"itemIdentifier":"b"},{"itemIdentifier":"b"}]}"#, vec!["b"]),
            (r#"{"more":1,"batchItemFailures":[{"itemIdentifier":"a","reason":"x"}]}"#, vec!["a"]),
        ] {
            assert_eq!(fails(response), (failed.into_iter().map(str::to_owned).collect(), Why::Partial), "{response}");
        }
    }

    #[test]
    fn one_flaw_in_the_answer_fails_the_whole_batch() {
        let good = r#"{"itemIdentifier":"a"}"#;
        let list = |entry: &str| format!(r#"{{"batchItemFailures":[{good},{entry}]}}"#);
        for entry in [
            r#"{"itemIdentifier":""}"#,
            r#"{"itemIdentifier":null}"#,
            r#"{"itemIdentifier":7}"#,
            r#"{"itemidentifier":"b"}"#,
            "{}",
            r#""b""#,
            "null",
        ] {
            assert_eq!(fails(&list(entry)), (ids(), Why::Malformed(Malformation::InvalidEntry(1))), "{entry}");
        }
        for (response, flaw) in [
            (list(r#"{"itemIdentifier":"d"}"#), Malformation::UnknownMessage("d".into())),
            (list(r#"{"itemIdentifier":"B"}"#), Malformation::UnknownMessage("B".into())),
            (r#"{"batchItemFailures":{}}"#.into(), Malformation::NotAList),
            (r#"{"batchItemFailures":"a"}"#.into(), Malformation::NotAList),
            (r#""ok""#.into(), Malformation::NotAnObject),
            ("[]".into(), Malformation::NotAnObject),
            ("true".into(), Malformation::NotAnObject),
        ] {
            assert_eq!(fails(&response), (ids(), Why::Malformed(flaw)), "{response}");
        }
    }

    #[test]
    fn an_answer_that_is_not_json_fails_the_whole_batch() {
        for response in ["{", "ok", r#"{"batchItemFailures":[]} trailing"#, " ", "{'batchItemFailures':[]}"] {
            let (failed, why) = fails(response);
            assert_eq!(failed, ids());
            assert!(matches!(why, Why::Malformed(Malformation::InvalidJson(_))), "{response}");
        }
    }

    #[test]
    fn acknowledging_a_message_after_a_failure_of_its_group_breaks_the_order() {
        let batch = [("a1", "a"), ("b1", "b"), ("a2", "a"), ("b2", "b"), ("a3", "a")]
            .map(|(id, group)| Message::new(id, "x").group(group));
        let failed = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(fifo_order_breaks(&batch, &failed(&["a2", "a3", "b2"])), []);
        assert_eq!(
            fifo_order_breaks(&batch, &failed(&["a1", "a3"])),
            [FifoOrderBreak { group_id: "a".into(), failed: "a1".into(), acknowledged: "a2".into() }]
        );
        assert_eq!(fifo_order_breaks(&[Message::new("x", "b"), Message::new("y", "b")], &failed(&["x"])), []);
    }
}
