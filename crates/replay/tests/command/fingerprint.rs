//! The built binary prints the fingerprints of the function's log.

use std::process::{Command, Output};

use contract::fingerprint;

fn replay(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_replay")).arg("fingerprint").args(arguments).output().unwrap()
}

fn printed(arguments: &[&str]) -> String {
    String::from_utf8(replay(arguments).stdout).unwrap()
}

#[test]
fn the_fingerprints_of_a_device_and_an_event_are_those_of_the_log() {
    let id = "logout-13711112222-1";
    assert_eq!(printed(&["--app", "android", "t0k3n"]), format!("{}\n", fingerprint::device("android", "t0k3n")));
    let of_device = printed(&["--app", "android", "t0k3n", "--event-id", id]);
    assert_eq!(of_device, format!("{}\n", fingerprint::event_id(Some(("android", "t0k3n")), id)));
    assert_eq!(printed(&["--event-id", id]), format!("{}\n", fingerprint::event_id(None, id)));
}

#[test]
fn half_a_device_is_refused() {
    for arguments in [&["--event-id", "1", "t0k3n"][..], &["--event-id", "1", "--app", "android"], &[]] {
        assert_eq!(replay(arguments).status.code(), Some(2), "{arguments:?}");
    }
}
