//! `send --dry-run` warns as `make check-events` does.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

fn dry_run(options: &[&str], lines: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_replay"))
        .args(["send", "--dry-run"])
        .args(options)
        .arg("-")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

const OLD: &str = r#"{"type":"user.login","id":"login-7","occurred_at":1700000000000,"app":"android","token":"t","account_list":[{"account":"ann"}]}
{"type":"user.logout","occurred_at":1700000000,"app":"android","token":"t"}
"#;

#[test]
fn what_the_function_would_park_and_what_is_odd_is_shown_once_with_its_lines() {
    let output = dry_run(&[], OLD);
    let text = String::from_utf8(output.stdout).unwrap();
    for start in [
        "would be parked: too_old, 1 line, the first is line 1: occurred_at: is older than MAX_EVENT_AGE",
        "warning: seconds, 1 line, the first is line 2: occurred_at: ",
        "warning: every_account, 1 line, the first is line 2: account_list: ",
        "warning: id_not_shown, 1 line, the first is line 1: id: ",
        "2 lines would be sent, none refused; nothing was sent",
    ] {
        assert!(text.lines().any(|line| line.starts_with(start)), "{start}: {text}");
    }
}

#[test]
fn the_settings_of_the_stack_count_and_a_line_that_gets_its_time_is_not_blamed_for_having_none() {
    let old = String::from_utf8(dry_run(&["--max-event-age", "36500d"], OLD).stdout).unwrap();
    assert!(!old.contains("too_old"), "{old}");
    let timeless = r#"{"type":"user.logout","app":"android","token":"t"}"#;
    let stamped = String::from_utf8(dry_run(&["--stamp-now"], timeless).stdout).unwrap();
    assert!(!stamped.contains("no_time") && stamped.contains("would get the time of sending"), "{stamped}");
}
