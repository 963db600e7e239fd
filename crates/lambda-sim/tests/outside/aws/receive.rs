//! What a receiver asks of SQS.

use aws_sdk_sqs::error::ProvideErrorMetadata;
use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageSystemAttributeName as System,
    QueueAttributeName as Name,
};
use lambda_sim::{MessageAttribute, Queue, SendMessage, Timestamp};

use super::{bodies, parking, with_queue};

#[tokio::test]
async fn a_message_is_received_with_all_that_was_asked_for_and_hidden() {
    let (api, url, client) = parking().await;
    let message = SendMessage::new("body").attribute("reason", MessageAttribute::string("too_old"));
    let message = message.trace_header("Root=1-2-3");
    api.with_queue("parked", |queue| queue.send(message, Timestamp::now()).unwrap()).unwrap();
    let receive = || client.receive_message().queue_url(&url).max_number_of_messages(10);
    let asked =
        receive().visibility_timeout(0).message_attribute_names("All").message_system_attribute_names(System::All);
    let answer = asked.send().await.unwrap();
    let [message] = answer.messages() else { panic!("{answer:?}") };
    assert_eq!(message.body(), Some("body"));
    assert_eq!(message.message_attributes().unwrap()["reason"].string_value(), Some("too_old"));
    let system = message.attributes().unwrap();
    assert_eq!(
        (system[&System::ApproximateReceiveCount].as_str(), system[&System::AwsTraceHeader].as_str()),
        ("1", "Root=1-2-3")
    );
    let again = receive().send().await.unwrap();
    let [message] = again.messages() else { panic!("{again:?}") };
    assert!(message.message_attributes().is_none_or(|all| all.is_empty()), "not asked for");
    assert!(receive().send().await.unwrap().messages().is_empty(), "hidden");
    let error = client.receive_message().queue_url(&url).max_number_of_messages(11).send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn messages_are_deleted_and_shown_again_by_their_receipts() {
    let (api, url, client) = parking().await;
    for body in ["one", "two"] {
        client.send_message().queue_url(&url).message_body(body).send().await.unwrap();
    }
    let receive = || client.receive_message().queue_url(&url).max_number_of_messages(10).send();
    let answer = receive().await.unwrap();
    let receipts: Vec<_> = answer.messages().iter().map(|message| message.receipt_handle().unwrap()).collect();
    let shown = ChangeMessageVisibilityBatchRequestEntry::builder().id("a").receipt_handle(receipts[1]);
    let shown = shown.visibility_timeout(0).build().unwrap();
    let changed = client.change_message_visibility_batch().queue_url(&url).entries(shown).send().await.unwrap();
    assert_eq!((changed.successful().len(), changed.failed().len()), (1, 0));
    let delete = |id: &str, receipt: &str| {
        DeleteMessageBatchRequestEntry::builder().id(id).receipt_handle(receipt).build().unwrap()
    };
    let deleted = client.delete_message_batch().queue_url(&url);
    let deleted = deleted.entries(delete("a", receipts[0])).entries(delete("b", "no receipt")).send().await.unwrap();
    assert_eq!(deleted.successful().iter().map(|entry| entry.id()).collect::<Vec<_>>(), ["a"]);
    let failed: Vec<_> = deleted.failed().iter().map(|entry| (entry.id(), entry.code())).collect();
    assert_eq!(failed, [("b", "ReceiptHandleIsInvalid")]);
    assert_eq!(bodies(&api, "parked"), ["two"]);
    assert_eq!(receive().await.unwrap().messages().len(), 1, "visible again");
}

#[tokio::test]
async fn a_queue_says_how_many_messages_it_has_and_where_it_gives_them_up() {
    let (_api, url, client) = with_queue(Queue::builder("events").dead_letter_after(3)).await;
    client.send_message().queue_url(&url).message_body("m").send().await.unwrap();
    let ask = |name| client.get_queue_attributes().queue_url(&url).attribute_names(name).send();
    let answer = ask(Name::ApproximateNumberOfMessages).await.unwrap();
    assert_eq!(answer.attributes().unwrap()[&Name::ApproximateNumberOfMessages], "1");
    assert!(ask(Name::RedrivePolicy).await.unwrap().attributes().unwrap()[&Name::RedrivePolicy].contains("deadLetter"));
    assert_eq!(ask(Name::KmsMasterKeyId).await.unwrap_err().code(), Some("InvalidAttributeName"));
}
