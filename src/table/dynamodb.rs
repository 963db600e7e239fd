//! The three operations of DynamoDB that the table needs, as its low-level API has them
//! (docs.aws.amazon.com/amazondynamodb/latest/APIReference).

use std::{borrow::Cow, collections::HashMap, time::Duration};

use aws_config::SdkConfig;
use serde::{Deserialize, Serialize, Serializer};

use super::value::{AttributeValue, Attributes, KEY};
use crate::{
    aws::{
        LONGEST_ANSWER,
        json::{JsonApi, JsonService, RequestError},
    },
    transport::Transport,
};

const DYNAMODB: JsonApi = JsonApi {
    name: "dynamodb",
    id: "DynamoDB",
    content_type: "application/x-amz-json-1.0",
    longest_answer: LONGEST_ANSWER,
};

/// A table, by its name or ARN.
#[derive(Debug)]
pub(super) struct Dynamo {
    service: JsonService,
    table: String,
}

/// An `UpdateItem` in the making.
#[derive(Debug)]
pub(super) struct Update<'a> {
    dynamo: &'a Dynamo,
    input: UpdateItem<'a>,
}

type Pairs<'a, V> = Vec<(Cow<'a, str>, V)>;

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct UpdateItem<'a> {
    table_name: &'a str,
    #[serde(serialize_with = "key")]
    key: &'a str,
    update_expression: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition_expression: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "map")]
    expression_attribute_names: Pairs<'a, Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "map")]
    expression_attribute_values: Pairs<'a, AttributeValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_values: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    return_values_on_condition_check_failure: Option<&'static str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Updated {
    attributes: Option<Attributes>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BatchGetItem<'a> {
    request_items: HashMap<&'a str, Wanted<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Wanted<'a> {
    #[serde(serialize_with = "keys")]
    keys: &'a [String],
    consistent_read: bool,
}

/// The answer to `BatchGetItem`, by tables.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Got {
    pub(super) responses: Option<HashMap<String, Vec<Attributes>>>,
    pub(super) unprocessed_keys: Option<HashMap<String, Unprocessed>>,
}

/// What was not read of a table.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Unprocessed {
    pub(super) keys: Vec<Attributes>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Scan<'a> {
    table_name: &'a str,
    limit: u16,
    segment: u16,
    total_segments: u16,
    projection_expression: &'static str,
    expression_attribute_names: HashMap<&'static str, &'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exclusive_start_key: Option<&'a Attributes>,
}

/// The answer to `Scan`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Scanned {
    #[serde(default)]
    pub(super) items: Vec<Attributes>,
    pub(super) last_evaluated_key: Option<Attributes>,
}

impl Dynamo {
    pub(super) fn new(sdk: &SdkConfig, transport: &Transport, silence: Duration, table: String) -> Self {
        Self { service: JsonService::new(DYNAMODB, sdk, transport, silence), table }
    }

    /// A change of the row of this key.
    pub(super) fn update<'a>(&'a self, key: &'a str) -> Update<'a> {
        let input = UpdateItem {
            table_name: &self.table,
            key,
            update_expression: String::new(),
            condition_expression: None,
            expression_attribute_names: Vec::new(),
            expression_attribute_values: Vec::new(),
            return_values: None,
            return_values_on_condition_check_failure: None,
        };
        Update { dynamo: self, input }
    }

    /// Reads rows consistently.
    pub(super) async fn batch_get(&self, keys: &[String]) -> Result<Got, RequestError> {
        let request_items = HashMap::from([(self.table.as_str(), Wanted { keys, consistent_read: true })]);
        self.service.call("DynamoDB_20120810.BatchGetItem", &BatchGetItem { request_items }).await
    }

    /// Reads the keys of a page of rows.
    pub(super) async fn scan(
        &self,
        segment: u16,
        of: u16,
        limit: u16,
        after: Option<&Attributes>,
    ) -> Result<Scanned, RequestError> {
        let scan = Scan {
            table_name: &self.table,
            limit,
            segment,
            total_segments: of,
            projection_expression: "#pk",
            expression_attribute_names: HashMap::from([("#pk", KEY)]),
            exclusive_start_key: after,
        };
        self.service.call("DynamoDB_20120810.Scan", &scan).await
    }
}

impl<'a> Update<'a> {
    pub(super) fn update_expression(mut self, expression: impl Into<String>) -> Self {
        self.input.update_expression = expression.into();
        self
    }

    pub(super) fn condition_expression(mut self, expression: impl Into<String>) -> Self {
        self.input.condition_expression = Some(expression.into());
        self
    }

    pub(super) fn expression_attribute_names(
        mut self,
        placeholder: impl Into<Cow<'a, str>>,
        name: impl Into<Cow<'a, str>>,
    ) -> Self {
        self.input.expression_attribute_names.push((placeholder.into(), name.into()));
        self
    }

    pub(super) fn expression_attribute_values(
        mut self,
        placeholder: impl Into<Cow<'a, str>>,
        value: AttributeValue,
    ) -> Self {
        self.input.expression_attribute_values.push((placeholder.into(), value));
        self
    }

    /// The answer has the row as it is after this, also if the condition fails.
    pub(super) fn returning_the_row(mut self) -> Self {
        self.input.return_values = Some("ALL_NEW");
        self.input.return_values_on_condition_check_failure = Some("ALL_OLD");
        self
    }

    /// Returns the row, if it was asked for.
    pub(super) async fn send(self) -> Result<Option<Attributes>, RequestError> {
        let updated = self.dynamo.service.call("DynamoDB_20120810.UpdateItem", &self.input).await;
        updated.map(|Updated { attributes }| attributes)
    }
}

/// The row that did not meet a condition. Not every store with DynamoDB's API returns it.
pub(super) fn row_of_refusal(error: &RequestError) -> Option<Attributes> {
    #[derive(Deserialize)]
    struct Refusal {
        #[serde(rename = "Item")]
        item: Option<Attributes>,
    }

    let body = error.raw_response()?.body().bytes()?;
    serde_json::from_slice(body).ok().and_then(|Refusal { item }| item)
}

fn key<S: Serializer>(key: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map([(KEY, Text { s: key })])
}

#[derive(Serialize)]
#[serde(rename_all = "UPPERCASE")]
struct Text<'a> {
    s: &'a str,
}

fn keys<S: Serializer>(keys: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    #[derive(Serialize)]
    struct Key<'a>(#[serde(serialize_with = "key")] &'a str);

    serializer.collect_seq(keys.iter().map(|key| Key(key)))
}

fn map<S: Serializer, V: Serialize>(pairs: &Pairs<'_, V>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(pairs.iter().map(|(name, value)| (name, value)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_request_is_written_as_dynamodb_reads_it() {
        let sdk = SdkConfig::builder().build();
        let dynamo = Dynamo::new(&sdk, &Transport::new().unwrap(), Duration::from_secs(1), "ledger".into());
        let update = dynamo.update("device#a").update_expression("SET #a = :a").condition_expression("#a < :a");
        let update = update.expression_attribute_names("#a", "owner").returning_the_row();
        let update = update.expression_attribute_values(":a", AttributeValue::S("1".into()));
        let expected = json!({
            "TableName": "ledger", "Key": {"pk": {"S": "device#a"}},
            "UpdateExpression": "SET #a = :a", "ConditionExpression": "#a < :a",
            "ExpressionAttributeNames": {"#a": "owner"}, "ExpressionAttributeValues": {":a": {"S": "1"}},
            "ReturnValues": "ALL_NEW", "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        });
        assert_eq!(serde_json::to_value(&update.input).unwrap(), expected);
        let least = dynamo.update("apps").update_expression("REMOVE a");
        let expected = json!({"TableName": "ledger", "Key": {"pk": {"S": "apps"}}, "UpdateExpression": "REMOVE a"});
        assert_eq!(serde_json::to_value(&least.input).unwrap(), expected);
        let wanted = Wanted { keys: &["a".to_owned(), "b".to_owned()], consistent_read: true };
        let expected = json!({"Keys": [{"pk": {"S": "a"}}, {"pk": {"S": "b"}}], "ConsistentRead": true});
        assert_eq!(serde_json::to_value(&wanted).unwrap(), expected);
    }
}
