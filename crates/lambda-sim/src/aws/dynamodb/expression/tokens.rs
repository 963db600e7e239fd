//! An expression cut into tokens.

use std::ops::Range;

use super::error::ExpressionError;

/// Two characters before one, so that `<=` isn't read as `<`.
const SYMBOLS: [&str; 14] = ["<>", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "[", "]", "+", "-"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A keyword, a function or an attribute's own name.
    Word(&'a str),
    /// `#name`.
    Name(&'a str),
    /// `:value`.
    Value(&'a str),
    /// An operator, a bracket or the digits of an index.
    Symbol(&'a str),
    End,
}

/// The tokens of an expression, read from the front.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    source: &'a str,
    /// The last one is [`Token::End`].
    tokens: Vec<(Token<'a>, Range<usize>)>,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(source: &'a str) -> Result<Self, ExpressionError> {
        let mut tokens = Vec::new();
        let mut at = 0;
        while let Some(next) = source[at..].chars().next() {
            let rest = &source[at..];
            if " \t\r\n".contains(next) {
                at += 1;
                continue;
            }
            let Some(token) = token(rest, next) else {
                let start = tokens.last().map_or(at, |(_, span): &(Token<'_>, Range<usize>)| span.start);
                let end = at + rest.split_whitespace().next().map_or(0, str::len);
                let near = source[start..end].to_owned();
                return Err(ExpressionError::Syntax { token: next.to_string(), near });
            };
            let len = match token {
                Token::Word(text) | Token::Name(text) | Token::Value(text) | Token::Symbol(text) => text.len(),
                Token::End => 0,
            };
            tokens.push((token, at..at + len));
            at += len;
        }
        if tokens.is_empty() {
            return Err(ExpressionError::Empty);
        }
        tokens.push((Token::End, at..at));
        Ok(Self { source, tokens, at: 0 })
    }

    pub(super) fn peek(&self) -> Token<'a> {
        self.peek_at(self.at)
    }

    /// The token after the next one.
    pub(super) fn peek_second(&self) -> Token<'a> {
        self.peek_at(self.at + 1)
    }

    fn peek_at(&self, at: usize) -> Token<'a> {
        self.tokens.get(at).map_or(Token::End, |(token, _)| *token)
    }

    pub(super) fn position(&self) -> usize {
        self.at
    }

    pub(super) fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at += 1;
        token
    }

    /// Goes past `symbol` if it is next.
    pub(super) fn takes(&mut self, symbol: &str) -> bool {
        let is_next = self.peek() == Token::Symbol(symbol);
        self.at += usize::from(is_next);
        is_next
    }

    /// Goes past `keyword`, in whatever case, if it is next.
    pub(super) fn takes_keyword(&mut self, keyword: &str) -> bool {
        let is_next = matches!(self.peek(), Token::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(is_next);
        is_next
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), ExpressionError> {
        if self.takes(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// The error of a next token that shouldn't be there, with the ones around it.
    pub(super) fn unexpected(&self) -> ExpressionError {
        let span =
            |at: usize| self.tokens.get(at).map_or(self.source.len()..self.source.len(), |(_, span)| span.clone());
        let token = match self.peek() {
            Token::End => "<EOF>",
            _ => &self.source[span(self.at)],
        };
        let near = &self.source[span(self.at.saturating_sub(1)).start..span(self.at + 1).end];
        ExpressionError::Syntax { token: token.to_owned(), near: near.trim_end().to_owned() }
    }
}

/// The token at the front of `rest`, which begins with `first`.
fn token(rest: &str, first: char) -> Option<Token<'_>> {
    let up_to =
        |from: usize, part: fn(char) -> bool| rest[from..].find(|c| !part(c)).map_or(rest, |len| &rest[..from + len]);
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match first {
        'a'..='z' | 'A'..='Z' | '_' => Some(Token::Word(up_to(0, part))),
        '0'..='9' => Some(Token::Symbol(up_to(0, |c| c.is_ascii_digit()))),
        '#' | ':' => {
            let text = up_to(1, part);
            (text.len() > 1).then_some(if first == '#' { Token::Name(text) } else { Token::Value(text) })
        }
        _ => SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)).map(|symbol| Token::Symbol(symbol)),
    }
}
