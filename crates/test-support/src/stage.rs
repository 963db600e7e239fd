//! The environment of a test: a local TPNS with two apps, and the function.

use std::{
    path::PathBuf,
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lambda_sim::{
    Function, ManualClock, Outcome, Queue,
    event::{SqsEvent, sqs_event},
    event_source::EventSource,
};
use serde_json::{Value, json};
use tpns_sim::{Call, RunningSim, Sim};

/// Secrets that must never be printed.
pub const SECRETS: [&str; 2] = ["android-secret-1452fcebae9f3115", "ios-secret-ba794fb0fff2fd73"];

/// The function's timeout, unless a test sets its own.
pub const TIMEOUT: Duration = Duration::from_secs(20);

/// A local TPNS with two apps, `android` and `ios`, and a function that calls it.
pub struct Stage {
    /// The local TPNS.
    pub tpns: RunningSim,
    /// The function.
    pub function: Arc<Function>,
}

impl Stage {
    /// With the defaults.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// With settings on top of the defaults.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::within(TIMEOUT, settings).await
    }

    /// With settings, and with this timeout of the function.
    pub async fn within(timeout: Duration, settings: &[(&str, &str)]) -> Self {
        let tpns = Sim::builder()
            .app("android", 1_500_001_048_u64, SECRETS[0])
            .app("ios", 1_600_001_048_u64, SECRETS[1])
            .start()
            .await
            .unwrap();
        let apps = tpns.apps_document();
        Self { function: function_within(timeout, &apps, settings), tpns }
    }

    /// Delivers one SQS batch of these bodies, with the message ids `m0`, `m1` and so on, and returns the reported ids.
    pub async fn batch(&self, bodies: &[impl AsRef<str>]) -> Vec<String> {
        failures(&self.invoke(numbered(bodies)).await)
    }

    /// The function's response; panics on anything else.
    pub async fn invoke(&self, payload: impl Into<bytes::Bytes>) -> Value {
        match self.outcome(payload).await {
            Outcome::Response { body } => serde_json::from_slice(&body).unwrap(),
            other => panic!("{other:?}\n{}", self.printed()),
        }
    }

    /// The outcome of one invocation with this payload.
    pub async fn outcome(&self, payload: impl Into<bytes::Bytes>) -> Outcome {
        self.function.invoke(payload).await.unwrap().outcome
    }

    /// The accounts a token is bound to, as `account/type`.
    pub fn bound(&self, app: &str, token: &str) -> Vec<String> {
        let accounts = self.tpns.bindings().remove(app).unwrap_or_default().remove(token).unwrap_or_default();
        accounts.iter().map(|account| format!("{}/{}", account.account, account.account_type)).collect()
    }

    /// The calls that TPNS received, as (app, operator_type, items).
    pub fn calls(&self) -> Vec<(String, i64, usize)> {
        let call = |call: Call| (call.app.unwrap_or_default(), call.operator_type.unwrap_or_default(), call.items);
        self.tpns.calls().into_iter().map(call).collect()
    }

    /// Everything the function printed so far.
    pub fn printed(&self) -> String {
        String::from_utf8_lossy(&self.function.output().unwrap()).into_owned()
    }

    /// The function's JSON log lines of that message.
    pub fn lines(&self, message: &str) -> Vec<Value> {
        let printed = self.printed();
        let lines = printed.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter(|line| line["message"] == message).collect()
    }

    /// The lines from which CloudWatch creates metrics.
    pub fn metrics(&self) -> Vec<Value> {
        let printed = self.printed();
        let lines = printed.lines().filter(|line| line.starts_with(r#"{"_aws""#));
        lines.map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// An event source that feeds the function from this queue, with a clock that skips waiting times.
    pub fn source(&self, queue: Queue, clock: ManualClock) -> EventSource {
        EventSource::new(queue, self.function.clone(), clock).unwrap()
    }
}

/// A function that reads its apps from this secret.
pub fn secret_function(id: &str, endpoint: &str) -> Arc<Function> {
    function("", &[("TPNS_APPS_SECRET_ID", id), ("AWS_ENDPOINT_URL", endpoint)])
}

/// A function with these apps and settings.
pub fn function(apps: &str, settings: &[(&str, &str)]) -> Arc<Function> {
    function_within(TIMEOUT, apps, settings)
}

/// This apps document, with these keys for the ledger.
pub fn with_ledger_keys(apps: &str, keys: &[&str]) -> String {
    let mut document: Value = serde_json::from_str(apps).unwrap();
    if !keys.is_empty() {
        document["ledger_keys"] = keys.into();
    }
    document.to_string()
}

/// The function's binary, which Cargo builds beside the tests.
fn binary() -> PathBuf {
    const NAME: &str = "tpns-account-sync";
    std::env::var_os(format!("CARGO_BIN_EXE_{NAME}")).map_or_else(
        // A test binary that was started by hand: target/debug/deps/outside-… beside target/debug/tpns-account-sync.
        || std::env::current_exe().unwrap().parent().unwrap().with_file_name(NAME),
        PathBuf::from,
    )
}

/// A function with this timeout.
pub fn function_within(timeout: Duration, apps: &str, settings: &[(&str, &str)]) -> Arc<Function> {
    let mut builder = Function::builder(binary())
        .env("TPNS_APPS", apps)
        .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
        .env("AWS_LAMBDA_LOG_LEVEL", "DEBUG")
        .timeout(timeout);
    // Samples have fixed dates. With a ledger the function refuses this setting, and times are relative to now.
    if settings.iter().all(|(name, _)| *name != "LEDGER_TABLE") {
        builder = builder.env("MAX_EVENT_AGE", "36500d");
    }
    // Messages of no queue have no visibility timeout that could be changed, and a test does not wait after a failure
    // until TPNS is called again.
    for name in ["RETRY_MAX_DELAY", "TPNS_PROBE_INTERVAL"] {
        if settings.iter().all(|(own, _)| *own != name) {
            builder = builder.env(name, "0");
        }
    }
    // Longer than a busy machine needs for an answer: the number of calls would depend on it.
    if settings.iter().all(|(own, _)| *own != "TPNS_TIMEOUT_MS") {
        builder = builder.env("TPNS_TIMEOUT_MS", "15000");
    }
    for (name, value) in settings {
        builder = builder.env(*name, *value);
    }
    Arc::new(builder.build().unwrap())
}

/// An SQS event of these bodies, whose message ids are `m0`, `m1` and so on.
pub fn numbered(bodies: &[impl AsRef<str>]) -> bytes::Bytes {
    let ids: Vec<_> = (0..bodies.len()).map(|n| format!("m{n}")).collect();
    let messages: Vec<_> = ids.iter().map(String::as_str).zip(bodies.iter().map(AsRef::as_ref)).collect();
    sqs_event(&messages)
}

/// A FIFO queue's batch of (body, group).
pub fn fifo(bodies: &[(String, &str)]) -> bytes::Bytes {
    let mut event = SqsEvent::of_queue("arn:aws:sqs:us-east-1:123456789012:auth-events.fifo");
    for (n, (body, group)) in bodies.iter().enumerate() {
        event = event.message(lambda_sim::Message::new(format!("m{n}"), body.clone()).group(*group));
    }
    event.to_bytes()
}

/// The message ids reported in an SQS response.
pub fn failures(answer: &Value) -> Vec<String> {
    let failures = answer["batchItemFailures"].as_array().unwrap_or_else(|| panic!("{answer}"));
    failures.iter().map(|failure| failure["itemIdentifier"].as_str().unwrap().to_owned()).collect()
}

/// A login on android, with account types 0, 1, 2 and so on.
pub fn login(second: u32, token: &str, accounts: &[&str]) -> String {
    let accounts: Vec<_> =
        accounts.iter().enumerate().map(|(n, name)| json!({"account": name, "account_type": n})).collect();
    json!({"type": "user.login", "occurred_at": at(second), "app": "android", "token": token, "account_list": accounts})
        .to_string()
}

/// A logout from every account.
pub fn logout(second: u32, token: &str) -> String {
    json!({"type": "user.logout", "occurred_at": at(second), "app": "android", "token": token}).to_string()
}

/// A logout from one account of type 0.
pub fn logout_of(second: u32, token: &str, account: &str) -> String {
    json!({"type": "user.logout", "occurred_at": at(second), "app": "android", "token": token,
           "account_list": [{"account": account}]})
    .to_string()
}

/// A deletion in every app of an account of type 0.
pub fn deletion(second: u32, account: &str) -> String {
    json!({"type": "account.deleted", "occurred_at": at(second), "account_list": [{"account": account}]}).to_string()
}

/// The given number of seconds after a time one hour ago, which is young enough for every setting and constant within a
/// test run. In epoch milliseconds.
pub fn at(second: u32) -> i64 {
    static START: LazyLock<i64> = LazyLock::new(|| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        i64::try_from(now).unwrap() - 3600
    });
    (*START + i64::from(second)) * 1000
}
