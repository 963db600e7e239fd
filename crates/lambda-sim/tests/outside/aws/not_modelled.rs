//! A request that the API does not model is answered with an error, and fails the test.

use aws_sdk_sqs::{
    error::ProvideErrorMetadata,
    types::{MessageAttributeValue, QueueAttributeName},
};
use lambda_sim::{AwsApi, Credentials, Fault, Operation, Queue};
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{QUEUE, TABLE, World, client, entry, keys_of, s};

/// Asserts that the request, whose error code this is, was answered as not modelled for a reason that contains `what`.
fn assert_not_modelled(world: &World, code: Option<&str>, what: &str) {
    assert_eq!(code, Some("NotModelled"), "{what}");
    let [recorded] = &world.api.take_not_modelled()[..] else { panic!("{what}") };
    assert!(recorded.starts_with("not modelled: ") && recorded.contains(what), "{recorded}");
}

fn get_item(world: &World) -> client::Request {
    world.dynamodb.request("GetItem", json!({"TableName": TABLE, "Key": {"pk": s("a")}}))
}

#[tokio::test]
async fn other_operations() {
    let world = World::new().await;
    let get = get_item(&world).send().await.unwrap_err();
    assert_not_modelled(&world, get.code(), "DynamoDB_20120810.GetItem");
    let send = world.sqs.send_message().queue_url(&world.queue_url).message_body("m").send().await.unwrap_err();
    assert_not_modelled(&world, send.code(), "AmazonSQS.SendMessage");
    let list = world.secrets.list_secrets().send().await.unwrap_err();
    assert_not_modelled(&world, list.code(), "secretsmanager.ListSecrets");
    assert!(world.api.requests().iter().all(|request| request.operation.is_none()));
}

#[tokio::test]
async fn other_parameters_and_values() {
    let world = World::new().await;
    let capacity = world.raise("a", 1).set(["ReturnConsumedCapacity"], "TOTAL").send().await.unwrap_err();
    assert_not_modelled(&world, capacity.code(), "`ReturnConsumedCapacity`");
    let updated = world.raise("a", 1).set(["ReturnValues"], "UPDATED_NEW").send().await.unwrap_err();
    assert_not_modelled(&world, updated.code(), "`UPDATED_NEW`");
    let unconditional = world.raise("a", 1).without("ConditionExpression").send().await.unwrap_err();
    assert_not_modelled(&world, unconditional.code(), "`ConditionExpression`");
    for (value, what) in
        [(json!({"BOOL": true}), "`BOOL`"), (json!({"L": []}), "`L`"), (json!({"N": "1.5"}), "the number \"1.5\"")]
    {
        let set = world.raise("a", 1).set(["ExpressionAttributeValues", ":v"], value).send().await.unwrap_err();
        assert_not_modelled(&world, set.code(), what);
    }
    let two_tables =
        world.read(&["a"], None).set(["RequestItems", "other"], keys_of(&["a"], None)).send().await.unwrap_err();
    assert_not_modelled(&world, two_tables.code(), "any number of tables but one");
    let version = world.secret().version_stage("AWSPREVIOUS").send().await.unwrap_err();
    assert_not_modelled(&world, version.code(), "`VersionStage`");
    let arn = "arn:aws:secretsmanager:us-east-2:123456789012:secret:tpns/apps-AbC123";
    let by_arn = world.secret().secret_id(arn).send().await.unwrap_err();
    assert_not_modelled(&world, by_arn.code(), "ARN");
    let number = MessageAttributeValue::builder().data_type("Number").string_value("1").build().unwrap();
    let mut with_number = entry("a", "m");
    with_number.message_attributes = Some([("a".to_owned(), number)].into());
    let typed = world.send(&[]).entries(with_number).send().await.unwrap_err();
    assert_not_modelled(&world, typed.code(), "`Number`");
    let mut delayed = entry("a", "m");
    delayed.delay_seconds = Some(1);
    let delayed = world.send(&[]).entries(delayed).send().await.unwrap_err();
    assert_not_modelled(&world, delayed.code(), "`DelaySeconds`");
    let attributes = world.sqs.get_queue_attributes().queue_url(&world.queue_url);
    let key = attributes.attribute_names(QueueAttributeName::KmsMasterKeyId).send().await.unwrap_err();
    assert_not_modelled(&world, key.code(), "`KmsMasterKeyId`");
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
        assert_not_modelled(&world, world.raise("a", 1).send().await.unwrap_err().code(), what);
        assert_not_modelled(&world, world.send(&["m"]).send().await.unwrap_err().code(), what);
        assert_not_modelled(&world, world.secret().send().await.unwrap_err().code(), what);
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
    assert_eq!(get_item(&world).send().await.unwrap_err().code(), Some("NotModelled"));
}

#[tokio::test]
async fn a_fault_does_not_hide_it() {
    let world = World::new().await;
    world.api.fail_next(Operation::GetSecretValue, 1, Fault::CloseAfterwards);
    world.secret().version_id("v").send().await.unwrap_err();
    assert_eq!(world.api.take_not_modelled().len(), 1);
}
