//! Proof by search: the ledger's protocol (`ledger/protocol.rs`, `apply.rs`) in every interleaving of its steps.
//!
//! ```console
//! $ cargo test --package search -- --nocapture    # two events; three without failures
//! $ make search                                   # everything
//! ```
//!
//! The function's own `apply` is run, with its merge rules, plan and outcomes. Around it is a model: rows on which each
//! step is atomic, with one step per row for a batched read; TPNS, where each item is a step; a standard queue; and
//! workers, each of them an invocation. [`learn`] finds out what an invocation does next after each possible history,
//! by running it; [`moves`] lists what can happen next in the world, and [`world`] does it; [`explore`] visits all
//! states and checks each end state, in which the queue is empty and no worker is active. [`sets`] defines which events
//! are explored together.
//!
//! The numbers in a line's "what may happen" are limits: how often a worker may die, a step may fail (not done, or
//! done with the answer lost), a message may be redelivered after it was acknowledged ("late"), or be delivered to a
//! second worker while the first one handles it ("twice"), TPNS may lose a call that it has accepted ("lost"), the
//! check queue may not accept a check ("unsent") or deliver it to two workers ("doubled"), or a message may be
//! dead-lettered ("dead"); then the concurrent workers and the messages per invocation. "orders" are the orders of
//! steps from a start to an end; "code run" is how often the code was run to learn what it does; "ends" are different
//! end states. "wrong" counts those in which a device is bound to an account that is signed out, or not bound to one
//! that is signed in; "by exc." those in which an account is only missing, by the named exception
//! (docs/guarantees.md); "open" those of the open case below.
//!
//! TPNS applies calls at once, unless a line says otherwise. [`asynchronous`] has one that applies accepted calls
//! later, in any order, or never, and calls that take effect after their sender has given up or died. [`closed`] has
//! the check that sees to what such a TPNS leaves wrong.
//!
//! Not in the model: items that TPNS rejects; rows that expire; bindings that no event made; a message that is
//! dead-lettered after its check could be sent in none of its deliveries; and more events, workers and messages per
//! invocation than the lines say.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot continue fails")]

mod asynchronous;
mod calls;
mod checked;
mod checks;
mod closed;
mod desk;
mod events;
mod explore;
mod hash;
mod learn;
mod moves;
mod print;
mod run;
mod sets;
mod steps;
mod tpns;
mod unchanged;
mod weaker;
mod world;

use std::env;

use crate::{
    calls::Landing,
    checks::Wait,
    explore::{Finding, Kind, Tally},
    moves::Rules,
    print::print,
    run::Searches,
    sets::Set::{self, Doubled, Pairs, PairsAfter, Triples, TwoDeleted, TwoPhones},
    weaker::Protocol,
    world::Luck,
};

const NONE: Luck = Luck { crashes: 0, failures: 0, late: 0, twice: 0, lost: 0, unsent: 0, doubled: 0, dead: 0 };
const LOST: Luck = Luck { lost: 1, ..NONE };
const FAILED: Luck = Luck { failures: 1, ..NONE };
const TWO: &[Set] = &[Pairs, PairsAfter, TwoDeleted];
const THREE: &[Set] = &[Triples, Doubled, TwoPhones];

/// Two workers that take up to two messages.
fn pairwise(luck: Luck) -> Rules {
    Rules { workers: 2, batch: 2, landing: Landing::AtOnce, wait: Wait::Twice, luck }
}

/// This number of workers that take one message each.
fn single(workers: usize, luck: Luck) -> Rules {
    Rules { workers, batch: 1, landing: Landing::AtOnce, wait: Wait::Twice, luck }
}

/// Two such workers, before a TPNS where accepted calls land like this.
fn before(landing: Landing, luck: Luck) -> Rules {
    Rules { landing, ..single(2, luck) }
}

/// Whether to run the complete search, as `make search` does.
fn whole() -> bool {
    env::var("SEARCH").is_ok_and(|search| search == "whole")
}

fn is_wrong((finding, open_case): Kind) -> bool {
    finding != Finding::Wiped && !open_case
}

/// Searches, and fails with the shortest path to a wrong result, if there is one.
fn is_right(searches: &mut Searches, sets: &[Set], rules: Rules) -> Tally {
    let tally = searches.run(sets, rules);
    if tally.count(is_wrong) > 0 {
        panic!("{}", searches.example("wrong", sets, rules, is_wrong).unwrap());
    }
    tally
}

#[test]
fn both_promises_hold_under_crashes_failures_and_redeliveries() {
    let mut searches = Searches::of(Protocol::Real);
    let mut tally = Tally::default();
    let mut search = |sets, rules| {
        let found = is_right(&mut searches, sets, rules);
        assert_eq!(
            found.count(|(_, open_case)| open_case),
            0,
            "there is no open case unless a message is delivered twice"
        );
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

    // The named exception exists, and is distinguished from wrong results.
    assert!(tally.count(|(finding, _)| finding == Finding::Wiped) > 0);
    let is_exception = |(finding, _)| finding == Finding::Wiped;
    print(&searches.example("the named exception", &[Pairs], single(2, NONE), is_exception).unwrap());
}

#[test]
fn both_promises_hold_when_a_message_is_delivered_to_two_workers_at_once() {
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

/// Two workers have the same message. One pushes and dies, or fails, before it has verified. The other completes the
/// message, which is deleted: no worker corrects what the first one pushed.
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
    print(&searches.example("the open case", &[Pairs], single(2, died), is_open_case).unwrap());
}

/// The search omits orders that can't make a difference.
#[test]
fn the_end_states_are_the_same_when_every_order_is_explored() {
    let more = u8::from(whole());
    let rules = pairwise(Luck { crashes: 1, failures: more, late: more, ..NONE });
    let [few, all] = [Searches::of(Protocol::Real), Searches::in_full(Protocol::Real)]
        .map(|mut searches| searches.run(&[Pairs], rules));
    assert_eq!((few.ends, few.found), (all.ends, all.found));
    assert!(few.states < all.states);
}

/// Searches a weaker protocol without failures, in every order of steps, and prints the shortest path to an end state
/// with an account bound that is signed out.
fn is_caught(protocol: Protocol) {
    let mut searches = Searches::of(protocol);
    searches.run(&[Pairs], single(2, NONE));
    let is_shown = |(finding, _)| finding == Finding::Shown;
    let example = searches.example(protocol.name(), &[Pairs], single(2, NONE), is_shown);
    print(&example.unwrap_or_else(|| panic!("{protocol:?}: the search does not find what is wrong with it")));
}

#[test]
fn a_protocol_without_a_table_is_caught() {
    is_caught(Protocol::NoTable);
}

#[test]
fn a_protocol_without_verification_is_caught() {
    is_caught(Protocol::NoVerify);
}

#[test]
fn a_protocol_that_verifies_only_devices_is_caught() {
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
