use contract::{
    event::{Account, AccountName, AccountType},
    outcome::{Failure, Reason},
};
use proptest::prelude::*;
use tpns_account_sync::{check::Comparison, plan::Verdict};

use super::*;

const NOW: Millis = 1_795_334_400_000;
const RECENT: Millis = 300_000;
const OLD: Option<Millis> = Some(NOW - RECENT);

fn ann() -> Account {
    Account { account: AccountName::new("ann").unwrap(), account_type: AccountType(0) }
}

fn inspected(comparison: Comparison, changed: Option<Millis>) -> Result<Inspection, NotInspected> {
    Ok(Inspection { comparison, changed, bound: 1 })
}

fn drift(bound_but_out: bool, not_bound_but_in: bool, unknown_bindings: u64) -> Drift {
    Drift { bound_but_out, not_bound_but_in, unknown_bindings }
}

#[test]
fn each_kind_of_drift_is_seen_as_such() {
    let over = || Comparison { over: vec![ann()], ..Comparison::default() };
    let missing = || Comparison { missing: Some(vec![ann()]), ..Comparison::default() };
    let unknown = || Comparison { unknown: vec![ann()], ..Comparison::default() };
    for (comparison, expected) in [
        (Comparison::default(), drift(false, false, 0)),
        (over(), drift(true, false, 0)),
        (Comparison { clear: true, ..Comparison::default() }, drift(true, false, 0)),
        (missing(), drift(false, true, 0)),
        (Comparison { missing: Some(vec![ann()]), ..over() }, drift(true, true, 0)),
        (unknown(), drift(false, false, 1)),
    ] {
        let agrees = comparison.agrees();
        let seen = Seen::of(&inspected(comparison, OLD), NOW, RECENT);
        assert_eq!(seen, Seen::Compared(expected, NOW - RECENT));
        assert_eq!(seen.differs(), !agrees, "as the function's own comparison");
        assert_eq!(seen.is_provisional(), !agrees);
    }
}

#[test]
fn what_can_not_be_judged_is_no_drift() {
    let differs = || Comparison { clear: true, ..Comparison::default() };
    let failure = || Failure::new(Reason::TpnsTimeout, "no answer");
    for (inspection, seen, provisional) in [
        (inspected(differs(), Some(NOW - RECENT + 1)), Seen::Recent, false),
        (inspected(differs(), Some(NOW + 1)), Seen::Recent, false),
        (inspected(differs(), None), Seen::NoRow(1), false),
        (Err(NotInspected::Row(RowError::Unreadable)), Seen::Unreadable, false),
        (
            Err(NotInspected::Tpns(Verdict::Retry(failure(), None))),
            Seen::Unanswered("tpns_timeout no answer".into()),
            true,
        ),
    ] {
        let found = Seen::of(&inspection, NOW, RECENT);
        assert_eq!(found, seen);
        assert_eq!((found.differs(), found.is_provisional()), (false, provisional));
    }
    let unread = Seen::of(&Err(NotInspected::Row(RowError::Throttled)), NOW, RECENT);
    assert!(matches!(unread, Seen::Unanswered(why) if why.starts_with("ledger_throttled")));
}

fn seen() -> impl Strategy<Value = Seen> {
    prop_oneof![
        4 => (any::<bool>(), any::<bool>(), 0..3_u64).prop_map(|(out, missing, n)| Seen::Compared(drift(out, missing, n), 7)),
        1 => Just(Seen::Recent),
        1 => (0..2_usize).prop_map(Seen::NoRow),
        1 => Just(Seen::Unreadable),
        1 => Just(Seen::Unanswered("why".into())),
    ]
}

fn tally(all: &[(u8, Seen)]) -> Tally {
    let mut tally = Tally::default();
    for (app, seen) in all {
        tally.add(&format!("app{app}"), || "2aa183252edf".into(), seen);
    }
    tally
}

proptest! {
    #[test]
    fn every_device_is_counted_once_and_parts_add_up(all in proptest::collection::vec((0..3_u8, seen()), 0..40), cut: u8) {
        let whole = tally(&all);
        let Omitted { recent, no_row, unreadable, unanswered, .. } = whole.omitted;
        let compared: u64 = whole.apps.values().map(|counts| counts.devices).sum();
        prop_assert_eq!(compared + recent + no_row + unreadable + unanswered, all.len() as u64);
        prop_assert_eq!(whole.differ(), all.iter().filter(|(_, seen)| seen.differs()).count() as u64);
        prop_assert_eq!(whole.listed.len() as u64, whole.differ());

        let cut = usize::from(cut) % (all.len() + 1);
        let (mut merged, rest) = (tally(&all[..cut]), tally(&all[cut..]));
        merged.merge(rest);
        prop_assert_eq!(merged, whole);
    }
}

#[test]
fn an_app_of_which_most_devices_differ_is_suspicious_if_they_are_enough() {
    let devices = |differ: usize, agree: usize| {
        let seen = |out| (0, Seen::Compared(drift(out, false, 0), 7));
        let all: Vec<_> = (0..differ).map(|_| seen(true)).chain((0..agree).map(|_| seen(false))).collect();
        tally(&all).suspicious().count()
    };
    assert_eq!([devices(11, 9), devices(10, 10), devices(19, 0), devices(20, 0)], [1, 0, 0, 1]);
}
