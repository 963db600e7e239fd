//! The protocol before a TPNS that applies calls after it has accepted them, in any order, or never. Nothing in the
//! protocol looks at what TPNS has in the end, so it ends wrong: these searches show how, and that they can see it.

use crate::{
    FAILED, LOST, NONE, before,
    calls::Landing,
    explore::{Finding, Tally},
    is_right,
    moves::Rules,
    pairwise,
    print::print,
    run::Searches,
    sets::Set::{OneAccount, Pairs, PairsAfter, Triples},
    weaker::Protocol,
    whole,
    world::Luck,
};

/// An explicit-state model of the protocol was written apart from this search, in Python, without the function's code.
/// Each row: the end states, and those that are wrong, of its 32 pairs of events.
#[test]
fn the_search_and_a_model_written_apart_from_it_find_the_same_ends() {
    let mut searches = Searches::of(Protocol::Real);
    for (landing, luck, ends, wrong) in [
        (Landing::AtOnce, NONE, 34, 2),
        (Landing::AtOnce, Luck { crashes: 1, ..NONE }, 68, 4),
        (Landing::AtOnce, Luck { late: 1, ..NONE }, 68, 4),
        (Landing::LateUnanswered, FAILED, 82, 18),
        (Landing::Late, NONE, 48, 16),
        (Landing::Late, LOST, 101, 37),
        (Landing::Late, FAILED, 96, 32),
        (Landing::Late, Luck { crashes: 1, ..NONE }, 96, 32),
        (Landing::Late, Luck { twice: 1, ..NONE }, 96, 32),
        (Landing::Late, Luck { late: 1, ..NONE }, 96, 32),
    ] {
        let tally = searches.run(&[OneAccount], before(landing, luck));
        assert_eq!((tally.scenarios, tally.results, tally.wrong_results), (32, ends, wrong), "{landing:?}, {luck:?}");
    }
}

/// The pairs that end wrong, each with the accounts that are bound or missing, with and without a binding from before.
#[test]
fn the_search_and_the_model_find_the_same_pairs_wrong() {
    let mut searches = Searches::of(Protocol::Real);
    let wrong = |found: Vec<(String, Tally)>| -> Vec<String> {
        let wrong = found.into_iter().filter_map(|(name, tally)| {
            let name = name.strip_suffix(" (on a phone that was bound before)").unwrap_or(&name).to_owned();
            let is = |wanted: &[Finding]| tally.count(|(finding, _)| wanted.contains(&finding)) > 0;
            let shown = if is(&[Finding::Shown]) { " shown" } else { "" };
            let missing = if is(&[Finding::Missing, Finding::Wiped]) { " missing" } else { "" };
            (shown.len() + missing.len() > 0).then(|| format!("{name}:{shown}{missing}"))
        });
        wrong.collect()
    };
    let expected = [
        "login A @1, login B @2: shown missing",
        "login A @1, logout of all @2: shown",
        "login A @1, deletion of A @2: shown",
        "login B @1, login A @2: shown missing",
        "login B @1, logout of all @2: shown",
        "logout of all @1, login A @2: missing",
        "logout of all @1, login B @2: missing",
        "deletion of A @1, login A @2: missing",
    ];
    for (landing, luck) in [(Landing::Late, NONE), (Landing::LateUnanswered, FAILED)] {
        assert_eq!(wrong(searches.each(OneAccount, before(landing, luck))), [expected, expected].concat());
    }
}

/// Prints the shortest path to each kind of wrong end.
#[test]
fn without_a_check_an_asynchronous_tpns_is_left_wrong() {
    let mut searches = Searches::of(Protocol::Real);
    for (title, landing, luck) in [
        ("two accepted calls swapped", Landing::Late, NONE),
        ("an accepted call lost", Landing::LateInOne, LOST),
        ("an unanswered call lands late, although its second try was accepted", Landing::LateUnanswered, FAILED),
    ] {
        for finding in [Finding::Shown, Finding::Missing] {
            let example = searches.example(title, &[OneAccount], before(landing, luck), |(found, _)| found == finding);
            print(&example.unwrap_or_else(|| panic!("{title}: {finding:?} is not found")));
        }
    }
    if whole() {
        let tally = searches.run(&[Pairs, PairsAfter], before(Landing::Late, LOST));
        assert!(tally.wrong_results > 0);
        let tally = searches.run(&[Pairs, PairsAfter], before(Landing::LateUnanswered, FAILED));
        assert!(tally.wrong_results > 0);
    }
}

/// With one invocation after the other, each before a TPNS that has applied what the one before it pushed: no state
/// of the ledger needs two ordered calls.
#[test]
fn calls_of_one_invocation_may_swap() {
    let mut searches = Searches::of(Protocol::Real);
    let rules = Rules { landing: Landing::LateInOne, workers: 1, ..pairwise(NONE) };
    is_right(&mut searches, if whole() { &[Pairs, PairsAfter, Triples] } else { &[Pairs] }, rules);
}
