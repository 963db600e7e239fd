//! What the gates of an item say: whether it may be sent now. Pure; the search of the ledger's protocol runs it too.

use super::{Gate, ItemIndex, Plan, Verdict};
use crate::outcome::{Failure, Reason};

/// An item is not sent, since one that it waits for was not accepted.
pub const HELD: Failure = Failure::of(Reason::WaitsForAnotherCall);

/// Whether there is time to wait for what an item need not wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// There is.
    Lasts,
    /// There is not.
    IsOver,
}

/// The state of an item's gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GateState {
    /// The item may be sent.
    Open,
    /// It waits for an item that has no verdict yet.
    Waits,
    /// It must not be sent; this is its verdict.
    Shut(Verdict),
}

impl Plan {
    /// The state of an item's gates, by the verdicts so far. With `patience` over, an item no longer waits for one that
    /// it need not wait for.
    #[must_use]
    pub fn gates(
        &self,
        item: ItemIndex,
        verdict: impl Fn(ItemIndex) -> Option<Verdict>,
        patience: Patience,
    ) -> GateState {
        let states = self.item(item).after.iter().map(|&gate| state(gate, verdict(gate.item()), patience));
        states.max_by_key(GateState::weight).unwrap_or(GateState::Open)
    }
}

impl Gate {
    /// The item that is waited for.
    #[must_use]
    pub fn item(self) -> ItemIndex {
        let (Self::Cleared(item) | Self::Deleted(item) | Self::Tried(item)) = self;
        item
    }
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

fn state(gate: Gate, verdict: Option<Verdict>, patience: Patience) -> GateState {
    match (verdict, gate) {
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
        apps::AppId,
        event::Token,
        plan::{Item, Work},
    };

    const FAILURE: Failure = Failure::of(Reason::TpnsInternal);

    #[test]
    fn an_item_is_sent_when_what_it_waits_for_allows_it() {
        use GateState::{Open, Shut, Waits};
        // It waits for as long as the other one.
        let after = Some(Duration::from_secs(30));
        let (retry, rejected) = (Verdict::Retry(FAILURE, after), Verdict::Rejected(FAILURE));
        let misconfigured = Verdict::Misconfigured(FAILURE);
        let held = || Shut(Verdict::Retry(HELD, after));
        type Gates = fn(ItemIndex) -> Gate;
        let table: [(Gates, [GateState; 3]); 3] = [
            (Gate::Cleared, [held(), Shut(rejected.clone()), Shut(misconfigured.clone())]),
            (Gate::Deleted, [held(), Open, Shut(misconfigured.clone())]),
            (Gate::Tried, [Open, Open, Open]),
        ];
        for (gate, expected) in table {
            let work = || Work::UnbindAll(Token::new("t").unwrap());
            let item = |after| Item { app: AppId(0), work: work(), after, alone: None };
            let plan = Plan { items: vec![item(Vec::new()), item(vec![gate(ItemIndex(0))])], ..Plan::default() };
            let state = |verdict: Option<&Verdict>, patience| plan.gates(ItemIndex(1), |_| verdict.cloned(), patience);
            assert_eq!(state(Some(&Verdict::Accepted), Patience::Lasts), Open);
            for (verdict, expected) in [&retry, &rejected, &misconfigured].into_iter().zip(expected) {
                assert_eq!(state(Some(verdict), Patience::Lasts), expected, "{:?} {verdict:?}", gate(ItemIndex(0)));
            }
            assert_eq!(state(None, Patience::Lasts), Waits);
            let need_not_wait = gate(ItemIndex(0)) == Gate::Tried(ItemIndex(0));
            assert_eq!(state(None, Patience::IsOver), if need_not_wait { Open } else { Waits });
        }
    }
}
