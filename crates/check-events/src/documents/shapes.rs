//! What a JSON document holds: one event, an array of them, what is given to AWS (entries of `PutEvents` and
//! `SendMessageBatch`), or what comes from AWS (a batch of Lambda's, messages of `ReceiveMessage`).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};

use super::{Found, LineNumbers, NotTaken};

type Fields<'a> = BTreeMap<String, &'a RawValue>;

/// The fields that say what an object is; most are absent.
#[derive(Default, Deserialize)]
struct Marks<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<&'a RawValue>,
    #[serde(borrow, rename = "detail-type")]
    detail_type: Option<&'a RawValue>,
    #[serde(borrow, rename = "Records")]
    records: Option<&'a RawValue>,
    #[serde(borrow, rename = "Messages")]
    messages: Option<&'a RawValue>,
    #[serde(borrow, rename = "Entries")]
    entries: Option<&'a RawValue>,
    #[serde(borrow, rename = "Detail")]
    entry_detail: Option<&'a RawValue>,
    #[serde(borrow, rename = "DetailType")]
    entry_type: Option<&'a RawValue>,
    #[serde(borrow, rename = "MessageBody")]
    message_body: Option<&'a RawValue>,
}

/// Adds the events of a document.
pub(super) fn open<'t>(document: &'t RawValue, lines: &LineNumbers<'t>, found: &mut Vec<Found>) {
    match list(document) {
        Some(elements) => {
            for (index, element) in elements.into_iter().enumerate() {
                object(element, &format!("[{index}]"), lines, found);
            }
        }
        None => object(document, "", lines, found),
    }
}

fn object<'t>(json: &'t RawValue, path: &str, lines: &LineNumbers<'t>, found: &mut Vec<Found>) {
    let marks: Marks<'t> = serde_json::from_str(json.get()).unwrap_or_default();
    let is_event = marks.kind.or(marks.detail_type).is_some();
    let place = Place { line: lines.of(json.get()), path };
    let lists =
        [("Records", "body", marks.records), ("Messages", "Body", marks.messages), ("Entries", "", marks.entries)];
    let held = lists.into_iter().find_map(|(name, field, value)| Some((name, field, list(value?)?)));
    match held.filter(|_| !is_event) {
        Some((name, field, elements)) => {
            for (index, element) in elements.into_iter().enumerate() {
                let inner: Fields<'t> = serde_json::from_str(element.get()).unwrap_or_default();
                let path = join(path, &format!("{name}[{index}]"));
                match inner.get(field) {
                    Some(body) => {
                        found.push(message(body, &Place { line: lines.of(element.get()), path: &join(&path, field) }))
                    }
                    None => object(element, &path, lines, found),
                }
            }
        }
        None if is_event => found.push(place.of(json.get().to_owned(), None)),
        None if marks.entry_detail.or(marks.entry_type).is_some() => found.push(entry(json, &place)),
        None => match marks.message_body {
            Some(body) => found.push(message(body, &place)),
            None => found.push(place.of(json.get().to_owned(), None)),
        },
    }
}

/// Where an event is.
struct Place<'p> {
    line: u64,
    path: &'p str,
}

impl Place<'_> {
    fn of(&self, body: String, not_taken: Option<NotTaken>) -> Found {
        let path = (!self.path.is_empty()).then(|| self.path.to_owned());
        Found { line: self.line, path, body, not_taken }
    }
}

/// An SQS message.
fn message(body: &RawValue, place: &Place<'_>) -> Found {
    match serde_json::from_str::<String>(body.get()) {
        Ok(text) => place.of(text, None),
        Err(_) => place.of(body.get().to_owned(), Some(NotTaken::BodyIsNoString)),
    }
}

/// An entry of `PutEvents`, as the EventBridge event that it becomes.
fn entry(json: &RawValue, place: &Place<'_>) -> Found {
    let fields: Fields<'_> = serde_json::from_str(json.get()).unwrap_or_default();
    let text = |name: &str| fields.get(name).and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    let object = |text: &str| serde_json::from_str::<Fields<'_>>(text).is_ok();
    let (kind, detail) = (text("DetailType"), text("Detail"));
    let not_taken = match &detail {
        None => Some(NotTaken::DetailIsNoString),
        Some(detail) if !object(detail) => Some(NotTaken::DetailIsNoObject),
        Some(_) => kind.is_none().then_some(NotTaken::NoDetailType),
    };
    let detail = detail.or_else(|| fields.get("Detail").map(|raw| raw.get().to_owned()));
    let mut event: BTreeMap<&str, Box<RawValue>> = BTreeMap::new();
    let named = [("detail-type", kind), ("source", text("Source")), ("time", text("Time"))];
    for (name, value) in named.into_iter().filter_map(|(name, value)| Some((name, value?))) {
        if let Ok(value) = to_raw_value(&value) {
            event.insert(name, value);
        }
    }
    if let Some(detail) = detail.and_then(|detail| RawValue::from_string(detail).ok()) {
        event.insert("detail", detail);
    }
    place.of(serde_json::to_string(&event).unwrap_or_default(), not_taken)
}

fn list(json: &RawValue) -> Option<Vec<&RawValue>> {
    serde_json::from_str(json.get()).ok()
}

fn join(path: &str, field: &str) -> String {
    if path.is_empty() { field.to_owned() } else { format!("{path}.{field}") }
}
