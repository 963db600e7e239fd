//! Tests from the outside: the built binary as a process, with a strict Lambda Runtime API and SQS queue, and a local
//! TPNS.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot continue fails")]

mod account_lists;
mod alone;
mod answers;
mod apps_document;
mod checks;
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
mod outage;
mod parameter;
mod parking;
mod privacy;
mod queues;
mod redelivery;
mod retries;
mod secret;
mod strict;

use test_support::{listeners, stage};
