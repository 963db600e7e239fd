//! The fault matrix: every fault of tpns-sim, times the envelopes, times the place in the batch that it hits, against
//! the built binary. Each case asserts which messages are reported, what is bound afterwards, and which log line the
//! operator sees; then the reported messages are redelivered and must be applied.
//!
//! Start with [`table`]: a row is a fault and its meaning. [`cases`] multiplies the rows, [`expect`] derives what each
//! case must result in, and [`run`] runs it. The other modules test what does not fit into a table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot continue fails")]

mod cases;
mod chains;
mod deadline;
mod delays;
mod envelope;
mod expect;
mod kill;
mod local_aws;
mod payloads;
mod run;
mod scene;
mod sizes;
mod table;
mod unreachable;

use test_support::{contract_event, control, listeners, secrets, stage};

use crate::{
    cases::{Case, Lasts, cases},
    run::{run_all, run_all_with_parking},
};

/// For quick rows: nothing hangs, so a long timeout costs nothing and tolerates a slow machine.
const QUICK: &str = "15000";
/// For rows that wait for the timeout. Their neighbours must have their answers by then, on a busy machine, too.
const SLOW: &str = "1000";

fn chosen(choose: impl Fn(&Case) -> bool) -> Vec<Case> {
    cases().into_iter().filter(choose).collect()
}

const ONE_ATTEMPT: [(&str, &str); 2] = [("TPNS_MAX_ATTEMPTS", "1"), ("TPNS_TIMEOUT_MS", QUICK)];

#[tokio::test]
async fn a_lasting_fault_fails_what_it_hits_and_nothing_else() {
    let lasting = |case: &Case| case.lasts == Lasts::Forever && !case.row.slow;
    run_all(chosen(|case| lasting(case) && !case.is_rejected()), &ONE_ATTEMPT, 3).await;
}

#[tokio::test]
async fn only_the_items_at_fault_of_a_rejected_call_are_reported() {
    let lasting = |case: &Case| case.lasts == Lasts::Forever && !case.row.slow;
    run_all(chosen(|case| lasting(case) && case.is_rejected()), &ONE_ATTEMPT, 3).await;
}

/// A sample: the tests above show which events are rejected.
#[tokio::test]
async fn the_parking_queue_holds_all_rejected_events_and_nothing_else() {
    let lasting = |case: &Case| case.lasts == Lasts::Forever && !case.row.slow;
    let rejected: Vec<_> = chosen(|case| lasting(case) && case.is_rejected()).into_iter().step_by(5).collect();
    let others = chosen(|case| lasting(case) && !case.is_rejected()).into_iter().step_by(17);
    run_all_with_parking(rejected.into_iter().chain(others).collect(), &ONE_ATTEMPT, 3).await;
}

#[tokio::test]
async fn a_transient_failure_is_retried_within_the_invocation() {
    let cases = chosen(|case| case.lasts == Lasts::Once && !case.row.slow);
    run_all(cases, &[("TPNS_MAX_ATTEMPTS", "2"), ("TPNS_TIMEOUT_MS", QUICK)], 6).await;
}

/// Two attempts, so that a busy machine that delays another call once does not fail the row.
#[tokio::test]
async fn a_call_without_an_answer_in_time_fails_alone() {
    // A call over a connection that an earlier invocation left is repeated over a new one while it is silent, so the first
    // call is no try in doubt.
    let is_repeated = |case: &Case| case.lasts == Lasts::Once && case.call == 0;
    let cases = chosen(|case| case.row.slow && !is_repeated(case));
    run_all(cases, &[("TPNS_MAX_ATTEMPTS", "2"), ("TPNS_TIMEOUT_MS", SLOW)], 15).await;
}
