//! Whether the gates of an item are open. Pure.

use super::Verdicts;
use crate::{
    plan::{Gate, ItemIndex, Plan},
    tpns::{Verdict, answer::HELD},
};

/// The items of a call by what their gates say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Sorted {
    /// May be sent.
    pub(super) free: Vec<ItemIndex>,
    /// Wait for an item that has no verdict yet.
    pub(super) waiting: Vec<ItemIndex>,
    /// Must not be sent.
    pub(super) held: Vec<(ItemIndex, Verdict)>,
}

/// Sorts items by their gates. With `patience` over, an item no longer waits for one that it need not wait for.
pub(super) fn sort(plan: &Plan, items: Vec<ItemIndex>, verdicts: &Verdicts, patience: Patience) -> Sorted {
    let mut sorted = Sorted::default();
    for item in items {
        let state =
            plan.item(item).after.iter().map(|gate| state(*gate, verdicts, patience)).max_by_key(GateState::weight);
        match state.unwrap_or(GateState::Open) {
            GateState::Open => sorted.free.push(item),
            GateState::Waits => sorted.waiting.push(item),
            GateState::Shut(verdict) => sorted.held.push((item, verdict)),
        }
    }
    sorted
}

/// Whether there is time to wait for what an item need not wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    Lasts,
    IsOver,
}

enum GateState {
    Open,
    Waits,
    Shut(Verdict),
}

impl GateState {
    fn weight(&self) -> u8 {
        match self {
            Self::Open => 0,
            Self::Waits => 1,
            Self::Shut(_) => 2,
        }
    }
}

fn state(gate: Gate, verdicts: &Verdicts, patience: Patience) -> GateState {
    let (Gate::Cleared(item) | Gate::Deleted(item) | Gate::Tried(item)) = gate;
    match (verdicts.get(item), gate) {
        (Some(_), Gate::Tried(_)) | (Some(Verdict::Accepted), _) | (Some(Verdict::Rejected(_)), Gate::Deleted(_)) => {
            GateState::Open
        }
        (Some(verdict @ (Verdict::Rejected(_) | Verdict::Misconfigured(_))), _) => GateState::Shut(verdict),
        // What TPNS asks to wait for it is asked of this one, too.
        (Some(Verdict::Retry(_, after)), _) => GateState::Shut(Verdict::Retry(HELD, after)),
        (None, Gate::Tried(_)) if patience == Patience::IsOver => GateState::Open,
        (None, _) => GateState::Waits,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        config::AppId,
        event::Token,
        outcome::{Failure, Reason},
        plan::{Item, Work},
    };

    const FAILURE: Failure = Failure::of(Reason::TpnsInternal);

    #[test]
    fn an_item_is_sent_when_what_it_waits_for_allows_it() {
        let (retry, rejected) = (Verdict::Retry(FAILURE, None), Verdict::Rejected(FAILURE));
        let misconfigured = Verdict::Misconfigured(FAILURE);
        let held = Verdict::Retry(HELD, None);
        type Gates = fn(ItemIndex) -> Gate;
        let table: [(Gates, [Option<Verdict>; 3]); 3] = [
            (Gate::Cleared, [Some(held.clone()), Some(rejected.clone()), Some(misconfigured.clone())]),
            (Gate::Deleted, [Some(held), None, Some(misconfigured.clone())]),
            (Gate::Tried, [None, None, None]),
        ];
        for (gate, expected) in table {
            let work = || Work::UnbindAll(Token::new("t").unwrap());
            let item = |after| Item { app: AppId(0), work: work(), after };
            let mut plan = Plan::default();
            plan.items = vec![item(Vec::new()), item(vec![gate(ItemIndex(0))])];
            let sorted = |verdict: Option<Verdict>, patience| {
                let verdicts = Verdicts::new(2);
                verdict.into_iter().for_each(|verdict| verdicts.set(ItemIndex(0), verdict));
                sort(&plan, vec![ItemIndex(1)], &verdicts, patience)
            };
            let free = Sorted { free: vec![ItemIndex(1)], ..Sorted::default() };
            assert_eq!(sorted(Some(Verdict::Accepted), Patience::Lasts), free);
            for (verdict, expected) in [&retry, &rejected, &misconfigured].into_iter().zip(expected) {
                let expected =
                    expected.map(|verdict| Sorted { held: vec![(ItemIndex(1), verdict)], ..Sorted::default() });
                assert_eq!(
                    sorted(Some(verdict.clone()), Patience::Lasts),
                    expected.unwrap_or(Sorted { free: vec![ItemIndex(1)], ..Sorted::default() }),
                    "{:?} {verdict:?}",
                    gate(ItemIndex(0))
                );
            }
            let asked = Some(Duration::from_secs(30));
            if let [(_, verdict)] = &sorted(Some(Verdict::Retry(FAILURE, asked)), Patience::Lasts).held[..] {
                assert_eq!(*verdict, Verdict::Retry(HELD, asked), "it waits for as long as the other one");
            }
            let waiting = || Sorted { waiting: vec![ItemIndex(1)], ..Sorted::default() };
            assert_eq!(sorted(None, Patience::Lasts), waiting());
            let impatient = if gate(ItemIndex(0)) == Gate::Tried(ItemIndex(0)) { free } else { waiting() };
            assert_eq!(sorted(None, Patience::IsOver), impatient);
        }
    }
}
