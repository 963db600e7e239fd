use std::collections::BTreeSet;

use super::*;
use crate::model::{Found, Settings, TokenAccounts};

const DELAY: Duration = Duration::from_millis(100);
const STEP: Duration = Duration::from_millis(10);

fn login(account: &str) -> BatchOperate {
    BatchOperate::Override(vec![TokenAccounts { token: "t".to_owned(), account_list: vec![Account::new(account, 0)] }])
}

fn logout(tokens: &[&str]) -> BatchOperate {
    BatchOperate::UnbindTokens(tokens.iter().map(|&token| token.to_owned()).collect())
}

fn with(pace: Pace) -> Timeline {
    Timeline::new(Tpns::new(["android"], Settings::default()), pace)
}

fn delayed() -> Timeline {
    with(Pace { delay: DELAY, ..Pace::default() })
}

fn within(seed: u64) -> Timeline {
    with(Pace { within: DELAY, seed, ..Pace::default() })
}

fn accept(timeline: &mut Timeline, operation: &BatchOperate, now: Instant) -> Acceptance {
    timeline.accept("android", operation, &ForcedCodes::new(), None, now)
}

fn accept_with(timeline: &mut Timeline, operation: &BatchOperate, change: EffectChange, now: Instant) -> Acceptance {
    let effects = ItemEffects { items: BTreeSet::from([0]), change };
    timeline.accept("android", operation, &ForcedCodes::new(), Some(&effects), now)
}

fn bound(timeline: &mut Timeline, now: Instant) -> Option<String> {
    let bindings = timeline.applied(now).bindings("android");
    bindings.get("t").map(|accounts| accounts[0].account.clone())
}

fn shown(timeline: &mut Timeline, now: Instant) -> Option<String> {
    let query = Query::ByToken(vec!["t".to_owned()]);
    match timeline.query("android", &query, &ForcedCodes::new(), now).found {
        Some(Found::TokenAccounts(found)) => found.first().map(|entry| entry.account_list[0].account.clone()),
        other => panic!("not an answer by token: {other:?}"),
    }
}

#[test]
fn an_accepted_operation_is_visible_only_after_the_delay_and_in_order() {
    let mut timeline = delayed();
    let start = Instant::now();
    for (at, account) in [(start, "first"), (start + STEP, "second")] {
        let accepted = accept(&mut timeline, &login(account), at);
        assert_eq!(accepted.answer.ret_code, 0);
        assert!(accepted.takes_effect);
    }
    assert_eq!(bound(&mut timeline, start + DELAY - STEP), None);
    assert_eq!(bound(&mut timeline, start + DELAY).as_deref(), Some("first"));
    assert_eq!(timeline.last_due(), Some(start + DELAY + STEP));
    let second = bound(&mut timeline, start + DELAY + STEP);
    assert_eq!(second.as_deref(), Some("second"));
    assert_eq!(timeline.last_due(), None);
    assert_eq!(timeline.effects(start + DELAY + STEP).overtaken, 0);
}

#[test]
fn skipped_time_brings_effects_nearer_in_their_order() {
    let mut timeline = with(Pace { delay: DELAY, query_lag: DELAY, ..Pace::default() });
    let start = Instant::now();
    for (at, account) in [(start, "first"), (start + STEP, "second"), (start + 2 * STEP, "third")] {
        accept(&mut timeline, &login(account), at);
    }
    timeline.skip(DELAY - STEP, start + 2 * STEP);
    assert_eq!(bound(&mut timeline, start + 2 * STEP).as_deref(), Some("second"));
    assert_eq!(bound(&mut timeline, start + 3 * STEP).as_deref(), Some("third"));
    assert_eq!(shown(&mut timeline, start + 3 * STEP), None);
    timeline.skip(DELAY, start + 3 * STEP);
    assert_eq!(shown(&mut timeline, start + 3 * STEP).as_deref(), Some("third"));
    assert_eq!(timeline.effects(start + 3 * STEP).overtaken, 0);
}

#[test]
fn what_was_accepted_differs_from_what_is_applied_where_an_operation_was_lost() {
    let mut timeline = with(Pace::default());
    let now = Instant::now();
    accept(&mut timeline, &login("first"), now);
    accept_with(&mut timeline, &login("second"), EffectChange::Lost, now);
    assert_eq!(bound(&mut timeline, now).as_deref(), Some("first"));
    assert_eq!(timeline.accepted().bindings("android")["t"][0].account, "second");
}

#[test]
fn a_rehearsed_operation_has_an_answer_and_no_effect() {
    let mut timeline = with(Pace::default());
    let answer = timeline.rehearse("android", &login("a"), &ForcedCodes::new());
    assert_eq!(answer.result, ["0"]);
    assert_eq!(bound(&mut timeline, Instant::now()), None);
}

#[test]
fn clearing_deletes_pending_operations_and_counts() {
    let mut timeline = delayed();
    let start = Instant::now();
    accept(&mut timeline, &login("a"), start);
    accept_with(&mut timeline, &login("a"), EffectChange::Lost, start);
    timeline.expect(start + DELAY);
    timeline.clear();
    assert_eq!(bound(&mut timeline, start + DELAY), None);
    let effects = timeline.effects(start);
    assert_eq!((effects.settled, effects.lost), (true, 0));
}

/// The accounts bound one after the other when twenty logins are accepted at once.
fn order(timeline: &mut Timeline) -> Vec<String> {
    let start = Instant::now();
    for number in 0..20 {
        accept(timeline, &login(&number.to_string()), start);
    }
    let at = |tenth_ms: u32| start + DELAY * tenth_ms / 1000;
    let mut order: Vec<String> = (0..=1000).filter_map(|at_tenth| bound(timeline, at(at_tenth))).collect();
    order.dedup();
    order
}

#[test]
fn a_random_time_to_the_effect_stays_within_its_bound_and_lets_operations_overtake_each_other() {
    let mut timeline = within(7);
    let first = order(&mut timeline);
    let start = Instant::now();
    assert!(first.len() > 10, "{first:?}");
    assert!(!first.is_sorted_by_key(|number| number.parse::<u32>().expect("a number")), "{first:?}");
    let effects = timeline.effects(start + DELAY);
    assert_eq!((effects.settled, effects.pending, effects.seed), (true, 0, 7));
    assert!(effects.overtaken > 0);
    assert_eq!(first, order(&mut within(7)), "the same seed, the same order");
    assert_ne!(first, order(&mut within(8)));
    timeline.clear();
    assert_eq!(first, order(&mut timeline), "cleared, it draws from the start again");
}

#[test]
fn a_late_effect_is_overtaken_by_a_later_acceptance() {
    let mut timeline = with(Pace::default());
    let start = Instant::now();
    let accepted = accept_with(&mut timeline, &login("late"), EffectChange::Late(DELAY), start);
    assert_eq!((accepted.answer.ret_code.0, accepted.takes_effect), (0, true));
    accept(&mut timeline, &login("new"), start + STEP);
    assert_eq!(bound(&mut timeline, start + STEP).as_deref(), Some("new"));
    assert_eq!(timeline.unsettled_until(start + STEP), Some(start + DELAY));
    assert_eq!(bound(&mut timeline, start + DELAY).as_deref(), Some("late"));
    let effects = timeline.effects(start + DELAY);
    assert_eq!((effects.settled, effects.late, effects.overtaken, effects.lost), (true, 1, 1, 0));
}

#[test]
fn a_lost_effect_has_a_good_answer_and_only_the_other_items_of_its_call_are_applied() {
    let mut timeline = with(Pace::default());
    let now = Instant::now();
    for token in ["t", "u"] {
        timeline.set("android", token, vec![Account::new("a", 0)], now);
    }
    let accepted = accept_with(&mut timeline, &logout(&["t", "u"]), EffectChange::Lost, now);
    assert_eq!((accepted.answer.result, accepted.takes_effect), (vec!["0".to_owned(); 2], true));
    let tokens: Vec<String> = timeline.applied(now).bindings("android").into_keys().collect();
    assert_eq!(tokens, ["t"]);
    let accepted = accept_with(&mut timeline, &logout(&["t"]), EffectChange::Lost, now);
    assert!(!accepted.takes_effect);
    assert_eq!(bound(&mut timeline, now).as_deref(), Some("a"));
    assert_eq!(timeline.effects(now).lost, 2);
}

#[test]
fn an_item_that_is_refused_anyway_is_not_counted_as_lost() {
    let mut timeline = with(Pace::default());
    let now = Instant::now();
    let accepted = accept_with(&mut timeline, &logout(&["", "t"]), EffectChange::Lost, now);
    assert_eq!(accepted.answer.result, ["1008029", "0"]);
    assert_eq!(timeline.effects(now).lost, 0);
}

#[test]
fn queries_lag_behind_what_is_applied() {
    let mut timeline = with(Pace { query_lag: DELAY, ..Pace::default() });
    let start = Instant::now();
    accept(&mut timeline, &login("a"), start);
    timeline.set("android", "t", vec![Account::new("b", 0)], start + STEP);
    assert_eq!(bound(&mut timeline, start + STEP).as_deref(), Some("b"));
    assert_eq!(shown(&mut timeline, start + DELAY - STEP), None);
    assert_eq!(timeline.effects(start + STEP).hidden, 2);
    assert_eq!(shown(&mut timeline, start + DELAY).as_deref(), Some("a"));
    assert_eq!(timeline.unsettled_until(start + DELAY), Some(start + DELAY + STEP));
    assert_eq!(shown(&mut timeline, start + DELAY + STEP).as_deref(), Some("b"));
    assert!(timeline.effects(start + DELAY + STEP).settled);
}

#[test]
fn it_is_not_settled_while_a_late_operation_is_expected() {
    let mut timeline = with(Pace::default());
    let start = Instant::now();
    timeline.expect(start + DELAY);
    timeline.expect(start + DELAY);
    timeline.arrived(start + DELAY, timeline.era());
    assert_eq!(timeline.unsettled_until(start + DELAY * 2), Some(start + DELAY));
    timeline.arrived(start + DELAY, timeline.era() + 1);
    assert!(!timeline.effects(start).settled, "an operation of another era is another one");
    timeline.arrived(start + DELAY, timeline.era());
    assert!(timeline.effects(start).settled);
}

#[test]
fn a_lost_effect_takes_no_place_of_an_account_that_can_be_full() {
    let settings = Settings { token_cap: TokenCap::Reject, ..Settings::default() };
    let mut timeline = Timeline::new(Tpns::new(["android"], settings), Pace::default());
    let now = Instant::now();
    let login = |token: usize| {
        let account_list = vec![Account::new("a", 0)];
        BatchOperate::Override(vec![TokenAccounts { token: token.to_string(), account_list }])
    };
    accept_with(&mut timeline, &login(0), EffectChange::Lost, now);
    for token in 1..=crate::model::TOKENS_PER_ACCOUNT {
        assert_eq!(accept(&mut timeline, &login(token), now).answer.ret_code, 0, "{token}");
    }
    assert_eq!(accept(&mut timeline, &login(0), now).answer.ret_code, RetCode::TOTAL_ERROR);
}
