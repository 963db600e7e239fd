//! The expressions of an `UpdateItem`: `SET #a = :a, …` and `REMOVE #a, …`, one of them or both, and conditions of `#a
//! = :a`, `#a = #b`, `#a < :a`, `attribute_not_exists(#a)`, `AND`, `OR` and parentheses.

mod condition;
mod tokens;

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

pub(super) use condition::Condition;
use tokens::Tokens;

use super::{
    invalid,
    item::{AttributeValue, Item},
};
use crate::aws::error::ErrorAnswer;

/// `ExpressionAttributeNames` or `ExpressionAttributeValues`: by placeholder. All of them have to be used.
pub(super) struct Placeholders<T> {
    by_placeholder: BTreeMap<String, T>,
    used: RefCell<BTreeSet<String>>,
}

impl<T: Clone> Placeholders<T> {
    pub(super) fn new(by_placeholder: BTreeMap<String, T>) -> Self {
        Self { by_placeholder, used: RefCell::default() }
    }

    fn get(&self, placeholder: &str) -> Result<T, ErrorAnswer> {
        let found = self.by_placeholder.get(placeholder);
        let found = found.ok_or_else(|| invalid(format!("{placeholder} is not defined")))?;
        self.used.borrow_mut().insert(placeholder.to_owned());
        Ok(found.clone())
    }

    pub(super) fn all_used(&self) -> Result<(), ErrorAnswer> {
        let used = self.used.borrow();
        match self.by_placeholder.keys().find(|placeholder| !used.contains(*placeholder)) {
            Some(placeholder) => Err(invalid(format!("{placeholder} is not used in an expression"))),
            None => Ok(()),
        }
    }
}

/// An `UpdateExpression`: attributes by name, with their new values, or `None` to remove them.
#[derive(Debug, Default)]
pub(super) struct Update(BTreeMap<String, Option<AttributeValue>>);

impl Update {
    pub(super) fn parse(
        source: &str,
        names: &Placeholders<String>,
        values: &Placeholders<AttributeValue>,
    ) -> Result<Self, ErrorAnswer> {
        let mut tokens = Tokens::of(source)?;
        let mut update = Self::default();
        let mut sets = tokens.takes("SET");
        if !sets {
            tokens.expect("REMOVE")?;
        }
        loop {
            let name = names.get(tokens.placeholder('#')?)?;
            let value = match sets {
                true => {
                    tokens.expect("=")?;
                    Some(values.get(tokens.placeholder(':')?)?)
                }
                false => None,
            };
            if update.0.insert(name.clone(), value).is_some() {
                return Err(invalid(format!("the update has {name} twice")));
            }
            if sets && tokens.takes("REMOVE") {
                sets = false;
            } else if !tokens.takes(",") {
                return tokens.end().map(|()| update);
            }
        }
    }

    pub(super) fn touches(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(super) fn only_removes(&self) -> bool {
        self.0.values().all(Option::is_none)
    }

    pub(super) fn apply(&self, item: &mut Item) {
        for (name, value) in &self.0 {
            match value {
                Some(value) => _ = item.insert(name, value.clone()),
                None => _ = item.remove(name),
            }
        }
    }
}
