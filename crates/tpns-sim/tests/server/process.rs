//! The binary itself.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    process::{Child, Command, Output, Stdio},
};

use serde_json::json;
use tempfile::NamedTempFile;

use crate::client::{Client, QUERY, login};

pub(crate) const APPS: &str =
    r#"{"android":{"access_id":1500001048,"secret_key":"1452fcebae9f3115ba794fb0fff2fd73","region":"guangzhou"}}"#;

pub(crate) fn file(text: &str) -> NamedTempFile {
    let mut file = NamedTempFile::new().expect("a temporary file");
    file.write_all(text.as_bytes()).expect("enough disk space");
    file
}

pub(crate) fn command(apps: &NamedTempFile, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tpns-sim"));
    command.arg("--apps").arg(apps.path()).args(arguments);
    command
}

/// Ends the process with the test, also when the test fails.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts the server; its URL comes from the first line it prints.
fn start(apps: &NamedTempFile, arguments: &[&str]) -> (Running, String) {
    let mut child = command(apps, arguments).stdout(Stdio::piped()).spawn().expect("the binary starts");
    let stdout = child.stdout.take().expect("piped");
    let mut line = String::new();
    let running = Running(child);
    BufReader::new(stdout).read_line(&mut line).expect("a line of text");
    let url = line.strip_prefix("tpns-sim listening on ").and_then(|url| url.strip_suffix('\n'));
    (running, url.expect("the documented line").to_owned())
}

pub(crate) fn refused(mut command: Command) -> String {
    let Output { status, stdout, stderr } = command.output().expect("the binary starts");
    assert_eq!((status.code(), stdout.len()), (Some(2), 0));
    let text = String::from_utf8(stderr).expect("text");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

#[tokio::test]
async fn the_binary_serves_with_the_rules_of_its_command_line() {
    let (apps, tokens) = (file(APPS), file("t1\n\n  t2 \n"));
    let tokens = tokens.path().to_str().expect("a plain path");
    let arguments =
        ["--listen", "127.0.0.1:0", "--override-mode", "replace", "--known-tokens", tokens, "--latency-ms", "30"];
    let (_running, url) = start(&apps, &arguments);
    let client = Client::at(url);
    let both = json!({"operator_type": 2, "token_accounts": [{"token": "t2", "account_list": [
        {"account": "a"}, {"account": "b", "account_type": 1}]}]});
    let began = std::time::Instant::now();
    assert_eq!(client.operate(&both).await.codes().0, 0);
    assert!(began.elapsed().as_millis() >= 30);
    assert_eq!(client.operate(&login("t2", "c")).await.codes().0, 0);
    assert_eq!(client.operate(&login("t3", "c")).await.codes().0, 1_008_027);
    assert_eq!(
        client.get("/_sim/bindings").await.json(),
        json!({"android": {"t2": [{"account": "c", "account_type": 0}]}})
    );
}

#[tokio::test]
async fn the_binary_names_the_seed_of_what_it_draws_and_answers_queries_without_types() {
    let apps = file(APPS);
    let arguments = ["--apply-within-ms", "20", "--seed", "7", "--query-lag-ms", "20", "--omit-account-type"];
    let mut child = command(&apps, &["--listen", "127.0.0.1:0"]);
    let mut child = child.args(arguments).stdout(Stdio::piped()).spawn().expect("the binary starts");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let _running = Running(child);
    let mut line = || lines.next().expect("a line").expect("text");
    let url = line().strip_prefix("tpns-sim listening on ").expect("the documented line").to_owned();
    assert_eq!(line(), "tpns-sim applies calls within 20 ms, seed 7");
    let client = Client::at(url);
    assert_eq!(client.operate(&login("t", "a")).await.codes().0, 0);
    assert_eq!(client.get("/_sim/effects?settle=1").await.json()["seed"], 7);
    let query = client.signed(QUERY, &json!({"operator_type": 2, "token_list": ["t"]})).await;
    assert_eq!(query.expect("an answer").json()["token_accounts"][0]["account_list"], json!([{"account": "a"}]));
}

#[test]
fn a_signal_ends_it_cleanly_even_with_an_open_connection() {
    for signal in ["-TERM", "-INT"] {
        let (mut running, url) = start(&file(APPS), &["--listen", "127.0.0.1:0"]);
        let _open = TcpStream::connect(url.trim_start_matches("http://")).expect("it listens");
        let sent = Command::new("kill").args([signal, &running.0.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
        let status = running.0.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{signal}");
    }
}

#[test]
fn an_invalid_command_line_is_refused_in_one_line_that_says_what_to_do() {
    let apps = file(APPS);
    for (arguments, expected) in [
        (["--override-mode", "all"], "[possible values: replace, per-type]; see tpns-sim --help"),
        (["--latency-ms", "soon"], "--latency-ms <N>"),
        (["--apply-delay-ms", "86400001"], "is not in 0..=86400000"),
        (["--listen", "localhost"], "--listen <IP:PORT>"),
        (["--listen", "0.0.0.0:0"], "use 127.0.0.1, or add --allow-non-loopback"),
        (["--known-tokens", "/nowhere"], "--known-tokens /nowhere: "),
        (["--auth-failure-status", "401"], "[possible values: 200, 403]"),
    ] {
        let text = refused(command(&apps, &arguments));
        assert!(text.starts_with("error: ") && text.contains(expected), "{text}");
    }
}

#[test]
fn a_bad_apps_file_is_refused_by_field_and_no_secret_is_printed() {
    let bad = file(r#"{"ios":{"access_id":"hunter2","secret_key":"hunter2"}}"#);
    let text = refused(command(&bad, &["--listen", "127.0.0.1:0"]));
    assert!(text.contains("app `ios`: `access_id` must be a whole number"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    let text = refused(command(&file("hunter2"), &[]));
    assert!(text.contains("not JSON at line 1") && !text.contains("hunter2"), "{text}");
}

#[test]
fn an_empty_file_of_known_tokens_is_refused() {
    let (apps, tokens) = (file(APPS), file("\n"));
    let tokens = tokens.path().to_str().expect("a plain path");
    let text = refused(command(&apps, &["--known-tokens", tokens]));
    assert!(text.contains("put one token on each line"), "{text}");
}

#[test]
fn a_taken_port_is_a_failure_that_names_it() {
    let apps = file(APPS);
    let (_running, url) = start(&apps, &["--listen", "127.0.0.1:0"]);
    let address = url.trim_start_matches("http://");
    let output = command(&apps, &["--listen", address]).output();
    let output = output.expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).expect("text");
    assert!(text.contains(address) && text.contains("another address"), "{text}");
}
