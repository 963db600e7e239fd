//! The values of attributes, as DynamoDB's JSON has them.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, IgnoredAny, MapAccess, Visitor},
    ser,
};

/// The attribute that rows are found by.
pub(super) const KEY: &str = "pk";

/// A row. It has few attributes: comparing a name with some of them takes less than hashing it.
pub(super) type Attributes = BTreeMap<String, AttributeValue>;

/// The value of an attribute: of the types that rows have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AttributeValue {
    /// A string.
    S(String),
    /// A number, as it is written.
    N(String),
    /// Of a type that no row has. It can be read and not be written.
    Other,
}

impl AttributeValue {
    pub(super) fn as_s(&self) -> Option<&String> {
        if let Self::S(text) = self { Some(text) } else { None }
    }

    pub(super) fn as_n(&self) -> Option<&String> {
        if let Self::N(number) = self { Some(number) } else { None }
    }
}

impl Serialize for AttributeValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::S(text) => serializer.collect_map([("S", text)]),
            Self::N(number) => serializer.collect_map([("N", number)]),
            Self::Other => Err(ser::Error::custom("a value of a type that no row has")),
        }
    }
}

impl<'de> Deserialize<'de> for AttributeValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(OfOneType)
    }
}

/// A value is an object with one member, whose name is the type.
struct OfOneType;

#[derive(Deserialize)]
#[serde(field_identifier)]
enum Type {
    S,
    N,
    #[serde(other)]
    Other,
}

impl<'de> Visitor<'de> for OfOneType {
    type Value = AttributeValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with the value's type")
    }

    fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> Result<AttributeValue, M::Error> {
        let value = match map.next_key()? {
            Some(Type::S) => AttributeValue::S(map.next_value()?),
            Some(Type::N) => AttributeValue::N(map.next_value()?),
            Some(Type::Other) => map.next_value::<IgnoredAny>().map(|_| AttributeValue::Other)?,
            None => return Err(M::Error::custom("a value without a type")),
        };
        if map.next_key::<IgnoredAny>()?.is_some() {
            return Err(M::Error::custom("a value of two types"));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_value_has_one_type_and_types_that_no_row_has_are_read_and_not_written() {
        let read = |value: serde_json::Value| serde_json::from_value::<AttributeValue>(value).ok();
        assert_eq!(read(json!({"S": "a\"b"})), Some(AttributeValue::S("a\"b".into())));
        assert_eq!(read(json!({"N": "7"})), Some(AttributeValue::N("7".into())));
        assert_eq!(read(json!({"M": {"a": {"S": "b"}}})), Some(AttributeValue::Other));
        for value in [json!({}), json!({"S": "a", "N": "1"}), json!({"N": 7}), json!("a"), json!(null)] {
            assert_eq!(read(value.clone()), None, "{value}");
        }
        let text = r#"{"S":"a\u0022b"}"#;
        assert_eq!(serde_json::from_str::<AttributeValue>(text).unwrap(), AttributeValue::S("a\"b".into()));
        for value in [json!({"S": "a\"b"}), json!({"N": "7"})] {
            assert_eq!(serde_json::to_value(read(value.clone())).unwrap(), value);
        }
        assert!(serde_json::to_value(AttributeValue::Other).is_err());
    }
}
