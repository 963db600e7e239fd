//! The secret can't be fetched: Init ends with one line long before Lambda would end it.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
    time::Duration,
};

use lambda_sim::{AwsApi, Fault as AwsFault, Function, Operation};

use super::refusal;
use crate::{
    listeners::Listener,
    stage::{Stage, function, login},
};

const ID: &str = "tpns/apps";
/// The beginning of the line, whichever service did not answer.
const NO_ANSWER: &str = "TPNS_APPS_SECRET_ID: was not answered in time; check ";
/// Without credentials in the environment, so that they are fetched over HTTP.
const NO_KEYS: [(&str, &str); 3] =
    [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), ("AWS_SESSION_TOKEN", "")];

fn with_secret(endpoint: &str, settings: &[(&str, &str)]) -> Arc<Function> {
    let own = [("TPNS_APPS_SECRET_ID", ID), ("AWS_ENDPOINT_URL", endpoint)];
    function("", &[&own, settings].concat())
}

/// Serves each connection on a thread that ends with the tests.
fn listen(serve: impl Fn(TcpStream) + Clone + Send + 'static) -> String {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap();
    thread::spawn(move || {
        for stream in socket.incoming().flatten() {
            let serve = serve.clone();
            thread::spawn(move || serve(stream));
        }
    });
    format!("http://{address}")
}

fn silent() -> String {
    listen(|mut stream| while let Ok(1..) = stream.read(&mut [0; 4096]) {})
}

/// Sends single bytes with pauses, so that no single read of the client takes long.
fn trickling() -> String {
    listen(|mut stream| {
        _ = stream.read(&mut [0; 4096]);
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: 65536\r\n\r\n";
        let mut sent = stream.write_all(head);
        while sent.is_ok() {
            thread::sleep(Duration::from_millis(50));
            sent = stream.write_all(b" ");
        }
    })
}

#[tokio::test]
async fn a_hanging_secrets_manager_is_called_twice() {
    let aws = AwsApi::start().await.unwrap();
    aws.fail_next(Operation::GetSecretValue, usize::MAX, AwsFault::Hang);
    let refusal = refusal(&with_secret(&aws.url(), &[])).await;
    assert!(refusal.starts_with(NO_ANSWER), "{refusal}");
    assert_eq!(aws.requests().len(), 2);
}

#[tokio::test]
async fn a_failed_first_attempt_is_retried_once() {
    let aws = AwsApi::start().await.unwrap();
    for fault in [AwsFault::Hang, AwsFault::Close, AwsFault::Throttling, AwsFault::InternalError] {
        let Stage { tpns, .. } = Stage::new().await;
        aws.put_secret(ID, tpns.apps_document()).unwrap();
        aws.fail_next(Operation::GetSecretValue, 1, fault);
        let stage = Stage { function: with_secret(&aws.url(), &[]), tpns };
        assert_eq!(stage.batch(&[login(1, "t", &["a"])]).await, [""; 0], "{fault:?}");
    }
}

#[tokio::test]
async fn trickling_answers_and_connections_that_are_never_ready_time_out() {
    let never_ready = Listener::Silent.listen().0;
    for (endpoint, begins) in [
        (trickling(), NO_ANSWER),
        (silent(), NO_ANSWER),
        (never_ready, "TPNS_APPS_SECRET_ID: could not be fetched (timed out while connecting); check "),
        ("http://127.0.0.1:1".into(), "TPNS_APPS_SECRET_ID: could not be fetched (the connection was refused); check "),
    ] {
        let refusal = refusal(&with_secret(&endpoint, &[])).await;
        assert!(refusal.starts_with(begins), "{endpoint}: {refusal}");
    }
}

#[tokio::test]
async fn a_hanging_source_of_credentials_times_out() {
    let aws = AwsApi::start().await.unwrap();
    let silent = silent();
    let container = format!("{silent}/credentials");
    for (source, begins) in [
        (("AWS_CONTAINER_CREDENTIALS_FULL_URI", container.as_str()), NO_ANSWER),
        // The SDK waits for a second and then assumes that the machine is not an EC2 instance.
        (
            ("AWS_EC2_METADATA_SERVICE_ENDPOINT", silent.as_str()),
            "TPNS_APPS_SECRET_ID: could not be fetched (no AWS credentials: ",
        ),
    ] {
        let settings = [&NO_KEYS[..], &[source, ("AWS_EC2_METADATA_DISABLED", "false")]].concat();
        let refusal = refusal(&with_secret(&aws.url(), &settings)).await;
        assert!(refusal.starts_with(begins), "{source:?}: {refusal}");
        assert!(refusal.contains("credentials"), "{refusal}");
    }
    assert_eq!(aws.requests(), []);
}
