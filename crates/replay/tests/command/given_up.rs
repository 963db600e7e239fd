//! The built binary and what Lambda puts into the dead-letter queue for an event that it gave up.

use std::process::{Output, Stdio};

use lambda_sim::{AwsApi, Credentials, Queue, RunningAwsApi, SendMessage, Timestamp};
use serde_json::{Value, json};
use tokio::process::Command;

fn record(payload: &Value) -> String {
    json!({
        "version": "1.0",
        "timestamp": "2026-11-22T08:03:00.000Z",
        "requestContext": {
            "requestId": "e4b46cbf-b738-xmpl-8880-a18cdf61200e",
            "functionArn": "arn:aws:lambda:us-east-2:123456789012:function:f:live",
            "condition": "RetriesExhausted",
            "approximateInvokeCount": 3,
        },
        "requestPayload": payload,
        "responseContext": {"statusCode": 200, "executedVersion": "3", "functionError": "Unhandled"},
        "responsePayload": {"errorType": "NotApplied", "errorMessage": "1 of 1 events not applied"},
    })
    .to_string()
}

fn event(kind: &str) -> Value {
    json!({
        "version": "0",
        "id": "b7c1",
        "detail-type": kind,
        "source": "com.example.accounts",
        "time": "2026-11-22T08:00:00Z",
        "detail": {"app": "android", "token": "t0k3n", "account_list": [{"account": "ann"}]},
    })
}

struct Stage {
    aws: RunningAwsApi,
}

impl Stage {
    async fn with_dead_letter(body: String) -> Self {
        let aws = AwsApi::start().await.unwrap();
        for queue in ["events", "unbinds"] {
            aws.create_queue(Queue::builder(queue).build().unwrap());
        }
        let mut dead = Queue::builder("dead").build().unwrap();
        dead.send(SendMessage::new(body), Timestamp::now()).unwrap();
        aws.create_queue(dead);
        Self { aws }
    }

    async fn run(&self, arguments: &[&str]) -> Output {
        let Credentials { access_key_id, secret_access_key, session_token } = Credentials::of_the_sandbox();
        Command::new(env!("CARGO_BIN_EXE_replay"))
            .args(arguments)
            .env_clear()
            .env("AWS_ENDPOINT_URL", self.aws.url())
            .env("AWS_REGION", "us-east-2")
            .env("AWS_ACCESS_KEY_ID", access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", secret_access_key)
            .env("AWS_SESSION_TOKEN", session_token.unwrap_or_default())
            .stdin(Stdio::null())
            .output()
            .await
            .unwrap()
    }

    async fn redrive(&self) -> Output {
        let [dead, to, unbinds] = ["dead", "events", "unbinds"].map(|queue| self.aws.queue_url(queue));
        self.run(&["redrive", "--all", "--yes", "--from", &dead, "--to", &to, "--unbinds-to", &unbinds]).await
    }

    fn bodies(&self, queue: &str) -> Vec<Value> {
        let body = |text: &str| serde_json::from_str(text).unwrap();
        self.aws.with_queue(queue, |queue| queue.messages().map(|message| body(&message.body)).collect()).unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_event_in_the_record_is_listed_and_sent_back_to_its_lane() {
    for (kind, lane) in [("user.login", "events"), ("user.logout", "unbinds")] {
        for payload in [event(kind), json!([event(kind)])] {
            let stage = Stage::with_dead_letter(record(&payload)).await;
            let listed = stage.run(&["list", "--queue-url", &stage.aws.queue_url("dead")]).await;
            let listed = text(&listed.stdout);
            assert!(
                listed.contains("invoked_in_vain") && listed.contains(kind) && listed.contains("android"),
                "{listed}"
            );
            let ended = stage.redrive().await;
            assert_eq!(ended.status.code(), Some(0), "{}", text(&ended.stderr));
            assert_eq!(stage.bodies(lane), [event(kind)]);
            assert_eq!(stage.bodies("dead"), Vec::<Value>::new());
        }
    }
}

#[tokio::test]
async fn a_record_with_several_events_stays_in_its_queue_and_the_operator_reads_what_to_do() {
    let stage = Stage::with_dead_letter(record(&json!([event("user.login"), event("user.logout")]))).await;
    let ended = stage.redrive().await;
    assert_eq!(ended.status.code(), Some(3));
    assert!(text(&ended.stderr).contains("holds 2 events"), "{}", text(&ended.stderr));
    assert_eq!((stage.bodies("dead").len(), stage.bodies("events").len(), stage.bodies("unbinds").len()), (1, 0, 0));
}
