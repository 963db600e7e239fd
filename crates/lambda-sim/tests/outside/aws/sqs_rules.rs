//! What SQS refuses.

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::operation::send_message::SendMessageError;
use aws_sdk_sqs::operation::send_message_batch::SendMessageBatchError;
use aws_sdk_sqs::types::{
    MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
    SendMessageBatchRequestEntry,
};
use lambda_sim::Queue;

use super::{bodies, entry, parking, with_queue};

const MIB: usize = 1_048_576;

async fn refused(entries: Vec<SendMessageBatchRequestEntry>) -> SendMessageBatchError {
    let (api, url, client) = parking().await;
    let sent = client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await;
    let error = sent.unwrap_err().into_service_error();
    assert!(bodies(&api, "parked").is_empty(), "a refused batch leaves nothing behind");
    let request = api.requests().remove(0);
    assert_eq!((request.status, request.error.as_deref()), (Some(400), error.code()));
    error
}

fn numbered(count: usize) -> Vec<SendMessageBatchRequestEntry> {
    (0..count).map(|n| entry(n.to_string(), "m")).collect()
}

#[tokio::test]
async fn a_batch_has_one_to_ten_entries() {
    assert!(refused(vec![]).await.is_empty_batch_request());
    let error = refused(numbered(11)).await;
    assert!(error.is_too_many_entries_in_batch_request());
    assert_eq!(error.message(), Some("Maximum number of entries per request are 10. You have sent 11."));
}

#[tokio::test]
async fn the_ids_of_a_batch_differ_and_have_80_letters_digits_hyphens_and_underscores() {
    assert!(refused(vec![entry("a", "1"), entry("b", "2"), entry("a", "3")]).await.is_batch_entry_ids_not_distinct());
    for id in ["", "a.b", "ä", &"i".repeat(81)] {
        assert!(refused(vec![entry("a", "1"), entry(id, "2")]).await.is_invalid_batch_entry_id(), "{id}");
    }
    let (api, url, client) = parking().await;
    let longest = entry("Aa0_-".repeat(16), "m");
    client.send_message_batch().queue_url(url).entries(longest).send().await.unwrap();
    assert_eq!(bodies(&api, "parked"), ["m"]);
}

#[tokio::test]
async fn a_batch_has_at_most_one_mebibyte_with_its_attributes() {
    // Name, type and value count: 1 + 6 + 3 bytes.
    let attribute = MessageAttributeValue::builder().data_type("String").string_value("abc").build().unwrap();
    let batch = |last: usize| {
        let with_attribute = SendMessageBatchRequestEntry::builder().id("b").message_body("x".repeat(last));
        let with_attribute = with_attribute.message_attributes("a", attribute.clone()).build().unwrap();
        vec![entry("a", "x".repeat(MIB / 2)), with_attribute]
    };
    let error = refused(batch(MIB / 2 - 10 + 1)).await;
    assert!(error.is_batch_request_too_long());
    let message = "Batch requests cannot be longer than 1048576 bytes. You have sent 1048577 bytes.";
    assert_eq!(error.message(), Some(message));

    let (api, url, client) = parking().await;
    let fits = client.send_message_batch().queue_url(url).set_entries(Some(batch(MIB / 2 - 10)));
    assert_eq!(fits.send().await.unwrap().successful().len(), 2);
    assert_eq!(bodies(&api, "parked").len(), 2);
}

#[tokio::test]
async fn a_message_has_one_byte_to_one_mebibyte() {
    let (api, url, client) = parking().await;
    let send = |body: String| client.send_message().queue_url(&url).message_body(body).send();
    let too_long = send("x".repeat(MIB + 1)).await.unwrap_err().into_service_error();
    assert_eq!(too_long.code(), Some("InvalidParameterValue"));
    assert_eq!(send(String::new()).await.unwrap_err().into_service_error().code(), Some("MissingParameter"));
    assert!(bodies(&api, "parked").is_empty());
    send("x".repeat(MIB)).await.unwrap();
    assert_eq!(bodies(&api, "parked")[0].len(), MIB);
}

#[tokio::test]
async fn an_entry_with_characters_sqs_refuses_fails_alone() {
    let (api, url, client) = parking().await;
    let allowed = "\t\n\r \u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}";
    let refused = ["\0", "\u{8}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"];
    let mut batch = vec![entry("good", allowed)];
    batch.extend(refused.iter().enumerate().map(|(n, body)| entry(format!("bad-{n}"), *body)));
    let answer = client.send_message_batch().queue_url(&url).set_entries(Some(batch)).send().await.unwrap();
    assert_eq!(answer.successful().iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["good"]);
    assert_eq!(answer.failed().len(), refused.len());
    for (n, failed) in answer.failed().iter().enumerate() {
        assert_eq!((failed.id(), failed.sender_fault()), (format!("bad-{n}").as_str(), true));
        assert_eq!(failed.code(), "InvalidMessageContents");
    }
    assert_eq!(bodies(&api, "parked"), [allowed]);
    let error = client.send_message().queue_url(&url).message_body("\0").send().await.unwrap_err();
    assert!(matches!(error.into_service_error(), SendMessageError::InvalidMessageContents(_)));
}

#[tokio::test]
async fn an_entry_with_attributes_sqs_refuses_fails_alone() {
    let (api, url, client) = parking().await;
    let attribute = |value: &str| MessageAttributeValue::builder().data_type("String").string_value(value);
    let with = |id: &str, names: &[String], value: &str| {
        let entry = SendMessageBatchRequestEntry::builder().id(id).message_body(id);
        let add = |entry: aws_sdk_sqs::types::builders::SendMessageBatchRequestEntryBuilder, name: &String| {
            entry.message_attributes(name, attribute(value).build().unwrap())
        };
        names.iter().fold(entry, add).build().unwrap()
    };
    let names = |count: usize| (0..count).map(|n| format!("n{n}")).collect::<Vec<_>>();
    let batch = vec![
        with("ten", &names(10), "v"),
        with("eleven", &names(11), "v"),
        with("empty", &names(1), ""),
        with("name", &["AWS.x".to_owned()], "v"),
    ];
    let answer = client.send_message_batch().queue_url(url).set_entries(Some(batch)).send().await.unwrap();
    let failed: Vec<_> = answer.failed().iter().map(|entry| (entry.id(), entry.code())).collect();
    assert_eq!(failed, ["eleven", "empty", "name"].map(|id| (id, "InvalidParameterValue")));
    let message = "Message (user) attribute 'n0' must contain a non-empty value of type 'String'.";
    assert_eq!(answer.failed()[1].message(), Some(message));
    assert_eq!(bodies(&api, "parked"), ["ten"]);
}

#[tokio::test]
async fn a_parameter_out_of_range_is_an_invalid_one() {
    let (api, url, client) = parking().await;
    let send = || client.send_message().queue_url(&url).message_body("m");
    let system = |data_type: &str| {
        MessageSystemAttributeValue::builder().data_type(data_type).string_value("1").build().unwrap()
    };
    let trace = MessageSystemAttributeNameForSends::AwsTraceHeader;
    for request in [
        send().delay_seconds(-1),
        send().delay_seconds(901),
        send().message_group_id("group 1"),
        send().message_group_id("g".repeat(129)),
        send().message_deduplication_id("d"),
        send().message_system_attributes(trace.clone(), system("Number")),
        send().message_system_attributes("Other".into(), system("String")),
    ] {
        let error = request.send().await.unwrap_err().into_service_error();
        assert_eq!(error.code(), Some("InvalidParameterValue"), "{error:?}");
    }
    assert!(bodies(&api, "parked").is_empty());
    send().delay_seconds(900).message_group_id("g".repeat(128)).send().await.unwrap();
}

#[tokio::test]
async fn an_unknown_queue_does_not_exist_whatever_its_url_looks_like() {
    let (api, url, client) = parking().await;
    for wrong in [api.queue_url("other"), url.replace("123456789012", "210987654321")] {
        let error = client.send_message_batch().queue_url(wrong).entries(entry("a", "m")).send().await.unwrap_err();
        assert!(error.into_service_error().is_queue_does_not_exist());
    }
    api.take_queue("parked").unwrap();
    let error = client.send_message().queue_url(url).message_body("m").send().await.unwrap_err();
    assert!(matches!(error.into_service_error(), SendMessageError::QueueDoesNotExist(_)));
}

#[tokio::test]
async fn a_fifo_queue_wants_a_group_and_a_deduplication_id() {
    let (api, url, client) = with_queue(Queue::builder("parked.fifo")).await;
    let fifo = |group: Option<&str>, deduplication: Option<&str>| {
        let entry = SendMessageBatchRequestEntry::builder().id("b").message_body("m");
        let entry = entry.set_message_group_id(group.map(str::to_owned));
        entry.set_message_deduplication_id(deduplication.map(str::to_owned)).build().unwrap()
    };
    let good = SendMessageBatchRequestEntry::builder().id("a").message_body("m");
    let good = good.message_group_id("g").message_deduplication_id("d").build().unwrap();
    for (bad, message) in [
        (fifo(None, Some("e")), "The request must contain the parameter MessageGroupId."),
        (
            fifo(Some("g"), None),
            "The queue should either have ContentBasedDeduplication enabled or MessageDeduplicationId provided explicitly",
        ),
    ] {
        let batch = client.send_message_batch().queue_url(&url).entries(good.clone()).entries(bad);
        let error = batch.send().await.unwrap_err().into_service_error();
        assert_eq!((error.code(), error.message()), (Some("InvalidParameterValue"), Some(message)));
    }
    let single = client.send_message().queue_url(&url).message_body("m").send().await.unwrap_err();
    assert_eq!(single.into_service_error().code(), Some("MissingParameter"));
    assert!(bodies(&api, "parked.fifo").is_empty());
}
