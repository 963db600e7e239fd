use proptest::prelude::*;

use super::*;
use crate::{
    queue::Order,
    scenario::{Fault, MINUTE, Outage},
};

/// An outage of some minutes, which is enough to use up the old timing's deliveries.
fn short(seed: u64, fault: Fault, minutes: Ms) -> Scenario {
    let outage = Outage { fault, from: 10 * SECOND, until: minutes * MINUTE };
    let traffic = Scenario { events_per_second: 20.0, unbinds: 0.2, devices: 200, ..Scenario::DEFAULT };
    Scenario { seed, outage: Some(outage), length: MINUTE, ..traffic }
}

const TPNS_DOWN: Fault = Fault::TpnsDown { after: 50 };

fn scenarios() -> impl Strategy<Value = Scenario> {
    let fault = prop_oneof![Just(TPNS_DOWN), Just(Fault::TableDown), Just(Fault::WrongKey)];
    let flags = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (any::<u64>(), fault, 1..40_u32, flags, 0..2_000_u32).prop_map(|(seed, fault, minutes, flags, waiting)| {
        let (old, lane, spread, random) = flags;
        Scenario {
            timing: if old { Timing::Old } else { Timing::NEW },
            order: if random { Order::Random } else { Order::Visible },
            lane,
            spread,
            waiting,
            ..short(seed, fault, minutes)
        }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn no_message_is_lost_or_counted_twice_and_nothing_stale_is_applied(scenario in scenarios()) {
        let results = simulate(&scenario);
        prop_assert_eq!(results.applied + results.dead_lettered + results.expired, results.sent);
        prop_assert_eq!((results.lost, results.twice, results.stale), (0, 0, 0));
        prop_assert_eq!(results.unbinds.len() + results.dead_unbinds.len(), results.sent_unbinds);
    }

    #[test]
    fn the_same_seed_gives_the_same_results(scenario in scenarios()) {
        prop_assert_eq!(simulate(&scenario), simulate(&scenario));
    }

    #[test]
    fn no_more_messages_are_dead_lettered_than_deliveries_were_used_up(scenario in scenarios()) {
        let results = simulate(&scenario);
        prop_assert!(results.dead_lettered * u64::from(scenario.timing.deliveries()) <= results.failed_deliveries);
        if scenario.timing == Timing::NEW {
            prop_assert_eq!(results.dead_lettered, 0);
        }
    }
}

#[test]
fn the_old_timing_dead_letters_what_fails_for_a_quarter_of_an_hour() {
    let dead = |minutes, timing| simulate(&Scenario { timing, ..short(1, TPNS_DOWN, minutes) }).dead_lettered;
    assert_eq!(dead(10, Timing::Old), 0);
    assert!(dead(40, Timing::Old) > 20_000);
    assert_eq!(dead(40, Timing::NEW), 0);
}

#[test]
fn without_the_ledger_redelivered_events_undo_newer_ones_and_are_counted() {
    let results = simulate(&Scenario { ledger: false, ..short(1, TPNS_DOWN, 5) });
    assert!(results.stale > 100, "{}", results.stale);
}

#[test]
fn an_unbind_behind_many_logins_is_late_only_without_the_lane() {
    let backlog = Scenario { waiting: 20_000, length: MINUTE, ..Scenario::DEFAULT };
    let most = |lane| simulate(&Scenario { lane, ..backlog }).lateness(0, MINUTE).unwrap()[2];
    assert!(most(true) < 2 * SECOND);
    assert!(most(false) > 10 * SECOND);
}

#[test]
fn everything_is_applied_within_the_longest_delay_after_a_recovery_if_there_are_enough_invocations() {
    for fault in [TPNS_DOWN, Fault::TableDown, Fault::WrongKey] {
        let results = simulate(&short(3, fault, 120));
        let last = results.last_unbind.max(results.last_login).unwrap();
        assert!(last <= 11 * MINUTE, "{fault:?}: {last} ms");
    }
}

#[test]
fn calls_are_bounded_by_sandboxes_apps_and_probes() {
    let results = simulate(&Scenario { spread: true, ..short(1, TPNS_DOWN, 30) });
    let most = (results.sandboxes * Scenario::DEFAULT.apps * 6) as u32;
    // Not the first minute, in which each sandbox finds out.
    assert!(results.calls[1..].iter().all(|calls| *calls <= most), "{:?} > {most}", results.calls);
    assert!(results.calls[1..].iter().any(|calls| *calls > 0));
}
