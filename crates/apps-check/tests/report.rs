//! What the binary prints for a document.

#![allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]

use std::{
    io::Write,
    net::TcpListener,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

const KEY: &str = "a-key-that-is-never-printed";

fn report(document: &str) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_apps-check"));
    let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    process.stdin.take().unwrap().write_all(document.as_bytes()).unwrap();
    let output = process.wait_with_output().unwrap();
    assert!(output.status.success());
    let [stdout, stderr] = [output.stdout, output.stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    assert!(!stdout.contains(KEY) && stderr.is_empty(), "{stderr}");
    serde_json::from_str(&stdout).unwrap()
}

fn app(id: u32, endpoint: &str) -> Value {
    json!({ "access_id": id, "secret_key": KEY, "endpoint": endpoint })
}

#[test]
fn each_app_is_reported_with_why_its_tpns_can_not_be_reached() {
    let listening = TcpListener::bind("127.0.0.1:0").unwrap();
    let reached = format!("http://{}", listening.local_addr().unwrap());
    let refused = "http://127.0.0.1:1";
    let document = json!({ "first": app(1, &reached), "second": app(2, refused), "third": app(3, &reached) });
    let expected = json!({ "apps": [
        { "name": "first", "endpoint": reached, "failure": null },
        { "name": "second", "endpoint": refused, "failure": "the connection was refused" },
        { "name": "third", "endpoint": reached, "failure": null },
    ], "ledger_keys": 0 });
    assert_eq!(report(&document.to_string()), expected);
}

#[test]
fn the_keys_of_the_ledger_are_counted() {
    let keys = [format!("{KEY}-old"), format!("{KEY}-new")].map(|key| format!("{key:->32}"));
    let document = json!({ "ledger_keys": keys, "first": app(1, "http://127.0.0.1:1") });
    assert_eq!(report(&document.to_string())["ledger_keys"], 2);
}

#[test]
fn a_document_that_the_function_refuses_is_reported_in_the_words_of_the_function() {
    let document = json!({ "ios": { "access_id": 1, "secret_key": format!("{KEY} "), "region": "guangzhou" } });
    let error = report(&document.to_string())["error"].as_str().unwrap().to_owned();
    assert!(error.starts_with("ios.secret_key "), "{error}");
    assert_eq!(report("{"), json!({ "error": "is not valid JSON (line 1, column 1); check quotes and commas" }));
}
