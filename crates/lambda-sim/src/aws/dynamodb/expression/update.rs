//! `UpdateExpression`: `SET` and `REMOVE` of whole attributes.

use super::error::ExpressionError;
use super::placeholders::Placeholders;
use super::tokens::{Token, Tokens};
use crate::aws::dynamodb::item::Item;
use crate::aws::dynamodb::value::AttributeValue;

/// What an update does. No attribute is in it twice.
#[derive(Debug, Default)]
pub(in crate::aws::dynamodb) struct Update {
    sets: Vec<(String, AttributeValue)>,
    removes: Vec<String>,
}

impl Update {
    pub(super) fn parse(source: &str, placeholders: &mut Placeholders<'_>) -> Result<Self, ExpressionError> {
        let mut tokens = Tokens::of(source)?;
        let mut update = Self::default();
        while tokens.peek() != Token::End {
            if tokens.takes_keyword("SET") {
                once("SET", update.sets.is_empty())?;
                update.set(&mut tokens, placeholders)?;
            } else if tokens.takes_keyword("REMOVE") {
                once("REMOVE", update.removes.is_empty())?;
                update.remove(&mut tokens, placeholders)?;
            } else if tokens.takes_keyword("ADD") || tokens.takes_keyword("DELETE") {
                return Err(ExpressionError::NotModelled("ADD and DELETE".into()));
            } else {
                return Err(tokens.unexpected());
            }
        }
        Ok(update)
    }

    fn set(&mut self, tokens: &mut Tokens<'_>, placeholders: &mut Placeholders<'_>) -> Result<(), ExpressionError> {
        loop {
            let path = self.path(tokens, placeholders)?;
            tokens.expect("=")?;
            let value = value(tokens, placeholders)?;
            self.sets.push((path, value));
            if !tokens.takes(",") {
                return Ok(());
            }
        }
    }

    fn remove(&mut self, tokens: &mut Tokens<'_>, placeholders: &mut Placeholders<'_>) -> Result<(), ExpressionError> {
        loop {
            let path = self.path(tokens, placeholders)?;
            self.removes.push(path);
            if !tokens.takes(",") {
                return Ok(());
            }
        }
    }

    fn path(&self, tokens: &mut Tokens<'_>, placeholders: &mut Placeholders<'_>) -> Result<String, ExpressionError> {
        let path = placeholders.path(tokens)?;
        if self.touches(&path) { Err(ExpressionError::PathTwice(path)) } else { Ok(path) }
    }

    /// Whether it sets or removes the attribute `name`.
    pub(in crate::aws::dynamodb) fn touches(&self, name: &str) -> bool {
        self.sets.iter().map(|(path, _)| path).chain(&self.removes).any(|path| path == name)
    }

    /// Whether it sets nothing.
    pub(in crate::aws::dynamodb) fn only_removes(&self) -> bool {
        self.sets.is_empty()
    }

    pub(in crate::aws::dynamodb) fn apply(&self, item: &mut Item) {
        for (name, value) in &self.sets {
            item.insert(name, value.clone());
        }
        for name in &self.removes {
            item.remove(name);
        }
    }
}

fn once(section: &'static str, first: bool) -> Result<(), ExpressionError> {
    if first { Ok(()) } else { Err(ExpressionError::SectionTwice(section)) }
}

fn value(tokens: &mut Tokens<'_>, placeholders: &mut Placeholders<'_>) -> Result<AttributeValue, ExpressionError> {
    let not_modelled = |what: &str| Err(ExpressionError::NotModelled(what.to_owned()));
    let token = match (tokens.peek(), tokens.peek_second()) {
        (Token::Value(_), Token::Symbol("+" | "-")) => return not_modelled("arithmetic in SET"),
        (Token::Value(token), _) => token,
        (Token::Word(name @ ("if_not_exists" | "list_append")), Token::Symbol("(")) => return not_modelled(name),
        (Token::Word(name), Token::Symbol("(")) => return Err(ExpressionError::UnknownFunction(name.to_owned())),
        (Token::Word(_) | Token::Name(_), _) => {
            placeholders.path(tokens)?;
            return not_modelled("attributes on the right of SET");
        }
        (Token::Symbol("("), _) => return not_modelled("parentheses in SET"),
        _ => return Err(tokens.unexpected()),
    };
    let value = placeholders.value(token)?;
    tokens.next();
    Ok(value)
}
