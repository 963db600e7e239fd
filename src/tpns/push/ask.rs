//! Carrying out queries: side by side, with retries, and with halving of what TPNS refuses as a whole.

mod refusals;

use std::{
    cell::RefCell,
    collections::{HashMap, HashSet},
};

use futures_util::{StreamExt, future::join_all, stream};
use indexmap::{IndexMap, IndexSet};

use super::{
    Deadline, NOT_SENT, Tpns,
    call::{longest_asked, pause},
    exchange::Request,
};
use crate::{
    apps::AppId,
    event::Device,
    ledger::AccountKey,
    outcome::Failure,
    plan::Verdict,
    tpns::{
        BoundAccount, ITEMS_PER_CALL, Judgement,
        codes::is_a_status_of_the_app,
        query::{Finding, Key, UNANSWERED},
    },
};
use refusals::Refusals;

type Answers<K> = HashMap<K, Result<Vec<<K as Key>::Bound>, Verdict>>;

/// The queries of one app.
struct AppQueries<'a, K: Key> {
    app: AppId,
    deadline: Deadline,
    answers: &'a RefCell<Answers<K>>,
    refusals: Refusals<K>,
    /// What has been asked for once more, alone, since TPNS did not answer it.
    repeated: RefCell<HashSet<K>>,
}

/// How a query is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Side by side with others: not if TPNS seems to refuse all of them.
    WithOthers,
    /// By itself, to learn what TPNS refuses.
    ByItself,
}

impl Tpns<'_> {
    /// The accounts that TPNS has bound to each device. Every device asked for is in the answer, with its accounts as
    /// TPNS lists them, or with why TPNS did not answer. Twenty devices a call.
    pub async fn accounts_of(
        &self,
        devices: &[Device],
        deadline: Deadline,
    ) -> HashMap<Device, Result<Vec<BoundAccount>, Verdict>> {
        self.ask(devices, deadline).await
    }

    /// The devices that TPNS has bound to each account. Every account asked for is in the answer, with its devices, or
    /// with why TPNS did not answer. Twenty accounts a call.
    pub async fn devices_of(
        &self,
        accounts: &[AccountKey],
        deadline: Deadline,
    ) -> HashMap<AccountKey, Result<Vec<Device>, Verdict>> {
        self.ask(accounts, deadline).await
    }

    async fn ask<K: Key>(&self, keys: &[K], deadline: Deadline) -> Answers<K> {
        let mut by_app: IndexMap<AppId, IndexSet<K>> = IndexMap::new();
        for key in keys {
            by_app.entry(key.app()).or_default().insert(key.clone());
        }
        let answers = RefCell::default();
        join_all(by_app.into_iter().map(async |(app, keys)| {
            let (refusals, repeated) = (Refusals::default(), RefCell::default());
            let queries = AppQueries { app, deadline, answers: &answers, refusals, repeated };
            self.ask_app(&queries, keys.into_iter().collect()).await;
        }))
        .await;
        let mut answers = answers.into_inner();
        for key in keys.iter().filter(|key| !answers.contains_key(key)).collect::<Vec<_>>() {
            answers.insert(key.clone(), Err(NOT_SENT));
        }
        answers
    }

    /// Asks until each key has an answer. While TPNS seems to refuse every query, one is halved after the other.
    async fn ask_app<K: Key>(&self, queries: &AppQueries<'_, K>, keys: Vec<K>) {
        let mut open: Vec<Vec<K>> = keys.chunks(ITEMS_PER_CALL).map(<[K]>::to_vec).collect();
        while !open.is_empty() {
            if let Some(verdict) = queries.refusals.of_everything() {
                queries.set_all(open.into_iter().flatten(), &verdict);
                break;
            }
            if queries.refusals.are_unclear() {
                let last = open.pop().unwrap_or_default();
                open.extend(self.ask_call(queries, last, Turn::ByItself).await);
            } else {
                let calls = open.into_iter().map(|keys| self.ask_call(queries, keys, Turn::WithOthers));
                let more = stream::iter(calls).buffer_unordered(self.settings.concurrency);
                open = more.collect::<Vec<_>>().await.into_iter().flatten().collect();
            }
        }
        for (key, verdict) in queries.refusals.verdicts() {
            queries.set(key, Err(verdict));
        }
    }

    /// One query, until each of its keys has an answer or is refused. Returns what is still to be asked.
    async fn ask_call<K: Key>(&self, queries: &AppQueries<'_, K>, keys: Vec<K>, turn: Turn) -> Vec<Vec<K>> {
        if turn == Turn::WithOthers && queries.refusals.are_unclear() {
            return vec![keys];
        }
        let (mut keys, mut alone) = (keys, Vec::new());
        let mut attempt = 1;
        loop {
            let judgement = match self.query(queries, &keys).await {
                Ok(judgement) => judgement,
                Err(verdict) => {
                    queries.set_all(keys, &verdict);
                    break;
                }
            };
            let again: Vec<(K, Verdict)> = match judgement {
                Judgement::Whole(verdict) => match refusal(&verdict) {
                    Some(failure) => {
                        alone.extend(queries.refusals.refused(keys, failure));
                        break;
                    }
                    None if verdict.is_retry() => keys.into_iter().map(|key| (key, verdict.clone())).collect(),
                    None => {
                        queries.set_all(keys, &verdict);
                        break;
                    }
                },
                Judgement::Each(findings) => {
                    queries.refusals.answered();
                    let mut again = Vec::new();
                    for (key, finding) in keys.into_iter().zip(findings) {
                        match finding {
                            Finding::Bound(bound) => queries.set(key, Ok(bound)),
                            Finding::Unanswered => alone.extend(queries.unanswered(key)),
                            Finding::Failed(verdict) if verdict.is_retry() => again.push((key, verdict)),
                            Finding::Failed(verdict) => queries.set(key, Err(verdict)),
                        }
                    }
                    again
                }
            };
            if again.is_empty() {
                break;
            }
            let asked = longest_asked(again.iter().map(|(_, verdict)| verdict));
            if attempt >= self.settings.max_attempts || !pause(attempt, asked, queries.deadline).await {
                again.into_iter().for_each(|(key, verdict)| queries.set(key, Err(verdict)));
                break;
            }
            keys = again.into_iter().map(|(key, _)| key).collect();
            attempt += 1;
        }
        alone
    }

    async fn query<K: Key>(
        &self,
        queries: &AppQueries<'_, K>,
        keys: &[K],
    ) -> Result<Judgement<Finding<K::Bound>>, Verdict> {
        let request = Request {
            app: queries.app,
            operation: K::BY.into(),
            items: keys.len(),
            body: &|| K::body(keys),
            judge: &|answer| K::judge(answer, keys),
            deadline: queries.deadline,
        };
        self.carry_out(&request).await
    }
}

impl<K: Key> AppQueries<'_, K> {
    fn set(&self, key: K, answer: Result<Vec<K::Bound>, Verdict>) {
        self.answers.borrow_mut().insert(key, answer);
    }

    fn set_all(&self, keys: impl IntoIterator<Item = K>, verdict: &Verdict) {
        keys.into_iter().for_each(|key| self.set(key, Err(verdict.clone())));
    }

    /// TPNS did not answer for this key. It is asked for alone, once.
    fn unanswered(&self, key: K) -> Option<Vec<K>> {
        if self.repeated.borrow_mut().insert(key.clone()) {
            return Some(vec![key]);
        }
        self.set(key, Err(Verdict::Retry(UNANSWERED.clone(), None)));
        None
    }
}

/// Why the query is to be halved, if it is. A status that blames the app may be a gateway's, because of one of the
/// keys.
fn refusal(verdict: &Verdict) -> Option<Failure> {
    match verdict {
        Verdict::Rejected(failure) => Some(failure.clone()),
        Verdict::Misconfigured(failure) if is_a_status_of_the_app(failure) => Some(failure.clone()),
        Verdict::Accepted | Verdict::Retry(..) | Verdict::Misconfigured(_) => None,
    }
}

#[cfg(test)]
mod tests;
