//! `ConditionExpression`: comparison before `NOT` before `AND` before `OR` (DynamoDB developer guide, "Condition and filter expressions,
//! operators, and functions").

use super::condition::{Comparator, Condition, Operand};
use super::error::ExpressionError;
use super::placeholders::Placeholders;
use super::tokens::{Token, Tokens};

/// DynamoDB quotas, "Expression parameters".
const MAX_OPERATORS: usize = 300;
/// More levels than operators can't be without redundant parentheses.
const MAX_DEPTH: usize = MAX_OPERATORS + 1;
/// Functions that DynamoDB has beyond `attribute_exists` and `attribute_not_exists`.
const OTHER_FUNCTIONS: [&str; 4] = ["attribute_type", "begins_with", "contains", "size"];

type Parsed<T> = Result<T, ExpressionError>;

impl Condition {
    pub(super) fn parse(source: &str, placeholders: &mut Placeholders<'_>) -> Parsed<Self> {
        let tokens = Tokens::of(source)?;
        let mut parser = Parser { tokens, placeholders, operators: 0, depth: 0, group: None };
        let condition = parser.or()?;
        if parser.tokens.peek() == Token::End { Ok(condition) } else { Err(parser.tokens.unexpected()) }
    }
}

struct Parser<'a, 'p, 'v> {
    tokens: Tokens<'a>,
    placeholders: &'p mut Placeholders<'v>,
    operators: usize,
    depth: usize,
    /// Where the parentheses read last open and close.
    group: Option<(usize, usize)>,
}

impl Parser<'_, '_, '_> {
    fn or(&mut self) -> Parsed<Condition> {
        let mut left = self.and()?;
        while self.tokens.takes_keyword("OR") {
            self.count_operator()?;
            left = Condition::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Parsed<Condition> {
        let mut left = self.not()?;
        while self.tokens.takes_keyword("AND") {
            self.count_operator()?;
            left = Condition::And(Box::new(left), Box::new(self.not()?));
        }
        Ok(left)
    }

    fn not(&mut self) -> Parsed<Condition> {
        if self.tokens.takes_keyword("NOT") {
            self.count_operator()?;
            return Ok(Condition::Not(Box::new(self.not()?)));
        }
        match (self.tokens.peek(), self.tokens.peek_second()) {
            (Token::Symbol("("), _) => self.parentheses(),
            (Token::Word(name), Token::Symbol("(")) => self.function(name),
            _ => self.comparison(),
        }
    }

    fn parentheses(&mut self) -> Parsed<Condition> {
        let open = self.tokens.position();
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(ExpressionError::RedundantParentheses);
        }
        self.tokens.expect("(")?;
        let condition = self.or()?;
        let close = self.tokens.position();
        self.tokens.expect(")")?;
        self.depth -= 1;
        if self.group == close.checked_sub(1).map(|close| (open + 1, close)) {
            return Err(ExpressionError::RedundantParentheses);
        }
        self.group = Some((open, close));
        Ok(condition)
    }

    fn function(&mut self, name: &str) -> Parsed<Condition> {
        let not = match name {
            "attribute_exists" => false,
            "attribute_not_exists" => true,
            _ => return Err(unknown(name)),
        };
        self.count_operator()?;
        self.tokens.next();
        self.tokens.expect("(")?;
        let first = self.operand()?;
        let mut count = 1;
        while self.tokens.takes(",") {
            self.operand()?;
            count += 1;
        }
        self.tokens.expect(")")?;
        if count > 1 {
            return Err(ExpressionError::OperandCount { function: name.to_owned(), count });
        }
        if matches!(self.tokens.peek(), Token::Symbol(symbol) if Comparator::of(symbol).is_some()) {
            return Err(ExpressionError::MisplacedFunction(name.to_owned()));
        }
        match first {
            Operand::Path(path) if not => Ok(Condition::NotExists(path)),
            Operand::Path(path) => Ok(Condition::Exists(path)),
            Operand::Value(_) => Err(ExpressionError::NoPath(name.to_owned())),
        }
    }

    fn comparison(&mut self) -> Parsed<Condition> {
        let left = self.operand()?;
        for keyword in ["BETWEEN", "IN"] {
            if self.tokens.takes_keyword(keyword) {
                return Err(ExpressionError::NotModelled(keyword.into()));
            }
        }
        let comparator = match self.tokens.peek() {
            Token::Symbol(symbol) => Comparator::of(symbol),
            _ => None,
        };
        let comparator = comparator.ok_or_else(|| self.tokens.unexpected())?;
        self.count_operator()?;
        self.tokens.next();
        let right = self.operand()?;
        let operator = comparator.symbol();
        for operand in [&left, &right] {
            if let Operand::Value(value) = operand
                && comparator.wants_order()
                && value.order(value).is_none()
            {
                return Err(ExpressionError::OperandType { operator, operand: value.type_name() });
            }
        }
        match (left, right) {
            (Operand::Path(path), Operand::Path(other)) if path == other => {
                Err(ExpressionError::SameOperands { operator, path })
            }
            (left, right) => Ok(Condition::Compare(left, comparator, right)),
        }
    }

    fn operand(&mut self) -> Parsed<Operand> {
        match (self.tokens.peek(), self.tokens.peek_second()) {
            (Token::Value(token), _) => {
                let value = self.placeholders.value(token)?;
                self.tokens.next();
                Ok(Operand::Value(value))
            }
            (Token::Word(name @ ("attribute_exists" | "attribute_not_exists")), Token::Symbol("(")) => {
                Err(ExpressionError::MisplacedFunction(name.to_owned()))
            }
            (Token::Word(name), Token::Symbol("(")) => Err(unknown(name)),
            _ => Ok(Operand::Path(self.placeholders.path(&mut self.tokens)?)),
        }
    }

    fn count_operator(&mut self) -> Parsed<()> {
        self.operators += 1;
        if self.operators > MAX_OPERATORS {
            return Err(ExpressionError::TooManyOperators(self.operators));
        }
        Ok(())
    }
}

fn unknown(function: &str) -> ExpressionError {
    match OTHER_FUNCTIONS.contains(&function) {
        true => ExpressionError::NotModelled(function.to_owned()),
        false => ExpressionError::UnknownFunction(function.to_owned()),
    }
}
