//! `ExpressionAttributeNames` and `ExpressionAttributeValues`: what stands for `#name` and `:value`, and whether all of it is used.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::error::ExpressionError;
use super::tokens::{Token, Tokens};
use crate::aws::dynamodb::error::DynamoError;
use crate::aws::dynamodb::value::AttributeValue;

const NAMES: &str = "ExpressionAttributeNames";
const VALUES: &str = "ExpressionAttributeValues";
/// DynamoDB developer guide, "Reserved words in DynamoDB".
const RESERVED: &str = include_str!("reserved_words.txt");
/// Reserved as well, but never read as a name at all.
const KEYWORDS: [&str; 9] = ["SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"];

pub(super) struct Placeholders<'a> {
    names: BTreeMap<&'a str, &'a str>,
    values: BTreeMap<&'a str, AttributeValue>,
    used: BTreeSet<&'a str>,
}

impl<'a> Placeholders<'a> {
    pub(super) fn read(
        names: Option<&'a BTreeMap<String, String>>,
        values: Option<&'a BTreeMap<String, Value>>,
    ) -> Result<Self, DynamoError> {
        let mut read = Self { names: BTreeMap::new(), values: BTreeMap::new(), used: BTreeSet::new() };
        if let Some(names) = names {
            check_keys(NAMES, '#', names.keys())?;
            read.names = names.iter().map(|(key, name)| (key.as_str(), name.as_str())).collect();
        }
        if let Some(values) = values {
            check_keys(VALUES, ':', values.keys())?;
            for (key, json) in values {
                let value = AttributeValue::from_json(json);
                let value = value.map_err(|error| DynamoError::PlaceholderValue { key: key.clone(), error })?;
                read.values.insert(key, value);
            }
        }
        Ok(read)
    }

    /// The attribute that is named next.
    pub(super) fn path(&mut self, tokens: &mut Tokens<'_>) -> Result<String, ExpressionError> {
        let name = match tokens.peek() {
            Token::Word(word) if is_in(&KEYWORDS, word) => return Err(tokens.unexpected()),
            Token::Word(word) => {
                if is_reserved(word) {
                    return Err(ExpressionError::Reserved(word.to_owned()));
                }
                word
            }
            Token::Name(name) => {
                let Some((&key, &name)) = self.names.get_key_value(name) else {
                    return Err(ExpressionError::UndefinedName(name.to_owned()));
                };
                self.used.insert(key);
                name
            }
            _ => return Err(tokens.unexpected()),
        };
        let name = name.to_owned();
        tokens.next();
        match tokens.peek() {
            Token::Symbol("." | "[") => Err(ExpressionError::NotModelled("paths into maps and lists".into())),
            _ => Ok(name),
        }
    }

    /// The value behind `:value`.
    pub(super) fn value(&mut self, token: &str) -> Result<AttributeValue, ExpressionError> {
        let Some((&key, value)) = self.values.get_key_value(token) else {
            return Err(ExpressionError::UndefinedValue(token.to_owned()));
        };
        self.used.insert(key);
        Ok(value.clone())
    }

    pub(super) fn all_used(&self) -> Result<(), DynamoError> {
        let unused = |parameter, keys: Vec<&str>| {
            let keys: Vec<&str> = keys.into_iter().filter(|key| !self.used.contains(key)).collect();
            match keys.is_empty() {
                true => Ok(()),
                false => Err(DynamoError::UnusedPlaceholders { parameter, keys: keys.join(", ") }),
            }
        };
        unused(NAMES, self.names.keys().copied().collect())?;
        unused(VALUES, self.values.keys().copied().collect())
    }
}

fn check_keys<'a>(
    parameter: &'static str,
    first: char,
    mut keys: impl ExactSizeIterator<Item = &'a String>,
) -> Result<(), DynamoError> {
    if keys.len() == 0 {
        return Err(DynamoError::NoPlaceholders(parameter));
    }
    let valid = |key: &str| {
        let rest = key.strip_prefix(first).unwrap_or_default();
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match keys.find(|key| !valid(key)) {
        Some(key) => Err(DynamoError::PlaceholderKey { parameter, key: key.clone() }),
        None => Ok(()),
    }
}

fn is_in(words: &[&str], word: &str) -> bool {
    words.iter().any(|own| own.eq_ignore_ascii_case(word))
}

fn is_reserved(word: &str) -> bool {
    RESERVED.split_whitespace().any(|own| own.eq_ignore_ascii_case(word))
}
