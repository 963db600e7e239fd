//! The fault matrix: everything that tpns-sim can do wrong, times the envelopes, times the place in the batch where it
//! happens, against the real binary. Each row asserts which messages are reported, what is bound afterwards, and which
//! log line tells the operator; and after each row the reported messages are brought again and must go through.
//!
//! [`table`] is the part to read: a row is a fault and what it means. [`cases`] multiplies the rows, [`expect`] says
//! what each of the products must come to, [`play`] does it. What does not fit a table follows in the other modules.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can not go on fails")]

mod cases;
mod chains;
mod deadline;
mod envelope;
mod expect;
mod kill;
mod parked;
mod payloads;
mod play;
mod scene;
mod sizes;
mod table;
mod unreachable;

use test_support::{control, listeners, secrets, stage, what};

use crate::{
    cases::{Case, Lasts, cases},
    play::{play_all, play_all_parking},
};

/// Quick rows: nothing hangs, so a generous timeout costs nothing and a slow machine breaks nothing.
const QUICK: &str = "5000";
/// Rows that wait for a timeout wait for this one.
const SLOW: &str = "250";

fn chosen(choose: impl Fn(&Case) -> bool) -> Vec<Case> {
    cases().into_iter().filter(choose).collect()
}

const ONE_TRY: [(&str, &str); 2] = [("TPNS_MAX_ATTEMPTS", "1"), ("TPNS_TIMEOUT_MS", QUICK)];

#[tokio::test]
async fn a_fault_that_lasts_fails_what_it_hits_and_nothing_else() {
    let lasting = |case: &Case| case.lasts == Lasts::Forever && !case.row.slow;
    play_all(chosen(|case| lasting(case) && !case.is_refused()), &ONE_TRY, 3).await;
}

#[tokio::test]
async fn of_a_call_that_is_rejected_only_the_items_at_fault_are_reported() {
    let lasting = |case: &Case| case.lasts == Lasts::Forever && !case.row.slow;
    play_all(chosen(|case| lasting(case) && case.is_refused()), &ONE_TRY, 3).await;
}

/// A sample: which events are rejected is known from the rows above.
#[tokio::test]
async fn with_a_parking_queue_what_is_rejected_is_in_it_and_nothing_else() {
    let lasting = |case: &Case| case.lasts == Lasts::Forever && !case.row.slow;
    let refused: Vec<_> = chosen(|case| lasting(case) && case.is_refused()).into_iter().step_by(5).collect();
    let others = chosen(|case| lasting(case) && !case.is_refused()).into_iter().step_by(17);
    play_all_parking(refused.into_iter().chain(others).collect(), &ONE_TRY, 3).await;
}

#[tokio::test]
async fn a_fault_that_passes_is_got_over_within_the_invocation_wherever_it_can_be() {
    let cases = chosen(|case| case.lasts == Lasts::Once && !case.row.slow);
    play_all(cases, &[("TPNS_MAX_ATTEMPTS", "2"), ("TPNS_TIMEOUT_MS", QUICK)], 6).await;
}

/// Two tries, so that a neighbour's call which a busy machine delays for once does not spoil the row.
#[tokio::test]
async fn a_call_without_an_answer_in_time_fails_alone() {
    let cases = chosen(|case| case.row.slow);
    play_all(cases, &[("TPNS_MAX_ATTEMPTS", "2"), ("TPNS_TIMEOUT_MS", SLOW)], 12).await;
}
