//! The text of a JSON string that serde_json has left unread.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// Borrowed unless it has escapes. `None` for any other value, and for a string that is no Unicode.
///
/// Bodies are full of escaped quotes: serde_json would start again at each of them, and grow a buffer for each body
/// (`make counts`: 10 % of the instructions of reading).
pub(super) fn text(raw: &RawValue) -> Option<Cow<'_, str>> {
    let mut rest = raw.get().strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::new();
    while let Some(place) = rest.find('\\') {
        // serde_json has checked every escape already.
        let escaped = match rest.as_bytes().get(place + 1)? {
            same @ (b'"' | b'\\' | b'/') => char::from(*same),
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            // `\u` escapes, which may be surrogates, are left to serde_json.
            _ => return serde_json::from_str(raw.get()).ok().map(Cow::Owned),
        };
        if text.is_empty() {
            text.reserve(rest.len());
        }
        text.push_str(&rest[..place]);
        text.push(escaped);
        rest = &rest[place + 2..];
    }
    if text.is_empty() {
        return Some(Cow::Borrowed(rest));
    }
    text.push_str(rest);
    Some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn same(json: &str) {
        let raw: &RawValue = serde_json::from_str(json).unwrap();
        assert_eq!(text(raw).as_deref(), serde_json::from_str::<String>(json).ok().as_deref(), "{json}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_serde_json_reads_it(text in any::<String>(), rich in r#"[\\"/\n\r\t\x08\x0c\x00é𝄞a]{0,20}"#) {
            for text in [text, rich] {
                same(&serde_json::to_string(&text).unwrap());
            }
        }
    }

    #[test]
    fn every_escape_is_read_as_serde_json_reads_it() {
        for json in [
            r#""""#,
            r#""\"""#,
            r#""a\\b\/c\b\f\n\r\td""#,
            r#""\u0041\ud834\udd1e""#,
            r#""\"\ud834""#,
            r#""\ud834 \"x""#,
            "null",
            "1",
            "true",
            "[]",
            "{}",
            r#""\\\\""#,
        ] {
            same(json);
        }
    }

    #[test]
    fn a_text_without_escapes_is_borrowed() {
        let raw: &RawValue = serde_json::from_str(r#""plain""#).unwrap();
        assert!(matches!(text(raw), Some(Cow::Borrowed("plain"))));
    }
}
