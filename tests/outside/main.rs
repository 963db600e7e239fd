//! From the outside: the built binary as a process, a strict Lambda Runtime API and SQS queue around it, and a local
//! TPNS behind it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can not go on fails")]

mod account_lists;
mod alone;
mod answers;
mod apps_document;
mod connections;
mod envelopes;
mod event_ids;
mod faults;
mod garbled;
mod init;
mod isolation;
mod ledger;
mod logging;
mod metrics;
mod order;
mod parking;
mod privacy;
mod queues;
mod retries;
mod secret;
mod strict;

use test_support::{listeners, stage};
