//! Recognising an invocation, before any body is read.

use serde_json::json;

use super::{super::*, bare, record};

#[test]
fn an_invocation_of_another_shape_is_an_error_and_never_an_empty_success() {
    let s3 = json!({"Records": [{"eventSource": "aws:s3", "s3": {}}]});
    let sns = json!({"Records": [{"EventSource": "aws:sns", "Sns": {"Message": "{}"}}]});
    let kinesis = json!({"Records": [{"eventSource": "aws:kinesis", "kinesis": {"data": ""}, "messageId": "m1"}]});
    let half = json!({"Records": [record("m1", "{}"), {"eventSource": "aws:s3", "messageId": "m2"}]});
    let both = json!({"Records": [record("m1", "{}")], "detail-type": "user.login", "detail": {}});
    for payload in [s3, sns, kinesis, half, both] {
        assert_eq!(Batch::open(&payload.to_string()).unwrap_err(), Unrecognised::Shape, "{payload}");
    }
    for payload in [
        "{}",
        "null",
        "5",
        "\"text\"",
        "",
        "{",
        "[",
        "[1]",
        "[{}]",
        "{\"records\":[]}",
        "{\"Records\":null}",
        "{\"Records\":{}}",
        "{\"statusCode\":200}",
        "{\"detail\":{}}",
        "{\"detail-type\":\"user.login\"}",
        "[{\"detail-type\":\"user.login\"}]",
    ] {
        assert_eq!(Batch::open(payload).unwrap_err(), Unrecognised::Shape, "{payload}");
    }
    assert_eq!(Batch::open(&bare().to_string()).unwrap_err(), Unrecognised::Shape, "a bare event travels in SQS only");
}

#[test]
fn a_record_that_no_answer_could_name_fails_the_batch() {
    for id in [json!(null), json!(""), json!(5)] {
        let mut second = record("m2", "{}");
        second["messageId"] = id;
        let payload = json!({"Records": [record("m1", "{}"), second]}).to_string();
        assert_eq!(Batch::open(&payload).unwrap_err(), Unrecognised::NoMessageId(1));
    }
}

#[test]
fn a_batch_without_messages_is_a_batch() {
    assert_eq!(Batch::open("{\"Records\":[]}").unwrap().source, Source::StandardQueue);
    assert_eq!(Batch::open("[]").unwrap().source, Source::EventBridge);
}

#[test]
fn the_queue_is_fifo_by_its_arn_and_not_by_a_message_group() {
    let mut fifo = record("m1", "{}");
    fifo["eventSourceARN"] = json!("arn:aws:sqs:eu-west-1:1:events.fifo");
    assert_eq!(Batch::open(&json!({"Records": [fifo]}).to_string()).unwrap().source, Source::FifoQueue);
    let mut fair = record("m1", "{}");
    fair["attributes"]["MessageGroupId"] = json!("tenant-1");
    let payload = json!({"Records": [fair]}).to_string();
    let batch = Batch::open(&payload).unwrap();
    assert_eq!(batch.source, Source::StandardQueue);
    let attributes = batch.messages[0].attributes();
    assert_eq!(attributes.group_id.as_deref(), Some("tenant-1"));
    assert_eq!(attributes.trace_header, None);
}
