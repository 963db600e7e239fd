//! Answers that AWS does not send: no client can read them, and all hold what a client must not print.

use aws_sdk_sqs::types::{
    ChangeMessageVisibilityBatchRequestEntry, DeleteMessageBatchRequestEntry, MessageSystemAttributeName,
    QueueAttributeName,
};
use lambda_sim::{Fault, Garbling, Operation};
use serde_json::Value;

use super::{SECRET, World, client::RequestError};

const MARK: &str = "what-no-one-may-see";

const UNREADABLE: [Garbling; 9] = [
    Garbling::CutShort,
    Garbling::BrokenOff,
    Garbling::WrongType,
    Garbling::NoCode,
    Garbling::Code(MARK),
    Garbling::Page(200),
    Garbling::Page(302),
    Garbling::Page(403),
    Garbling::Page(502),
];

/// The error of a DynamoDB request with everything that it holds, or its answer if this field of it is no object.
fn unreadable(result: Result<Value, RequestError>, field: &str) -> Option<String> {
    match result {
        Ok(answer) => (!answer[field].is_object()).then(|| answer.to_string()),
        Err(error) => Some(error.to_string()),
    }
}

/// The error of the operation on data with [`MARK`] in it, with everything that the error holds.
async fn error(world: &World, operation: Operation) -> Option<String> {
    let (sqs, queue_url) = (&world.sqs, &world.queue_url);
    macro_rules! error {
        ($request:expr) => {
            $request.send().await.err().map(|error| format!("{error:?}"))
        };
    }
    match operation {
        Operation::GetSecretValue => error!(world.secret()),
        Operation::GetParameter => panic!("its only client is the function's, which is tested there"),
        Operation::UpdateItem => {
            let version = world.kept(MARK).unwrap_or(0) + 1;
            unreadable(world.raise(MARK, version).send().await, "Attributes")
        }
        Operation::BatchGetItem => unreadable(world.read(&[MARK], Some(true)).send().await, "UnprocessedKeys"),
        Operation::SendMessageBatch => error!(world.send(&[MARK])),
        Operation::ReceiveMessage => {
            let receive = sqs.receive_message().queue_url(queue_url).max_number_of_messages(10);
            let receive = receive.visibility_timeout(0).wait_time_seconds(1).message_attribute_names("All");
            error!(receive.message_system_attribute_names(MessageSystemAttributeName::All))
        }
        Operation::DeleteMessageBatch => {
            let entry = DeleteMessageBatchRequestEntry::builder().id("a").receipt_handle(MARK).build().unwrap();
            error!(sqs.delete_message_batch().queue_url(queue_url).entries(entry))
        }
        Operation::ChangeMessageVisibilityBatch => {
            let entry = ChangeMessageVisibilityBatchRequestEntry::builder().id("a").receipt_handle(MARK);
            let entry = entry.visibility_timeout(0).build().unwrap();
            error!(sqs.change_message_visibility_batch().queue_url(queue_url).entries(entry))
        }
        Operation::GetQueueAttributes => {
            let name = QueueAttributeName::ApproximateNumberOfMessages;
            error!(sqs.get_queue_attributes().queue_url(queue_url).attribute_names(name))
        }
    }
}

#[tokio::test]
async fn no_client_can_read_a_garbled_answer_and_its_error_holds_what_must_not_be_printed() {
    for operation in [
        Operation::GetSecretValue,
        Operation::UpdateItem,
        Operation::BatchGetItem,
        Operation::SendMessageBatch,
        Operation::ReceiveMessage,
        Operation::DeleteMessageBatch,
        Operation::ChangeMessageVisibilityBatch,
        Operation::GetQueueAttributes,
    ] {
        let world = World::new().await;
        world.api.put_secret(SECRET, MARK).unwrap();
        world.put(MARK, 1);
        for garbling in UNREADABLE {
            assert_eq!(error(&world, Operation::SendMessageBatch).await, None);
            world.api.fail_next(operation, 1, Fault::Garbled(garbling));
            let found = error(&world, operation).await;
            let found = found.unwrap_or_else(|| panic!("{operation} {garbling:?} was read"));
            // Requests to queues other than SendMessageBatch, and its answers, need not hold the mark.
            let is_ledger_or_secret =
                matches!(operation, Operation::GetSecretValue | Operation::UpdateItem | Operation::BatchGetItem);
            let is_send = operation == Operation::SendMessageBatch && garbling != Garbling::CutShort;
            let holds_mark = (is_ledger_or_secret || is_send) && garbling != Garbling::BrokenOff;
            assert!(!holds_mark || found.contains(MARK), "{operation} {garbling:?}: {found}");
            assert_eq!(error(&world, operation).await, None, "once, as planned");
        }
    }
}

#[tokio::test]
async fn the_request_behind_a_garbled_answer_is_carried_out_and_recorded() {
    let world = World::new().await;
    for (garbling, status) in [(Garbling::WrongType, 200), (Garbling::NoCode, 400), (Garbling::Page(403), 403)] {
        world.api.fail_next(Operation::SendMessageBatch, 1, Fault::Garbled(garbling));
        assert!(world.send(&[MARK]).send().await.is_err());
        assert_eq!(world.api.requests().pop().unwrap().status, Some(status), "{garbling:?}");
    }
    assert_eq!(world.bodies(), [MARK; 3]);
}
