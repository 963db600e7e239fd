//! Asynchronous invocation: retries, then the on-failure destination.

use lambda_sim::{
    AsyncInvoker,
    async_invoke::{AsyncInvokeError, MAX_ASYNC_PAYLOAD_LEN},
};
use serde_json::json;

use crate::{echo, shared};

#[tokio::test]
async fn a_success_is_not_retried() {
    let mut invoker = AsyncInvoker::new(shared(echo()));
    let invocation = invoker.invoke(r#"{"n":1}"#).await.unwrap();
    assert!(invocation.succeeded() && invocation.attempts.len() == 1 && invoker.on_failure().is_empty());
}

#[tokio::test]
async fn a_function_error_is_retried_twice_under_one_request_id_and_then_reaches_the_destination() {
    let function = shared(echo());
    let mut invoker = AsyncInvoker::new(function.clone());
    let invocation = invoker.invoke(r#"{"do":"error","type":"Mine"}"#).await.unwrap();
    assert!(!invocation.succeeded());
    let ids: Vec<_> = invocation.attempts.iter().map(|attempt| attempt.request_id.as_str()).collect();
    assert_eq!(ids, [invocation.request_id.as_str(); 3]);
    assert_eq!(function.violations(), [], "a retried id may be answered again");

    let [record] = invoker.on_failure() else { panic!("{:?}", invoker.on_failure()) };
    assert_eq!(
        record.to_json(),
        json!({
            "version": "1.0",
            "requestContext": {
                "requestId": invocation.request_id,
                "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:function:$LATEST",
                "condition": "RetriesExhausted",
                "approximateInvokeCount": 3
            },
            "requestPayload": {"do": "error", "type": "Mine"},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "responsePayload": {"errorType": "FromBody", "errorMessage": "as asked"}
        })
    );
}

#[tokio::test]
async fn an_exit_counts_as_a_function_error() {
    let function = shared(echo());
    let mut invoker = AsyncInvoker::new(function.clone());
    let invocation = invoker.invoke(r#"{"do":"exit"}"#).await.unwrap();
    assert_eq!((invocation.attempts.len(), function.cold_starts()), (3, 3));
    assert_eq!(invoker.on_failure()[0].to_json()["responsePayload"]["errorType"], "Runtime.ExitError");
}

#[tokio::test]
async fn a_payload_over_1_mb_is_refused() {
    let mut invoker = AsyncInvoker::new(shared(echo()));
    let refused = invoker.invoke(vec![b' '; MAX_ASYNC_PAYLOAD_LEN + 1]).await;
    assert!(matches!(refused, Err(AsyncInvokeError::PayloadTooLarge(_))));
    assert!(invoker.on_failure().is_empty());
}
