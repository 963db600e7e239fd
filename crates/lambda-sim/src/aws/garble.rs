//! Answers that no AWS SDK can read, or that are not AWS's: what a proxy, a broken connection or another version of a
//! service sends.

use std::fmt::Write;

use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

use super::operation::Operation;

/// What is wrong with an answer.
///
/// The request is carried out all the same. The answer holds what AWS would have answered and, except for
/// [`CutShort`](Self::CutShort) and [`BrokenOff`](Self::BrokenOff), the request with its headers: a client that prints
/// an answer it can't read is caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Garbling {
    /// Status 200, and the JSON has no end.
    CutShort,
    /// Status 200, and the connection is closed before the end of the body.
    BrokenOff,
    /// Status 200, and one field has another type, such as `CreatedDate` as text.
    WrongType,
    /// Status 200, and a JSON object with none of the operation's fields.
    NoFields,
    /// Status 200, and the entries of a batch have ids that were not sent. Other operations answer as always.
    OtherIds,
    /// Status 400, and an error without a code.
    NoCode,
    /// Status 400, and an error with this as its code.
    Code(&'static str),
    /// This status, and an HTML page, as proxies and gateways show it.
    Page(u16),
}

/// An answer as it is put on the wire.
#[derive(Debug)]
pub(super) struct Garbled {
    pub(super) status: u16,
    pub(super) content_type: &'static str,
    /// In the headers that name an error's code.
    pub(super) code: Option<&'static str>,
    pub(super) body: String,
    /// The announced body is longer than the real one.
    pub(super) broken_off: bool,
}

impl Garbling {
    /// `answer` is what AWS would have answered to `operation`.
    pub(super) fn spoil(self, operation: Operation, head: &Parts, body: &[u8], mut answer: Value) -> Garbled {
        let echo = || format!("cannot serve {}, whose answer is {answer}", as_text(head, body));
        let (status, code, body) = match self {
            Self::CutShort => (200, None, without_end(&answer)),
            Self::BrokenOff => (200, None, answer.to_string()),
            Self::WrongType => {
                answer["Request"] = as_text(head, body).into();
                retype(operation, &mut answer);
                (200, None, answer.to_string())
            }
            Self::OtherIds => {
                let parts = answer.as_object_mut().into_iter().flat_map(Map::values_mut);
                for entry in parts.filter_map(Value::as_array_mut).flatten().filter(|entry| entry["Id"].is_string()) {
                    entry["Id"] = "999".into();
                }
                (200, None, answer.to_string())
            }
            Self::NoFields => (200, None, json!({"Note": echo()}).to_string()),
            Self::NoCode => (400, None, json!({"message": echo()}).to_string()),
            Self::Code(code) => (400, Some(code), json!({"__type": code, "message": echo()}).to_string()),
            Self::Page(status) => (status, None, format!("<html><title>{status}</title>{}</html>", echo())),
        };
        let content_type = if let Self::Page(_) = self { "text/html" } else { operation.service().content_type() };
        Garbled { status, content_type, code, body, broken_off: self == Self::BrokenOff }
    }
}

/// The request as a proxy shows it.
fn as_text(head: &Parts, body: &[u8]) -> String {
    let mut text = format!("{} {}\n", head.method, head.uri);
    for (name, value) in &head.headers {
        // Writing to a String can't fail.
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    text + "\n" + &String::from_utf8_lossy(body)
}

/// All but the last bracket.
fn without_end(answer: &Value) -> String {
    let mut text = answer.to_string();
    text.pop();
    text
}

/// Changes the type of one field of the answer.
fn retype(operation: Operation, answer: &mut Value) {
    match operation {
        Operation::GetSecretValue => answer["CreatedDate"] = "yesterday".into(),
        Operation::GetParameter => answer["Parameter"] = "none".into(),
        Operation::UpdateItem => answer["Attributes"] = "none".into(),
        Operation::BatchGetItem => answer["UnprocessedKeys"] = "none".into(),
        Operation::SendMessageBatch | Operation::DeleteMessageBatch | Operation::ChangeMessageVisibilityBatch => {
            answer["Failed"] = "none".into();
        }
        Operation::ReceiveMessage => match answer["Messages"].as_array_mut() {
            Some(messages) => messages.push("no more".into()),
            None => answer["Messages"] = "none".into(),
        },
        Operation::GetQueueAttributes => answer["Attributes"]["QueueArn"] = 7.into(),
    }
}
