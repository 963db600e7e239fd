//! The server, over real TCP.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "helpers fail a test by panicking; clippy.toml spares only functions marked as tests"
)]

mod account_api;
mod authentication;
mod client;
mod command_line;
mod control;
mod effects;
mod faults;
mod faulty_connections;
mod page;
mod process;
mod readme;
mod timing;
