//! Finds the events in a text as people have it: a whole JSON document, JSON lines, or several documents after each
//! other.

mod shapes;

use serde_json::{Deserializer, value::RawValue};

/// An event as it is sent, and where it is in the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The line at which it begins, from 1.
    pub(crate) line: u64,
    /// Where it is in the document that begins there, if it is not the whole of it.
    pub(crate) path: Option<String>,
    /// The SQS body, or the EventBridge event.
    pub(crate) body: String,
    /// Why AWS does not accept what holds it.
    pub(crate) not_taken: Option<NotTaken>,
}

/// Why AWS does not accept it: it never gets to the function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    #[error("Detail: must be a string of JSON, or EventBridge refuses the entry; write the event into it as text")]
    DetailIsNoString,
    #[error("Detail: its text is not a JSON object, so EventBridge refuses the entry; write the event into it")]
    DetailIsNoObject,
    #[error("DetailType: is missing or no string, so EventBridge refuses the entry; send the event's type")]
    NoDetailType,
    #[error("MessageBody: must be a string, or SQS refuses the message; write the event into it as text")]
    BodyIsNoString,
    #[error("body: contains U+FFFE or U+FFFF, which SQS refuses; remove them")]
    Noncharacter,
    #[error("body: is larger than 1 MiB, the most that SQS accepts; split the event")]
    TooLong,
}

/// SQS takes no larger message.
const MOST_BYTES: usize = 1 << 20;

/// The events of a text, in its order.
pub(crate) fn find(text: &str) -> Vec<Found> {
    let lines = LineNumbers::new(text);
    let mut found = Vec::new();
    // One document, however it is written.
    if let Ok(document) = serde_json::from_str::<&RawValue>(text) {
        shapes::open(document, &lines, &mut found);
    } else {
        scan(text, &lines, &mut found);
    }
    for event in &mut found {
        event.not_taken = event.not_taken.or_else(|| flaw(&event.body));
    }
    found
}

/// Reads line by line. A line that opens a bracket and does not close it begins a document of several lines.
fn scan(text: &str, lines: &LineNumbers<'_>, found: &mut Vec<Found>) {
    let mut start = 0;
    while let Some(line) = text[start..].split_inclusive('\n').next() {
        let end = start + line.len();
        if line.trim().is_empty() {
            start = end;
            continue;
        }
        match serde_json::from_str::<&RawValue>(line) {
            Ok(document) => {
                shapes::open(document, lines, found);
                start = end;
            }
            Err(error) if error.is_eof() => {
                let mut documents = Deserializer::from_str(&text[start..]).into_iter::<&RawValue>();
                if let Some(Ok(document)) = documents.next() {
                    shapes::open(document, lines, found);
                    start += documents.byte_offset();
                } else {
                    // It is not JSON. The next document begins where a line opens one.
                    let length = broken_document(&text[start..]);
                    found.push(whole(&text[start..start + length], lines));
                    start += length;
                }
            }
            Err(_) => {
                found.push(whole(line, lines));
                start = end;
            }
        }
    }
}

/// The length of a document that can't be read: up to a line that begins another one.
fn broken_document(text: &str) -> usize {
    let mut length = 0;
    for line in text.split_inclusive('\n') {
        if length > 0 && line.starts_with(['{', '[']) {
            break;
        }
        length += line.len();
    }
    length
}

fn whole(text: &str, lines: &LineNumbers<'_>) -> Found {
    Found { line: lines.of(text), path: None, body: text.trim_end().to_owned(), not_taken: None }
}

fn flaw(body: &str) -> Option<NotTaken> {
    match () {
        () if body.len() > MOST_BYTES => Some(NotTaken::TooLong),
        () if body.contains(['\u{fffe}', '\u{ffff}']) => Some(NotTaken::Noncharacter),
        () => None,
    }
}

/// The numbers of a text's lines.
struct LineNumbers<'t> {
    text: &'t str,
    /// The offsets of the line breaks.
    breaks: Vec<usize>,
}

impl<'t> LineNumbers<'t> {
    fn new(text: &'t str) -> Self {
        let breaks = text.bytes().enumerate().filter_map(|(at, byte)| (byte == b'\n').then_some(at)).collect();
        Self { text, breaks }
    }

    /// The line at which a part of the text begins.
    fn of(&self, part: &str) -> u64 {
        let offset = (part.as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        self.breaks.partition_point(|&at| at < offset) as u64 + 1
    }
}

#[cfg(test)]
mod tests;
