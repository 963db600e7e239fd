//! Who gets in, and what the API doesn't know.

use aws_sdk_sqs::error::{ProvideErrorMetadata, SdkError};
use lambda_sim::{AwsApi, Credentials, Function, RunningAwsApi};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{bodies, parking, secrets_with, sqs_with};
use crate::official_runtime::official;
use crate::{act, body, echo};

#[tokio::test]
async fn a_function_process_finds_the_api_and_its_credentials_in_its_environment() {
    let (api, url, _) = parking().await;
    let function = Function::builder(official()).env("AWS_ENDPOINT_URL", api.url()).build().unwrap();
    let outcome =
        function.invoke(json!({"send": "from the function", "queue": url}).to_string()).await.unwrap().outcome;
    assert!(body(&outcome).is_string(), "{outcome:?}");
    assert_eq!(bodies(&api, "parked"), ["from the function"]);
}

#[tokio::test]
async fn a_test_may_give_a_function_other_credentials() {
    let own = [("AWS_ACCESS_KEY_ID", "A"), ("AWS_SECRET_ACCESS_KEY", "B"), ("AWS_SESSION_TOKEN", "C")];
    let function = echo().envs(own).env("AWS_ENDPOINT_URL", "http://127.0.0.1:1").build().unwrap();
    let told = body(&act(&function, "tell", json!({})).await);
    for (name, value) in own {
        assert_eq!(told["env"][name], value);
    }
    assert_eq!(told["env"]["AWS_ENDPOINT_URL"], "http://127.0.0.1:1");
}

#[tokio::test]
async fn only_known_credentials_get_in_and_only_with_the_right_key_and_token() {
    let (api, url, _) = parking().await;
    let sandbox = Credentials::of_the_sandbox;
    for (credentials, code) in [
        (Credentials { access_key_id: "AKIAOTHER".into(), ..sandbox() }, "InvalidClientTokenId"),
        (Credentials { session_token: None, ..sandbox() }, "InvalidClientTokenId"),
        (Credentials { secret_access_key: "wrong".into(), ..sandbox() }, "SignatureDoesNotMatch"),
    ] {
        let client = sqs_with(&api, credentials, 1);
        let error = client.send_message().queue_url(&url).message_body("m").send().await.unwrap_err();
        assert_eq!(error.code(), Some(code));
    }
    assert!(bodies(&api, "parked").is_empty());

    let other =
        Credentials { access_key_id: "AKIAOTHER".into(), secret_access_key: "other".into(), session_token: None };
    api.accept(other.clone());
    sqs_with(&api, other, 1).send_message().queue_url(&url).message_body("m").send().await.unwrap();
    assert_eq!(bodies(&api, "parked"), ["m"]);
}

#[tokio::test]
async fn secrets_manager_checks_signatures_too() {
    let api = AwsApi::start().await.unwrap();
    api.put_secret("apps", "one").unwrap();
    let wrong = Credentials { secret_access_key: "wrong".into(), ..Credentials::of_the_sandbox() };
    let error = secrets_with(&api, wrong, 1).get_secret_value().secret_id("apps").send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidSignatureException"));
}

/// The answer to a hand-made request: head and JSON.
async fn ask(api: &RunningAwsApi, line: &str, target: &str, content_type: &str, more: &str) -> (String, Value) {
    let host = api.url().replace("http://", "");
    let mut stream = TcpStream::connect(&host).await.unwrap();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: {target}\r\nContent-Type: {content_type}\r\n{more}\
         Content-Length: 2\r\nConnection: close\r\n\r\n{{}}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), serde_json::from_str(body).unwrap())
}

const JSON: &str = "application/x-amz-json-1.0";

#[tokio::test]
async fn a_request_without_a_signature_is_turned_away() {
    let api = AwsApi::start().await.unwrap();
    for (authorization, kind) in [
        ("", "MissingAuthenticationTokenException"),
        ("Authorization: Bearer x\r\n", "MissingAuthenticationTokenException"),
        ("Authorization: AWS4-HMAC-SHA256 Credential=A\r\n", "IncompleteSignatureException"),
    ] {
        let (head, answer) = ask(&api, "POST /", "AmazonSQS.SendMessage", JSON, authorization).await;
        assert_eq!(answer["__type"], format!("com.amazonaws.sqs#{kind}"));
        assert!(!head.contains("x-amzn-query-error"), "only who asks for it gets the code of the query protocol");
    }
    assert_eq!(api.requests()[0].error.as_deref(), Some("MissingAuthenticationToken"));
}

#[tokio::test]
async fn an_operation_or_a_content_type_the_api_does_not_have_is_unknown() {
    let api = AwsApi::start().await.unwrap();
    for (line, target, content_type) in [
        ("POST /", "AmazonSQS.PurgeQueue", JSON),
        ("POST /", "Kinesis_20131202.PutRecord", JSON),
        ("POST /", "AmazonSQS.SendMessage", "application/x-amz-json-1.1"),
        ("POST /queue", "AmazonSQS.SendMessage", JSON),
        ("GET /", "AmazonSQS.SendMessage", JSON),
    ] {
        let (head, answer) = ask(&api, line, target, content_type, "").await;
        assert!(head.starts_with("HTTP/1.1 404 Not Found"), "{line} {target}: {head}");
        assert_eq!(answer["__type"], "com.amazonaws.sqs#UnknownOperationException");
        assert_eq!(api.requests().pop().unwrap().target, target);
    }
    let (head, answer) = ask(&api, "POST /", "DynamoDB_20120810.Query", JSON, "").await;
    assert!(head.starts_with("HTTP/1.1 404 Not Found"), "{head}");
    assert_eq!(answer["__type"], "com.amazon.coral.service#UnknownOperationException");
}

#[tokio::test]
async fn a_dropped_api_is_gone() {
    let (api, url, client) = parking().await;
    drop(api);
    // Dropping only asks the server to stop; the runtime ends it at the next chance.
    tokio::task::yield_now().await;
    let error = client.send_message().queue_url(url).message_body("m").send().await.unwrap_err();
    assert!(matches!(error, SdkError::DispatchFailure(_)), "{error:?}");
}
