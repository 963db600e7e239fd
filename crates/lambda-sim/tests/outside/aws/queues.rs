//! What SQS takes and refuses, and what a receiver asks of it.

use aws_sdk_sqs::{
    error::ProvideErrorMetadata,
    operation::{receive_message::builders::ReceiveMessageFluentBuilder, send_message_batch::SendMessageBatchError},
    types::{
        ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageAttributeValue,
        MessageSystemAttributeName as System, MessageSystemAttributeNameForSends, MessageSystemAttributeValue,
        QueueAttributeName as Name, SendMessageBatchRequestEntry,
    },
};
use lambda_sim::{Credentials, Operation, Queue, SendMessage, Timestamp};

use super::{QUEUE, World, entry};

const MIB: usize = 1_048_576;

fn text(value: &str) -> MessageAttributeValue {
    MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
}

async fn with_queue(queue: Queue) -> World {
    World::with(1, queue, Credentials::of_the_sandbox()).await
}

#[tokio::test]
async fn a_batch_arrives_in_its_order_and_every_entry_is_answered_under_its_id() {
    let world = World::new().await;
    let bodies: Vec<String> = (0..10).map(|n| format!("body {n}")).collect();
    let answer = world.send(&bodies.iter().map(String::as_str).collect::<Vec<_>>()).send().await.unwrap();
    assert_eq!(world.bodies(), bodies);
    let ids: Vec<&str> = answer.successful().iter().map(|entry| entry.id()).collect();
    assert_eq!(ids, (0..10).map(|n| n.to_string()).collect::<Vec<_>>());
    let kept = |queue: &mut Queue| queue.messages().map(|message| message.message_id.clone()).collect::<Vec<_>>();
    let kept = world.api.with_queue(QUEUE, kept).unwrap();
    assert_eq!(answer.successful().iter().map(|entry| entry.message_id()).collect::<Vec<_>>(), kept);
    let [request] = &world.api.requests()[..] else { panic!("{:?}", world.api.requests()) };
    assert_eq!((request.operation, request.entries), (Some(Operation::SendMessageBatch), 10));
}

#[tokio::test]
async fn attributes_and_the_trace_header_are_kept() {
    let world = World::new().await;
    let trace = MessageSystemAttributeValue::builder().data_type("String").string_value("Root=1-2-3").build().unwrap();
    let mut message = entry("a", "m");
    message.message_attributes = Some([("reason".to_owned(), text("too_old"))].into());
    message.message_system_attributes = Some([(MessageSystemAttributeNameForSends::AwsTraceHeader, trace)].into());
    world.send(&[]).entries(message).send().await.unwrap();
    let message = world.api.with_queue(QUEUE, |queue| queue.messages().next().cloned()).flatten().unwrap();
    assert_eq!(message.attributes, [("reason".to_owned(), "too_old".to_owned())].into());
    assert_eq!(message.trace_header.as_deref(), Some("Root=1-2-3"));
}

async fn refused(entries: Vec<SendMessageBatchRequestEntry>) -> SendMessageBatchError {
    let world = World::new().await;
    let error = world.send(&[]).set_entries(Some(entries)).send().await.unwrap_err().into_service_error();
    assert!(world.bodies().is_empty(), "a refused batch leaves nothing behind");
    let request = world.api.requests().remove(0);
    assert_eq!((request.status, request.error.as_deref()), (Some(400), error.code()));
    error
}

#[tokio::test]
async fn a_batch_has_1_to_10_entries_with_different_valid_ids() {
    assert!(refused(vec![]).await.is_empty_batch_request());
    let eleven = (0..11).map(|n| entry(&n.to_string(), "m")).collect();
    assert!(refused(eleven).await.is_too_many_entries_in_batch_request());
    assert!(refused(vec![entry("a", "1"), entry("b", "2"), entry("a", "3")]).await.is_batch_entry_ids_not_distinct());
    for id in ["", "a.b", "ä", &"i".repeat(81)] {
        assert!(refused(vec![entry("a", "1"), entry(id, "2")]).await.is_invalid_batch_entry_id(), "{id}");
    }
    let world = World::new().await;
    world.send(&[]).entries(entry(&"Aa0_-".repeat(16), "m")).send().await.unwrap();
}

#[tokio::test]
async fn a_batch_has_at_most_1_mebibyte_with_its_attributes() {
    // Name, type and value count: 1 + 6 + 3 bytes.
    let batch = |last: usize| {
        let mut with_attribute = entry("b", &"x".repeat(last));
        with_attribute.message_attributes = Some([("a".to_owned(), text("abc"))].into());
        vec![entry("a", &"x".repeat(MIB / 2)), with_attribute]
    };
    assert!(refused(batch(MIB / 2 - 10 + 1)).await.is_batch_request_too_long());
    let world = World::new().await;
    let sent = world.send(&[]).set_entries(Some(batch(MIB / 2 - 10))).send().await.unwrap();
    assert_eq!(sent.successful().len(), 2);
}

#[tokio::test]
async fn an_entry_with_a_body_or_an_attribute_that_sqs_refuses_fails_alone() {
    let world = World::new().await;
    let allowed = "\t\n\r \u{d7ff}\u{e000}\u{fffd}\u{10000}\u{10ffff}";
    let mut attributes = entry("7", "m");
    attributes.message_attributes = Some((0..11).map(|n| (format!("n{n}"), text("v"))).collect());
    let mut reserved = entry("8", "m");
    reserved.message_attributes = Some([("AWS.x".to_owned(), text("v"))].into());
    let send = world.send(&[allowed, "\0", "\u{8}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"]);
    let answer = send.entries(attributes).entries(reserved).send().await.unwrap();
    let failed = |code: &str| {
        let failed = answer.failed().iter().filter(|entry| entry.sender_fault() && entry.code() == code);
        failed.map(|entry| entry.id()).collect::<Vec<_>>()
    };
    assert_eq!(failed("InvalidMessageContents"), ["1", "2", "3", "4", "5", "6"]);
    assert_eq!(failed("InvalidParameterValue"), ["7", "8"]);
    assert_eq!(world.bodies(), [allowed]);
}

#[tokio::test]
async fn a_missing_body_or_fifo_id_fails_the_whole_batch() {
    assert_eq!(refused(vec![entry("a", "m"), entry("b", "")]).await.code(), Some("InvalidParameterValue"));
    let world = with_queue(Queue::builder("parked.fifo").build().unwrap()).await;
    let fifo = |id: &str, group: Option<&str>, deduplication: Option<&str>| {
        let entry = SendMessageBatchRequestEntry::builder().id(id).message_body("m");
        let entry = entry.set_message_group_id(group.map(str::to_owned));
        entry.set_message_deduplication_id(deduplication.map(str::to_owned)).build().unwrap()
    };
    let send = |second| world.send(&[]).entries(fifo("a", Some("g"), Some("d"))).entries(second).send();
    for second in [fifo("b", None, Some("e")), fifo("b", Some("g"), None)] {
        assert_eq!(send(second).await.unwrap_err().code(), Some("InvalidParameterValue"));
    }
    let sent = send(fifo("b", Some("g"), Some("d"))).await.unwrap();
    let ids: Vec<_> = sent.successful().iter().map(|entry| entry.message_id()).collect();
    assert_eq!(ids[0], ids[1], "the same deduplication id");
    assert_eq!(world.api.with_queue("parked.fifo", |queue| queue.messages().count()), Some(1));
}

#[tokio::test]
async fn an_unknown_queue_does_not_exist() {
    let world = World::new().await;
    for wrong in [world.api.queue_url("other"), world.queue_url.replace("123456789012", "210987654321")] {
        let error = world.send(&["m"]).queue_url(wrong).send().await.unwrap_err();
        assert!(error.into_service_error().is_queue_does_not_exist());
    }
}

fn receive(world: &World) -> ReceiveMessageFluentBuilder {
    let receive = world.sqs.receive_message().queue_url(&world.queue_url).max_number_of_messages(10);
    let receive = receive.visibility_timeout(30).wait_time_seconds(1);
    receive.message_attribute_names("All").message_system_attribute_names(System::All)
}

#[tokio::test]
async fn a_message_is_received_with_its_attributes_and_hidden() {
    let world = World::new().await;
    let message = SendMessage::new("body").attribute("reason", "too_old").trace_header("Root=1-2-3");
    world.api.with_queue(QUEUE, |queue| queue.send(message, Timestamp::now()).unwrap()).unwrap();
    let answer = receive(&world).send().await.unwrap();
    let [message] = answer.messages() else { panic!("{answer:?}") };
    assert_eq!(message.body(), Some("body"));
    assert_eq!(message.message_attributes().unwrap()["reason"].string_value(), Some("too_old"));
    let system = message.attributes().unwrap();
    let system = (system[&System::ApproximateReceiveCount].as_str(), system[&System::AwsTraceHeader].as_str());
    assert_eq!(system, ("1", "Root=1-2-3"));
    assert!(receive(&world).send().await.unwrap().messages().is_empty(), "hidden");
    let error = receive(&world).max_number_of_messages(11).send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn messages_are_deleted_and_hidden_for_another_time_by_their_receipts() {
    let world = World::new().await;
    world.send(&["one", "two"]).send().await.unwrap();
    let answer = receive(&world).send().await.unwrap();
    let receipts: Vec<_> = answer.messages().iter().map(|message| message.receipt_handle().unwrap()).collect();
    let hide = |id: &str, receipt: &str, seconds| {
        let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id(id).receipt_handle(receipt);
        entry.visibility_timeout(seconds).build().unwrap()
    };
    let change = world.sqs.change_message_visibility_batch().queue_url(&world.queue_url);
    let change = change.entries(hide("a", receipts[1], 0)).entries(hide("b", receipts[0], 43_201));
    let changed = change.entries(hide("c", receipts[1], 30)).send().await.unwrap();
    let failed: Vec<_> = changed.failed().iter().map(|entry| (entry.id(), entry.code())).collect();
    assert_eq!(failed, [("b", "InvalidParameterValue"), ("c", "MessageNotInflight")]);
    let asked = [(receipts[1].to_owned(), 0), (receipts[0].to_owned(), 43_201), (receipts[1].to_owned(), 30)];
    assert_eq!(world.api.requests().last().unwrap().timeouts, asked);
    let delete = |id: &str, receipt: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt).build().unwrap()
    };
    let deletion = world.sqs.delete_message_batch().queue_url(&world.queue_url);
    let deletion = deletion.entries(delete("a", receipts[0])).entries(delete("b", "no receipt"));
    let deleted = deletion.send().await.unwrap();
    assert_eq!(deleted.successful().iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["a"]);
    let failed: Vec<_> = deleted.failed().iter().map(|entry| (entry.id(), entry.code())).collect();
    assert_eq!(failed, [("b", "ReceiptHandleIsInvalid")]);
    assert_eq!(world.bodies(), ["two"]);
    assert_eq!(receive(&world).send().await.unwrap().messages().len(), 1, "visible again");
}

#[tokio::test]
async fn a_queue_reports_its_messages_its_visibility_timeout_and_whether_it_has_a_dead_letter_queue() {
    for (queue, has_policy) in [(Queue::builder(QUEUE), false), (Queue::builder(QUEUE).dead_letter_after(3), true)] {
        let world = with_queue(queue.build().unwrap()).await;
        world.send(&["m"]).send().await.unwrap();
        let ask = world.sqs.get_queue_attributes().queue_url(&world.queue_url);
        let ask = ask.attribute_names(Name::ApproximateNumberOfMessages);
        let ask = ask.attribute_names(Name::ApproximateNumberOfMessagesNotVisible);
        let ask = ask.attribute_names(Name::VisibilityTimeout);
        let answer = ask.attribute_names(Name::RedrivePolicy).send().await.unwrap();
        let attributes = answer.attributes().unwrap();
        assert_eq!(attributes[&Name::ApproximateNumberOfMessages], "1");
        assert_eq!(attributes[&Name::ApproximateNumberOfMessagesNotVisible], "0");
        assert_eq!(attributes[&Name::VisibilityTimeout], "30");
        assert_eq!(attributes.contains_key(&Name::RedrivePolicy), has_policy);
    }
}
