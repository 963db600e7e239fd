//! What is kept of an account that a device no longer has: enough to recognise it, and not its name.

use std::fmt;

use aws_lc_rs::digest;
use data_encoding::BASE64URL_NOPAD;

use crate::event::{Account, AccountType, Token};

/// An account of one device as a digest of both. Anyone who has the table can still try all phone numbers against it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Trace {
    /// The account's type.
    pub account_type: AccountType,
    /// SHA-256 in base64url.
    digest: String,
}

impl Trace {
    /// The trace of an account on the device of this token.
    #[must_use]
    pub fn of(token: &Token, Account { account, account_type }: &Account) -> Self {
        // No two pairs give the same bytes: a number has no NUL, and neither has a token (events refuse it).
        let clear = format!("{}\0{}\0{}", token.as_str(), account_type.0, account.as_str());
        let digest = digest::digest(&digest::SHA256, clear.as_bytes());
        Self { account_type: *account_type, digest: BASE64URL_NOPAD.encode(digest.as_ref()) }
    }

    /// Reads `0:r3Jl…`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (account_type, digest) = text.split_once(':')?;
        let is_digest = BASE64URL_NOPAD.decode(digest.as_bytes()).is_ok_and(|bytes| bytes.len() == 32);
        let account_type = AccountType(account_type.parse().ok()?);
        is_digest.then(|| Self { account_type, digest: digest.to_owned() })
    }
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.account_type.0, self.digest)
    }
}
