//! Logins that change nothing: where a check has confirmed the device, they make no call. Such a login must leave TPNS
//! as a call would have left it, without waiting for its own check: most searches here deliver no check at all.

use crate::{
    NONE,
    calls::Landing,
    checked::{Confirms, Form},
    is_right, is_wrong,
    moves::Rules,
    pairwise,
    print::print,
    run::Searches,
    sets::Set::{self, Drifted, OneAccount, Repeats, RepeatsDeleted, RepeatsOfThree},
    single,
    steps::Keeps,
    weaker::Protocol,
    whole,
    world::Luck,
};

/// Checks are sent and never delivered, so nothing is repaired: what a deletion binds again behind its operator_type 5
/// relies on its check, so here it does not ask which devices have the account.
const ALONE: Form = Form { name: "no call for repeated logins", delivers: false, asks_first: false, ..Form::WHOLE };
const CONFIRMING: Form = Form { name: "confirmed by checks", confirms: Confirms::Old, ..Form::WHOLE };

#[test]
fn both_promises_hold_without_a_call_for_a_repeated_login() {
    let mut searches = Searches::of(Protocol::Checked(ALONE));
    let mut search = |sets: &[Set], rules| {
        let found = is_right(&mut searches, sets, rules);
        assert_eq!(found.count(|(_, open_case)| open_case && rules.luck.twice == 0), 0);
    };
    let crashes = Luck { crashes: 1, ..NONE };
    if whole() {
        search(&[Repeats], pairwise(Luck { crashes: 2, failures: 1, late: 1, ..NONE }));
        search(&[Repeats], pairwise(Luck { twice: 1, ..NONE }));
        search(&[RepeatsOfThree], pairwise(crashes));
        search(&[RepeatsOfThree], single(2, Luck { failures: 1, ..NONE }));
        search(&[RepeatsOfThree], single(3, NONE));
    } else {
        search(&[Repeats], pairwise(Luck { failures: 1, ..crashes }));
        search(&[RepeatsOfThree], single(2, NONE));
    }
}

/// Also before a TPNS that applies calls in any order or loses them, where checks confirm rows at any time.
#[test]
fn with_checks_that_confirm_nothing_is_left_wrong() {
    let mut searches = Searches::of(Protocol::Checked(CONFIRMING));
    let late = |luck| Rules { landing: Landing::Late, ..single(2, luck) };
    let lost = Luck { lost: 1, ..NONE };
    for (sets, rules) in [(&[Repeats, Drifted][..], late(NONE)), (&[OneAccount], late(lost))] {
        assert_eq!(searches.run(sets, rules).wrong_results, 0, "{rules:?}");
    }
    if whole() {
        for luck in [lost, Luck { crashes: 1, ..NONE }, Luck { unsent: 1, ..NONE }, Luck { late: 1, ..NONE }] {
            assert_eq!(searches.run(&[Repeats, Drifted], late(luck)).wrong_results, 0, "{luck:?}");
        }
    }
}

/// Searches a weaker form, and prints the shortest path to a wrong end.
fn is_caught(form: Form, sets: &[Set], rules: Rules) {
    let mut searches = Searches::of(Protocol::Checked(form));
    let example = searches.example(form.name, sets, rules, is_wrong);
    print(&example.unwrap_or_else(|| panic!("{form:?}: the search does not find what is wrong with it")));
}

#[test]
fn a_logout_that_leaves_the_confirmation_is_caught() {
    let form = Form { name: "a logout leaves the confirmation", keeps: Keeps::Logouts, ..ALONE };
    is_caught(form, &[Repeats], single(1, NONE));
}

#[test]
fn a_login_with_other_accounts_that_leaves_the_confirmation_is_caught() {
    let form = Form { name: "another login leaves the confirmation", keeps: Keeps::OtherAccounts, ..ALONE };
    is_caught(form, &[Repeats], single(1, NONE));
}

#[test]
fn a_repeated_login_that_does_not_verify_is_caught() {
    is_caught(Form { name: "no verify", verifies: false, ..ALONE }, &[RepeatsDeleted], single(2, NONE));
}

#[test]
fn a_repeated_login_that_knows_no_deletion_is_caught() {
    is_caught(Form { name: "deletions are not known", knows_deletions: false, ..ALONE }, &[Repeats], single(1, NONE));
}

#[test]
fn without_checks_a_repeated_login_leaves_what_tpns_has_lost() {
    is_caught(Form { name: "no check", ..ALONE }, &[Drifted], single(1, NONE));
}
