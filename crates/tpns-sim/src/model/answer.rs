//! The answers of the two APIs, with the key names each of them uses.

use serde::{Deserialize, Serialize, Serializer, ser::SerializeStruct};

use super::{
    found::{Found, FoundFields},
    limits::ItemError,
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
        self.accepted_items().next().is_some()
    }

    /// The positions of the items that succeeded.
    pub(crate) fn accepted_items(&self) -> impl Iterator<Item = usize> {
        let codes = self.result.iter().enumerate();
        codes.filter(|(_, code)| *code == "0").map(|(index, _)| index)
    }
}

/// Answer of `query`, whose keys are `retCode` and `errMsg` (facts.md, section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryAnswer {
    /// The codes.
    pub answer: Answer,
    /// The bindings; `None` when the query was refused as a whole.
    pub found: Option<Found>,
    /// Whether the JSON has no `account_type`, as in the provider's older samples.
    pub omits_account_type: bool,
}

impl QueryAnswer {
    /// The answer to a query refused as a whole.
    #[must_use]
    pub fn refused(ret_code: RetCode, hint: impl Into<String>) -> Self {
        Self::of(Answer::refused(ret_code, hint), None)
    }

    /// An answer whose JSON has every `account_type`.
    pub(crate) fn of(answer: Answer, found: Option<Found>) -> Self {
        Self { answer, found, omits_account_type: false }
    }
}

impl Serialize for QueryAnswer {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("QueryAnswer", 4)?;
        fields.serialize_field("retCode", &self.answer.ret_code)?;
        fields.serialize_field("errMsg", &self.answer.err_msg)?;
        fields.serialize_field("result", &self.answer.result)?;
        if let Some(found) = &self.found {
            let (key, found) = FoundFields::of(found, self.omits_account_type);
            fields.serialize_field(key, &found)?;
        }
        fields.end()
    }
}
