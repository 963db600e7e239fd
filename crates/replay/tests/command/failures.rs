//! The built binary against a local SQS that fails in the ways in which SQS can fail.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use lambda_sim::{AwsApi, Credentials, EntryFault, Fault, Operation, Queue, RunningAwsApi};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

struct Stage {
    aws: RunningAwsApi,
    queue: &'static str,
    folder: TempDir,
}

impl Stage {
    async fn with(queue: &'static str) -> Self {
        let aws = AwsApi::start().await.unwrap();
        aws.create_queue(Queue::builder(queue).build().unwrap());
        Self { aws, queue, folder: tempfile::tempdir().unwrap() }
    }

    /// A file of logouts of `devices` devices in turn, with their number as id.
    fn file(&self, lines: usize, devices: usize) -> PathBuf {
        let event = |number: usize| {
            let token = format!("device-{}", number % devices);
            json!({"type": "user.logout", "id": number.to_string(), "occurred_at": 1_795_334_400_000_i64, "app": "a", "token": token})
        };
        let path = self.folder.path().join("events.jsonl");
        fs::write(&path, (1..=lines).map(|number| format!("{}\n", event(number))).collect::<String>()).unwrap();
        path
    }

    fn command(&self, file: &Path) -> Command {
        let credentials = Credentials::of_the_sandbox();
        let mut command = Command::new(env!("CARGO_BIN_EXE_replay"));
        command
            .args(["send", "--queue-url", &self.aws.queue_url(self.queue)])
            .arg(file)
            .env_clear()
            .env("HOME", self.folder.path())
            .env("AWS_ENDPOINT_URL", self.aws.url())
            .env("AWS_REGION", "us-east-2")
            .env("AWS_ACCESS_KEY_ID", credentials.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", credentials.secret_access_key)
            .env("AWS_SESSION_TOKEN", credentials.session_token.unwrap_or_default())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    async fn send(&self, file: &Path) -> Ended {
        self.command(file).output().await.unwrap().into()
    }

    fn start(&self, file: &Path) -> Child {
        self.command(file).spawn().unwrap()
    }

    /// The ids of the events in the queue, in its order.
    fn got(&self) -> Vec<u64> {
        self.got_in(self.queue)
    }

    fn got_in(&self, queue: &str) -> Vec<u64> {
        let id = |body: &str| serde_json::from_str::<Value>(body).unwrap()["id"].as_str().unwrap().parse().unwrap();
        self.aws.with_queue(queue, |queue| queue.messages().map(|message| id(&message.body)).collect()).unwrap()
    }
}

struct Ended {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

fn ctrl_c(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::INT).unwrap();
}

fn sorted(mut ids: Vec<u64>) -> Vec<u64> {
    ids.sort_unstable();
    ids
}

#[tokio::test]
async fn only_messages_that_sqs_did_not_accept_are_retried() {
    let stage = Stage::with("events").await;
    stage.aws.fail_entries_next(2, [EntryFault::at(1), EntryFault::at(3)]);
    let ended = stage.send(&stage.file(8, 8)).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(sorted(stage.got()), [1, 2, 3, 4, 5, 6, 7, 8], "something was lost or sent twice");
}

#[tokio::test]
async fn refused_messages_are_reported_by_line_and_not_recorded_as_sent() {
    let stage = Stage::with("events").await;
    let (file, poison) = (stage.file(12, 12), r#""device-3""#);
    stage
        .aws
        .fail_entries_next(usize::MAX, [EntryFault::body_containing(poison).code("KMS.Disabled").sender_fault(true)]);
    let ended = stage.send(&file).await;
    assert_eq!(ended.code, Some(3));
    assert!(ended.stderr.starts_with("line 3: SQS refused it: KMS.Disabled"), "{}", ended.stderr);
    assert!(ended.stdout.contains("11 messages sent"), "{}", ended.stdout);
    // The same command sends only what is missing.
    stage.aws.clear_faults();
    let ended = stage.send(&file).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert!(ended.stdout.contains("1 message sent"), "{}", ended.stdout);
    assert_eq!(sorted(stage.got()), (1..=12).collect::<Vec<_>>());
}

#[tokio::test]
async fn throttling_and_short_outages_are_waited_out() {
    let stage = Stage::with("events").await;
    stage.aws.fail_next(Operation::SendMessageBatch, 4, Fault::Throttling);
    stage.aws.fail_next(Operation::SendMessageBatch, 4, Fault::ServiceUnavailable);
    let ended = stage.send(&stage.file(30, 30)).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(sorted(stage.got()), (1..=30).collect::<Vec<_>>());
}

#[tokio::test]
async fn denied_access_is_reported_at_once_and_the_run_can_be_resumed_later() {
    let stage = Stage::with("events").await;
    let file = stage.file(30, 30);
    stage.aws.fail_next(Operation::SendMessageBatch, usize::MAX, Fault::AccessDenied);
    let ended = stage.send(&file).await;
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.stderr,
        "error: SQS answered AccessDenied; allow sqs:SendMessage on that queue, in IAM and in the queue's policy\n"
    );
    stage.aws.clear_faults();
    assert_eq!(stage.send(&file).await.code, Some(0));
    assert_eq!(sorted(stage.got()), (1..=30).collect::<Vec<_>>());
}

/// The worst moment: SQS has accepted the messages and its answer is under way.
#[tokio::test]
async fn killed_before_the_answer_it_sends_messages_in_flight_again_and_nothing_is_lost() {
    let stage = Stage::with("events").await;
    let file = stage.file(300, 300);
    let gate = stage.aws.hold_answer(Operation::SendMessageBatch, 12);
    let mut child = stage.start(&file);
    gate.reached().await;
    child.kill().await.unwrap();
    gate.release();
    let ended = stage.send(&file).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    let mut got = sorted(stage.got());
    let all = got.len();
    got.dedup();
    assert_eq!(got, (1..=300).collect::<Vec<_>>());
    assert!((301..=380).contains(&all), "{} were sent twice", all - 300);
}

#[tokio::test]
async fn a_fifo_queue_drops_the_second_copy_and_keeps_each_devices_order() {
    let stage = Stage::with("events.fifo").await;
    let file = stage.file(120, 7);
    stage.aws.fail_entries_next(3, [EntryFault::at(0), EntryFault::at(2)]);
    let gate = stage.aws.hold_answer(Operation::SendMessageBatch, 9);
    let mut child = stage.start(&file);
    gate.reached().await;
    child.kill().await.unwrap();
    gate.release();
    assert_eq!(stage.send(&file).await.code, Some(0));
    let got = stage.got();
    assert_eq!(sorted(got.clone()), (1..=120).collect::<Vec<_>>(), "something was lost or sent twice");
    for device in 0..7 {
        let of_device: Vec<_> = got.iter().filter(|id| *id % 7 == device).collect();
        assert!(of_device.is_sorted(), "{of_device:?}");
    }
}

#[tokio::test]
async fn ctrl_c_waits_for_the_answers_and_records_them() {
    let stage = Stage::with("events").await;
    let file = stage.file(300, 300);
    let gate = stage.aws.hold_answer(Operation::SendMessageBatch, 5);
    let child = stage.start(&file);
    gate.reached().await;
    ctrl_c(&child);
    tokio::time::sleep(Duration::from_millis(300)).await;
    gate.release();
    let ended = Ended::from(child.wait_with_output().await.unwrap());
    assert_eq!(ended.code, Some(130), "{}", ended.stderr);
    let sent = stage.got().len();
    assert!(ended.stdout.contains(&format!("{sent} messages sent to ")), "{sent}: {}", ended.stdout);
    let ended = stage.send(&file).await;
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    assert_eq!(sorted(stage.got()), (1..=300).collect::<Vec<_>>(), "something was lost or sent twice");
}

/// Every line is in a call that waits for its turn: none of them may count as sent.
#[tokio::test]
async fn ctrl_c_is_reported_also_when_all_remaining_calls_wait_for_their_turn() {
    for _ in 0..6 {
        let stage = Stage::with("events").await;
        let file = stage.file(8, 8);
        let child = stage.command(&file).args(["--rate", "1"]).spawn().unwrap();
        while stage.got().len() < 2 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        // Now the answers are in, and the next call is due in a moment.
        tokio::time::sleep(Duration::from_millis(100)).await;
        ctrl_c(&child);
        let ended = Ended::from(child.wait_with_output().await.unwrap());
        assert_eq!(ended.code, Some(130), "{}", ended.stdout);
        assert!(ended.stdout.contains("interrupted; recorded in"), "{}", ended.stdout);
        assert!(stage.got().len() < 8);
        assert_eq!(stage.send(&file).await.code, Some(0));
        assert_eq!(sorted(stage.got()), (1..=8).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn a_file_of_something_else_is_not_read_to_the_end() {
    let stage = Stage::with("events").await;
    let path = stage.folder.path().join("wrong.jsonl");
    fs::write(&path, "no event\n".repeat(5000)).unwrap();
    let ended = stage.send(&path).await;
    assert_eq!(ended.code, Some(1));
    assert_eq!(ended.stderr.lines().count(), 1001);
    assert!(ended.stderr.ends_with("error: 1000 lines were refused; check the file with --dry-run\n"));
    assert!(stage.got().is_empty());
}

/// The file's odd lines are unbinds. Entries of both lanes' calls fail and are retried, each in its own lane.
#[tokio::test]
async fn unbinds_go_to_their_lane_and_everything_else_to_the_main_queue() {
    let stage = Stage::with("events").await;
    stage.aws.create_queue(Queue::builder("unbinds").build().unwrap());
    let event = |number: u64| {
        let (kind, device, accounts) = match number % 4 {
            1 => ("account.deleted", json!({}), json!({"account_list": [{"account": "ben"}]})),
            3 => ("user.logout", json!({"app": "a", "token": format!("t-{number}")}), json!({})),
            _ => ("user.login", json!({"app": "a", "token": "t"}), json!({"account_list": [{"account": "ann"}]})),
        };
        let mut event = json!({"type": kind, "id": number.to_string(), "occurred_at": 1_795_334_400_000_i64});
        for (name, value) in [device, accounts].iter().flat_map(|part| part.as_object().unwrap()) {
            event[name] = value.clone();
        }
        format!("{event}\n")
    };
    let file = stage.folder.path().join("events.jsonl");
    fs::write(&file, (1..=40).map(event).collect::<String>()).unwrap();
    let unbinds_to = ["--unbinds-to".to_owned(), stage.aws.queue_url("unbinds")];
    stage.aws.fail_entries_next(4, [EntryFault::at(1), EntryFault::at(2)]);
    let ended = Ended::from(stage.command(&file).args(&unbinds_to).output().await.unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.stderr);
    for (queue, rest) in [("events", 0), ("unbinds", 1)] {
        let expected: Vec<_> = (1..=40).filter(|number| number % 2 == rest).collect();
        assert_eq!(sorted(stage.got_in(queue)), expected, "{queue}");
    }
    // What was sent to the lane is recorded, too.
    let again = Ended::from(stage.command(&file).args(&unbinds_to).output().await.unwrap());
    assert!(again.stdout.starts_with("0 messages sent"), "{}", again.stdout);
}
