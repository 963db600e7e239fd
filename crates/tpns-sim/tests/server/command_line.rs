//! The options for apps and for the log, and what the binary prints.

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Stdio},
};

use serde_json::json;

use crate::{
    client::{ACCESS_ID, BATCH, Client, login},
    process::{APPS, command, file, refused},
};

/// A started server, which ends with the test, also when the test fails.
struct Started {
    child: Child,
    stdout: BufReader<ChildStdout>,
    url: String,
}

impl Drop for Started {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn started(command: &mut Command) -> Started {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line of text");
    let url = line.strip_prefix("tpns-sim listening on ").expect("the documented line").trim_end().to_owned();
    Started { child, stdout, url }
}

impl Started {
    /// Ends it and returns what it has printed after its first line, and logged.
    fn end(mut self) -> (String, String) {
        let sent = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(sent.expect("kill is there").success());
        let (mut printed, mut logged) = (String::new(), String::new());
        self.stdout.read_to_string(&mut printed).expect("text");
        self.child.stderr.take().expect("piped").read_to_string(&mut logged).expect("text");
        (printed, logged)
    }
}

fn bare(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tpns-sim"));
    command.args(arguments);
    command
}

#[test]
fn what_is_wrong_with_the_apps_is_refused_in_one_line_without_their_keys() {
    let apps = file(APPS);
    let path = apps.path().to_str().expect("a plain path");
    for (arguments, expected) in [
        (&["--app", "hunter2"][..], "--app: an app is NAME:ACCESS_ID:SECRET_KEY, such as"),
        (&["--app", "ios:hunter2:hunter2"], "--app: app `ios`: the access id must be a whole number"),
        (&["--app", ":1:hunter2"], "--app: the name is empty"),
        (&["--app", "ios:1:"], "--app: app `ios`: `secret_key` must not be empty"),
        (&["--app", "a:1:hunter2", "--app", "b:1:hunter2"], "--app: apps `a` and `b` share access_id 1"),
        (&["--app", "a:1:hunter2", "--app", "a:2:hunter2"], "--app: app `a` appears twice"),
        (&["--app", "a:1:s", "--apps", path], "cannot be used with"),
        (&["--apps"], "--apps <FILE>"),
        (&["--listen", "8090"], "it must be an IP address and a port, such as 127.0.0.1:8090"),
        (&["apps.json"], "unexpected argument 'apps.json'"),
        (&["--logs"], "'--log'"),
    ] {
        let text = refused(bare(arguments));
        assert!(text.starts_with("error: ") && text.contains(expected), "{arguments:?}: {text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn apps_are_given_on_the_command_line_and_then_none_is_printed() {
    let arguments = ["--listen", "127.0.0.1:0", "--app", "android:1500001048:1452fcebae9f3115ba794fb0fff2fd73"];
    let server = started(bare(&arguments).args(["--app", "ios:7:with:colons"]));
    let client = Client::at(server.url.clone());
    assert_eq!(client.operate(&login("t", "a")).await.codes().0, 0);
    assert_eq!(client.get("/_sim/health").await.json()["apps"], json!(["android", "ios"]));
    assert_eq!(server.end().0, "");
}

#[tokio::test]
async fn without_apps_there_is_one_and_the_output_has_what_a_client_needs_to_use_it() {
    let server = started(&mut bare(&["--listen", "127.0.0.1:0"]));
    let url = server.url.clone();
    let client = Client::at(url.clone());
    assert_eq!(client.get("/_sim/health").await.json()["apps"], json!(["android"]));
    let (printed, _) = server.end();
    let document = printed.strip_prefix("TPNS_APPS=").expect("the documented line").trim_end();
    let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
    assert_eq!(document["android"]["access_id"], ACCESS_ID);
    assert_eq!(document["android"]["endpoint"], url);
    assert!(document["android"]["secret_key"].as_str().is_some_and(|key| !key.is_empty()));
}

#[tokio::test]
async fn each_call_is_logged_in_one_line_on_request_without_tokens_and_accounts() {
    let apps = file(APPS);
    let server = started(&mut command(&apps, &["--listen", "127.0.0.1:0", "--log"]));
    let client = Client::at(server.url.clone());
    client.control("/_sim/faults", &json!({"fault": "item_code", "code": 1_008_006, "token": "token-1"})).await;
    let both = json!({"operator_type": 2, "token_accounts": [
        {"token": "token-1", "account_list": [{"account": "secret-account"}]},
        {"token": "token-2", "account_list": [{"account": "secret-account"}]}]});
    client.operate(&both).await;
    client.post_with(BATCH, &[("Sign", "x")], "{}").await.expect("an answer");
    client.post_with("/elsewhere", &[], "").await.expect("an answer");
    client.control("/_sim/faults", &json!({"fault": "disconnect"})).await;
    client.signed(BATCH, &both).await.expect_err("the connection closes");
    let (_, logged) = server.end();
    let lines: Vec<&str> = logged.lines().map(|line| line.split_once(' ').expect("a time").1).collect();
    assert_eq!(
        lines,
        [
            r#"call=1 app=android api=batchoperate operator_type=2 items=2 status=200 ret_code=1008026 result=1x1008006,1x0 applied=true fault=item_code hint="item 0: a fault was requested""#,
            r#"call=2 api=batchoperate items=0 status=200 ret_code=1008003 applied=false hint="header AccessId is missing; it goes with Sign""#,
            "call=3 path=/elsewhere items=0 status=404 applied=false",
            "call=4 app=android api=batchoperate operator_type=2 items=2 status=none applied=false fault=disconnect",
        ]
    );
}

#[tokio::test]
async fn without_the_option_no_call_is_logged() {
    let apps = file(APPS);
    let server = started(&mut command(&apps, &["--listen", "127.0.0.1:0"]));
    Client::at(server.url.clone()).operate(&login("t", "a")).await;
    assert_eq!(server.end(), (String::new(), String::new()));
}
