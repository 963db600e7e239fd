use std::{borrow::Cow, collections::BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::{
    apps::AppId,
    event::{Account, AccountType, Kind, Token},
    plan::plan,
    redelivery::Redelivered,
    testing,
};

const BAD: Verdict = Verdict::Rejected(failure(Reason::TpnsBadInput, 1_008_007));
const LATER: Verdict = Verdict::Retry(failure(Reason::TpnsInternal, 1_008_004), None);
const CONFIG: Verdict = Verdict::Misconfigured(failure(Reason::TpnsAuthFailed, 1_008_003));

/// A failure as TPNS's code makes it.
const fn failure(reason: Reason, code: i64) -> Failure {
    Failure { reason, code: Some(code), detail: Cow::Borrowed(""), retry_after: None }
}

fn device() -> Device {
    Device { app: AppId(0), token: Token::new("t").unwrap() }
}

fn event(at: i64, change: Change) -> Event {
    let rank = match change {
        Change::Login(..) => Kind::Login,
        Change::Logout(..) | Change::LogoutAll(_) => Kind::Logout,
        Change::Deletion(..) => Kind::Deletion,
    };
    testing::happened(at, rank, &format!("e{at}"), change)
}

fn account(name: &str) -> Account {
    testing::account(name, AccountType(0))
}

fn login(at: i64, name: &str) -> Event {
    event(at, Change::Login(device(), vec![account(name)]))
}

fn logout(at: i64, name: &str) -> Event {
    let Account { account, account_type } = account(name);
    event(at, Change::Logout(device(), vec![ListedAccount { account, account_type: Some(account_type) }]))
}

fn logout_all(at: i64) -> Event {
    event(at, Change::LogoutAll(device()))
}

fn deletion(at: i64, name: &str) -> Event {
    event(at, Change::Deletion(vec![AppId(0)].into(), vec![account(name)]))
}

fn indexed(events: &[Event]) -> impl Iterator<Item = (EventIndex, &Event)> {
    events.iter().enumerate().map(|(index, event)| (EventIndex(index), event))
}

/// The outcomes by name, "again" for those given back, when `verdict` says what TPNS makes of each piece of work.
fn outcomes(events: &[Event], verdict: impl Fn(&Work) -> Verdict) -> (Vec<&'static str>, Vec<Vec<usize>>) {
    let state = State::of(events);
    let plan = plan(&state, &Redelivered::default());
    let verdicts: Vec<_> = plan.items.iter().map(|item| verdict(&item.work)).collect();
    let settlement = settlement(indexed(events), &state, &plan, &verdicts);
    let mut names = vec!["again"; events.len()];
    for (index, outcome) in &settlement.settled {
        names[index.0] = outcome.name();
    }
    for (index, _) in &settlement.refused {
        names[index.0] = "refused";
    }
    (
        names,
        settlement.again.into_iter().map(|round| round.into_iter().map(|EventIndex(index)| index).collect()).collect(),
    )
}

#[test]
fn an_event_is_acknowledged_when_all_it_shaped_is_accepted() {
    let events = [login(1, "a"), login(2, "b"), logout(3, "c")];
    assert_eq!(outcomes(&events, |_| Verdict::Accepted).0, ["superseded", "applied", "applied"]);
    assert_eq!(outcomes(&events, |_| LATER).0, ["retry", "retry", "retry"]);
    assert_eq!(outcomes(&events, |_| CONFIG).0, ["misconfigured", "misconfigured", "misconfigured"]);
}

#[test]
fn a_deletion_waits_for_the_devices_it_took_an_account_from() {
    // The device's call fails: if the deletion were acknowledged, the login would be redelivered alone and bind the
    // account.
    let events = [login(1, "a"), deletion(2, "a")];
    let device_fails = |work: &Work| if matches!(work, Work::UnbindEverywhere(_)) { Verdict::Accepted } else { LATER };
    assert_eq!(outcomes(&events, device_fails).0, ["retry", "retry"]);
    // A login it did not shape is none of its business.
    let events = [login(3, "a"), deletion(2, "a")];
    assert_eq!(outcomes(&events, device_fails).0, ["retry", "applied"]);
    let events = [login(1, "b"), deletion(2, "a")];
    assert_eq!(outcomes(&events, device_fails).0, ["retry", "applied"]);
}

#[test]
fn a_bad_device_does_not_fail_the_deletion_that_touched_it() {
    let events = [login(1, "a"), deletion(2, "a")];
    let bad_token = |work: &Work| if matches!(work, Work::UnbindEverywhere(_)) { Verdict::Accepted } else { BAD };
    assert_eq!(outcomes(&events, bad_token).0, ["rejected", "applied"], "an operator_type 4 takes all away already");
}

#[test]
fn a_deletion_over_several_accounts_fails_by_the_gravest_of_them() {
    let both = event(1, Change::Deletion(vec![AppId(0), AppId(1)].into(), vec![account("a"), account("b")]));
    let on = |name: &'static str, verdict: Verdict| {
        move |work: &Work| match work {
            Work::UnbindEverywhere(account) if account.account.as_str() == name => verdict.clone(),
            _ => Verdict::Accepted,
        }
    };
    assert_eq!(outcomes(std::slice::from_ref(&both), on("a", BAD)).0, ["rejected"]);
    assert_eq!(outcomes(std::slice::from_ref(&both), on("b", LATER)).0, ["retry"]);
}

#[test]
fn of_a_rejected_login_only_the_login_fails() {
    let events = [login(1, "a"), logout(2, "x"), login(3, "bad"), logout(4, "y"), logout_all(0)];
    let (names, again) = outcomes(&events, |work| if matches!(work, Work::Bind(..)) { BAD } else { Verdict::Accepted });
    assert_eq!(names, ["superseded", "again", "refused", "again", "again"]);
    assert_eq!(again, [vec![1, 3, 4]], "the logouts, together");
}

#[test]
fn several_logouts_that_tpns_rejects_together_are_tried_again_in_halves() {
    let events = [logout(1, "a"), logout(2, "bad"), logout(3, "c")];
    let (names, again) = outcomes(&events, |_| BAD);
    assert_eq!(names, ["again", "again", "again"]);
    assert_eq!(again, [vec![0], vec![1, 2]]);
    assert_eq!(outcomes(&events[1..2], |_| BAD).0, ["rejected"]);
}

#[test]
fn a_token_that_tpns_refuses_fails_every_event_of_it() {
    let events = [login(1, "a"), logout_all(2)];
    assert_eq!(outcomes(&events, |_| BAD).0, ["rejected", "rejected"]);
}

#[test]
fn a_token_that_is_invalid_settles_all_its_logouts_at_once() {
    let of = |code| Verdict::Rejected(failure(Reason::TpnsInvalidToken, code));
    let events = [logout(1, "a"), logout(2, "b"), logout(3, "c")];
    for code in [1_008_006, 1_008_029] {
        assert_eq!(outcomes(&events, |_| of(code)).0, ["rejected"; 3], "{code}");
    }
    // A login is not the last word: what was bound before is to go, if TPNS knows the token there.
    let events = [login(1, "a"), logout(2, "x")];
    assert_eq!(outcomes(&events, |_| of(1_008_006)).0, ["refused", "again"]);
}

#[test]
fn a_rejected_clear_sends_the_logouts_again_and_fails_the_login() {
    let two = event(1, Change::Login(device(), vec![account("a"), testing::account("b", AccountType(1))]));
    let events = [two, logout(2, "a")];
    let (names, again) = outcomes(&events, |_| BAD);
    assert_eq!((names, again), (vec!["refused", "again"], vec![vec![1]]));
}

/// What is unbound beside a login was not named by it.
#[test]
fn a_rejected_unbind_beside_a_login_sends_the_logouts_again_and_not_the_login() {
    let two = event(1, Change::Login(device(), vec![account("a"), testing::account("b", AccountType(1))]));
    let events = [two, logout(2, "a")];
    let mut state = State::of(&events);
    state.remembers = true;
    let plan = plan(&state, &Redelivered::default());
    let verdict = |item: &crate::plan::Item| match item.work {
        Work::Unbind(..) => BAD,
        _ => Verdict::Accepted,
    };
    let verdicts: Vec<_> = plan.items.iter().map(verdict).collect();
    let settlement = settlement(indexed(&events), &state, &plan, &verdicts);
    assert_eq!(settlement.settled, [(EventIndex(0), Outcome::Applied)]);
    assert_eq!((settlement.refused, settlement.again), (Vec::new(), vec![vec![EventIndex(1)]]));
}

/// The outcomes of events when TPNS says this of the operator_types, this long after the login of second 10.
fn after(seconds: i64, events: &[Event], verdict: impl Fn(&Work) -> Verdict) -> Vec<&'static str> {
    let state = State::of(events);
    let plan = plan(&state, &Redelivered::default());
    let mut verdicts: Vec<_> = plan.items.iter().map(|item| verdict(&item.work)).collect();
    wait_for_fresh_tokens(&state, &plan, &mut verdicts, 10_000 + seconds * 1000);
    let settlement = settlement(indexed(events), &state, &plan, &verdicts);
    let mut names = vec!["again"; events.len()];
    for (index, outcome) in &settlement.settled {
        let retried = matches!(outcome, Outcome::Retry(failure) if failure.reason == Reason::TpnsTokenNotYetKnown);
        names[index.0] = if retried { "not yet" } else { outcome.name() };
    }
    for (index, _) in &settlement.refused {
        names[index.0] = "refused";
    }
    names
}

#[test]
fn a_fresh_login_waits_for_tpns_to_learn_of_its_token() {
    let unknown = |code| Verdict::Rejected(failure(Reason::TpnsInvalidToken, code));
    for code in [1_008_006, 1_008_029, 10_110_008] {
        let login = [login(10_000, "a")];
        assert_eq!(after(0, &login, |_| unknown(code)), ["not yet"], "{code}");
        assert_eq!(after(-60, &login, |_| unknown(code)), ["not yet"], "{code}: by a clock that is ahead");
        assert_eq!(after(119, &login, |_| unknown(code)), ["not yet"], "{code}");
        assert_eq!(after(120, &login, |_| unknown(code)), ["refused"], "{code}");
    }
    assert_eq!(after(1, &[login(10_000, "a")], |_| BAD), ["refused"]);
    assert_eq!(after(1, &[login(10_000, "a")], |_| Verdict::Accepted), ["applied"]);
    // A logout has nothing to wait for.
    for logout in [logout(10_000, "a"), logout_all(10_000)] {
        assert_eq!(after(1, &[logout], |_| unknown(1_008_006)), ["rejected"]);
    }
}

/// Acknowledged, the others would be missing when the login is redelivered.
#[test]
fn with_a_fresh_login_waits_whatever_had_a_part_in_it() {
    let unknown = |work: &Work| match work {
        Work::UnbindEverywhere(_) => Verdict::Accepted,
        _ => Verdict::Rejected(failure(Reason::TpnsInvalidToken, 1_008_006)),
    };
    let two = event(10_000, Change::Login(device(), vec![account("a"), testing::account("b", AccountType(1))]));
    let events = [login(9_000, "old"), two, logout(11_000, "a"), deletion(12_000, "other")];
    assert_eq!(after(1, &events, unknown), ["not yet", "not yet", "not yet", "applied"]);
    assert_eq!(after(120, &events, unknown), ["superseded", "refused", "again", "applied"]);
    let events = [events[1].clone(), deletion(12_000, "a")];
    assert_eq!(after(1, &events, unknown), ["not yet"; 2]);
    // The newest login decides.
    assert_eq!(after(1, &[login(-500_000, "old"), login(10_000, "a")], unknown), ["not yet"; 2]);
    assert_eq!(after(1, &[login(-500_000, "old")], unknown), ["refused"]);
    // Signed out of everything since: nothing is to be bound.
    assert_eq!(after(1, &[login(10_000, "a"), logout_all(11_000)], unknown), ["rejected"; 2]);
}

proptest! {
    /// The rounds that [`crate::apply`] runs, against random verdicts: they end, and each event is settled once.
    #[test]
    fn every_event_is_settled_exactly_once_and_the_rounds_end(events in testing::events(0..20), seed: u64) {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rounds = std::collections::VecDeque::from([((0..events.len()).map(EventIndex).collect::<Vec<_>>(), false)]);
        let mut settled = BTreeSet::new();
        let mut count = 0;
        while let Some((round, refused)) = rounds.pop_front() {
            let state = State::of(round.iter().map(|&EventIndex(index)| &events[index]));
            let state = if refused { state.without_logins() } else { state };
            let plan = plan(&state, &Redelivered::default());
            let verdicts: Vec<_> = plan.items.iter().map(|_| random.choice([Verdict::Accepted, BAD, BAD, LATER, CONFIG]).unwrap()).collect();
            let settlement = settlement(round.iter().map(|&index| (index, &events[index.0])), &state, &plan, &verdicts);
            let again: usize = settlement.again.iter().map(Vec::len).sum();
            prop_assert_eq!(settlement.settled.len() + settlement.refused.len() + again, round.len());
            for (index, _) in settlement.settled {
                prop_assert!(settled.insert(index), "settled twice");
            }
            if !settlement.refused.is_empty() {
                prop_assert!(!refused, "a device that loses all its accounts is refused by its token alone");
                rounds.push_back((settlement.refused.into_iter().map(|(index, _)| index).collect(), true));
            }
            rounds.extend(settlement.again.into_iter().map(|round| (round, false)));
            count += 1;
            prop_assert!(count <= 3 * events.len() + 1, "the rounds do not end");
        }
        prop_assert_eq!(settled.len(), events.len());
    }
}
