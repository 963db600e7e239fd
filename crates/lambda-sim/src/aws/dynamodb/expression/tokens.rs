//! An expression cut into tokens.

use crate::aws::{dynamodb::invalid, error::ErrorAnswer};

/// Bytes of an expression as it was sent (DynamoDB quotas, "Expression parameters").
const MAX_LEN: usize = 4096;

/// The tokens of an expression, read from the front.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    source: &'a str,
    /// What is still to be read.
    rest: &'a str,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(source: &'a str) -> Result<Self, ErrorAnswer> {
        match source.len() {
            0..=MAX_LEN => Ok(Self { source, rest: source.trim_start() }),
            len => Err(invalid(format!("an expression has at most {MAX_LEN} bytes, not {len}"))),
        }
    }

    /// The next token: a word, a placeholder with its `#` or `:`, or one other character. Empty at the end.
    pub(super) fn peek(&self) -> &'a str {
        let in_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '#' | ':');
        let word = self.rest.find(|c| !in_word(c)).unwrap_or(self.rest.len());
        let len = if word > 0 { word } else { self.rest.chars().next().map_or(0, char::len_utf8) };
        &self.rest[..len]
    }

    pub(super) fn next(&mut self) -> &'a str {
        let token = self.peek();
        self.rest = self.rest[token.len()..].trim_start();
        token
    }

    /// Skips `token` if it is next.
    pub(super) fn takes(&mut self, token: &str) -> bool {
        let is_next = self.peek() == token;
        if is_next {
            self.next();
        }
        is_next
    }

    pub(super) fn expect(&mut self, token: &str) -> Result<(), ErrorAnswer> {
        if self.takes(token) { Ok(()) } else { Err(self.not_modelled()) }
    }

    /// A placeholder with this sigil: `#name` or `:value`.
    pub(super) fn placeholder(&mut self, sigil: char) -> Result<&'a str, ErrorAnswer> {
        let is_one = self.peek().starts_with(sigil);
        if is_one { Ok(self.next()) } else { Err(self.not_modelled()) }
    }

    pub(super) fn end(&self) -> Result<(), ErrorAnswer> {
        if self.rest.is_empty() { Ok(()) } else { Err(self.not_modelled()) }
    }

    /// DynamoDB may or may not take what is next: to this API, a syntax error and a richer expression are the same.
    pub(super) fn not_modelled(&self) -> ErrorAnswer {
        let place = self.source.len() - self.rest.len();
        ErrorAnswer::not_modelled(format_args!("the expression {:?} from byte {place} on", self.source))
    }
}
