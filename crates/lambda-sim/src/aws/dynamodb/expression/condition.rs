//! `ConditionExpression`: `AND` binds before `OR` (DynamoDB developer guide, "Condition and filter expressions,
//! operators, and functions").

use std::cmp::Ordering;

use super::{Placeholders, tokens::Tokens};
use crate::aws::{
    dynamodb::{
        invalid,
        item::{AttributeValue, Item},
    },
    error::ErrorAnswer,
};

/// DynamoDB quotas, "Expression parameters".
const MAX_OPERATORS: usize = 300;

type Parsed<T> = Result<T, ErrorAnswer>;

#[derive(Debug)]
pub(in crate::aws::dynamodb) enum Condition {
    NotExists(String),
    Equal(String, AttributeValue),
    Less(String, AttributeValue),
    SameAs(String, String),
    All(Vec<Condition>),
    Any(Vec<Condition>),
}

impl Condition {
    pub(in crate::aws::dynamodb) fn parse(
        source: &str,
        names: &Placeholders<String>,
        values: &Placeholders<AttributeValue>,
    ) -> Parsed<Self> {
        let mut parser = Parser { tokens: Tokens::of(source)?, names, values, operators: 0 };
        let condition = parser.any()?;
        parser.tokens.end()?;
        match parser.operators {
            0..=MAX_OPERATORS => Ok(condition),
            count => Err(invalid(format!("a condition has at most {MAX_OPERATORS} operators, not {count}"))),
        }
    }

    /// Whether `item` meets it. Neither `=` nor `<` holds of an attribute that is absent or of another type.
    pub(in crate::aws::dynamodb) fn holds(&self, item: &Item) -> bool {
        let order = |name: &str, value| item.get(name).and_then(|own| own.order(value));
        match self {
            Self::NotExists(name) => item.get(name).is_none(),
            Self::Equal(name, value) => order(name, value) == Some(Ordering::Equal),
            Self::Less(name, value) => order(name, value) == Some(Ordering::Less),
            Self::SameAs(name, other) => {
                item.get(other).is_some_and(|value| order(name, value) == Some(Ordering::Equal))
            }
            Self::All(parts) => parts.iter().all(|part| part.holds(item)),
            Self::Any(parts) => parts.iter().any(|part| part.holds(item)),
        }
    }

    /// Of what [`Parser::any`] has read.
    fn is_one_part(&self) -> bool {
        let Self::Any(parts) = self else { return false };
        matches!(&parts[..], [Self::All(parts)] if parts.len() == 1)
    }
}

struct Parser<'a> {
    tokens: Tokens<'a>,
    names: &'a Placeholders<String>,
    values: &'a Placeholders<AttributeValue>,
    operators: usize,
}

impl Parser<'_> {
    fn any(&mut self) -> Parsed<Condition> {
        let mut parts = vec![self.all()?];
        while self.tokens.takes("OR") {
            self.operators += 1;
            parts.push(self.all()?);
        }
        Ok(Condition::Any(parts))
    }

    fn all(&mut self) -> Parsed<Condition> {
        let mut parts = vec![self.one()?];
        while self.tokens.takes("AND") {
            self.operators += 1;
            parts.push(self.one()?);
        }
        Ok(Condition::All(parts))
    }

    fn one(&mut self) -> Parsed<Condition> {
        if self.tokens.takes("(") {
            // DynamoDB refuses redundant parentheses: `((a))`.
            let opens = self.tokens.peek() == "(";
            let inner = self.any()?;
            if opens && inner.is_one_part() {
                return Err(invalid("the condition has redundant parentheses"));
            }
            return self.tokens.expect(")").map(|()| inner);
        }
        self.operators += 1;
        if self.tokens.takes("attribute_not_exists") {
            self.tokens.expect("(")?;
            let name = self.names.get(self.tokens.placeholder('#')?)?;
            return self.tokens.expect(")").map(|()| Condition::NotExists(name));
        }
        let name = self.names.get(self.tokens.placeholder('#')?)?;
        let comparison = match self.tokens.peek() {
            "=" => Condition::Equal,
            "<" => Condition::Less,
            _ => return Err(self.tokens.not_modelled()),
        };
        let is_equal = self.tokens.next() == "=";
        if is_equal && self.tokens.peek().starts_with('#') {
            return Ok(Condition::SameAs(name, self.names.get(self.tokens.placeholder('#')?)?));
        }
        Ok(comparison(name, self.values.get(self.tokens.placeholder(':')?)?))
    }
}
