//! The active faults, and which of them hits a call.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    Fault,
    kind::FaultKind,
    scope::{CallView, Scope},
};
use crate::{
    effects::{DAY, EffectChange, ItemEffects},
    model::ForcedCodes,
};

/// A fault that hit a call.
#[derive(Clone, Debug)]
pub(crate) struct Fired {
    pub(crate) kind: FaultKind,
    pub(crate) apply: bool,
    scope: Scope,
}

impl Fired {
    /// The codes that an `item_code` fault sets for the call's items; none for any other kind.
    pub(crate) fn forced_codes(&self, call: &CallView<'_>) -> ForcedCodes {
        match self.kind {
            FaultKind::ItemCode { code } => self.scope.selected(call).map(|index| (index, code)).collect(),
            _ => ForcedCodes::new(),
        }
    }

    /// What an `effect` fault does to the call's items; nothing for any other kind.
    pub(crate) fn effects(&self, call: &CallView<'_>) -> Option<ItemEffects> {
        let FaultKind::Effect { late_ms } = self.kind else { return None };
        // A user of the library may have set any time.
        let late = EffectChange::Late(Duration::from_millis(late_ms).min(DAY));
        let change = if self.apply { late } else { EffectChange::Lost };
        Some(ItemEffects { items: self.scope.selected(call).collect(), change })
    }
}

#[derive(Debug)]
struct Active {
    id: u64,
    /// As posted, except for `skip` and `times`, which count down.
    fault: Fault,
    fired: u64,
    draws: fastrand::Rng,
}

/// The active faults in the order in which they were posted; the first that hits a call is used.
#[derive(Debug, Default)]
pub(crate) struct ActiveFaults {
    active: Vec<Active>,
    /// Also across a reset, so that an id never means another fault.
    last_id: u64,
}

impl ActiveFaults {
    pub(crate) fn add(&mut self, fault: Fault) {
        let seed = fault.chance.map_or(0, |chance| chance.seed);
        self.last_id += 1;
        self.active.push(Active { id: self.last_id, fault, fired: 0, draws: fastrand::Rng::with_seed(seed) });
    }

    /// Removes one fault; false if none has this id any more.
    pub(crate) fn remove(&mut self, id: u64) -> bool {
        let before = self.active.len();
        self.active.retain(|active| active.id != id);
        self.active.len() < before
    }

    pub(crate) fn len(&self) -> usize {
        self.active.len()
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    /// The fault that hits this call. A call hit by one fault is not counted by later ones.
    pub(crate) fn fire(&mut self, call: &CallView<'_>) -> Option<Fired> {
        let fired = self.active.iter_mut().find_map(|active| active.fire(call));
        self.active.retain(|active| active.fault.times != Some(0));
        fired
    }

    /// The answer of `GET /_sim/faults`: each fault with its id and its remaining hits.
    pub(crate) fn to_json(&self) -> Value {
        self.active
            .iter()
            .map(|active| {
                let mut fault = active.fault.to_json();
                fault["id"] = json!(active.id);
                fault["fired"] = json!(active.fired);
                fault
            })
            .collect()
    }
}

impl Active {
    fn fire(&mut self, call: &CallView<'_>) -> Option<Fired> {
        let fault = &mut self.fault;
        if fault.kind.needs_items() && call.items.is_empty() || !fault.scope.matches(call) {
            return None;
        }
        if fault.skip > 0 {
            fault.skip -= 1;
            return None;
        }
        if let Some(chance) = fault.chance
            && self.draws.f64() >= chance.probability
        {
            return None;
        }
        if let Some(left) = &mut fault.times {
            // A user of the library may have set 0.
            *left = left.checked_sub(1)?;
        }
        self.fired += 1;
        Some(Fired { kind: fault.kind.clone(), apply: fault.apply, scope: fault.scope.clone() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fault::Api,
        model::{BatchOperate, TokenAccounts},
    };

    fn login(token: &str) -> BatchOperate {
        BatchOperate::Override(vec![TokenAccounts {
            token: token.to_owned(),
            account_list: vec![crate::model::Account::new("a", 9)],
        }])
    }

    fn view<'a>(app: &'a str, operation: &'a BatchOperate) -> CallView<'a> {
        CallView {
            api: Api::BatchOperate,
            app,
            operator_type: Some(operation.operator_type().into()),
            items: operation.items(),
        }
    }

    fn hits(fault: Fault, calls: &[CallView<'_>]) -> Vec<bool> {
        let mut faults = ActiveFaults::default();
        faults.add(fault);
        calls.iter().map(|call| faults.fire(call).is_some()).collect()
    }

    #[test]
    fn skip_lets_calls_pass_and_times_limits_the_hits() {
        let operation = login("t");
        let calls: Vec<_> = (0..5).map(|_| view("android", &operation)).collect();
        assert_eq!(hits(Fault::hang().skip(1).times(2), &calls), [false, true, true, false, false]);
        assert_eq!(hits(Fault::hang().times(0), &calls), [false; 5]);
        assert_eq!(hits(Fault::hang().forever(), &calls), [true; 5]);
    }

    #[test]
    fn every_restriction_must_match() {
        let (one, two) = (login("t1"), login("t2"));
        let calls = [view("android", &one), view("ios", &one), view("ios", &two)];
        let always = || Fault::hang().forever();
        assert_eq!(hits(always().app("ios"), &calls), [false, true, true]);
        assert_eq!(hits(always().token("t1"), &calls), [true, true, false]);
        assert_eq!(hits(always().app("ios").token("t1"), &calls), [false, true, false]);
        assert_eq!(hits(always().operator_type(3), &calls), [false; 3]);
        assert_eq!(hits(always().account("a"), &calls), [true; 3]);
        assert_eq!(hits(always().account("a").account_type(8), &calls), [false; 3]);
        assert_eq!(hits(always().on_query(), &calls), [false; 3]);
    }

    #[test]
    fn a_seed_draws_the_same_calls_every_time_and_about_the_requested_share() {
        let operation = login("t");
        let calls: Vec<_> = (0..1000).map(|_| view("android", &operation)).collect();
        let first = hits(Fault::hang().probability(0.1, 7), &calls);
        assert_eq!(first, hits(Fault::hang().probability(0.1, 7), &calls));
        assert_ne!(first, hits(Fault::hang().probability(0.1, 8), &calls));
        let share = first.iter().filter(|&&hit| hit).count();
        assert!((60..140).contains(&share), "{share} of 1000");
    }

    #[test]
    fn the_first_matching_fault_wins_and_the_later_one_is_not_used_up() {
        let operation = login("t");
        let mut faults = ActiveFaults::default();
        faults.add(Fault::status(503));
        faults.add(Fault::hang());
        let mut fire = || faults.fire(&view("android", &operation)).map(|fired| fired.kind.name());
        assert_eq!([fire(), fire(), fire()], [Some("status"), Some("hang"), None]);
    }

    #[test]
    fn a_fault_of_items_waits_for_a_call_with_items() {
        let operation = login("t");
        let refused = CallView { items: Vec::new(), ..view("android", &operation) };
        let calls = [refused, view("android", &operation)];
        assert_eq!(hits(Fault::item_code(1_008_006), &calls), [false, true]);
    }
}
