use fastrand::Rng;
use proptest::prelude::*;

use super::*;
use crate::scenario::{MINUTE, Outage};

fn down(fault: Fault) -> Scenario {
    Scenario { outage: Some(Outage { fault, from: 0, until: MINUTE }), ..Scenario::DEFAULT }
}

const TPNS_DOWN: Fault = Fault::TpnsDown { after: 50 };
/// A login and an unbind of the first app.
const EVENTS: Events = [[1, 1], [0, 0], [0, 0], [0, 0]];

fn calls(sandbox: &mut Sandbox, now: Ms, scenario: &Scenario) -> (u32, bool) {
    let invocation = sandbox.invoke(now, &EVENTS, scenario, &mut Rng::with_seed(1));
    (invocation.calls, invocation.failed[0].is_none())
}

#[test]
fn a_batch_has_one_call_for_each_app_and_operation() {
    let events = [[9, 0], [2, 1], [0, 0], [0, 0]];
    let invocation = Sandbox::default().invoke(7, &events, &Scenario::DEFAULT, &mut Rng::with_seed(1));
    assert_eq!((invocation.calls, invocation.failed, invocation.ends), (3, [None; 4], 7 + OWN + LEDGER + TPNS));
}

#[test]
fn while_tpns_is_down_a_sandbox_makes_one_call_in_ten_seconds() {
    let (mut sandbox, scenario) = (Sandbox::default(), down(TPNS_DOWN));
    assert_eq!(calls(&mut sandbox, 0, &scenario), (6, false));
    // One invocation may have met a short failure.
    assert_eq!(calls(&mut sandbox, 5_000, &scenario), (2, false));
    assert_eq!(calls(&mut sandbox, 10_000, &scenario), (0, false));
    assert_eq!(calls(&mut sandbox, 16_000, &scenario), (1, false));
    assert_eq!(calls(&mut sandbox, 25_000, &scenario), (0, false));
    // The probe is answered, and the other call follows.
    assert_eq!(calls(&mut sandbox, MINUTE, &scenario), (2, true));
    assert_eq!(calls(&mut sandbox, MINUTE, &scenario), (2, true));
}

#[test]
fn with_the_old_timing_each_invocation_makes_all_its_calls() {
    let scenario = Scenario { timing: Timing::Old, ..down(TPNS_DOWN) };
    let mut sandbox = Sandbox::default();
    assert_eq!([0, 5_000, 11_000].map(|now| calls(&mut sandbox, now, &scenario)), [(6, false); 3]);
}

#[test]
fn a_table_that_is_down_leads_to_no_calls_and_a_wrong_key_to_one() {
    let (mut sandbox, table) = (Sandbox::default(), down(Fault::TableDown));
    let invocation = sandbox.invoke(0, &EVENTS, &table, &mut Rng::with_seed(1));
    assert_eq!(
        (invocation.calls, invocation.merged, invocation.failed[0]),
        (0, false, Some(Reason::LedgerUnreachable))
    );
    let invocation = sandbox.invoke(0, &EVENTS, &down(Fault::WrongKey), &mut Rng::with_seed(1));
    assert_eq!((invocation.calls, invocation.failed[0]), (1, Some(Reason::TpnsAuthFailed)));
}

proptest! {
    #[test]
    fn the_delays_are_the_products(delivery in 1..=1_000_u16, refused in any::<bool>(), seed in any::<u64>()) {
        let why = if refused { Reason::TpnsAuthFailed } else { Reason::LedgerUnreachable };
        let range = RedeliveryDelays::DEFAULT.range(why, delivery.into());
        let table = Delays::new();
        let ranges = if refused { &table.refused } else { &table.transient };
        prop_assert_eq!(&ranges[usize::from(delivery).min(ranges.len()) - 1], &range);
        prop_assert!(range.contains(&table.seconds(why, delivery, &mut Rng::with_seed(seed))));
    }
}
