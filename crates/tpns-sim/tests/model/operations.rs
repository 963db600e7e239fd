//! The five operator types under both override modes (facts.md, section 3).

use tpns_sim::model::{
    BatchOperate,
    OverrideMode::{PerType, Replace},
};

use super::{APP, account, bound, entry, login, per_type, tpns};

#[test]
fn under_replace_an_override_clears_types_it_does_not_name() {
    let mut tpns = tpns(Replace);
    tpns.batch_operate(APP, &login("t", &[("a", 0), ("b", 1)]));
    tpns.batch_operate(APP, &login("t", &[("c", 1)]));
    assert_eq!(bound(&tpns, "t"), ["c/1"]);
}

#[test]
fn under_per_type_an_override_leaves_types_it_does_not_name() {
    let mut tpns = per_type();
    tpns.batch_operate(APP, &login("t", &[("a", 0), ("b", 1)]));
    tpns.batch_operate(APP, &login("t", &[("c", 1)]));
    assert_eq!(bound(&tpns, "t"), ["a/0", "c/1"]);
}

#[test]
fn in_both_modes_the_last_account_of_a_type_counts() {
    for mode in [Replace, PerType] {
        let mut tpns = tpns(mode);
        let both = login("t", &[("926@126.com", 0), ("x", 3), ("1527000000", 0)]);
        assert_eq!(tpns.batch_operate(APP, &both).result, ["0"]);
        assert_eq!(bound(&tpns, "t"), ["1527000000/0", "x/3"], "{mode:?}");
    }
}

#[test]
fn in_both_modes_the_last_entry_of_a_token_counts_for_its_types() {
    for (mode, expected) in [(Replace, vec!["b/0"]), (PerType, vec!["b/0", "c/1"])] {
        let mut tpns = tpns(mode);
        let twice = BatchOperate::Override(vec![entry("t", &[("a", 0), ("c", 1)]), entry("t", &[("b", 0)])]);
        assert_eq!(tpns.batch_operate(APP, &twice).result, ["0", "0"]);
        assert_eq!(bound(&tpns, "t"), expected, "{mode:?}");
    }
}

#[test]
fn the_deprecated_append_does_what_override_does() {
    for mode in [Replace, PerType] {
        let (mut one, mut two) = (tpns(mode), tpns(mode));
        for accounts in [[("a", 0), ("b", 1)], [("c", 1), ("d", 2)]] {
            let entries = vec![entry("t", &accounts)];
            one.batch_operate(APP, &BatchOperate::Append(entries.clone()));
            two.batch_operate(APP, &BatchOperate::Override(entries));
        }
        assert_eq!(one.bindings(APP), two.bindings(APP), "{mode:?}");
    }
}

#[test]
fn unbinding_matches_name_and_type_together() {
    let mut tpns = per_type();
    tpns.batch_operate(APP, &login("t", &[("a", 0), ("a", 1), ("b", 2)]));
    let unbind = BatchOperate::Unbind(vec![entry("t", &[("a", 1), ("other", 2)])]);
    assert_eq!(tpns.batch_operate(APP, &unbind).result, ["0"]);
    assert_eq!(bound(&tpns, "t"), ["a/0", "b/2"]);
}

#[test]
fn unbinding_a_token_clears_all_its_accounts_and_no_other_token() {
    let mut tpns = per_type();
    tpns.batch_operate(APP, &login("t1", &[("a", 0), ("b", 1)]));
    tpns.batch_operate(APP, &login("t2", &[("a", 0)]));
    let answer = tpns.batch_operate(APP, &BatchOperate::UnbindTokens(vec!["t1".to_owned()]));
    assert_eq!((answer.ret_code.0, answer.err_msg.as_str()), (0, "NO_ERROR"));
    assert_eq!(bound(&tpns, "t1"), [""; 0]);
    assert_eq!(bound(&tpns, "t2"), ["a/0"]);
}

#[test]
fn unbinding_an_account_clears_it_from_all_tokens_but_not_its_namesakes() {
    let mut tpns = per_type();
    tpns.batch_operate(APP, &login("t1", &[("a", 0), ("a", 9)]));
    tpns.batch_operate(APP, &login("t2", &[("a", 9), ("b", 0)]));
    let delete = BatchOperate::UnbindAccounts(vec![account("a", 9)]);
    assert_eq!(tpns.batch_operate(APP, &delete).result, ["0"]);
    assert_eq!(bound(&tpns, "t1"), ["a/0"]);
    assert_eq!(bound(&tpns, "t2"), ["b/0"]);
}

#[test]
fn unbinding_an_absent_binding_succeeds() {
    let mut tpns = per_type();
    for operation in [
        BatchOperate::Unbind(vec![entry("t", &[("a", 0)])]),
        BatchOperate::UnbindTokens(vec!["t".to_owned()]),
        BatchOperate::UnbindAccounts(vec![account("a", 0)]),
    ] {
        assert_eq!(tpns.batch_operate(APP, &operation).ret_code, 0);
    }
    assert!(tpns.bindings(APP).is_empty());
}

#[test]
fn apps_are_independent() {
    let mut tpns = per_type();
    tpns.batch_operate(APP, &login("t", &[("a", 0)]));
    tpns.batch_operate("ios", &BatchOperate::UnbindAccounts(vec![account("a", 0)]));
    assert_eq!(bound(&tpns, "t"), ["a/0"]);
    assert!(tpns.bindings("ios").is_empty());
    let stranger = tpns.batch_operate("watch", &login("t", &[("a", 0)]));
    assert_eq!(stranger.ret_code, 1_008_035);
}

#[test]
fn a_clone_is_independent_and_clearing_deletes_the_bindings_of_every_app() {
    let mut tpns = per_type();
    tpns.batch_operate(APP, &login("t", &[("a", 0)]));
    let mut copy = tpns.clone();
    copy.clear();
    assert_eq!(bound(&tpns, "t"), ["a/0"]);
    assert!(copy.bindings(APP).is_empty());
    assert_eq!(copy.apps().collect::<Vec<_>>(), ["android", "ios"]);
}
