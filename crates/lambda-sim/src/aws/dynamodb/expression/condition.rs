//! What a `ConditionExpression` means.

use std::cmp::Ordering;

use crate::aws::dynamodb::item::Item;
use crate::aws::dynamodb::value::AttributeValue;

#[derive(Debug, PartialEq, Eq)]
pub(in crate::aws::dynamodb) enum Condition {
    Exists(String),
    NotExists(String),
    Compare(Operand, Comparator, Operand),
    Not(Box<Condition>),
    And(Box<Condition>, Box<Condition>),
    Or(Box<Condition>, Box<Condition>),
}

#[derive(Debug, PartialEq, Eq)]
pub(in crate::aws::dynamodb) enum Operand {
    Path(String),
    Value(AttributeValue),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws::dynamodb) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparator {
    const ALL: [Self; 6] =
        [Self::Equal, Self::NotEqual, Self::Less, Self::LessOrEqual, Self::Greater, Self::GreaterOrEqual];

    pub(super) fn of(symbol: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|comparator| comparator.symbol() == symbol)
    }

    pub(super) fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::NotEqual => "<>",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        }
    }

    /// Whether it asks for an order, which only texts, numbers and bytes have.
    pub(super) fn wants_order(self) -> bool {
        !matches!(self, Self::Equal | Self::NotEqual)
    }

    fn holds(self, left: Option<&AttributeValue>, right: Option<&AttributeValue>) -> bool {
        let both = left.zip(right);
        let order = both.and_then(|(left, right)| left.order(right));
        // Of two attributes that aren't there neither equals the other: `<>` is the opposite of `=`, always.
        let equal = order == Some(Ordering::Equal) || both.is_some_and(|(left, right)| left == right);
        match self {
            Self::Equal => equal,
            Self::NotEqual => !equal,
            Self::Less => order == Some(Ordering::Less),
            Self::LessOrEqual => order.is_some_and(Ordering::is_le),
            Self::Greater => order == Some(Ordering::Greater),
            Self::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        }
    }
}

impl Operand {
    fn value<'a>(&'a self, item: &'a Item) -> Option<&'a AttributeValue> {
        match self {
            Self::Path(name) => item.get(name),
            Self::Value(value) => Some(value),
        }
    }
}

impl Condition {
    /// Whether `item` meets it.
    pub(in crate::aws::dynamodb) fn holds(&self, item: &Item) -> bool {
        match self {
            Self::Exists(name) => item.get(name).is_some(),
            Self::NotExists(name) => item.get(name).is_none(),
            Self::Compare(left, comparator, right) => comparator.holds(left.value(item), right.value(item)),
            Self::Not(condition) => !condition.holds(item),
            Self::And(left, right) => left.holds(item) && right.holds(item),
            Self::Or(left, right) => left.holds(item) || right.holds(item),
        }
    }
}
