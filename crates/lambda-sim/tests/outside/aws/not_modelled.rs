//! A request that the API does not model is answered with an error, and fails the test.

use std::fmt::Debug;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity, ReturnValue};
use aws_sdk_sqs::{
    error::{ProvideErrorMetadata, SdkError},
    types::{MessageAttributeValue, QueueAttributeName},
};
use lambda_sim::{AwsApi, Credentials, Fault, Operation, Queue};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{QUEUE, World, entry, keys_of, s};

/// Asserts that the request was answered as not modelled for a reason that contains `what`.
fn assert_not_modelled<T: Debug, E, R>(world: &World, result: Result<T, SdkError<E, R>>, what: &str)
where
    E: ProvideErrorMetadata + Debug,
    R: Debug,
{
    assert_eq!(result.unwrap_err().code(), Some("NotModelled"), "{what}");
    let [recorded] = &world.api.take_not_modelled()[..] else { panic!("{what}") };
    assert!(recorded.starts_with("not modelled: ") && recorded.contains(what), "{recorded}");
}

#[tokio::test]
async fn other_operations() {
    let world = World::new().await;
    let get = world.dynamodb.get_item().table_name("ledger").key("pk", s("a")).send().await;
    assert_not_modelled(&world, get, "DynamoDB_20120810.GetItem");
    let send = world.sqs.send_message().queue_url(&world.queue_url).message_body("m").send().await;
    assert_not_modelled(&world, send, "AmazonSQS.SendMessage");
    let list = world.secrets.list_secrets().send().await;
    assert_not_modelled(&world, list, "secretsmanager.ListSecrets");
    assert!(world.api.requests().iter().all(|request| request.operation.is_none()));
}

#[tokio::test]
async fn other_parameters_and_values() {
    let world = World::new().await;
    let capacity = world.raise("a", 1).return_consumed_capacity(ReturnConsumedCapacity::Total).send().await;
    assert_not_modelled(&world, capacity, "`ReturnConsumedCapacity`");
    let updated = world.raise("a", 1).return_values(ReturnValue::UpdatedNew).send().await;
    assert_not_modelled(&world, updated, "`UPDATED_NEW`");
    let unconditional = world.raise("a", 1).set_condition_expression(None).send().await;
    assert_not_modelled(&world, unconditional, "`ConditionExpression`");
    for (value, what) in [
        (AttributeValue::Bool(true), "`BOOL`"),
        (AttributeValue::L(vec![]), "`L`"),
        (AttributeValue::N("1.5".into()), "the number \"1.5\""),
    ] {
        let set = world.raise("a", 1).expression_attribute_values(":v", value).send().await;
        assert_not_modelled(&world, set, what);
    }
    let two_tables = world.read(&["a"], None).request_items("other", keys_of(&["a"], None)).send().await;
    assert_not_modelled(&world, two_tables, "any number of tables but one");
    let version = world.secret().version_stage("AWSPREVIOUS").send().await;
    assert_not_modelled(&world, version, "`VersionStage`");
    let arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret:tpns/apps-AbC123";
    let by_arn = world.secret().secret_id(arn).send().await;
    assert_not_modelled(&world, by_arn, "ARN");
    let number = MessageAttributeValue::builder().data_type("Number").string_value("1").build().unwrap();
    let mut with_number = entry("a", "m");
    with_number.message_attributes = Some([("a".to_owned(), number)].into());
    let typed = world.send(&[]).entries(with_number).send().await;
    assert_not_modelled(&world, typed, "`Number`");
    let mut delayed = entry("a", "m");
    delayed.delay_seconds = Some(1);
    let delayed = world.send(&[]).entries(delayed).send().await;
    assert_not_modelled(&world, delayed, "`DelaySeconds`");
    let attributes = world.sqs.get_queue_attributes().queue_url(&world.queue_url);
    let key = attributes.attribute_names(QueueAttributeName::KmsMasterKeyId).send().await;
    assert_not_modelled(&world, key, "`KmsMasterKeyId`");
    assert_eq!((world.kept("a"), world.bodies().len()), (None, 0));
}

#[tokio::test]
async fn requests_without_the_signature_of_the_sandbox() {
    let sandbox = Credentials::of_the_sandbox;
    for credentials in [
        Credentials { access_key_id: "AKIAOTHER".into(), ..sandbox() },
        Credentials { session_token: None, ..sandbox() },
    ] {
        let world = World::with(1, Queue::builder(QUEUE).build().unwrap(), credentials).await;
        let what = "not signed with the sandbox's credentials";
        assert_not_modelled(&world, world.raise("a", 1).send().await, what);
        assert_not_modelled(&world, world.send(&["m"]).send().await, what);
        assert_not_modelled(&world, world.secret().send().await, what);
    }
}

#[tokio::test]
async fn requests_by_another_protocol() {
    let api = AwsApi::start().await.unwrap();
    let host = api.url().replace("http://", "");
    for (line, content_type) in [
        ("POST /", "application/x-amz-json-1.1"),
        ("POST /queue", "application/x-amz-json-1.0"),
        ("GET /", "application/x-amz-json-1.0"),
    ] {
        let mut stream = TcpStream::connect(&host).await.unwrap();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nX-Amz-Target: AmazonSQS.SendMessageBatch\r\n\
             Content-Type: {content_type}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request"), "{answer}");
        assert_eq!(api.take_not_modelled().len(), 1);
    }
}

#[tokio::test]
#[should_panic = "not modelled: DynamoDB_20120810.GetItem"]
async fn dropping_the_api_fails_the_test() {
    let world = World::new().await;
    let get = world.dynamodb.get_item().table_name("ledger").key("pk", s("a")).send().await;
    assert_eq!(get.unwrap_err().code(), Some("NotModelled"));
}

#[tokio::test]
async fn a_fault_does_not_hide_it() {
    let world = World::new().await;
    world.api.fail_next(Operation::GetSecretValue, 1, Fault::CloseAfterwards);
    world.secret().version_id("v").send().await.unwrap_err();
    assert_eq!(world.api.take_not_modelled().len(), 1);
}
