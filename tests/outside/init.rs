//! How the binary starts, or refuses to start.

mod unanswered;
mod warm;

use std::{process::Command, time::Duration};

use lambda_sim::{AwsApi, Function, InitFailure, Outcome};
use serde_json::{Value, json};

use crate::stage::{Stage, function, function_within, login, numbered, secret_function};

const BINARY: &str = env!("CARGO_BIN_EXE_tpns-account-sync");

#[test]
fn without_a_lambda_runtime_it_prints_what_it_is_and_what_to_do() {
    let output = Command::new(BINARY).env_clear().output().unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let printed = String::from_utf8(output.stderr).unwrap();
    for needed in ["AWS Lambda function", "Tencent Push Notification Service", "make run"] {
        assert!(printed.contains(needed), "{printed}");
    }
}

/// docs/decisions/0045-jitter-entropy.md. Unoptimised binaries have their symbols' names.
#[test]
fn the_first_random_number_needs_no_cpu_jitter() {
    let binary = std::fs::read(BINARY).unwrap();
    let has = |name: &[u8]| binary.windows(name.len()).any(|bytes| bytes == name);
    assert!(has(b"_RAND_bytes"), "no symbols");
    assert!(!has(b"_jent_"), "built without .cargo/config.toml");
}

#[tokio::test]
async fn a_bad_setting_stops_init_with_one_line() {
    let stage = Stage::new().await;
    let apps = stage.tpns.apps_document();
    for (settings, expected) in [
        (vec![("TPNS_CONCURRENCY", "many")], "TPNS_CONCURRENCY: must be a whole number from 1 to 1000"),
        (vec![("LEDGER_TABLE", "a ledger")], "LEDGER_TABLE: must be the name or the ARN of a DynamoDB table"),
        (vec![("TPNS_APPS", "[]")], "TPNS_APPS: is not a JSON object; it holds the apps by name"),
        (
            vec![("TPNS_APPS", r#"{"android":{"access_id":"topsecret"}}"#)],
            "TPNS_APPS: android.access_id is of the wrong type",
        ),
    ] {
        let refusal = refusal(&function(&apps, &settings)).await;
        assert!(refusal.starts_with(expected) && !refusal.contains("topsecret"), "{refusal}");
    }
}

/// The single line of a function that does not start.
async fn refusal(function: &Function) -> String {
    let outcome = function.invoke(numbered(&[login(1, "t1", &["x"])])).await.unwrap().outcome;
    let printed = String::from_utf8(function.output().unwrap()).unwrap();
    assert!(matches!(outcome, Outcome::InitFailed(InitFailure::Exited { .. })), "{outcome:?}\n{printed}");
    assert_eq!(printed.lines().count(), 1, "{printed}");
    let line: Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(line["level"], "ERROR");
    let message = line["message"].as_str().unwrap();
    assert!(!message.contains('\n') && message.len() < 300, "{message}");
    message.to_owned()
}

/// Refusals of an apps document, in the environment and in a secret.
async fn refusals(document: &str) -> [String; 2] {
    let aws = AwsApi::start().await.unwrap();
    aws.put_secret("tpns/apps", document).unwrap();
    let in_environment = refusal(&function(document, &[])).await;
    let in_secret = refusal(&secret_function("tpns/apps", &aws.url())).await;
    let in_environment = in_environment.strip_prefix("TPNS_APPS: ").unwrap();
    let in_secret = in_secret.strip_prefix("TPNS_APPS_SECRET_ID: the secret's document ").unwrap();
    [in_environment.to_owned(), in_secret.to_owned()]
}

fn app(access_id: u64, secret_key: &str) -> Value {
    json!({"access_id": access_id, "secret_key": secret_key, "region": "guangzhou"})
}

#[tokio::test]
async fn an_app_name_that_is_invalid_in_metrics_or_logs_is_refused_and_not_quoted() {
    const ALLOWED: &str = "use 1 to 64 of A-Z, a-z, 0-9, dot, hyphen and underscore";
    let too_long = "n".repeat(65);
    let very_long = "n".repeat(2_000);
    let rows = [
        ("", "an empty name"),
        (&too_long, "a name of more than 64 characters"),
        (&very_long, "a name of more than 64 characters"),
        ("pasted key", "a name with other characters"),
        ("pasted\nkey", "a name with other characters"),
        ("pasted#key", "a name with other characters"),
        ("pasted/key", "a name with other characters"),
        ("安卓", "a name with other characters"),
        ("ios\u{200b}", "a name with other characters"),
        (" ios", "a name with other characters"),
        ("\u{feff}ios", "a name with other characters"),
    ];
    for (name, flaw) in rows {
        for entry in [app(2, "ios-key"), json!(5), json!({"access_id": "2"})] {
            let document = format!(r#"{{"android":{},{}:{entry}}}"#, app(1, "android-key"), json!(name));
            for refusal in refusals(&document).await {
                assert_eq!(refusal, format!("gives its 2nd app {flaw}; {ALLOWED}"), "{name:?}");
            }
        }
    }
    for name in ["unknown", "several", "Unknown", "SEVERAL"] {
        for refusal in refusals(&json!({name: app(1, "key")}).to_string()).await {
            assert_eq!(
                refusal,
                "gives its 1st app a name that is reserved in metrics (unknown, several); choose another"
            );
        }
    }
    for refusal in refusals(&json!({"ios": app(1, "key"), "IOS": app(2, "key")}).to_string()).await {
        assert_eq!(refusal, "gives two apps names that differ only in case, IOS and ios; rename one");
    }
}

#[tokio::test]
async fn every_app_name_that_is_valid_in_metrics_and_logs_is_accepted() {
    for name in ["a", "7", "android-2.x_beta", &"n".repeat(64), "unknown-2", "severalty", "-", "."] {
        let apps = json!({name: {"access_id": 1, "secret_key": "k", "endpoint": "http://127.0.0.1:1"}}).to_string();
        let function = function(&apps, &[]);
        assert!(
            matches!(function.invoke(numbered(&["bad"])).await.unwrap().outcome, Outcome::Response { .. }),
            "{name}"
        );
    }
}

#[tokio::test]
async fn a_key_with_an_invalid_character_is_refused_with_the_position_and_kind_of_the_character() {
    for (key, flaw) in [
        ("topsecret\n", "ends with a line break"),
        ("topsecret\r\n", "ends with a line break"),
        ("\ntopsecret", "begins with a line break"),
        ("topsecret\u{2028}", "ends with a line break"),
        (" topsecret", "begins with a blank"),
        ("topsecret ", "ends with a blank"),
        ("topsecret\u{a0}", "ends with a blank"),
        ("\u{3000}topsecret", "begins with a blank"),
        ("topsecret\t", "ends with a tab"),
        ("\0topsecret", "begins with a control character"),
        ("topsecret\u{7f}", "ends with a control character"),
        ("\"topsecret\"", "begins with a quotation mark and ends with a quotation mark"),
        ("'topsecret", "begins with a quotation mark"),
        ("topsecret\"", "ends with a quotation mark"),
        ("`topsecret`", "begins with a quotation mark and ends with a quotation mark"),
        ("“topsecret”", "begins with a quotation mark and ends with a quotation mark"),
        ("\u{200b}topsecret", "begins with a zero-width character"),
        ("topsecret\u{200d}", "ends with a zero-width character"),
        ("topsecret\u{2060}", "ends with a zero-width character"),
        ("topsecret\u{ad}", "ends with an invisible character"),
        ("topsecret\u{202c}", "ends with an invisible character"),
        ("\u{feff}topsecret\n", "begins with a byte-order mark and ends with a line break"),
        ("topsecret\\n", "has a backslash at character 10 of 11"),
        ("\\\"topsecret\\\"", "begins with a backslash and ends with a quotation mark"),
        ("top secret", "has a blank at character 4 of 10"),
        ("top\nsecret", "has a line break at character 4 of 10"),
        ("top\u{200b}secret", "has a zero-width character at character 4 of 10"),
        ("topseсret", "has a non-ASCII character at character 6 of 9"),
        ("topsecret…", "ends with a non-ASCII character"),
        (" ", "begins with a blank and ends with a blank"),
    ] {
        let document = json!({"android": app(1, "android-key"), "ios": app(2, key)}).to_string();
        for refusal in refusals(&document).await {
            assert_eq!(
                refusal,
                format!("ios.secret_key {flaw}; copy the SecretKey from the TPNS console, without anything around it"),
                "{key:?}"
            );
        }
    }
}

#[tokio::test]
async fn two_names_for_the_same_tpns_app_are_refused() {
    let at = |endpoint: &str| json!({"access_id": 1, "secret_key": "key", "endpoint": endpoint});
    let rows = [
        (app(1, "key"), app(1, "key")),
        (app(1, "key"), app(1, "another-key")),
        (app(1, "key"), at("https://api.tpns.tencent.com")),
        (app(1, "key"), at("https://API.TPNS.Tencent.com:443/")),
        (app(1, "key"), at("https://api.tpns.tencent.com.")),
        (at("https://tpns.example.com:8443"), at("https://tpns.example.com:8443/")),
    ];
    for (android, phone) in rows {
        let document = json!({"android": android, "ios": app(2, "ios-key"), "phone": phone}).to_string();
        for refusal in refusals(&document).await {
            assert_eq!(
                refusal,
                "gives android and phone the same access_id and endpoint, so they are the same TPNS app; \
                 keep one of the two names",
                "{document}"
            );
        }
    }
    let elsewhere = json!({"here": at("http://127.0.0.1:1"), "there": at("http://127.0.0.1:2")}).to_string();
    let function = function(&elsewhere, &[]);
    assert!(matches!(function.invoke(numbered(&["bad"])).await.unwrap().outcome, Outcome::Response { .. }));
}

#[tokio::test]
async fn limits_under_which_order_or_progress_would_be_lost_stop_init() {
    let ledger = ("LEDGER_TABLE", "tpns-ledger");
    let half = "DEADLINE_RESERVE_MS: must be less than half of the function's timeout (FUNCTION_TIMEOUT_SECONDS); \
                set at most";
    let age =
        "MAX_EVENT_AGE: is more than 44d, and an event that is older than its row in LEDGER_TABLE (45d) could win; ";
    let stage = Stage::new().await;
    let apps = stage.tpns.apps_document();
    for (settings, expected) in [
        (
            vec![("MAX_EVENT_AGE", "0s")],
            "MAX_EVENT_AGE: is less than 1m, so one redelivery could make an event too old; ",
        ),
        (vec![("MAX_EVENT_AGE", "59s"), ledger], "MAX_EVENT_AGE: is less than 1m, "),
        (vec![("MAX_EVENT_AGE", "90d"), ledger], age),
        (vec![("MAX_EVENT_AGE", "45d"), ledger], age),
        (vec![("MAX_EVENT_AGE", "44d 1ms"), ledger], age),
        (vec![("MAX_CLOCK_SKEW", "0s")], "MAX_CLOCK_SKEW: is less than 1s, and clocks are not that exact; "),
        (
            vec![("MAX_CLOCK_SKEW", "25h")],
            "MAX_CLOCK_SKEW: is more than 1d, so a wrong clock could outrank a day of events; ",
        ),
        (vec![("DEADLINE_RESERVE_MS", "30000"), ("FUNCTION_TIMEOUT_SECONDS", "30")], half),
        (vec![("DEADLINE_RESERVE_MS", "31000"), ("FUNCTION_TIMEOUT_SECONDS", "30")], half),
        (vec![("DEADLINE_RESERVE_MS", "15000"), ("FUNCTION_TIMEOUT_SECONDS", "30")], half),
        (vec![("FUNCTION_TIMEOUT_SECONDS", "2")], half),
        (vec![("FUNCTION_TIMEOUT_SECONDS", "0")], "FUNCTION_TIMEOUT_SECONDS: must be "),
        (vec![("FUNCTION_TIMEOUT_SECONDS", "30s")], "FUNCTION_TIMEOUT_SECONDS: must be "),
    ] {
        let refusal = refusal(&function(&apps, &settings)).await;
        assert!(refusal.starts_with(expected), "{settings:?}: {refusal}");
    }
}

#[tokio::test]
async fn limits_at_their_bounds_are_accepted() {
    let stage = Stage::new().await;
    let apps = stage.tpns.apps_document();
    let aws = AwsApi::start().await.unwrap();
    let (url, ledger) = (aws.url(), ("LEDGER_TABLE", "tpns-ledger"));
    for settings in [
        vec![("MAX_EVENT_AGE", "1m")],
        vec![("MAX_EVENT_AGE", "36500d"), ("MAX_CLOCK_SKEW", "1d")],
        vec![("MAX_EVENT_AGE", "44d"), ("MAX_CLOCK_SKEW", "1s"), ledger],
        vec![("DEADLINE_RESERVE_MS", "14999"), ("FUNCTION_TIMEOUT_SECONDS", "30")],
    ] {
        let settings: Vec<_> = settings.into_iter().chain([("AWS_ENDPOINT_URL", url.as_str())]).collect();
        let outcome = function(&apps, &settings).invoke(numbered(&["bad"])).await.unwrap().outcome;
        assert!(matches!(outcome, Outcome::Response { .. }), "{settings:?}: {outcome:?}");
    }
}

#[tokio::test]
async fn a_reserve_longer_than_the_invocation_leaves_half_of_it_for_calls_and_is_logged_once() {
    for reserve in ["20000", "11000", "900000"] {
        let stage = Stage::with(&[("DEADLINE_RESERVE_MS", reserve)]).await;
        for second in 1..4 {
            assert_eq!(stage.batch(&[login(second, "t1", &["x"])]).await, [""; 0], "{reserve}");
        }
        let printed = stage.printed();
        let lines: Vec<_> = printed.lines().filter(|line| line.contains("DEADLINE_RESERVE_MS")).collect();
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        let line: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&line["level"], line["requestId"].is_string()), (&json!("WARN"), true), "{line}");
    }
    let stage = Stage::with(&[("DEADLINE_RESERVE_MS", "9000")]).await;
    stage.batch(&[login(1, "t1", &["x"])]).await;
    assert!(!stage.printed().contains("DEADLINE_RESERVE_MS"));
}

#[tokio::test]
async fn a_hanging_tpns_and_a_reserve_longer_than_the_invocation_still_end_before_the_timeout() {
    let settings = [("DEADLINE_RESERVE_MS", "900000"), ("TPNS_TIMEOUT_MS", "60000")];
    let stage = Stage::new().await;
    let function = function_within(Duration::from_secs(8), &stage.tpns.apps_document(), &settings);
    stage.tpns.fault(tpns_sim::Fault::hang().forever());
    let outcome = function.invoke(numbered(&[login(1, "t1", &["x"])])).await.unwrap().outcome;
    let Outcome::Response { body } = outcome else { panic!("{outcome:?}") };
    assert_eq!(crate::stage::failures(&serde_json::from_slice(&body).unwrap()), ["m0"]);
}
