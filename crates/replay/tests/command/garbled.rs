//! The built binary against answers that SQS does not give: they contain bodies, and nothing of them is printed.

use std::{fs, process::Stdio};

use futures_util::future::join_all;
use lambda_sim::{AwsApi, Credentials, Fault, Garbling, Operation, Queue, RunningAwsApi, SendMessage, Timestamp};
use serde_json::json;
use tempfile::TempDir;
use test_support::garbled::{ACCOUNT, GARBLED, TOKEN};
use tokio::process::Command;

/// What the client of `replay` prints in place of what the function's client logs.
fn printed(garbling: Garbling, logged: Option<&str>) -> Option<&str> {
    match garbling {
        // It reads the answer as far as it goes.
        Garbling::BrokenOff => Some("an answer that could not be read, HTTP 200"),
        _ => logged,
    }
}

struct Stage {
    aws: RunningAwsApi,
    folder: TempDir,
}

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Stage {
    /// A queue for events, and one with a parked message.
    async fn new() -> Self {
        let aws = AwsApi::start().await.unwrap();
        aws.create_queue(Queue::builder("events").build().unwrap());
        let mut parked = Queue::builder("parked").build().unwrap();
        let message = SendMessage::new(event()).attribute("reason", "too_old");
        parked.send(message, Timestamp::now()).unwrap();
        aws.create_queue(parked);
        Self { aws, folder: tempfile::tempdir().unwrap() }
    }

    async fn run(&self, arguments: &[&str]) -> Ended {
        let Credentials { access_key_id, secret_access_key, session_token } = Credentials::of_the_sandbox();
        let output = Command::new(env!("CARGO_BIN_EXE_replay"))
            .args(arguments)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("AWS_ENDPOINT_URL", self.aws.url())
            .env("AWS_REGION", "us-east-2")
            .env("AWS_ACCESS_KEY_ID", access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", secret_access_key)
            .env("AWS_SESSION_TOKEN", session_token.unwrap_or_default())
            .env("RUST_LOG", "trace")
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    async fn send(&self) -> Ended {
        let file = self.folder.path().join("events.jsonl");
        fs::write(&file, event()).unwrap();
        let url = self.aws.queue_url("events");
        self.run(&["send", "--restart", "--queue-url", &url, file.to_str().unwrap()]).await
    }

    async fn list(&self) -> Ended {
        self.run(&["list", "--queue-url", &self.aws.queue_url("parked")]).await
    }

    async fn redrive(&self) -> Ended {
        let (from, to) = (self.aws.queue_url("parked"), self.aws.queue_url("events"));
        self.run(&["redrive", "--yes", "--all", "--from", &from, "--to", &to]).await
    }

    fn depth(&self, queue: &str) -> usize {
        self.aws.with_queue(queue, |queue| queue.messages().count()).unwrap()
    }
}

fn event() -> String {
    let accounts = [json!({"account": ACCOUNT})];
    json!({"type": "user.login", "occurred_at": 1_795_334_400_000_i64, "app": "a", "token": TOKEN, "account_list": accounts})
        .to_string()
}

#[tokio::test]
async fn a_parked_message_is_listed_and_sent_back() {
    let stage = Stage::new().await;
    let ended = stage.list().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("too_old") && ended.stdout.contains("1 message"), "{}", ended.stdout);
    assert_eq!(stage.depth("parked"), 1, "it is no longer visible");
    let ended = stage.redrive().await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!((stage.depth("parked"), stage.depth("events")), (0, 1));
}

async fn nothing_of_a_garbled_answer_is_printed(
    command: &str,
    operation: Operation,
    garbling: Garbling,
    logged: Option<&str>,
) {
    let printed = printed(garbling, logged);
    let what = format!("{command} {operation} {garbling:?}");
    let stage = Stage::new().await;
    // An answer that SQS could have given is retried; once is enough to see it.
    let times = if printed.is_some() { usize::MAX } else { 1 };
    stage.aws.fail_next(operation, times, Fault::Garbled(garbling));
    let Ended { code, stdout, stderr } = match command {
        "send" => stage.send().await,
        "list" => stage.list().await,
        _ => stage.redrive().await,
    };
    for secret in [TOKEN, ACCOUNT, "account_list", "x-amz-target", "cannot serve"] {
        let leaks = |text: &str| text.to_lowercase().contains(&secret.to_lowercase());
        assert!(!leaks(&stdout) && !leaks(&stderr), "{secret} in {what}\n{stdout}{stderr}");
    }
    if let Some(printed) = printed {
        assert_eq!(code, Some(1), "{what}\n{stderr}");
        let line = format!("error: the endpoint of SQS returned {printed}; check AWS_ENDPOINT_URL");
        assert!(stderr.lines().any(|text| text.starts_with(&line)), "{what}\n{stderr}");
    }
    assert!(stage.depth("parked") + stage.depth("events") >= 1, "{what}: lost");
}

#[tokio::test]
async fn nothing_of_a_garbled_answer_is_printed_by_any_command() {
    use Operation::{
        ChangeMessageVisibilityBatch, DeleteMessageBatch, GetQueueAttributes, ReceiveMessage, SendMessageBatch,
    };
    // Concurrently, since the SDK pauses before each retry.
    let runs = [
        ("send", SendMessageBatch),
        ("list", GetQueueAttributes),
        ("list", ReceiveMessage),
        ("list", ChangeMessageVisibilityBatch),
        ("redrive", GetQueueAttributes),
        ("redrive", ReceiveMessage),
        ("redrive", SendMessageBatch),
        ("redrive", DeleteMessageBatch),
    ];
    let each = runs.into_iter().flat_map(|(command, operation)| {
        GARBLED
            .into_iter()
            .map(move |(garbling, logged)| nothing_of_a_garbled_answer_is_printed(command, operation, garbling, logged))
    });
    join_all(each).await;
}

#[tokio::test]
async fn an_empty_answer_does_not_count_as_a_queue_without_a_dead_letter_queue() {
    let stage = Stage::new().await;
    stage.aws.create_queue(Queue::builder("parked").dead_letter_after(3).build().unwrap());
    assert_eq!(stage.list().await.code, Some(2), "a queue with a dead-letter queue is not read");
    stage.aws.fail_next(Operation::GetQueueAttributes, 1, Fault::Garbled(Garbling::NoFields));
    let ended = stage.list().await;
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    assert!(ended.stderr.contains("an answer that could not be read, HTTP 200"), "{}", ended.stderr);
}
