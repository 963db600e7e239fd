//! The built binary, as `make check-events` calls it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot continue fails")]

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Output, Stdio},
};

use serde_json::{Value, json};
use tempfile::TempDir;

/// Ten minutes after the samples.
const NOW: &str = "--now=2026-11-22T08:20:00Z";

fn run(args: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_check-events"))
        .args(args)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that is refused does not read it.
    _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn report(args: &[&str], input: &str) -> (Option<i32>, Value) {
    let output = run(&[args, &[NOW, "--json", "-"]].concat(), input);
    (output.status.code(), serde_json::from_slice(&output.stdout).unwrap())
}

fn file_of_the_repository(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)).unwrap()
}

/// The first block of JSON.
fn example(page: &str) -> String {
    let page = file_of_the_repository(page);
    let block = page.split_once("```json\n").unwrap().1;
    block.split_once("```").unwrap().0.to_owned()
}

#[test]
fn the_examples_of_the_readme_and_of_the_producers_page_are_one_event_as_they_are_printed() {
    for page in ["README.md", "docs/producers.md"] {
        let printed = example(page);
        let (code, report) = report(&[], &printed);
        let totals = json!({"events": 1, "parked": 0, "not_taken": 0, "with_warnings": 0});
        assert_eq!((code, &report["totals"], &report["ok"]), (Some(0), &totals, &json!(true)), "{page}");
        assert_eq!(report["events"][0]["line"], json!(1));
    }
}

#[test]
fn a_sample_in_each_envelope_is_opened_and_accepted() {
    for envelope in ["bare", "eventbridge", "eventbridge-array", "sqs-bare", "sqs-eventbridge", "sqs-sns"] {
        let text = file_of_the_repository(&format!("events/{envelope}/logout.json"));
        let (code, report) = report(&[], &text);
        assert_eq!((code, &report["events"][0]["type"]), (Some(0), &json!("user.logout")), "{envelope}");
    }
}

#[test]
fn an_event_that_would_be_parked_is_exit_code_3_and_a_command_that_can_not_be_carried_out_is_2() {
    let (code, report) = report(
        &[],
        r#"{"type":"user.login","occurred_at":1795335330,"app":"a","token":"t","account_list":[{"account":"ann"}]}"#,
    );
    assert_eq!((code, &report["events"][0]["reason"], &report["ok"]), (Some(3), &json!("too_old"), &json!(false)));
    assert_eq!(report["events"][0]["warnings"][0]["warning"], json!("seconds"));
    for (args, input) in [
        (vec!["no-such-file"], ""),
        (vec!["-"], " \n"),
        (vec!["--apps", "no-such-file", "-"], "{}"),
        (vec!["--max-event-age", "14", "-"], "{}"),
        (vec![], ""),
    ] {
        let output = run(&args, input);
        assert_eq!(output.status.code(), Some(2), "{args:?}");
        assert!(stdout(&output).is_empty() && !output.stderr.is_empty(), "{args:?}");
    }
    assert_eq!(run(&["-"], r#"{"DetailType":"user.logout","Detail":{}}"#).status.code(), Some(3));
}

#[test]
fn names_of_apps_are_checked_where_there_is_an_apps_document_and_it_says_so_where_there_is_none() {
    let folder = TempDir::new().unwrap();
    let apps = folder.path().join("apps.json");
    let document = r#"{"ios": {"access_id": 1, "secret_key": "a key"}, "android": {"access_id": 2, "secret_key": "b"}, "ledger_keys": ["c"]}"#;
    fs::write(&apps, format!("\u{feff}{document}")).unwrap();
    let event = example("README.md").replace("android", "huawei");
    let with_apps = [NOW, "--apps", apps.to_str().unwrap(), "-"];
    let text = stdout(&run(&with_apps, &event));
    assert!(text.contains("unknown_app, line 1: app: is not configured"), "{text}");
    assert!(text.contains("apps: android, ios") && !text.contains("a key"), "{text}");
    let without = stdout(&run(&[NOW, "-"], &event));
    assert!(without.contains("1 event: 1 fine") && without.contains("no apps document was named"), "{without}");
}

#[test]
fn the_output_holds_no_account_no_token_and_no_id_that_could_be_made_of_an_account() {
    let event = json!({
        "type": "user.login", "id": "login-ann.smith", "app": "ann.smith@a.com", "token": "t0k3n-0f-ann",
        "account_list": [{"account": "ann.smith"}, {"account": "13711112222"}],
    });
    let bad = json!({"type": "ann.smith", "app": "android", "token": "t0k3n-0f-ann "});
    let input = format!("{event}\n{bad}\n");
    for output in [run(&[NOW, "-"], &input), run(&[NOW, "--json", "-"], &input)] {
        let text = format!("{}{}", stdout(&output), String::from_utf8_lossy(&output.stderr));
        assert!(text.contains("id_not_shown") && text.contains("account_replaced"), "{text}");
        for secret in ["smith", "t0k3n", "13711112222"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
    }
    let bodies = stdout(&run(&["--json", "--with-bodies", "-"], &input));
    assert!(bodies.contains("smith"));
}

#[test]
fn what_is_not_written_to_a_terminal_fits_80_columns_and_no_line_ends_with_a_blank() {
    let many: String = (0..200)
        .map(|n| format!("{{\"type\":\"user.logout\",\"occurred_at\":{n},\"app\":\"android\",\"token\":\"t{n}\"}}\n"))
        .collect();
    for input in [file_of_the_repository("events/stream.jsonl"), many, "[{}, 1, [], \"x\"]".to_owned()] {
        let text = stdout(&run(&[NOW, "-"], &input));
        for line in text.lines() {
            assert!(line.chars().count() <= 80 && line.trim_end() == line, "{line:?}");
        }
        assert!(text.lines().count() < 80, "{text}");
    }
}

#[test]
fn events_of_one_line_are_distinguished_by_their_places() {
    let text = stdout(&run(&[NOW, "-"], r#"[{"type":"a"},{"type":"b"}]"#));
    assert!(text.contains("unknown_type, lines 1 [0], 1 [1]: type: must be"), "{text}");
}

#[test]
fn an_error_of_syntax_names_the_line_of_the_file() {
    let event = example("README.md");
    let broken = format!("\n\n{}", event.replace("\"android\",", "\"android\""));
    let (code, report) = report(&[], &broken);
    assert_eq!((code, report["events"].as_array().unwrap().len()), (Some(3), 1));
    let detail = report["events"][0]["detail"].as_str().unwrap();
    assert!(detail.contains("at line 5 column "), "{detail}");
}

/// The template's parameters and the function's defaults are the same facts in two files.
#[test]
fn the_defaults_are_those_of_the_template() {
    let template = file_of_the_repository("template.yaml");
    let default = |parameter: &str| {
        let after = template.split_once(&format!("\n  {parameter}:\n")).unwrap().1;
        after.split_once("Default: ").unwrap().1.lines().next().unwrap().to_owned()
    };
    let (_, report) = report(&[], "{}");
    let against = &report["checked_against"];
    assert_eq!(against["max_event_age"], json!(default("MaxEventAge")));
    assert_eq!(against["max_clock_skew"], json!(default("MaxClockSkew")));
}
