//! Answers that no AWS SDK can read, or that are not AWS's: what a proxy, a broken connection or another version of a
//! service sends.

use std::fmt::Write;

use hyper::http::request::Parts;
use serde_json::{Map, Value, json};

use super::operation::{Operation, Service};

/// What is wrong with an answer.
///
/// The request is carried out all the same, and the answer holds what AWS would have answered and, but for
/// [`CutShort`](Self::CutShort) and [`BrokenOff`](Self::BrokenOff), the request with its headers: a client that prints what
/// it can't read is caught.
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
    /// Status 200, and the entries of a batch have ids that none was sent with. Other operations answer as they do.
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
    /// The body is announced longer than it is.
    pub(super) broken_off: bool,
}

impl Garbling {
    /// `answer` is what AWS would have answered to `operation`.
    pub(super) fn spoil(self, operation: Operation, head: &Parts, body: &[u8], mut answer: Value) -> Garbled {
        let service = operation.service();
        let echo = || format!("cannot serve {}, whose answer is {answer}", request(head, body));
        let (status, code, body) = match self {
            Self::CutShort => (200, None, without_end(&answer)),
            Self::BrokenOff => (200, None, answer.to_string()),
            Self::WrongType => {
                answer["Request"] = request(head, body).into();
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
        let content_type = if let Self::Page(_) = self { "text/html" } else { Service::content_type(service) };
        Garbled { status, content_type, code, body, broken_off: self == Self::BrokenOff }
    }
}

/// The request as a proxy shows it.
fn request(head: &Parts, body: &[u8]) -> String {
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

/// Gives one field of the answer a type that it does not have.
fn retype(operation: Operation, answer: &mut Value) {
    match operation {
        Operation::GetSecretValue => answer["CreatedDate"] = "yesterday".into(),
        Operation::UpdateItem | Operation::PutItem | Operation::DeleteItem | Operation::GetItem => {
            answer["ConsumedCapacity"] = "one unit".into();
        }
        Operation::BatchGetItem => answer["UnprocessedKeys"] = "none".into(),
        Operation::SendMessage => answer["SequenceNumber"] = 7.into(),
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
