//! Answers of AWS that the SDK cannot read, and answers of something else in place of AWS: they contain the secret,
//! tokens, accounts and bodies, and none of that is logged or returned. The events concerned are reported, and one line
//! says what is wrong.

use std::{sync::Arc, time::SystemTime};

use futures_util::future::join_all;
use lambda_sim::{
    AwsApi, Credentials, Fault as AwsFault, Function, Garbling, InitFailure, Operation, Outcome, Queue, RunningAwsApi,
};
use serde_json::{Value, json};
use test_support::garbled::{ACCOUNT, GARBLED, TOKEN};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tpns_sim::Fault;

use crate::stage::{SECRETS, Stage, failures, function, login, numbered};

const SECRET: &str = "tpns/apps";
const TABLE: &str = "ledger";

/// Everything that must not be printed.
fn secrets() -> Vec<String> {
    let Credentials { access_key_id, secret_access_key, session_token } = Credentials::of_the_sandbox();
    let mut secrets = vec![access_key_id, secret_access_key, "no event of".into(), "cannot serve".into()];
    secrets.extend(session_token);
    secrets.extend([TOKEN, ACCOUNT, SECRETS[0], SECRETS[1], "account_list", "x-amz-target"].map(str::to_owned));
    secrets
}

fn assert_no_secrets(text: &str, what: &str) {
    for secret in secrets() {
        let line = text.lines().find(|line| line.to_lowercase().contains(&secret.to_lowercase()));
        assert_eq!(line, None, "{secret}: {what}");
    }
}

struct World {
    aws: RunningAwsApi,
    stage: Stage,
    /// How much of the output has been read.
    seen: usize,
}

impl World {
    async fn new(format: &str, level: &str) -> Self {
        let aws = AwsApi::start().await.unwrap();
        aws.create_table(TABLE, "pk");
        let parking = aws.create_queue(Queue::builder("parked").build().unwrap());
        let Stage { tpns, .. } = Stage::new().await;
        aws.put_secret(SECRET, tpns.apps_document()).unwrap();
        let function = Self::function(&aws, &parking, format, level);
        Self { aws, stage: Stage { tpns, function }, seen: 0 }
    }

    fn function(aws: &RunningAwsApi, parking: &str, format: &str, level: &str) -> Arc<Function> {
        let settings = [
            ("TPNS_APPS_SECRET_ID", SECRET),
            ("LEDGER_TABLE", TABLE),
            ("PARKING_QUEUE_URL", parking),
            ("AWS_ENDPOINT_URL", &aws.url()),
            ("AWS_LAMBDA_LOG_FORMAT", format),
            ("AWS_LAMBDA_LOG_LEVEL", level),
            ("RUST_LOG", "trace"),
            ("TPNS_MAX_ATTEMPTS", "1"),
            // It also limits the time for fetching the secret again: enough for both attempts on a busy machine.
            ("TPNS_TIMEOUT_MS", "15000"),
        ];
        function("", &settings)
    }

    /// Delivers a batch while every answer of this operation is garbled: the reported ids and the output.
    async fn batch(&mut self, operation: Operation, garbling: Garbling, bodies: &[String]) -> (Vec<String>, String) {
        self.aws.fail_next(operation, usize::MAX, AwsFault::Garbled(garbling));
        let outcome = self.stage.outcome(numbered(bodies)).await;
        assert_no_secrets(&format!("{outcome:?}"), &format!("{operation} {garbling:?}"));
        let Outcome::Response { body } = outcome else { panic!("{operation} {garbling:?}: {outcome:?}") };
        let reported = failures(&serde_json::from_slice::<Value>(&body).unwrap());
        (reported, self.since())
    }

    /// An event directly from EventBridge: the whole invocation then fails with an error message.
    async fn direct(&mut self, body: &str) -> (Outcome, String) {
        let detail: Value = serde_json::from_str(body).unwrap_or_else(|_| body.into());
        let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let event = json!({"id": "e-1", "detail-type": "user.login", "time": time, "detail": detail});
        let outcome = self.stage.outcome(event.to_string()).await;
        (outcome, self.since())
    }

    /// The output since the last call.
    fn since(&mut self) -> String {
        let printed = self.stage.printed();
        let new = printed[self.seen..].to_owned();
        self.seen = printed.len();
        new
    }
}

/// The operation that is garbled, the batch that needs it, the setting named in the log line, and the text for an
/// answer without fields.
fn cases() -> Vec<(Operation, String, &'static str, &'static str)> {
    let login = || login(1, TOKEN, &[ACCOUNT]);
    let rejected = format!("no event of {ACCOUNT}");
    vec![
        (Operation::GetSecretValue, login(), "TPNS_APPS_SECRET_ID: ", "has no SecretString"),
        (Operation::UpdateItem, login(), "LEDGER_TABLE: ", "an answer without the row"),
        (Operation::BatchGetItem, login(), "LEDGER_TABLE: ", "an answer without the rows"),
        (Operation::SendMessageBatch, rejected, "PARKING_QUEUE_URL: ", "SQS did not report the outcome of"),
    ]
}

async fn nothing_of_a_garbled_answer_is_printed(format: &str, level: &str) {
    let mut world = World::new(format, level).await;
    assert_eq!(world.stage.batch(&[login(1, "a-device", &["an-account"])]).await, [""; 0]);
    for (operation, body, subject, empty) in cases() {
        for (garbling, printed) in GARBLED {
            let what = format!("{operation} {garbling:?} {format} {level}");
            world.stage.tpns.reset();
            world.aws.clear_faults();
            if operation == Operation::GetSecretValue {
                world.stage.tpns.fault(Fault::ret_code(1_008_003).forever());
            }
            let (reported, lines) = world.batch(operation, garbling, std::slice::from_ref(&body)).await;
            assert_eq!(reported, ["m0"], "{what}\n{lines}");
            assert_no_secrets(&lines, &what);
            let helpful = |line: &str| line.contains(subject) && line.contains(printed.unwrap_or(empty));
            assert!(lines.lines().any(helpful), "{what}\n{lines}");
            // The response does not depend on the log level.
            if level != "TRACE" {
                continue;
            }
            let (outcome, lines) = world.direct(&body).await;
            assert!(!matches!(outcome, Outcome::Response { .. }), "{what}: {outcome:?}");
            assert_no_secrets(&format!("{outcome:?}"), &what);
            assert_no_secrets(&lines, &what);
        }
    }
    assert_eq!(world.stage.function.cold_starts(), 1);
}

#[tokio::test]
async fn nothing_of_a_garbled_answer_is_printed_in_any_format_at_any_level() {
    let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];
    let runs = ["JSON", "Text"].into_iter().flat_map(|format| levels.map(|level| (format, level)));
    // Concurrently, since the SDK pauses before each retry.
    join_all(runs.map(|(format, level)| nothing_of_a_garbled_answer_is_printed(format, level))).await;
}

#[tokio::test]
async fn a_garbled_secret_stops_init_with_one_line_that_contains_nothing_of_it() {
    for (format, level) in [("JSON", "TRACE"), ("JSON", "ERROR"), ("Text", "TRACE"), ("Text", "ERROR")] {
        for (garbling, printed) in GARBLED {
            let what = format!("{garbling:?} {format} {level}");
            let world = World::new(format, level).await;
            world.aws.fail_next(Operation::GetSecretValue, usize::MAX, AwsFault::Garbled(garbling));
            let outcome = world.stage.outcome(numbered(&[login(1, TOKEN, &[ACCOUNT])])).await;
            assert!(matches!(outcome, Outcome::InitFailed(InitFailure::Exited { .. })), "{what}: {outcome:?}");
            let lines = world.stage.printed();
            assert_no_secrets(&lines, &what);
            assert_eq!(lines.lines().count(), 1, "{what}\n{lines}");
            let reason = printed.map_or("has no SecretString".into(), |text| format!("could not be fetched ({text})"));
            assert!(lines.contains(&format!("TPNS_APPS_SECRET_ID: {reason}")), "{what}\n{lines}");
        }
    }
}

#[tokio::test]
async fn an_answer_with_ids_that_were_not_sent_parks_nothing() {
    let mut world = World::new("JSON", "INFO").await;
    let rejected = ["no event".to_owned(), "none either".to_owned()];
    let (reported, lines) = world.batch(Operation::SendMessageBatch, Garbling::OtherIds, &rejected).await;
    assert_eq!(reported, ["m0", "m1"], "{lines}");
    assert!(lines.contains("PARKING_QUEUE_URL: SQS did not report the outcome of a message"), "{lines}");
}

/// With credentials over HTTP (SnapStart), the SDK's own warnings contain the answer that should have held them.
#[tokio::test]
async fn garbled_credentials_do_not_appear_in_log_lines_of_the_sdk() {
    const KEY: &str = "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY";
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/credentials", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let body = json!({"Code": "Failed", "Message": format!("no session for {KEY}")}).to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            _ = stream.read(&mut [0; 4096]).await;
            _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    for format in ["JSON", "Text"] {
        let settings = [
            ("TPNS_APPS_SECRET_ID", SECRET),
            ("AWS_ACCESS_KEY_ID", ""),
            ("AWS_SECRET_ACCESS_KEY", ""),
            ("AWS_SESSION_TOKEN", ""),
            ("AWS_CONTAINER_CREDENTIALS_FULL_URI", &url),
            ("AWS_LAMBDA_LOG_FORMAT", format),
            ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
        ];
        let function = function("", &settings);
        let outcome = function.invoke(numbered(&[login(1, TOKEN, &[ACCOUNT])])).await.unwrap().outcome;
        assert!(matches!(outcome, Outcome::InitFailed(InitFailure::Exited { .. })), "{outcome:?}");
        let printed = String::from_utf8(function.output().unwrap()).unwrap();
        assert!(!printed.contains(KEY), "{printed}");
        assert_eq!(printed.lines().count(), 1, "{printed}");
        assert!(printed.contains("could not be fetched (no AWS credentials: "), "{printed}");
    }
}
