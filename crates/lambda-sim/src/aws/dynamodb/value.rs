//! The values of attributes (DynamoDB API reference, "AttributeValue").

use std::cmp::Ordering;
use std::collections::BTreeSet;

use data_encoding::BASE64;
use serde_json::{Value, json};

use super::item::Item;
use super::number::{Number, NumberError};

const TYPES: [&str; 10] = ["S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"];
/// What a list or a map counts for besides what is in it, and what each of its elements does.
const CONTAINER_SIZE: usize = 3;
const ELEMENT_SIZE: usize = 1;

/// The value of an attribute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttributeValue {
    /// `S`: text.
    S(String),
    /// `N`: a number, as text. What came in a request is in the form DynamoDB gives back; a test may put anything.
    N(String),
    /// `B`: bytes.
    B(Vec<u8>),
    /// `BOOL`.
    Bool(bool),
    /// `NULL`.
    Null,
    /// `M`: a map.
    M(Item),
    /// `L`: a list.
    L(Vec<AttributeValue>),
    /// `SS`: a set of texts.
    Ss(BTreeSet<String>),
    /// `NS`: a set of numbers.
    Ns(BTreeSet<String>),
    /// `BS`: a set of bytes.
    Bs(BTreeSet<Vec<u8>>),
}

/// A value that DynamoDB refuses, in its words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// No JSON of an attribute value.
    #[error("The request is no JSON of the operation's input")]
    Shape,
    /// No type that DynamoDB knows.
    #[error("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")]
    Empty,
    /// Two types at once.
    #[error(
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes"
    )]
    TwoTypes,
    /// `{"NULL": false}`.
    #[error("One or more parameter values were invalid: Null attribute value types must have the value of true")]
    FalseNull,
    /// A set with nothing in it.
    #[error("One or more parameter values were invalid: An {0} set  may not be empty")]
    EmptySet(&'static str),
    /// A set with the same element twice.
    #[error("One or more parameter values were invalid: Input collection contains duplicates.")]
    Duplicates,
    /// No number of DynamoDB's.
    #[error(transparent)]
    Number(#[from] NumberError),
}

impl AttributeValue {
    /// The number `text` in the form DynamoDB gives it back; what is no number stays as it is.
    pub fn number(text: impl Into<String>) -> Self {
        let text = text.into();
        Self::N(Number::parse(&text).map_or(text, |number| number.to_string()))
    }

    /// The value of JSON such as `{"S": "text"}`.
    ///
    /// # Errors
    /// [`ValueError`] for what DynamoDB refuses.
    pub fn from_json(json: &Value) -> Result<Self, ValueError> {
        let fields = json.as_object().ok_or(ValueError::Shape)?;
        let mut typed = TYPES.iter().filter_map(|name| Some((*name, fields.get(*name).filter(|v| !v.is_null())?)));
        let (name, json) = typed.next().ok_or(ValueError::Empty)?;
        if typed.next().is_some() {
            return Err(ValueError::TwoTypes);
        }
        Ok(match name {
            "S" => Self::S(text(json)?.to_owned()),
            "N" => Self::N(number(json)?),
            "B" => Self::B(bytes(json)?),
            "BOOL" => Self::Bool(json.as_bool().ok_or(ValueError::Shape)?),
            "NULL" if json.as_bool().ok_or(ValueError::Shape)? => Self::Null,
            "NULL" => return Err(ValueError::FalseNull),
            "M" => Self::M(Item::from_json(json)?),
            "L" => Self::L(list(json)?.iter().map(Self::from_json).collect::<Result<_, _>>()?),
            "SS" => Self::Ss(set(json, "string", |element| Ok(text(element)?.to_owned()))?),
            "NS" => Self::Ns(set(json, "number", number)?),
            _ => Self::Bs(set(json, "binary", bytes)?),
        })
    }

    /// The JSON of the value.
    pub fn to_json(&self) -> Value {
        match self {
            Self::S(text) => json!({"S": text}),
            Self::N(number) => json!({"N": number}),
            Self::B(bytes) => json!({"B": BASE64.encode(bytes)}),
            Self::Bool(value) => json!({"BOOL": value}),
            Self::Null => json!({"NULL": true}),
            Self::M(map) => json!({"M": map.to_json()}),
            Self::L(list) => json!({"L": list.iter().map(Self::to_json).collect::<Vec<_>>()}),
            Self::Ss(set) => json!({"SS": set}),
            Self::Ns(set) => json!({"NS": set}),
            Self::Bs(set) => json!({"BS": set.iter().map(|bytes| BASE64.encode(bytes)).collect::<Vec<_>>()}),
        }
    }

    /// `S`, `N` and so on.
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::S(_) => "S",
            Self::N(_) => "N",
            Self::B(_) => "B",
            Self::Bool(_) => "BOOL",
            Self::Null => "NULL",
            Self::M(_) => "M",
            Self::L(_) => "L",
            Self::Ss(_) => "SS",
            Self::Ns(_) => "NS",
            Self::Bs(_) => "BS",
        }
    }

    /// What it counts for in the size of an item (DynamoDB developer guide, "DynamoDB item sizes and formats").
    pub(super) fn size(&self) -> usize {
        let number = |text: &String| Number::parse(text).map_or(text.len(), |number| number.size());
        match self {
            Self::S(text) => text.len(),
            Self::N(text) => number(text),
            Self::B(bytes) => bytes.len(),
            Self::Bool(_) | Self::Null => 1,
            Self::M(map) => CONTAINER_SIZE + map.len() * ELEMENT_SIZE + map.size(),
            Self::L(list) => CONTAINER_SIZE + list.iter().map(|element| ELEMENT_SIZE + element.size()).sum::<usize>(),
            Self::Ss(set) => set.iter().map(String::len).sum(),
            Self::Ns(set) => set.iter().map(number).sum(),
            Self::Bs(set) => set.iter().map(Vec::len).sum(),
        }
    }

    /// Text by its UTF-8 bytes, numbers by value, bytes as unsigned; everything else, and values of two types, have no order.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::S(own), Self::S(other)) => Some(own.cmp(other)),
            (Self::N(own), Self::N(other)) => Some(Number::parse(own).ok()?.cmp(&Number::parse(other).ok()?)),
            (Self::B(own), Self::B(other)) => Some(own.cmp(other)),
            _ => None,
        }
    }
}

fn text(json: &Value) -> Result<&str, ValueError> {
    json.as_str().ok_or(ValueError::Shape)
}

fn number(json: &Value) -> Result<String, ValueError> {
    Ok(Number::parse(text(json)?)?.to_string())
}

fn bytes(json: &Value) -> Result<Vec<u8>, ValueError> {
    BASE64.decode(text(json)?.as_bytes()).map_err(|_| ValueError::Shape)
}

fn list(json: &Value) -> Result<&[Value], ValueError> {
    json.as_array().map(Vec::as_slice).ok_or(ValueError::Shape)
}

fn set<T: Ord>(
    json: &Value,
    kind: &'static str,
    read: impl Fn(&Value) -> Result<T, ValueError>,
) -> Result<BTreeSet<T>, ValueError> {
    let elements = list(json)?;
    let set: BTreeSet<T> = elements.iter().map(read).collect::<Result<_, _>>()?;
    match set.len() {
        0 => Err(ValueError::EmptySet(kind)),
        len if len < elements.len() => Err(ValueError::Duplicates),
        _ => Ok(set),
    }
}

impl From<&str> for AttributeValue {
    fn from(text: &str) -> Self {
        Self::S(text.to_owned())
    }
}

impl From<String> for AttributeValue {
    fn from(text: String) -> Self {
        Self::S(text)
    }
}

impl From<i64> for AttributeValue {
    fn from(number: i64) -> Self {
        Self::N(number.to_string())
    }
}

impl From<u64> for AttributeValue {
    fn from(number: u64) -> Self {
        Self::N(number.to_string())
    }
}

impl From<bool> for AttributeValue {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<Vec<u8>> for AttributeValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self::B(bytes)
    }
}

impl From<Item> for AttributeValue {
    fn from(map: Item) -> Self {
        Self::M(map)
    }
}

impl From<Vec<AttributeValue>> for AttributeValue {
    fn from(list: Vec<AttributeValue>) -> Self {
        Self::L(list)
    }
}
