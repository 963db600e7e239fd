//! Tests of the built binary. One program, since each would be linked with all of AWS's SDK.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot continue fails")]

mod dry_run;
mod failures;
mod fingerprint;
mod garbled;
mod given_up;
