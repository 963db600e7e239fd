//! The answers of the two APIs, with the key names each of them uses.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use super::{
    limits::ItemError,
    request::{Account, TokenAccounts},
};
use crate::codes::RetCode;

/// Answer of `batchoperate`: `{"ret_code":0,"err_msg":"NO_ERROR","result":["0"]}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The code of the whole call.
    pub ret_code: RetCode,
    /// The code's documented message.
    pub err_msg: String,
    /// One code per item, in request order, as text; empty when the call was refused as a whole.
    pub result: Vec<String>,
    /// What was wrong, for people. TPNS sends no such text, so it is not part of the JSON.
    #[serde(skip)]
    pub hint: Option<String>,
}

impl Answer {
    /// The answer to a call refused as a whole.
    #[must_use]
    pub fn refused(ret_code: RetCode, hint: impl Into<String>) -> Self {
        Self { ret_code, err_msg: ret_code.message().to_owned(), result: Vec::new(), hint: Some(hint.into()) }
    }

    /// Handles every item in turn; the hint is about the first that failed.
    pub(super) fn of_items(count: usize, mut item: impl FnMut(usize) -> Result<(), ItemError>) -> Self {
        let mut hint = None;
        let codes: Vec<RetCode> = (0..count)
            .map(|index| match item(index) {
                Ok(()) => RetCode::NO_ERROR,
                Err(error) => {
                    hint.get_or_insert_with(|| format!("item {index}: {error}"));
                    error.ret_code()
                }
            })
            .collect();
        let ret_code = RetCode::over(&codes);
        Self {
            ret_code,
            err_msg: ret_code.message().to_owned(),
            result: codes.iter().map(ToString::to_string).collect(),
            hint,
        }
    }

    /// Whether at least one item succeeded.
    #[must_use]
    pub fn took_effect(&self) -> bool {
        self.result.iter().any(|code| code == "0")
    }
}

/// The tokens of one queried account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccountTokens {
    /// The account, its two fields next to `token_list`.
    #[serde(flatten)]
    pub account: Account,
    /// Its tokens, oldest binding first.
    pub token_list: Vec<String>,
}

/// The result of a query: an entry per item that has a binding, in request order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// `account_tokens`, of a query by account.
    AccountTokens(Vec<AccountTokens>),
    /// `token_accounts`, of a query by token.
    TokenAccounts(Vec<TokenAccounts>),
}

/// Answer of `query`, whose keys are `retCode` and `errMsg` (facts.md, section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAnswer {
    /// The codes.
    pub answer: Answer,
    /// The bindings; `None` when the query was refused as a whole.
    pub found: Option<Found>,
}

impl QueryAnswer {
    /// The answer to a query refused as a whole.
    #[must_use]
    pub fn refused(ret_code: RetCode, hint: impl Into<String>) -> Self {
        Self { answer: Answer::refused(ret_code, hint), found: None }
    }
}

impl Serialize for QueryAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("QueryAnswer", 4)?;
        fields.serialize_field("retCode", &self.answer.ret_code)?;
        fields.serialize_field("errMsg", &self.answer.err_msg)?;
        fields.serialize_field("result", &self.answer.result)?;
        match &self.found {
            None => {}
            Some(Found::AccountTokens(found)) => {
                fields.serialize_field("account_tokens", found)?;
            }
            Some(Found::TokenAccounts(found)) => {
                fields.serialize_field("token_accounts", found)?;
            }
        }
        fields.end()
    }
}
