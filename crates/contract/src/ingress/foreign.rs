//! What a text that is no event resembles, and what to send instead. Examined only if a text could not be read.

use data_encoding::BASE64_NOPAD;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;

use crate::{
    event::{Invalid, Place},
    outcome::Reason,
};

/// What a producer's library, or a pipe in between, turns events into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Foreign {
    EncodedTwice,
    Base64,
    Compressed,
    Percent,
    Several,
    S3Pointer,
    CloudEvents,
    Envelope,
}

/// Why this text is refused, if it is recognised.
pub(super) fn recognise(text: &str, place: Place) -> Option<Invalid> {
    // Elsewhere these are opened.
    let envelope = || (place == Place::Detail && holds_an_envelope(text)).then_some(Foreign::Envelope);
    let (reason, detail) = match foreign(text).or_else(envelope)? {
        Foreign::EncodedTwice => {
            (Reason::MalformedJson, "looks like JSON in a JSON string, encoded twice; send the object itself")
        }
        Foreign::Base64 => (Reason::MalformedJson, "looks like JSON in base64; send the JSON as plain text"),
        Foreign::Compressed => {
            (Reason::MalformedJson, "looks like compressed data in base64; send the JSON uncompressed, as plain text")
        }
        Foreign::Percent => (Reason::MalformedJson, "looks like JSON in percent-encoding; send the JSON as plain text"),
        Foreign::Several => (Reason::MalformedJson, "looks like an array of events; send each as a message of its own"),
        Foreign::S3Pointer => (
            Reason::MalformedJson,
            "looks like the SQS extended client's pointer to an object in S3; send the event itself, it is small enough",
        ),
        Foreign::CloudEvents => (
            Reason::UnknownEnvelope,
            "looks like a CloudEvents envelope (specversion); send a bare event, with its fields at the top",
        ),
        Foreign::Envelope => (
            Reason::UnknownEnvelope,
            "looks like an EventBridge or SNS envelope inside another envelope; put the event itself there",
        ),
    };
    Some(Invalid::new(reason, format!("{}: {detail}", place.name())))
}

fn foreign(text: &str) -> Option<Foreign> {
    let text = trimmed(text);
    match text.as_bytes().first()? {
        b'{' => in_an_object(text),
        b'[' => in_an_array(text),
        b'"' => in_a_string(text),
        b'%' => ["%7b", "%22", "%5b"].contains(&&*text.get(..3)?.to_ascii_lowercase()).then_some(Foreign::Percent),
        _ => in_base64(text),
    }
}

fn holds_an_envelope(text: &str) -> bool {
    #[derive(Deserialize)]
    struct Marks {
        #[serde(rename = "detail-type")]
        detail_type: Option<IgnoredAny>,
        detail: Option<IgnoredAny>,
        #[serde(rename = "Type")]
        sns_type: Option<IgnoredAny>,
        #[serde(rename = "Message")]
        message: Option<IgnoredAny>,
    }
    serde_json::from_str::<Marks>(text)
        .is_ok_and(|marks| marks.detail_type.and(marks.detail).is_some() || marks.sns_type.and(marks.message).is_some())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[expect(dead_code, reason = "that they are there is enough")]
struct Pointer {
    s3_bucket_name: IgnoredAny,
    s3_key: IgnoredAny,
}

fn in_an_object(text: &str) -> Option<Foreign> {
    #[derive(Deserialize)]
    struct Marks {
        #[expect(dead_code, reason = "that it is there is enough")]
        specversion: IgnoredAny,
        source: Option<IgnoredAny>,
        data: Option<IgnoredAny>,
        data_base64: Option<IgnoredAny>,
    }
    if let Ok(Marks { source, data, data_base64, .. }) = serde_json::from_str(text) {
        return source.or(data).or(data_base64).map(|_| Foreign::CloudEvents);
    }
    if serde_json::from_str::<Pointer>(text).is_ok() {
        return Some(Foreign::S3Pointer);
    }
    // The inside of a string, whose quotation marks were lost on the way.
    text.starts_with(r#"{\""#).then(|| in_a_string(&format!("\"{text}\"")))?
}

fn in_an_array(text: &str) -> Option<Foreign> {
    let elements: Vec<&RawValue> = serde_json::from_str(text).ok()?;
    match elements.as_slice() {
        [class, pointer] if class.get().starts_with('"') && serde_json::from_str::<Pointer>(pointer.get()).is_ok() => {
            Some(Foreign::S3Pointer)
        }
        [] => None,
        events => events.iter().all(|event| event.get().starts_with('{')).then_some(Foreign::Several),
    }
}

fn in_a_string(text: &str) -> Option<Foreign> {
    let inner: String = serde_json::from_str(text).ok()?;
    let inner = trimmed(&inner);
    if holds_json(inner) { Some(Foreign::EncodedTwice) } else { foreign(inner) }
}

fn in_base64(text: &str) -> Option<Foreign> {
    let sextet = |byte| match byte {
        b'-' => b'+',
        b'_' => b'/',
        other => other,
    };
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=').map(sextet).collect();
    let bytes = BASE64_NOPAD.decode(&text).ok()?;
    let begins = |starts: &[&[u8]]| starts.iter().any(|start| bytes.starts_with(start));
    // gzip; zlib in each of its levels; Zstandard.
    if begins(&[b"\x1f\x8b", b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda", b"\x28\xb5\x2f\xfd"]) {
        return Some(Foreign::Compressed);
    }
    holds_json(trimmed(std::str::from_utf8(&bytes).ok()?)).then_some(Foreign::Base64)
}

/// Whether it is an object or an array, or a string that looks like one.
fn holds_json(text: &str) -> bool {
    text.starts_with(['{', '[', '"']) && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn trimmed(text: &str) -> &str {
    text.trim_start_matches('\u{feff}').trim()
}

#[cfg(test)]
mod tests {
    use data_encoding::{BASE64, BASE64_MIME, BASE64URL_NOPAD};
    use serde_json::json;

    use super::*;

    const EVENT: &str = r#"{"type":"user.logout","token":"t?>~"}"#;

    #[test]
    fn what_a_producer_may_send_instead_is_recognised_by_its_structure() {
        let once = json!(EVENT).to_string();
        let gzip = BASE64.encode(b"\x1f\x8b\x08\0\0\0\0\0\0\xff\xabV*\xa9,HU");
        for (text, expected) in [
            (once.clone(), Foreign::EncodedTwice),
            (json!(once).to_string(), Foreign::EncodedTwice),
            (once.trim_matches('"').to_owned(), Foreign::EncodedTwice),
            (json!(format!("[{EVENT}]")).to_string(), Foreign::EncodedTwice),
            (BASE64.encode(EVENT.as_bytes()), Foreign::Base64),
            (BASE64URL_NOPAD.encode(EVENT.as_bytes()), Foreign::Base64),
            (BASE64_MIME.encode(EVENT.as_bytes()), Foreign::Base64),
            (BASE64.encode(once.as_bytes()), Foreign::Base64),
            (json!(BASE64.encode(EVENT.as_bytes())).to_string(), Foreign::Base64),
            (gzip.clone(), Foreign::Compressed),
            (json!(gzip).to_string(), Foreign::Compressed),
            (BASE64.encode(b"\x78\x9c\xabV*\xa9"), Foreign::Compressed),
            ("%7B%22type%22%3A%22user.logout%22%7D".into(), Foreign::Percent),
            (format!("[{EVENT},{EVENT}]"), Foreign::Several),
            (
                r#"["software.amazon.payloadoffloading.PayloadS3Pointer",{"s3BucketName":"b","s3Key":"k"}]"#.into(),
                Foreign::S3Pointer,
            ),
            (
                r#"["com.amazon.sqs.javamessaging.MessageS3Pointer",{"s3BucketName":"b","s3Key":"k"}]"#.into(),
                Foreign::S3Pointer,
            ),
            (r#"{"s3BucketName":"b","s3Key":"k"}"#.into(), Foreign::S3Pointer),
            (
                r#"{"specversion":"1.0","type":"com.example.logout","source":"/x","id":"1","data":{}}"#.into(),
                Foreign::CloudEvents,
            ),
            (
                r#"{"specversion":"1.0","type":"user.logout","id":"1","data_base64":"e30="}"#.into(),
                Foreign::CloudEvents,
            ),
        ] {
            assert_eq!(foreign(&text), Some(expected), "{text}");
            assert_eq!(foreign(&format!("\u{feff} {text}\n")), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_only_begins_like_it_is_not() {
        for text in [
            "",
            " ",
            "not JSON",
            "notjson1",
            "{",
            "[",
            "\"",
            "\"user.logout\"",
            "5",
            "null",
            "{}",
            "[]",
            "[1]",
            "[\"a\",{}]",
            EVENT,
            "%7",
            "%zz",
            "\"%\"",
            "{\\\"",
            "é",
            "====",
            r#"{"specversion":"1.0"}"#,
            r#"{"s3Key":"k"}"#,
        ] {
            assert_eq!(foreign(text), None, "{text}");
        }
    }
}
