//! The expressions of a write.

mod condition;
mod condition_parser;
mod error;
mod placeholders;
mod tokens;
mod update;

use std::collections::BTreeMap;

use serde_json::Value;

use super::error::DynamoError;
pub(super) use condition::Condition;
pub(super) use error::ExpressionError;
use placeholders::Placeholders;
pub(super) use update::Update;

/// Bytes of an expression as it was sent (DynamoDB quotas, "Expression parameters").
const MAX_LEN: usize = 4096;

#[derive(Debug)]
pub(super) struct Expressions {
    pub(super) update: Option<Update>,
    pub(super) condition: Option<Condition>,
}

impl Expressions {
    /// Reads both; `updates` says whether the operation has an `UpdateExpression` at all.
    pub(super) fn read(
        update: Option<&str>,
        condition: Option<&str>,
        names: Option<&BTreeMap<String, String>>,
        values: Option<&BTreeMap<String, Value>>,
        updates: bool,
    ) -> Result<Self, DynamoError> {
        if update.is_none() && condition.is_none() {
            if names.is_some() {
                return Err(DynamoError::NamesWithoutExpression);
            }
            if values.is_some() {
                let missing = match updates {
                    true => "UpdateExpression and ConditionExpression are null",
                    false => "ConditionExpression is null",
                };
                return Err(DynamoError::ValuesWithoutExpression(missing));
            }
        }
        let mut placeholders = Placeholders::read(names, values)?;
        let update = read("UpdateExpression", update, |source| Update::parse(source, &mut placeholders))?;
        let condition = read("ConditionExpression", condition, |source| Condition::parse(source, &mut placeholders))?;
        placeholders.all_used()?;
        Ok(Self { update, condition })
    }
}

fn read<T>(
    parameter: &'static str,
    source: Option<&str>,
    parse: impl FnOnce(&str) -> Result<T, ExpressionError>,
) -> Result<Option<T>, DynamoError> {
    let Some(source) = source else { return Ok(None) };
    let parsed = if source.len() > MAX_LEN { Err(ExpressionError::TooLong(source.len())) } else { parse(source) };
    parsed.map(Some).map_err(|error| DynamoError::Expression { parameter, error })
}
