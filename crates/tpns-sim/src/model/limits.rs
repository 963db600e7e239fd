//! The documented limits (facts.md, section 3, "Limits"), as checks.

use thiserror::Error;

use super::{
    request::{Account, BatchOperate, TokenAccounts},
    settings::Settings,
};
use crate::codes::RetCode;

/// Items of one call of `operator_type` 1, 2 and 3. Confirmed; for 4 and 5 no limit is documented.
pub const TOKENS_PER_CALL: usize = 20;
/// Characters of an account. Confirmed for uploads, inferred for this API.
pub const ACCOUNT_LENGTH_MAX: usize = 100;
/// Tokens bound to one account. Confirmed.
pub const TOKENS_PER_ACCOUNT: usize = 100;

/// Why a call is refused as a whole, always with 1008007.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum CallError {
    #[error("the call has {0} tokens; operator_type 1 to 3 take at most {TOKENS_PER_CALL}")]
    TooManyTokens(usize),
    #[error("the call has no items")]
    NoItems,
}

/// Why one item fails.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum ItemError {
    #[error("the token is empty")]
    TokenEmpty,
    #[error("the token has {0} characters, the limit is {1}")]
    TokenTooLong(usize, usize),
    #[error("the token is not among the known tokens")]
    TokenUnknown,
    #[error("account_list is empty")]
    NoAccounts,
    #[error("an account has {0} characters, the minimum is {1}")]
    AccountTooShort(usize, usize),
    #[error("an account has {0} characters, the limit is {ACCOUNT_LENGTH_MAX}")]
    AccountTooLong(usize),
    #[error("the account already has {TOKENS_PER_ACCOUNT} tokens")]
    AccountFull,
    #[error("the token or account has no binding")]
    NothingBound,
    #[error("a fault was requested")]
    Forced(RetCode),
}

impl ItemError {
    /// The item's code. 1008029 and 1008006 are documented for this API; 1008007 is inferred.
    pub(super) fn ret_code(&self) -> RetCode {
        match self {
            Self::TokenEmpty | Self::TokenTooLong(..) => RetCode::TOKEN_NOT_VALID,
            Self::TokenUnknown => RetCode::INVALID_TOKEN,
            Self::NoAccounts | Self::AccountTooShort(..) | Self::AccountTooLong(_) | Self::AccountFull => {
                RetCode::INVALID_PARAMETER
            }
            Self::NothingBound => RetCode::NO_TOKEN_NO_ACCOUNT,
            Self::Forced(code) => *code,
        }
    }
}

pub(super) fn check_call(operation: &BatchOperate) -> Result<(), CallError> {
    match operation {
        BatchOperate::Append(entries) | BatchOperate::Override(entries) | BatchOperate::Unbind(entries)
            if entries.len() > TOKENS_PER_CALL =>
        {
            Err(CallError::TooManyTokens(entries.len()))
        }
        _ if operation.is_empty() => Err(CallError::NoItems),
        _ => Ok(()),
    }
}

/// Fails on the first bad account, so that an entry is accepted as a whole or not at all.
pub(super) fn check_entry(entry: &TokenAccounts, settings: &Settings) -> Result<(), ItemError> {
    check_token(&entry.token, settings)?;
    if entry.account_list.is_empty() {
        return Err(ItemError::NoAccounts);
    }
    entry.account_list.iter().try_for_each(|account| check_account(account, settings))
}

pub(super) fn check_token(token: &str, settings: &Settings) -> Result<(), ItemError> {
    check_token_shape(token, settings)?;
    match &settings.known_tokens {
        Some(known) if !known.contains(token) => Err(ItemError::TokenUnknown),
        _ => Ok(()),
    }
}

pub(super) fn check_token_shape(token: &str, settings: &Settings) -> Result<(), ItemError> {
    match token.chars().count() {
        0 => Err(ItemError::TokenEmpty),
        length if length > settings.max_token_length => Err(ItemError::TokenTooLong(length, settings.max_token_length)),
        _ => Ok(()),
    }
}

pub(super) fn check_account(account: &Account, settings: &Settings) -> Result<(), ItemError> {
    match account.account.chars().count() {
        // An empty account is too short for any minimum.
        length if length < settings.min_account_length.max(1) => {
            Err(ItemError::AccountTooShort(length, settings.min_account_length.max(1)))
        }
        length if length > ACCOUNT_LENGTH_MAX => Err(ItemError::AccountTooLong(length)),
        _ => Ok(()),
    }
}
