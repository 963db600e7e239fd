//! Answers that are not what AWS sends: no client can read them, and all hold what a client must not print.

use aws_sdk_dynamodb::types::KeysAndAttributes;
use lambda_sim::aws::dynamodb::Item;
use lambda_sim::{AwsApi, Credentials, Fault, Garbling, Operation, Queue, RunningAwsApi};

use super::dynamodb::{n, s};
use super::{bodies, config, entry};

const MARK: &str = "what-nobody-may-see";

const UNREADABLE: [Garbling; 9] = [
    Garbling::CutShort,
    Garbling::BrokenOff,
    Garbling::WrongType,
    Garbling::NoCode,
    Garbling::Code("what-nobody-may-see"),
    Garbling::Page(200),
    Garbling::Page(302),
    Garbling::Page(403),
    Garbling::Page(502),
];

struct World {
    api: RunningAwsApi,
    queue: String,
    sqs: aws_sdk_sqs::Client,
    secrets: aws_sdk_secretsmanager::Client,
    dynamodb: aws_sdk_dynamodb::Client,
}

impl World {
    async fn new() -> Self {
        let api = AwsApi::start().await.unwrap();
        let queue = api.create_queue(Queue::builder("parked").build().unwrap());
        api.put_secret("apps", MARK).unwrap();
        api.create_table("ledger", "id");
        let item = Item::new().with("id", MARK).with("version", 1_i64);
        api.with_table("ledger", |table| table.put(MARK, item)).unwrap();
        let config = config(&api, Credentials::of_the_sandbox(), 1);
        let (sqs, secrets) = (aws_sdk_sqs::Client::new(&config), aws_sdk_secretsmanager::Client::new(&config));
        Self { queue, sqs, secrets, dynamodb: aws_sdk_dynamodb::Client::new(&config), api }
    }

    /// The error of the operation, with all that it holds.
    async fn error(&self, operation: Operation) -> Option<String> {
        let (sqs, queue) = (&self.sqs, &self.queue);
        macro_rules! error {
            ($request:expr) => {
                $request.send().await.err().map(|error| format!("{error:?}"))
            };
        }
        match operation {
            Operation::GetSecretValue => error!(self.secrets.get_secret_value().secret_id("apps")),
            Operation::UpdateItem => {
                let update = self.dynamodb.update_item().table_name("ledger").key("id", s(MARK));
                let update = update.update_expression("SET version = :v").expression_attribute_values(":v", n(2));
                error!(update.return_values(aws_sdk_dynamodb::types::ReturnValue::AllNew))
            }
            Operation::PutItem => error!(self.dynamodb.put_item().table_name("ledger").item("id", s(MARK))),
            Operation::DeleteItem => error!(self.dynamodb.delete_item().table_name("ledger").key("id", s(MARK))),
            Operation::GetItem => error!(self.dynamodb.get_item().table_name("ledger").key("id", s(MARK))),
            Operation::BatchGetItem => {
                let keys = KeysAndAttributes::builder().keys([("id".to_owned(), s(MARK))].into()).build().unwrap();
                error!(self.dynamodb.batch_get_item().request_items("ledger", keys))
            }
            Operation::SendMessage => error!(sqs.send_message().queue_url(queue).message_body(MARK)),
            Operation::SendMessageBatch => {
                error!(sqs.send_message_batch().queue_url(queue).entries(entry("a", MARK)))
            }
            Operation::ReceiveMessage => error!(sqs.receive_message().queue_url(queue).visibility_timeout(0)),
            Operation::DeleteMessageBatch => {
                let entry = aws_sdk_sqs::types::DeleteMessageBatchRequestEntry::builder().id("a").receipt_handle(MARK);
                error!(sqs.delete_message_batch().queue_url(queue).entries(entry.build().unwrap()))
            }
            Operation::ChangeMessageVisibilityBatch => {
                let entry = aws_sdk_sqs::types::ChangeMessageVisibilityBatchRequestEntry::builder();
                let entry = entry.id("a").receipt_handle(MARK).build().unwrap();
                error!(sqs.change_message_visibility_batch().queue_url(queue).entries(entry))
            }
            Operation::GetQueueAttributes => error!(sqs.get_queue_attributes().queue_url(queue)),
        }
    }
}

const READING: [Operation; 3] = [Operation::GetSecretValue, Operation::GetItem, Operation::BatchGetItem];

const WRITING: [Operation; 4] =
    [Operation::UpdateItem, Operation::PutItem, Operation::SendMessage, Operation::SendMessageBatch];

#[tokio::test]
async fn no_client_can_read_a_garbled_answer_and_its_error_holds_what_must_not_be_printed() {
    for operation in READING.into_iter().chain(WRITING) {
        for garbling in UNREADABLE {
            let world = World::new().await;
            world.api.fail_next(operation, 1, Fault::Garbled(garbling));
            let error = world.error(operation).await;
            let error = error.unwrap_or_else(|| panic!("{operation} {garbling:?} was read"));
            // What was sent is not in a success of SQS's, nor, without being asked for, in one of PutItem.
            let silent = matches!(operation, Operation::SendMessage | Operation::SendMessageBatch | Operation::PutItem)
                && matches!(garbling, Garbling::CutShort)
                || garbling == Garbling::BrokenOff;
            assert!(silent || error.contains(MARK), "{operation} {garbling:?}: {error}");
            assert_eq!(world.error(operation).await, None, "once, as asked");
        }
    }
}

#[tokio::test]
async fn no_client_can_read_a_garbled_answer_to_a_receiver() {
    for operation in [
        Operation::ReceiveMessage,
        Operation::DeleteMessageBatch,
        Operation::ChangeMessageVisibilityBatch,
        Operation::GetQueueAttributes,
        Operation::DeleteItem,
    ] {
        for garbling in UNREADABLE {
            let world = World::new().await;
            assert_eq!(world.error(Operation::SendMessage).await, None);
            world.api.fail_next(operation, 1, Fault::Garbled(garbling));
            assert!(world.error(operation).await.is_some(), "{operation} {garbling:?} was read");
        }
    }
}

#[tokio::test]
async fn an_answer_without_fields_is_read_and_has_nothing_in_it() {
    let world = World::new().await;
    world.api.fail_next(Operation::GetSecretValue, 1, Fault::Garbled(Garbling::NoFields));
    let secret = world.secrets.get_secret_value().secret_id("apps").send().await.unwrap();
    assert_eq!((secret.secret_string(), secret.name()), (None, None));
}

#[tokio::test]
async fn the_request_behind_a_garbled_answer_is_carried_out_and_written_down() {
    let world = World::new().await;
    for (garbling, status) in [(Garbling::WrongType, 200), (Garbling::NoCode, 400), (Garbling::Page(403), 403)] {
        world.api.fail_next(Operation::SendMessage, 1, Fault::Garbled(garbling));
        assert!(world.error(Operation::SendMessage).await.is_some());
        assert_eq!(world.api.requests().pop().unwrap().status, Some(status), "{garbling:?}");
    }
    assert_eq!(bodies(&world.api, "parked"), [MARK; 3]);
}
