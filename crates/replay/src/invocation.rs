//! What Lambda puts into the dead-letter queue when it could not apply an event that EventBridge gave the function
//! itself: a record around what it invoked the function with.

use serde::Deserialize;
use serde_json::value::RawValue;

/// An invocation that Lambda gave up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct GivenUp {
    /// Why, such as `RetriesExhausted`.
    pub(crate) condition: String,
    /// How often Lambda invoked the function.
    pub(crate) tries: Option<u32>,
    /// How many events the invocation had. A record with several can be shown, but not sent back.
    pub(crate) events: usize,
}

/// The event in the record, and what became of its invocation; `None` for a body that is not such a record. Of several
/// events it is the list.
pub(crate) fn given_up(body: &str) -> Option<(String, GivenUp)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Record<'a> {
        request_context: Context,
        #[serde(borrow)]
        request_payload: &'a RawValue,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Context {
        // Not read; every record has it, and no event does.
        #[serde(rename = "functionArn")]
        _function_arn: String,
        condition: String,
        approximate_invoke_count: Option<u32>,
    }
    let Record { request_context: Context { condition, approximate_invoke_count: tries, .. }, request_payload } =
        serde_json::from_str(body).ok()?;
    let payload = request_payload.get();
    let list: Option<Vec<&RawValue>> = serde_json::from_str(payload).ok();
    let (event, events) = match list.as_deref() {
        Some([only]) => (only.get(), 1),
        Some(several) => (payload, several.len()),
        None => (payload, 1),
    };
    Some((event.to_owned(), GivenUp { condition, tries, events }))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn record(payload: &Value) -> String {
        json!({
            "version": "1.0",
            "timestamp": "2026-11-22T08:03:00.000Z",
            "requestContext": {
                "requestId": "r-1",
                "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:f:live",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3,
            },
            "requestPayload": payload,
            "responseContext": {"statusCode": 200, "executedVersion": "3", "functionError": "Unhandled"},
            "responsePayload": {"errorType": "NotApplied"},
        })
        .to_string()
    }

    #[test]
    fn the_event_of_an_invocation_that_lambda_gave_up_is_found_alone_or_in_a_list() {
        let event = json!({"id": "e-1", "detail-type": "user.logout", "detail": {"token": "t"}});
        for payload in [event.clone(), json!([event])] {
            let (body, found) = given_up(&record(&payload)).unwrap();
            assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), event);
            let expected = GivenUp { condition: "RetriesExhausted".into(), tries: Some(3), events: 1 };
            assert_eq!(found, expected);
        }
        let (_, several) = given_up(&record(&json!([event, event]))).unwrap();
        assert_eq!(several.events, 2);
    }

    #[test]
    fn an_event_is_no_record_even_if_it_looks_like_one() {
        for body in [
            json!({"type": "user.logout", "token": "t"}).to_string(),
            json!({"requestPayload": {}, "requestContext": {}}).to_string(),
            "[]".into(),
            "not JSON".into(),
        ] {
            assert_eq!(given_up(&body), None, "{body}");
        }
    }
}
