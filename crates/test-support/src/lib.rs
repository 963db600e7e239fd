//! What the test binaries of `tests/` share.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can not go on fails")]

pub mod contract_event;
pub mod control;
pub mod garbled;
pub mod listeners;
pub mod secrets;
pub mod stage;
pub mod trigger;
