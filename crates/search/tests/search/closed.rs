//! The protocol with a check behind it, before a TPNS that applies calls after it has accepted them, in any order, or
//! never. Each weaker form of it is refuted.

use crate::{
    FAILED, LOST, NONE, before,
    calls::Landing,
    checked::Form,
    checks::Wait,
    explore::Finding,
    moves::Rules,
    pairwise,
    print::print,
    run::Searches,
    sets::Set::{FivePairs, OneAccount},
    weaker::Protocol,
    whole,
    world::Luck,
};

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

/// A lost call, a check that two workers have, and the operator_type 5 of an older deletion under way: also if that
/// deletion has failed before, or is delivered to two workers.
#[test]
fn nothing_is_left_wrong_by_a_lost_call_and_a_doubled_check_and_an_old_deletion_at_once() {
    let mut searches = Searches::of(Protocol::Checked(Form::WHOLE));
    let doubled = Luck { doubled: 1, ..LOST };
    let mut all = vec![(if whole() { OneAccount } else { FivePairs }, doubled)];
    if whole() {
        let besides = [
            Luck { failures: 1, ..doubled },
            Luck { crashes: 1, ..doubled },
            Luck { twice: 1, ..doubled },
            Luck { late: 1, ..doubled },
        ];
        all.extend(besides.map(|luck| (FivePairs, luck)));
    }
    for (set, luck) in all {
        assert_eq!(searches.run(&[set], late(luck)).wrong_results, 0, "{luck:?}");
    }
}

#[test]
fn a_check_that_is_deleted_while_an_older_deletion_is_under_way_is_caught() {
    let form = Form { name: "completed although a deletion is young", waits_for_deletions: false, ..Form::WHOLE };
    is_caught(form, late(Luck { doubled: 1, ..LOST }), MISSING);
}

/// Only in the complete search: the shortest path has many steps.
#[test]
fn a_deletion_that_is_not_young_again_with_each_delivery_is_caught() {
    let form = Form { name: "a redelivered deletion is old", renews_deletions: false, ..Form::WHOLE };
    if whole() {
        is_caught(form, late(Luck { doubled: 1, failures: 1, ..LOST }), MISSING);
    }
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
