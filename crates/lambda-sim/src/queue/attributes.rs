//! Which message attributes SQS takes (SQS developer guide, "Amazon SQS message metadata"; messages as SQS words them).

use super::send::allowed;
use crate::message::{AttributeValue, MessageAttribute};

const MAX_NAME_LEN: usize = 256;
const MAX_TYPE_LEN: usize = 256;

/// A message attribute SQS doesn't take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AttributeError {
    /// Names have 1 to 256 letters, digits, `_`, `-` and `.`. SQS itself also takes letters beyond ASCII, which its guide doesn't promise.
    #[error(
        "Message (user) attribute names have 1 to 256 characters: letters, digits, periods, hyphens and underscores, \
         not {0:?}"
    )]
    Name(String),
    /// `AWS.` and `Amazon.`, in any case, at the start; a period at the start or the end, or two in succession.
    #[error(
        "You can't use message attribute names beginning with 'AWS.' or 'Amazon.', beginning or ending with '.' or with \
         '..' in them, such as {0:?}. These strings are reserved for internal use."
    )]
    Reserved(String),
    /// `String`, `Number` or `Binary`, with or without a label, as in `Number.int`.
    #[error("The type of message (user) attribute '{0}' must be prefixed with String, Binary or Number, but was: {1}")]
    Type(String, String),
    /// A value has at least a byte, and is text or bytes as the type says.
    #[error("Message (user) attribute '{0}' must contain a non-empty value of type '{1}'.")]
    Empty(String, String),
    /// Text has the characters a body may have.
    #[error("Invalid characters found in message (user) attribute '{0}'.")]
    Characters(String),
    /// The type says `Number`.
    #[error("Can't cast the value of message (user) attribute '{0}' to a number.")]
    NotANumber(String),
}

pub(super) fn check(name: &str, attribute: &MessageAttribute) -> Result<(), AttributeError> {
    check_name(name)?;
    let MessageAttribute { data_type, value } = attribute;
    let name = || name.to_owned();
    let base = data_type.split('.').next().unwrap_or_default();
    let valid = match (base, value) {
        _ if data_type.len() > MAX_TYPE_LEN => return Err(AttributeError::Type(name(), data_type.clone())),
        ("String" | "Number", AttributeValue::Text(text)) => !text.is_empty(),
        ("Binary", AttributeValue::Binary(bytes)) => !bytes.is_empty(),
        ("String" | "Number" | "Binary", _) => false,
        _ => return Err(AttributeError::Type(name(), data_type.clone())),
    };
    if !valid {
        return Err(AttributeError::Empty(name(), data_type.clone()));
    }
    let AttributeValue::Text(text) = value else { return Ok(()) };
    if !text.chars().all(allowed) {
        return Err(AttributeError::Characters(name()));
    }
    if base == "Number" && !text.parse::<f64>().is_ok_and(f64::is_finite) {
        return Err(AttributeError::NotANumber(name()));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), AttributeError> {
    let valid = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > MAX_NAME_LEN || !name.chars().all(valid) {
        return Err(AttributeError::Name(name.to_owned()));
    }
    let lower = name.to_ascii_lowercase();
    let reserved = lower.starts_with("aws.") || lower.starts_with("amazon.");
    if reserved || lower.starts_with('.') || lower.ends_with('.') || lower.contains("..") {
        return Err(AttributeError::Reserved(name.to_owned()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_follows_the_rules_of_the_guide() {
        let value = MessageAttribute::string("x");
        for name in ["a", "Error.Code_1-b", "aws", "awsome.x", &"n".repeat(256)] {
            assert_eq!(check(name, &value), Ok(()), "{name}");
        }
        for name in ["", "a b", "ä", &"n".repeat(257)] {
            assert_eq!(check(name, &value), Err(AttributeError::Name(name.to_owned())));
        }
        for name in ["AWS.x", "amazon.x", ".a", "a.", "a..b"] {
            assert_eq!(check(name, &value), Err(AttributeError::Reserved(name.to_owned())));
        }
    }

    #[test]
    fn a_value_is_there_and_of_its_type() {
        let typed = |data_type: &str, value: AttributeValue| {
            check("a", &MessageAttribute { data_type: data_type.to_owned(), value })
        };
        let text = |text: &str| AttributeValue::Text(text.to_owned());
        assert_eq!(typed("Number.int", text("-1.5e3")), Ok(()));
        assert_eq!(typed("Binary.gif", AttributeValue::Binary(vec![0])), Ok(()));
        for (data_type, value) in [
            ("String", text("")),
            ("Binary", AttributeValue::Binary(vec![])),
            ("Binary", text("x")),
            ("String", AttributeValue::Binary(vec![0])),
        ] {
            assert_eq!(typed(data_type, value), Err(AttributeError::Empty("a".into(), data_type.into())));
        }
        assert_eq!(typed("Strings", text("x")), Err(AttributeError::Type("a".into(), "Strings".into())));
        assert_eq!(typed("String", text("\u{8}")), Err(AttributeError::Characters("a".into())));
        for number in ["one", "NaN", "inf"] {
            assert_eq!(typed("Number", text(number)), Err(AttributeError::NotANumber("a".into())), "{number}");
        }
    }
}
