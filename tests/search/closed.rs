//! The protocol with a check behind it, before a TPNS that applies calls after it has accepted them, in any order, or
//! never. Each weaker form of it is refuted.

use crate::{
    NONE,
    calls::Landing,
    checked::Form,
    checks::Wait,
    explore::Finding,
    moves::Rules,
    pairwise,
    print::print,
    run::Searches,
    sets::Set::{FivePairs, OneAccount},
    single,
    weaker::Protocol,
    whole,
    world::Luck,
};

const LOST: Luck = Luck { lost: 1, ..NONE };
const FAILED: Luck = Luck { failures: 1, ..NONE };

fn before(landing: Landing, luck: Luck) -> Rules {
    Rules { landing, ..single(2, luck) }
}

fn late(luck: Luck) -> Rules {
    before(Landing::Late, luck)
}

#[test]
fn with_a_check_nothing_is_left_wrong() {
    let mut searches = Searches::of(Protocol::Checked(Form::WHOLE));
    let mut all = vec![late(NONE), late(LOST)];
    if whole() {
        let lucks = [
            Luck { lost: 2, ..NONE },
            Luck { unsent: 1, ..NONE },
            Luck { dead: 1, ..NONE },
            Luck { doubled: 1, ..NONE },
            Luck { late: 1, ..NONE },
            Luck { twice: 1, ..NONE },
            Luck { crashes: 1, ..NONE },
            FAILED,
            Luck { unsent: 1, ..LOST },
            Luck { dead: 1, ..LOST },
        ];
        all.extend(lucks.map(late));
        all.push(Rules { landing: Landing::Late, ..pairwise(NONE) });
    }
    for rules in all {
        assert_eq!(searches.run(&[OneAccount], rules).wrong_results, 0, "{rules:?}");
    }
}

/// What is left: a lost call, a check that two workers have, and the operator_type 5 of an older deletion under way.
/// Then the account of a newer login is missing.
#[test]
fn a_lost_call_and_a_doubled_check_and_an_old_deletion_are_the_only_exception() {
    let mut searches = Searches::of(Protocol::Checked(Form::WHOLE));
    let rules = late(Luck { doubled: 1, ..LOST });
    for (name, tally) in searches.each(if whole() { OneAccount } else { FivePairs }, rules) {
        let is_exception = name == "deletion of A @1, login A @2";
        assert_eq!(tally.wrong_results > 0, is_exception, "{name}");
        assert_eq!(tally.count(|(finding, _)| finding == Finding::Shown), 0, "{name}");
    }
    let example = searches.example("the exception", &[FivePairs], rules, |_| true);
    print(&example.expect("the exception exists"));
}

/// Searches a weaker form, and prints the shortest path to a wrong end.
fn is_caught(form: Form, rules: Rules, finding: &[Finding]) {
    let mut searches = Searches::of(Protocol::Checked(form));
    let example = searches.example(form.name, &[FivePairs], rules, |(found, _)| finding.contains(&found));
    print(&example.unwrap_or_else(|| panic!("{form:?}: the search does not find what is wrong with it")));
}

const SHOWN: &[Finding] = &[Finding::Shown];
const MISSING: &[Finding] = &[Finding::Missing, Finding::Wiped];

#[test]
fn a_delay_that_outlasts_only_calls_is_caught() {
    let form = Form { name: "delay of more than D", ..Form::WHOLE };
    is_caught(form, Rules { wait: Wait::Calls, ..late(NONE) }, SHOWN);
}

#[test]
fn a_delay_that_outlasts_invocations_and_calls_once_is_caught() {
    let form = Form { name: "delay of more than L + D", ..Form::WHOLE };
    is_caught(form, Rules { wait: Wait::Invocations, ..late(NONE) }, MISSING);
}

#[test]
fn checks_sent_after_the_push_are_caught() {
    let form = Form { name: "sent after the push, and the event is dead", sends_first: false, ..Form::WHOLE };
    is_caught(form, late(Luck { dead: 1, ..NONE }), SHOWN);
}

#[test]
fn a_check_that_is_deleted_once_it_has_repaired_is_caught() {
    let form = Form { name: "deleted once repaired", ends_repaired: true, ..Form::WHOLE };
    is_caught(form, late(LOST), MISSING);
}

#[test]
fn a_deletion_that_does_not_ask_who_has_the_account_is_caught() {
    is_caught(Form { name: "no query before operator_type 5", asks_first: false, ..Form::WHOLE }, late(NONE), MISSING);
}

#[test]
fn a_deletion_without_a_check_of_its_account_is_caught() {
    is_caught(Form { name: "no check of the account", checks_accounts: false, ..Form::WHOLE }, late(LOST), SHOWN);
}

#[test]
fn a_deletion_that_was_accepted_before_and_sends_no_check_is_caught() {
    let form = Form { name: "no check of what was accepted", checks_accepted: false, ..Form::WHOLE };
    is_caught(form, late(Luck { unsent: 1, ..LOST }), SHOWN);
}
