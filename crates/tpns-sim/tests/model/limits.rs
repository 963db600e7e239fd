//! Limits and codes (facts.md, sections 3 and 4).

use tpns_sim::model::{BatchOperate, Settings, TokenAccounts, TokenCap, Tpns};

use super::{APP, account, bound, entry, login, per_type};

fn with(change: impl FnOnce(&mut Settings)) -> Tpns {
    let mut settings = Settings::default();
    change(&mut settings);
    Tpns::new([APP], settings)
}

fn code(tpns: &mut Tpns, operation: &BatchOperate) -> (i64, Vec<String>) {
    let answer = tpns.batch_operate(APP, operation);
    (answer.ret_code.0, answer.result)
}

fn whole(code: i64) -> (i64, Vec<String>) {
    (code, Vec::new())
}

/// The only item failed with this code.
fn only(code: &str) -> (i64, Vec<String>) {
    (1_008_027, vec![code.to_owned()])
}

fn good() -> (i64, Vec<String>) {
    (0, vec!["0".to_owned()])
}

#[test]
fn a_call_of_twenty_tokens_is_accepted_and_one_of_twenty_one_refused_as_a_whole() {
    let entries = |count: usize| -> Vec<TokenAccounts> {
        (0..count).map(|index| entry(&format!("t{index}"), &[("a", 0)])).collect()
    };
    for make in [BatchOperate::Append as fn(_) -> _, BatchOperate::Override, BatchOperate::Unbind] {
        let mut tpns = per_type();
        assert_eq!(code(&mut tpns, &make(entries(21))), whole(1_008_007));
        assert!(tpns.bindings(APP).is_empty());
        let (ret_code, result) = code(&mut tpns, &make(entries(20)));
        assert_eq!((ret_code, result.len()), (0, 20));
    }
}

#[test]
fn the_cap_of_twenty_is_not_documented_for_whole_tokens_and_whole_accounts() {
    let mut tpns = per_type();
    let tokens = (0..30).map(|index| format!("t{index}")).collect();
    let accounts = (0..30).map(|index| account(&format!("a{index}"), 0));
    let accounts = BatchOperate::UnbindAccounts(accounts.collect());
    assert_eq!(code(&mut tpns, &BatchOperate::UnbindTokens(tokens)).0, 0);
    assert_eq!(code(&mut tpns, &accounts).1.len(), 30);
}

#[test]
fn a_call_without_items_is_refused_as_a_whole() {
    let mut tpns = per_type();
    for empty in [
        BatchOperate::Override(Vec::new()),
        BatchOperate::UnbindTokens(Vec::new()),
        BatchOperate::UnbindAccounts(Vec::new()),
    ] {
        assert_eq!(code(&mut tpns, &empty), whole(1_008_007));
    }
}

#[test]
fn a_token_has_one_to_sixty_four_characters_by_default() {
    let token = |length: usize| "é".repeat(length);
    let mut tpns = per_type();
    assert_eq!(code(&mut tpns, &login(&token(64), &[("a", 0)])), good());
    assert_eq!(code(&mut tpns, &login(&token(65), &[("a", 0)])), only("1008029"));
    assert_eq!(code(&mut tpns, &login("", &[("a", 0)])), only("1008029"));
    let mut strict = with(|settings| settings.max_token_length = 36);
    let clear = |length| BatchOperate::UnbindTokens(vec![token(length)]);
    assert_eq!(code(&mut strict, &clear(36)), good());
    assert_eq!(code(&mut strict, &clear(37)), only("1008029"));
}

#[test]
fn a_token_that_was_never_registered_is_invalid_for_every_operation_on_tokens() {
    let mut tpns = with(|settings| {
        settings.known_tokens = Some(["known".to_owned()].into_iter().collect::<std::collections::HashSet<_>>().into());
    });
    let stranger = || vec![entry("stranger", &[("a", 0)])];
    for operation in [
        BatchOperate::Append(stranger()),
        BatchOperate::Override(stranger()),
        BatchOperate::Unbind(stranger()),
        BatchOperate::UnbindTokens(vec!["stranger".to_owned()]),
    ] {
        assert_eq!(code(&mut tpns, &operation), only("1008006"));
    }
    let unbind = BatchOperate::UnbindTokens(vec!["known".to_owned()]);
    assert_eq!(code(&mut tpns, &unbind), good());
    let delete = BatchOperate::UnbindAccounts(vec![account("a", 0)]);
    assert_eq!(code(&mut tpns, &delete), good());
}

#[test]
fn an_account_has_one_to_a_hundred_characters_by_default() {
    let long = "長".repeat(101);
    let mut tpns = per_type();
    assert_eq!(code(&mut tpns, &login("t", &[(&long[3..], 0)])), good());
    assert_eq!(code(&mut tpns, &login("t", &[("a", 0)])), good());
    for bad in ["", &long] {
        assert_eq!(code(&mut tpns, &login("t", &[(bad, 0)])), only("1008007"));
        let delete = BatchOperate::UnbindAccounts(vec![account(bad, 0)]);
        assert_eq!(code(&mut tpns, &delete), only("1008007"));
    }
    let mut strict = with(|settings| settings.min_account_length = 2);
    assert_eq!(code(&mut strict, &login("t", &[("a", 0)])), only("1008007"));
    assert_eq!(code(&mut strict, &login("t", &[("ab", 0)])), good());
    let mut lax = with(|settings| settings.min_account_length = 0);
    assert_eq!(code(&mut lax, &login("t", &[("", 0)])), only("1008007"));
}

#[test]
fn an_entry_with_one_bad_account_changes_nothing_and_its_neighbours_succeed() {
    let mut tpns = per_type();
    tpns.batch_operate(APP, &login("t1", &[("old", 0)]));
    let operation =
        BatchOperate::Override(vec![entry("t1", &[("new", 0), ("", 1)]), entry("t2", &[("new", 0)]), entry("t3", &[])]);
    let answer = tpns.batch_operate(APP, &operation);
    assert_eq!(answer.ret_code, 1_008_026);
    assert_eq!(answer.err_msg, "batch op, partly error");
    assert_eq!(answer.result, ["1008007", "0", "1008007"]);
    let hint = answer.hint.expect("a failed item has a hint");
    assert_eq!(hint, "item 0: an account has 0 characters, the minimum is 1");
    assert_eq!(bound(&tpns, "t1"), ["old/0"]);
    assert_eq!(bound(&tpns, "t2"), ["new/0"]);
}

/// Binds account `a` to tokens `t0` … `t99`.
fn fill(tpns: &mut Tpns) {
    for index in 0..100 {
        let (ret_code, _) = code(tpns, &login(&format!("t{index}"), &[("a", 0)]));
        assert_eq!(ret_code, 0);
    }
}

#[test]
fn the_hundred_and_first_token_evicts_the_oldest_one() {
    let mut tpns = per_type();
    fill(&mut tpns);
    // Bound again: t1 is now the oldest and t0 the newest.
    tpns.batch_operate(APP, &login("t0", &[("a", 0)]));
    assert_eq!(code(&mut tpns, &login("t100", &[("a", 0), ("b", 1)])), good());
    assert_eq!(tpns.bindings(APP).len(), 100);
    assert_eq!(bound(&tpns, "t1"), [""; 0]);
    assert_eq!(bound(&tpns, "t0"), ["a/0"]);
    assert_eq!(bound(&tpns, "t100"), ["a/0", "b/1"]);
}

#[test]
fn under_reject_the_hundred_and_first_token_fails_and_bound_ones_may_be_bound_again() {
    let mut tpns = with(|settings| settings.token_cap = TokenCap::Reject);
    fill(&mut tpns);
    tpns.batch_operate(APP, &login("t100", &[("old", 1)]));
    let more = login("t100", &[("b", 1), ("a", 0)]);
    assert_eq!(code(&mut tpns, &more), only("1008007"));
    assert_eq!(bound(&tpns, "t100"), ["old/1"]);
    assert_eq!(code(&mut tpns, &login("t5", &[("a", 0)])), good());
    tpns.batch_operate(APP, &BatchOperate::UnbindTokens(vec!["t7".to_owned()]));
    assert_eq!(code(&mut tpns, &more), good());
}

#[test]
fn without_a_cap_an_account_has_any_number_of_tokens() {
    let mut tpns = with(|settings| settings.token_cap = TokenCap::Off);
    fill(&mut tpns);
    assert_eq!(code(&mut tpns, &login("t100", &[("a", 0)])), good());
    assert_eq!(tpns.bindings(APP).len(), 101);
}
