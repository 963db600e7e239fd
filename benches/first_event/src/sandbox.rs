//! The function in a process of its own, without Lambda's runtime: Init, a first event, and warm ones.

use std::{
    env,
    process::{Command, Stdio},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::{Context, bail};
use lambda_sim::Credentials;
use rustls::{RootCertStore, pki_types::CertificateDer};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tpns_account_sync::{AccountSync, Invocation, config::Config, transport::Transport};

use crate::fixture;

pub(crate) const TABLE: &str = "ledger";
const ASKED: &str = "FIRST_EVENT_SANDBOX";
const WARM_EVENTS: usize = 20;

/// One sandbox.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Measured {
    pub(crate) init: Phase,
    pub(crate) first: Phase,
    /// The mean of the events after the first.
    pub(crate) warm: Phase,
}

/// What it took.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Phase {
    pub(crate) wall_ms: f64,
    pub(crate) cpu_ms: f64,
}

/// Whether this process is to be the sandbox, and then whether Init opens connections.
pub(crate) fn is_asked_for() -> Option<bool> {
    env::var(ASKED).ok().map(|what| what == "warmed")
}

/// Starts a sandbox, and returns what it measured.
pub(crate) fn start(is_warmed: bool, apps: &str, aws: &str, checks: &str) -> anyhow::Result<Measured> {
    let signer = Credentials::of_the_sandbox();
    let output = Command::new(env::current_exe()?)
        .env_clear()
        .envs([(ASKED, if is_warmed { "warmed" } else { "cold" }), ("TPNS_APPS", apps), ("LEDGER_TABLE", TABLE)])
        .envs([("AWS_ENDPOINT_URL", aws), ("CHECK_QUEUE_URL", checks), ("AWS_REGION", "eu-west-1")])
        .envs([("AWS_ACCESS_KEY_ID", signer.access_key_id), ("AWS_SECRET_ACCESS_KEY", signer.secret_access_key)])
        .env("AWS_SESSION_TOKEN", signer.session_token.unwrap_or_default())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        bail!("a sandbox failed: {}", String::from_utf8_lossy(&output.stdout));
    }
    let text = String::from_utf8(output.stdout)?;
    Ok(serde_json::from_str(text.lines().last().unwrap_or_default())?)
}

/// Is the sandbox.
pub(crate) async fn run(is_warmed: bool) -> anyhow::Result<()> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from(fixture("root.crt.der")?))?;
    let mut clock = Clock::start()?;
    let config = Config::read(|name| env::var(name).ok())?;
    let function = AccountSync::over(Transport::trusting(roots)?, config).await?;
    if is_warmed {
        function.warm().await;
    }
    let init = clock.lap()?;
    handle(&function, 0).await?;
    let first = clock.lap()?;
    for number in 1..=WARM_EVENTS {
        handle(&function, number).await?;
    }
    let all = clock.lap()?;
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    let each = |all: f64| all / WARM_EVENTS as f64;
    let warm = Phase { wall_ms: each(all.wall_ms), cpu_ms: each(all.cpu_ms) };
    println!("{}", serde_json::to_string(&Measured { init, first, warm })?);
    Ok(())
}

/// Lets it apply a login of a device of its own.
async fn handle(function: &AccountSync, number: usize) -> anyhow::Result<()> {
    let now = SystemTime::now();
    let millis = now.duration_since(UNIX_EPOCH)?.as_millis();
    let body = json!({
        "type": "user.login", "id": format!("{:032x}", millis * 100 + number as u128), "app": "android",
        "occurred_at": u64::try_from(millis)?, "token": format!("{:036x}", millis * 100 + number as u128),
        "account_list": [{ "account": format!("account{number}") }],
    });
    let record = json!({
        "messageId": format!("m{number}"), "receiptHandle": "handle", "body": body.to_string(), "attributes": {},
        "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:events",
    });
    let payload = json!({ "Records": [record] }).to_string();
    let deadline = now + Duration::from_secs(30);
    let invocation = Invocation { request_id: "request", trace: None, payload: &payload, deadline };
    let answer = function.handle(invocation).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    let answer = serde_json::to_string(&answer)?;
    if answer != r#"{"batchItemFailures":[]}"# {
        bail!("an event was not applied: {answer}");
    }
    Ok(())
}

/// Measures one phase after the other.
struct Clock {
    begun: Instant,
    cpu: Duration,
}

impl Clock {
    fn start() -> anyhow::Result<Self> {
        Ok(Self { begun: Instant::now(), cpu: processor_time()? })
    }

    fn lap(&mut self) -> anyhow::Result<Phase> {
        let now = Self::start()?;
        let before = std::mem::replace(self, now);
        let millis = |time: Duration| time.as_secs_f64() * 1e3;
        Ok(Phase { wall_ms: millis(self.begun - before.begun), cpu_ms: millis(self.cpu.saturating_sub(before.cpu)) })
    }
}

/// What the scheduler gave the threads of this process, in nanoseconds (`proc_pid_schedstat(5)`).
fn processor_time() -> anyhow::Result<Duration> {
    let mut nanos = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        // A thread may end while it is being read.
        let Ok(text) = std::fs::read_to_string(thread?.path().join("schedstat")) else { continue };
        nanos += text.split_ascii_whitespace().next().context("schedstat is empty")?.parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanos))
}
