//! TPNS as an invocation uses it.

use std::{collections::HashMap, future::poll_fn, task::Poll};

use futures_util::future::join_all;
use tpns_account_sync::{
    apply::Push,
    apps::AppId,
    event::Device,
    ledger::AccountKey,
    outcome::{Failure, Reason},
    plan::{GateState, ItemIndex, Patience, Plan, Verdict},
    tpns::{BoundAccount, Deadline, Verdicts},
};

use super::Desk;
use crate::{
    events::device,
    steps::{Answer, Op},
    world::each,
};

/// No answer from TPNS.
const FAILED: Verdict = Verdict::Retry(Failure::of(Reason::TpnsTimeout), None);

fn bound_to<T>(answer: Answer, of: impl Fn(usize) -> T) -> Result<Vec<T>, Verdict> {
    match answer {
        Answer::Bound(bits) => Ok(each(bits).map(of).collect()),
        _ => Err(FAILED),
    }
}

/// Like `tpns::push`, with the same rule for gates: all items are sent concurrently, but an item with a gate waits
/// until the gate is open, and is not sent if the gate stays closed. A failure here is that of the last attempt in
/// the invocation: a later attempt repeats what an earlier one did.
impl Push for Desk<'_> {
    async fn push(&self, plan: &Plan, verdicts: &Verdicts, _: Option<Deadline>) {
        join_all(plan.items.iter().enumerate().map(async |(index, item)| {
            let index = ItemIndex(index);
            let gates = poll_fn(|context| match plan.gates(index, |other| verdicts.get(other), Patience::Lasts) {
                GateState::Waits => {
                    context.waker().wake_by_ref();
                    Poll::Pending
                }
                settled => Poll::Ready(settled),
            });
            if let GateState::Shut(verdict) = gates.await {
                return verdicts.set(index, verdict);
            }
            let answer = self.ask(Op::Item(self.item(&item.work))).await;
            verdicts.set(index, if answer == Answer::Done { Verdict::Accepted } else { FAILED });
        }))
        .await;
    }

    async fn accounts_of(
        &self,
        devices: &[Device],
        _: Option<Deadline>,
    ) -> HashMap<Device, Result<Vec<BoundAccount>, Verdict>> {
        let answers = devices.iter().map(async |device| {
            let bound = self.ask(Op::Query(Desk::key_of(device))).await;
            (device.clone(), bound_to(bound, |account| self.bound_account(account)))
        });
        join_all(answers).await.into_iter().collect()
    }

    async fn devices_of(
        &self,
        accounts: &[AccountKey],
        _: Option<Deadline>,
    ) -> HashMap<AccountKey, Result<Vec<Device>, Verdict>> {
        // A check asks, too.
        if !self.is_check && self.form.is_some_and(|form| !form.asks_first) {
            return accounts.iter().map(|key| (key.clone(), Ok(Vec::new()))).collect();
        }
        let answers = accounts.iter().map(async |key| {
            let bound = self.ask(Op::Query(self.key_of_account(&key.account))).await;
            (key.clone(), bound_to(bound, device))
        });
        join_all(answers).await.into_iter().collect()
    }

    /// A hanging step is answered in the end, or its worker has died.
    async fn quiet(&self, _: &Verdicts) {
        std::future::pending().await
    }

    fn end(&self, _: AppId) {}
}
