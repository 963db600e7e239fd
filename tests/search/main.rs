//! Proof by search: the ledger's protocol (`ledger/protocol.rs`, `apply.rs`) in every order in which its steps can meet.
//!
//! ```console
//! $ cargo test --test search -- --nocapture    # two events, three where nothing goes wrong
//! $ make search                                # the whole
//! ```
//!
//! What runs is the function's own `apply`, with its own merge rules, plan and fates. Around it stands a model: rows
//! where each step on one row is atomic and a batched read is a step a row, TPNS where each item is one, a standard queue,
//! and workers, each an invocation. [`learn`] finds out what an invocation does next after each history it can have, by
//! running it; [`moves`] says what can happen next in the world, [`world`] what it does to it; [`explore`] goes
//! everywhere and judges each end, where the queue is empty and nobody is at work. [`sets`] says which events are
//! explored together.
//!
//! The numbers in a line's "what may happen" are bounds: how often a worker may die, a step fail (not done, or done with
//! the answer lost), a message come again after it was acknowledged ("late"), a message come to a second worker while
//! one is at work on it ("twice"); then the workers at once and the messages in an invocation. "orders" are the orders
//! of steps that lead from a start to an end; "code run" is how often the code was run to learn what it does; "ends" are
//! different worlds at an end. Of these are wrong: a device is bound to who should be out, or not bound to who should be
//! in; "by exc." only not bound, by the named exception (docs/guarantees.md); "open": by the open case below.
//!
//! Not in the model: items that TPNS rejects; calls that land after their sender has given them up, or has died; rows
//! that expire; and more events, workers and messages in an invocation than the lines say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that can not go on fails")]

mod desk;
mod events;
mod explore;
mod hash;
mod learn;
mod moves;
mod run;
mod sets;
mod steps;
mod tell;
mod tpns;
mod weaker;
mod world;

use std::env;

use crate::{
    explore::{Finding, Kind, Tally},
    moves::Rules,
    run::Searches,
    sets::Set::{self, Doubled, Pairs, PairsAfter, Triples, TwoDeleted, TwoPhones},
    tell::tell,
    weaker::Protocol,
    world::Luck,
};

const NONE: Luck = Luck { crashes: 0, failures: 0, late: 0, twice: 0 };
const TWO: &[Set] = &[Pairs, PairsAfter, TwoDeleted];
const THREE: &[Set] = &[Triples, Doubled, TwoPhones];

/// Two workers that take up to two messages.
fn pairwise(luck: Luck) -> Rules {
    Rules { workers: 2, batch: 2, luck }
}

/// So many workers that take a message each.
fn single(workers: usize, luck: Luck) -> Rules {
    Rules { workers, batch: 1, luck }
}

/// Whether somebody has time: `make search`.
fn whole() -> bool {
    env::var("SEARCH").is_ok_and(|search| search == "whole")
}

fn is_wrong((finding, open_case): Kind) -> bool {
    finding != Finding::Wiped && !open_case
}

/// Searches, and fails with the shortest way to what is wrong, if something is.
fn is_right(searches: &mut Searches, sets: &[Set], rules: Rules) -> Tally {
    let tally = searches.run(sets, rules);
    if tally.count(is_wrong) > 0 {
        panic!("{}", searches.example("wrong", sets, rules, is_wrong).unwrap());
    }
    tally
}

#[test]
fn both_promises_hold_whoever_dies_whatever_fails_and_comes_again() {
    let mut searches = Searches::of(Protocol::Real);
    let mut tally = Tally::default();
    let mut search = |sets, rules| {
        let found = is_right(&mut searches, sets, rules);
        assert_eq!(found.count(|(_, open_case)| open_case), 0, "there is no open case where no message comes twice");
        tally.add(&found);
    };
    if whole() {
        search(TWO, pairwise(Luck { crashes: 2, failures: 1, late: 1, ..NONE }));
        search(THREE, pairwise(Luck { crashes: 1, failures: 1, ..NONE }));
        search(THREE, pairwise(Luck { crashes: 1, late: 1, ..NONE }));
        search(THREE, single(3, Luck { crashes: 1, ..NONE }));
    } else {
        search(&[Pairs], pairwise(Luck { crashes: 1, failures: 1, ..NONE }));
        search(&[Triples], single(2, NONE));
    }

    // The named exception is real, and distinguished from what would be wrong.
    assert!(tally.count(|(finding, _)| finding == Finding::Wiped) > 0);
    let is_exception = |(finding, _)| finding == Finding::Wiped;
    tell(&searches.example("the named exception", &[Pairs], single(2, NONE), is_exception).unwrap());
}

#[test]
fn both_promises_hold_when_a_message_comes_to_two_workers_at_once() {
    let mut searches = Searches::of(Protocol::Real);
    let twice = Luck { twice: 1, ..NONE };
    if whole() {
        is_right(&mut searches, TWO, pairwise(twice));
        is_right(&mut searches, THREE, pairwise(twice));
        is_right(&mut searches, &[Pairs, PairsAfter], single(3, twice));
    } else {
        is_right(&mut searches, &[Pairs, PairsAfter], pairwise(twice));
    }
}

/// A message is with two workers. One pushes and dies, or fails, before it has verified. The other settles the message,
/// and it is deleted: nobody comes to put right what the first one pushed.
#[test]
fn a_copy_that_dies_unverified_while_another_is_acknowledged_is_the_only_open_case() {
    let mut searches = Searches::of(Protocol::Real);
    let died = Luck { twice: 1, crashes: 1, ..NONE };
    let tally = if whole() {
        let mut tally = is_right(&mut searches, &[Pairs, PairsAfter], single(2, Luck { failures: 1, ..died }));
        tally.add(&is_right(&mut searches, THREE, single(2, died)));
        tally
    } else {
        is_right(&mut searches, &[Pairs], single(2, died))
    };
    for finding in [Finding::Shown, Finding::Missing] {
        assert!(tally.count(|kind| kind == (finding, true)) > 0, "{finding:?} is not found");
    }
    let is_open_case = |kind| kind == (Finding::Shown, true);
    tell(&searches.example("the open case", &[Pairs], single(2, died), is_open_case).unwrap());
}

/// What is left out of the search are orders that can't make a difference.
#[test]
fn the_ends_are_the_same_when_every_order_is_gone_through() {
    let more = u8::from(whole());
    let rules = pairwise(Luck { crashes: 1, failures: more, late: more, ..NONE });
    let [few, all] = [Searches::of(Protocol::Real), Searches::in_full(Protocol::Real)]
        .map(|mut searches| searches.run(&[Pairs], rules));
    assert_eq!((few.ends, few.found), (all.ends, all.found));
    assert!(few.states < all.states);
}

/// Searches a weaker protocol where nothing goes wrong but the order of steps, and prints the shortest way to an end with
/// somebody bound who is out.
fn is_caught(protocol: Protocol) {
    let mut searches = Searches::of(protocol);
    searches.run(&[Pairs], single(2, NONE));
    let is_shown = |(finding, _)| finding == Finding::Shown;
    let example = searches.example(protocol.name(), &[Pairs], single(2, NONE), is_shown);
    tell(&example.unwrap_or_else(|| panic!("{protocol:?}: the search does not see what is wrong with it")));
}

#[test]
fn without_a_table_it_is_caught() {
    is_caught(Protocol::NoTable);
}

#[test]
fn without_the_verify_it_is_caught() {
    is_caught(Protocol::NoVerify);
}

#[test]
fn with_a_verify_that_looks_at_devices_alone_it_is_caught() {
    is_caught(Protocol::VerifyOfDevices);
}

#[test]
fn check_then_act_is_caught() {
    is_caught(Protocol::CheckThenAct);
}

#[test]
fn dropping_a_stale_event_without_a_push_is_caught() {
    is_caught(Protocol::ClaimThenDrop);
}
