//! Which messages SQS takes (SQS API reference, `SendMessage`; developer guide, "Amazon SQS message metadata").

use std::collections::BTreeMap;

use super::SendError;
use crate::message::attributes_len;

/// A message of body and attributes has at most this number of bytes (SQS quotas, 1 MiB since August 2025).
pub(crate) const MAX_MESSAGE_LEN: usize = 1024 * 1024;
const MAX_ATTRIBUTES: usize = 10;
const MAX_NAME_LEN: usize = 256;

pub(super) fn check(body: &str, attributes: &BTreeMap<String, String>) -> Result<(), SendError> {
    if body.is_empty() {
        return Err(SendError::EmptyBody);
    }
    if let Some(c) = body.chars().find(|c| !is_allowed(*c)) {
        return Err(SendError::InvalidCharacter(c));
    }
    if attributes.len() > MAX_ATTRIBUTES {
        return Err(SendError::Invalid(format!("{} attributes are more than {MAX_ATTRIBUTES}", attributes.len())));
    }
    for (name, text) in attributes {
        if !is_name(name) || text.is_empty() || !text.chars().all(is_allowed) {
            return Err(SendError::Invalid(format!("the attribute {name:?} has an invalid name or value")));
        }
    }
    match body.len() + attributes_len(attributes) {
        0..=MAX_MESSAGE_LEN => Ok(()),
        len => Err(SendError::Invalid(format!("{len} bytes are more than {MAX_MESSAGE_LEN}"))),
    }
}

/// `#x9 | #xA | #xD | #x20 to #xD7FF | #xE000 to #xFFFD | #x10000 to #x10FFFF`.
fn is_allowed(c: char) -> bool {
    !matches!(c, '\0'..='\x08' | '\x0b' | '\x0c' | '\x0e'..='\x1f' | '\u{fffe}' | '\u{ffff}')
}

/// SQS itself also takes letters beyond ASCII, which its guide does not promise.
fn is_name(name: &str) -> bool {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let lower = name.to_ascii_lowercase();
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    let misplaced = lower.starts_with('.') || lower.ends_with('.') || lower.contains("..");
    (1..=MAX_NAME_LEN).contains(&name.len()) && name.chars().all(valid) && !reserved && !misplaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attribute_has_a_name_and_a_value_that_sqs_takes() {
        let checked = |name: &str, text: &str| check("body", &[(name.to_owned(), text.to_owned())].into());
        for name in ["a", "Error.Code_1-b", "aws", "awsome.x", &"n".repeat(256)] {
            assert_eq!(checked(name, "x"), Ok(()), "{name}");
        }
        for name in ["", "a b", "ä", "AWS.x", "amazon.x", ".a", "a.", "a..b", &"n".repeat(257)] {
            assert!(matches!(checked(name, "x"), Err(SendError::Invalid(_))), "{name}");
        }
        for text in ["", "\u{8}"] {
            assert!(matches!(checked("a", text), Err(SendError::Invalid(_))));
        }
    }
}
