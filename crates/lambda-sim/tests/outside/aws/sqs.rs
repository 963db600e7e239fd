//! What SQS takes.

use std::time::Duration;

use aws_sdk_sqs::primitives::Blob;
use aws_sdk_sqs::types::{MessageAttributeValue, MessageSystemAttributeNameForSends, MessageSystemAttributeValue};
use lambda_sim::message::AttributeValue;
use lambda_sim::{AwsApi, Credentials, ManualClock, MessageAttribute, Operation, Queue, Timestamp};

use super::{bodies, entry, parking, sqs_with, with_queue};

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

#[tokio::test]
async fn a_batch_arrives_in_its_order_and_every_entry_is_answered_under_its_id() {
    let (api, url, client) = parking().await;
    let entries = (0..10).map(|n| entry(format!("id-{n}"), format!("body {n}"))).collect();
    let answer = client.send_message_batch().queue_url(url).set_entries(Some(entries)).send().await.unwrap();
    assert_eq!(bodies(&api, "parked"), (0..10).map(|n| format!("body {n}")).collect::<Vec<_>>());
    let ids: Vec<&str> = answer.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(ids, (0..10).map(|n| format!("id-{n}")).collect::<Vec<_>>());
    let kept: Vec<String> =
        api.with_queue("parked", |queue| queue.messages().map(|m| m.message_id.clone()).collect()).unwrap();
    assert_eq!(answer.successful().iter().map(|entry| entry.message_id()).collect::<Vec<_>>(), kept);
    assert!(answer.failed().is_empty());

    let [request] = &api.requests()[..] else { panic!("{:?}", api.requests()) };
    assert_eq!((request.operation, request.entries), (Some(Operation::SendMessageBatch), 10));
    assert_eq!((request.status, request.error.as_deref()), (Some(200), None));
}

#[tokio::test]
async fn digests_are_those_aws_gives() {
    let (_api, url, client) = parking().await;
    // Body, attributes and digests as SQS answered them to LocalStack's test_receive_message_message_attribute_names_filters.
    let sent = client
        .send_message()
        .queue_url(url)
        .message_body("msg")
        .message_attributes("Help.Me", text("Me"))
        .message_attributes("Hello", text("There"))
        .message_attributes("General", text("Kenobi"))
        .send()
        .await
        .unwrap();
    assert_eq!(sent.md5_of_message_body(), Some("6e2baaf3b97dbeef01c0043275f9a0e7"));
    assert_eq!(sent.md5_of_message_attributes(), Some("4c360f3fdafd970e05fae2f149d997f5"));
    assert_eq!((sent.md5_of_message_system_attributes(), sent.sequence_number()), (None, None));
}

#[tokio::test]
async fn attributes_of_every_type_are_kept() {
    let (api, url, client) = parking().await;
    let typed = |data_type: &str| MessageAttributeValue::builder().data_type(data_type);
    let trace = MessageSystemAttributeValue::builder().data_type("String").string_value("Root=1-5759e988").build();
    let sent = client
        .send_message()
        .queue_url(url)
        .message_body("m")
        .message_attributes("code", text("InvalidToken"))
        .message_attributes("tries", typed("Number.int").string_value("3").build().unwrap())
        .message_attributes("raw", typed("Binary").binary_value(Blob::new([0, 255])).build().unwrap())
        .message_system_attributes(MessageSystemAttributeNameForSends::AwsTraceHeader, trace.unwrap())
        .send()
        .await
        .unwrap();
    assert!(sent.md5_of_message_system_attributes().is_some_and(|md5| md5.len() == 32));
    let message = api.with_queue("parked", |queue| queue.messages().next().cloned()).flatten().unwrap();
    assert_eq!(Some(message.message_id.as_str()), sent.message_id());
    assert_eq!(message.attributes.len(), 3);
    assert_eq!(message.attributes["code"], MessageAttribute::string("InvalidToken"));
    assert_eq!(message.attributes["tries"].data_type, "Number.int");
    assert_eq!(message.attributes["raw"].value, AttributeValue::Binary(vec![0, 255]));
}

#[tokio::test]
async fn a_fifo_queue_keeps_group_and_deduplication_id_and_swallows_a_repetition() {
    let (api, url, client) = with_queue(Queue::builder("parked.fifo")).await;
    let send = || {
        let request = client.send_message().queue_url(&url).message_body("m");
        request.message_group_id("user-1").message_deduplication_id("d-1").send()
    };
    let (first, second) = (send().await.unwrap(), send().await.unwrap());
    assert!(first.sequence_number().is_some_and(|number| number.len() == 20));
    assert_eq!(first.message_id(), second.message_id());
    let kept: Vec<_> = api.with_queue("parked.fifo", |queue| queue.messages().cloned().collect()).unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].group_id.as_deref(), kept[0].deduplication_id.as_deref()), (Some("user-1"), Some("d-1")));
}

#[tokio::test]
async fn messages_are_dated_by_the_clock_of_the_api_and_delayed_as_asked() {
    let start = Timestamp::now().plus(Duration::from_hours(1));
    let clock = ManualClock::starting_at(start);
    let api = AwsApi::start_with(clock.clone()).await.unwrap();
    let url = api.create_queue(Queue::builder("parked").build().unwrap());
    let client = sqs_with(&api, Credentials::of_the_sandbox(), 1);
    client.send_message().queue_url(url).message_body("m").delay_seconds(7).send().await.unwrap();
    let mut queue = api.take_queue("parked").unwrap();
    assert!(queue.receive(1, Duration::from_secs(1), clock.now()).is_empty());
    clock.advance(Duration::from_secs(7));
    assert_eq!(queue.receive(1, Duration::from_secs(1), clock.now())[0].sent, start);
}
