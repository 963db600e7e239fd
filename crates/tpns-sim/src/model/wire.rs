//! Request bodies to and from JSON.
//!
//! Written by hand rather than derived: TPNS has different codes for "not JSON of a request" and
//! "field missing", a derived reader would accept `["t",[]]` as an object, and the path of the
//! invalid field is more useful than its line and column.

use std::fmt::{Arguments, Display};

use serde_json::{Map, Value, json};
use thiserror::Error;

use super::request::{Account, BatchOperate, Query, TokenAccounts};
use crate::codes::RetCode;

/// Why a body is not a request. The text names the field, for people; TPNS answers only the code.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum RequestError {
    /// Not JSON at all.
    #[error("the body is not JSON: {0}")]
    NotJson(String),
    /// A value of the wrong JSON type.
    #[error("{path} must be {wanted}")]
    WrongType {
        /// Where, such as `token_accounts[0].token`.
        path: String,
        /// What it must be.
        wanted: &'static str,
    },
    /// A required field is absent or null.
    #[error("{path} is missing")]
    Missing {
        /// Where, such as `token_accounts[0].token`.
        path: String,
    },
    /// An `operator_type` the API does not have.
    #[error("operator_type {0} does not exist here; it is 1 to {1}")]
    OperatorType(i64, u8),
}

impl RequestError {
    /// What TPNS answers (facts.md, section 5).
    #[must_use]
    pub fn ret_code(&self) -> RetCode {
        match self {
            Self::NotJson(_) | Self::WrongType { .. } => RetCode::PARAMETER_PARSE_ERROR,
            Self::Missing { .. } => RetCode::MISSING_PARAMETER,
            Self::OperatorType(..) => RetCode::INVALID_PARAMETER,
        }
    }
}

pub(crate) fn parse_json(body: &[u8]) -> Result<Value, RequestError> {
    serde_json::from_slice(body).map_err(|error| RequestError::NotJson(error.to_string()))
}

impl BatchOperate {
    /// Reads a request body.
    ///
    /// # Errors
    /// The code that TPNS answers and the path of the invalid field.
    pub fn from_json(body: &[u8]) -> Result<Self, RequestError> {
        parse_json(body).and_then(Self::try_from)
    }
}

impl Query {
    /// Reads a request body.
    ///
    /// # Errors
    /// The code that TPNS answers and the path of the invalid field.
    pub fn from_json(body: &[u8]) -> Result<Self, RequestError> {
        parse_json(body).and_then(Self::try_from)
    }
}

impl TryFrom<Value> for BatchOperate {
    type Error = RequestError;

    fn try_from(body: Value) -> Result<Self, RequestError> {
        let mut body = object(body, "the body")?;
        match operator_type(&mut body)? {
            1 => Ok(Self::Append(token_accounts(&mut body)?)),
            2 => Ok(Self::Override(token_accounts(&mut body)?)),
            3 => Ok(Self::Unbind(token_accounts(&mut body)?)),
            4 => Ok(Self::UnbindTokens(token_list(&mut body)?)),
            5 => Ok(Self::UnbindAccounts(account_list(&mut body, None)?)),
            other => Err(RequestError::OperatorType(other, 5)),
        }
    }
}

impl From<BatchOperate> for Value {
    fn from(operation: BatchOperate) -> Self {
        let operator_type = operation.operator_type();
        match operation {
            BatchOperate::Append(entries) | BatchOperate::Override(entries) | BatchOperate::Unbind(entries) => {
                json!({"operator_type": operator_type, "token_accounts": entries})
            }
            BatchOperate::UnbindTokens(tokens) => {
                json!({"operator_type": operator_type, "token_list": tokens})
            }
            BatchOperate::UnbindAccounts(accounts) => {
                json!({"operator_type": operator_type, "account_list": accounts})
            }
        }
    }
}

impl TryFrom<Value> for Query {
    type Error = RequestError;

    fn try_from(body: Value) -> Result<Self, RequestError> {
        let mut body = object(body, "the body")?;
        match operator_type(&mut body)? {
            1 => Ok(Self::ByAccount(account_list(&mut body, None)?)),
            2 => Ok(Self::ByToken(token_list(&mut body)?)),
            other => Err(RequestError::OperatorType(other, 2)),
        }
    }
}

impl From<Query> for Value {
    fn from(query: Query) -> Self {
        let operator_type = query.operator_type();
        match query {
            Query::ByAccount(accounts) => {
                json!({"operator_type": operator_type, "account_list": accounts})
            }
            Query::ByToken(tokens) => json!({"operator_type": operator_type, "token_list": tokens}),
        }
    }
}

fn operator_type(body: &mut Map<String, Value>) -> Result<i64, RequestError> {
    required(body.remove("operator_type"), "operator_type")?
        .as_i64()
        .ok_or_else(|| wrong("operator_type", "an integer"))
}

fn token_list(body: &mut Map<String, Value>) -> Result<Vec<String>, RequestError> {
    array(body.remove("token_list"), "token_list")?
        .into_iter()
        .enumerate()
        .map(|(index, token)| text(Some(token), format_args!("token_list[{index}]")))
        .collect()
}

fn token_accounts(body: &mut Map<String, Value>) -> Result<Vec<TokenAccounts>, RequestError> {
    array(body.remove("token_accounts"), "token_accounts")?
        .into_iter()
        .enumerate()
        .map(|(index, entry)| token_entry(entry, format_args!("token_accounts[{index}]")))
        .collect()
}

fn token_entry(entry: Value, path: Arguments<'_>) -> Result<TokenAccounts, RequestError> {
    let mut entry = object(entry, path)?;
    Ok(TokenAccounts {
        token: text(entry.remove("token"), format_args!("{path}.token"))?,
        account_list: account_list(&mut entry, Some(path))?,
    })
}

fn account_list(
    parent: &mut Map<String, Value>,
    parent_path: Option<Arguments<'_>>,
) -> Result<Vec<Account>, RequestError> {
    let list = parent.remove("account_list");
    match parent_path {
        None => accounts(list, format_args!("account_list")),
        Some(path) => accounts(list, format_args!("{path}.account_list")),
    }
}

fn accounts(list: Option<Value>, path: Arguments<'_>) -> Result<Vec<Account>, RequestError> {
    array(list, path)?
        .into_iter()
        .enumerate()
        .map(|(index, account)| account_of(account, format_args!("{path}[{index}]")))
        .collect()
}

fn account_of(account: Value, path: Arguments<'_>) -> Result<Account, RequestError> {
    let mut account = object(account, path)?;
    Ok(Account {
        account: text(account.remove("account"), format_args!("{path}.account"))?,
        account_type: match account.remove("account_type") {
            None | Some(Value::Null) => 0,
            Some(given) => given
                .as_u64()
                .and_then(|given| u32::try_from(given).ok())
                .ok_or_else(|| wrong(format_args!("{path}.account_type"), "an integer from 0 up"))?,
        },
    })
}

fn required(value: Option<Value>, path: impl Display) -> Result<Value, RequestError> {
    match value {
        None | Some(Value::Null) => Err(RequestError::Missing { path: path.to_string() }),
        Some(value) => Ok(value),
    }
}

fn text(value: Option<Value>, path: impl Display) -> Result<String, RequestError> {
    match required(value, &path)? {
        Value::String(text) => Ok(text),
        _ => Err(wrong(path, "a string")),
    }
}

fn array(value: Option<Value>, path: impl Display) -> Result<Vec<Value>, RequestError> {
    match required(value, &path)? {
        Value::Array(items) => Ok(items),
        _ => Err(wrong(path, "an array")),
    }
}

fn object(value: Value, path: impl Display) -> Result<Map<String, Value>, RequestError> {
    match value {
        Value::Object(fields) => Ok(fields),
        _ => Err(wrong(path, "an object")),
    }
}

fn wrong(path: impl Display, wanted: &'static str) -> RequestError {
    RequestError::WrongType { path: path.to_string(), wanted }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(body: &str) -> (i64, String) {
        let error = BatchOperate::from_json(body.as_bytes()).expect_err("must be refused");
        (error.ret_code().0, error.to_string())
    }

    #[test]
    fn the_documented_request_is_read_with_default_types_and_unknown_fields_ignored() {
        let body = r#"{"operator_type":2,"platform":"android","op_id":"7","token_accounts":[
            {"token":"token1","account_list":[{"account":"926@126.com"},
             {"account":"1527000000","account_type":1}]}]}"#;
        let expected = BatchOperate::Override(vec![TokenAccounts {
            token: "token1".to_owned(),
            account_list: vec![Account::new("926@126.com", 0), Account::new("1527000000", 1)],
        }]);
        assert_eq!(BatchOperate::from_json(body.as_bytes()), Ok(expected));
    }

    #[test]
    fn every_operation_survives_a_round_trip_through_json() {
        let entries = vec![TokenAccounts { token: "t".to_owned(), account_list: vec![Account::new("a", 9)] }];
        for operation in [
            BatchOperate::Append(entries.clone()),
            BatchOperate::Override(entries.clone()),
            BatchOperate::Unbind(entries),
            BatchOperate::UnbindTokens(vec!["t".to_owned()]),
            BatchOperate::UnbindAccounts(vec![Account::new("a", 9)]),
        ] {
            let body = serde_json::to_vec(&operation).expect("serializable");
            assert_eq!(BatchOperate::from_json(&body), Ok(operation));
        }
    }

    #[test]
    fn a_body_that_is_not_the_json_of_a_request_is_a_parse_error() {
        assert_eq!(refusal("{").0, 1_008_001);
        assert_eq!(refusal("[4,null,[\"t\"]]").0, 1_008_001);
        assert_eq!(
            refusal(r#"{"operator_type":"4","token_list":["t"]}"#),
            (1_008_001, "operator_type must be an integer".to_owned())
        );
        assert_eq!(
            refusal(r#"{"operator_type":3,"token_accounts":[["t",[]]]}"#),
            (1_008_001, "token_accounts[0] must be an object".to_owned())
        );
        assert_eq!(
            refusal(r#"{"operator_type":5,"account_list":[{"account":"a","account_type":-1}]}"#).1,
            "account_list[0].account_type must be an integer from 0 up"
        );
    }

    #[test]
    fn a_missing_field_is_named_by_its_path() {
        let missing = |body: &str| {
            let (code, text) = refusal(body);
            assert_eq!(code, 1_008_002, "{body}");
            text
        };
        assert_eq!(missing("{}"), "operator_type is missing");
        assert_eq!(missing(r#"{"operator_type":4}"#), "token_list is missing");
        assert_eq!(missing(r#"{"operator_type":5,"token_list":["t"]}"#), "account_list is missing");
        assert_eq!(
            missing(r#"{"operator_type":2,"token_accounts":[{"token":"t","account_list":[{}]}]}"#),
            "token_accounts[0].account_list[0].account is missing"
        );
        assert_eq!(
            missing(r#"{"operator_type":2,"token_accounts":[{"token":null,"account_list":[]}]}"#),
            "token_accounts[0].token is missing"
        );
    }

    #[test]
    fn an_operator_type_out_of_range_is_an_invalid_parameter() {
        assert_eq!(refusal(r#"{"operator_type":0}"#).0, 1_008_007);
        assert_eq!(refusal(r#"{"operator_type":6}"#).0, 1_008_007);
        let query = Query::from_json(br#"{"operator_type":3}"#).expect_err("must be refused");
        assert_eq!(query.ret_code(), 1_008_007);
    }
}
