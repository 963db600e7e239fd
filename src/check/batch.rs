//! A batch of the check queue: from its messages to their outcomes.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use contract::check::{self, CheckKey};
use futures_util::future::join_all;

use super::run::{Agreement, Asked, Finding, Findings, check};
use crate::{
    AccountSync,
    event::Millis,
    in_force::Times,
    ingress::{Batch, Message, MessageIndex},
    ledger::{Ledger, Rows},
    millis, millis_since_epoch,
    outcome::{Failure, Outcome, Reason},
    tpns::{Apps, CallMade, Deadline, ITEMS_PER_CALL, Needs, Tpns},
};

/// Producers of checks and SQS have clocks of their own.
const CLOCKS: Duration = Duration::from_secs(5);

const YOUNG: Outcome = Outcome::Retry(Failure::new(
    Reason::CheckYoung,
    "CHECK_AFTER: the check was delivered earlier; set the queue's delay and visibility timeout to at least as long",
));
const DELETED: Outcome = Outcome::Retry(Failure::new(
    Reason::CheckYoung,
    "an older deletion of an account was delivered within CHECK_AFTER; the check is repeated when TPNS has applied it",
));
const DIFFERS: Outcome = Outcome::Retry(Failure::new(
    Reason::CheckDiffers,
    "TPNS did not have what the ledger wants; the check is repeated until it has",
));

/// A batch of checks that was handled.
#[derive(Debug)]
pub(crate) struct Checked {
    /// What was checked, with its messages' indices.
    pub(crate) keys: Vec<(MessageIndex, CheckKey)>,
    /// What was found, for each of them.
    pub(crate) findings: Findings,
    /// The calls to TPNS.
    pub(crate) calls: Vec<CallMade>,
    /// The apps that the keys name by their places.
    pub(crate) apps: Arc<Apps>,
}

impl Checked {
    /// Nothing was checked.
    pub(crate) fn nothing(apps: Arc<Apps>) -> Self {
        Self { keys: Vec::new(), findings: Findings::default(), calls: Vec::new(), apps }
    }
}

impl AccountSync {
    /// Checks what the messages of a batch name, and writes their outcomes.
    pub(crate) async fn check(&self, batch: &Batch<'_>, times: Times, outcomes: &mut [Outcome]) -> Checked {
        let mut apps = self.apps.current();
        let mut keys = read_all(batch, &apps, outcomes);
        let names_others =
            |outcome: &Outcome| matches!(outcome, Outcome::Rejected(failure) if failure.reason == Reason::UnknownApp);
        let needs = || Needs { every_app: false, other_apps: outcomes.iter().any(names_others) };
        let limit = self.calls.timeout.min(Deadline(times.ends.calls).remaining() / 4);
        if self.apps.is_due(needs)
            && let Ok(newer) = self.apps.read_again(limit).await
        {
            apps = newer;
            outcomes.fill(Outcome::UNTOUCHED);
            keys = read_all(batch, &apps, outcomes);
        }
        let asked = |(index, key): &(MessageIndex, CheckKey)| Asked {
            key: key.clone(),
            again: batch.messages[index.0].deliveries() > 1,
        };
        let asked: Vec<_> = keys.iter().map(asked).collect();
        let ledger = self.ledger(&apps, times);
        let tpns = Tpns::new(&self.client, &self.apps, apps.clone(), self.calls, &calls(&keys, apps.list.len()));
        let deadline = Some(Deadline(times.ends.calls));
        let findings = check(&ledger, &tpns, &asked, self.checks.unknown, deadline).await;
        confirm(&ledger, &findings, times.now, self.checks.after).await;
        let mut each = keys.iter().map(|(index, _)| *index).zip(&findings.each).peekable();
        while let Some(&(index, _)) = each.peek() {
            let own = std::iter::from_fn(|| each.next_if(|(of, _)| *of == index)).map(|(_, finding)| finding);
            let is_early = is_young(&batch.messages[index.0], times.now, self.checks.after);
            outcomes[index.0] = outcome(own, is_early, |changed| is_recent(changed, times.now, self.checks.after));
        }
        drop(each);
        Checked { keys, findings, calls: tpns.into_calls(), apps }
    }
}

/// About how many calls each of this number of apps needs.
fn calls(keys: &[(MessageIndex, CheckKey)], apps: usize) -> Vec<usize> {
    let mut calls = vec![0_usize; apps];
    for (_, key) in keys {
        if let Some(own) = calls.get_mut(usize::from(key.app().0)) {
            *own += 1;
        }
    }
    calls.into_iter().map(|keys| keys.div_ceil(ITEMS_PER_CALL)).collect()
}

/// The keys of all messages. What can't be read is rejected.
fn read_all(batch: &Batch<'_>, apps: &Apps, outcomes: &mut [Outcome]) -> Vec<(MessageIndex, CheckKey)> {
    let mut keys = Vec::new();
    for (index, message) in batch.messages.iter().enumerate() {
        match read(message, apps) {
            Err(failure) => outcomes[index] = Outcome::Rejected(failure),
            Ok(own) => keys.extend(own.into_iter().map(|key| (MessageIndex(index), key))),
        }
    }
    keys
}

/// The keys of a message.
fn read(message: &Message<'_>, apps: &Apps) -> Result<Vec<CheckKey>, Failure> {
    let malformed = |detail: String| Failure { detail: detail.into(), ..Failure::of(Reason::MalformedCheck) };
    let body = message.text().ok_or_else(|| malformed("the body is not text".to_owned()))?;
    let keys = check::read(&body, &apps.names).map_err(|error| malformed(error.to_string()))?;
    let unknown = |error: check::UnknownApp| {
        let detail = format!("{error}; the apps are {}", apps.names.listed());
        Failure { detail: detail.into(), ..Failure::of(Reason::UnknownApp) }
    };
    keys.into_iter().map(|key| key.map_err(unknown)).collect()
}

/// Whether a check was delivered so early that calls of its time may be under way. Such a one repairs, and is not
/// completed.
fn is_young(message: &Message<'_>, now: SystemTime, after: Duration) -> bool {
    let sent: Option<u64> = message.attributes().sent.and_then(|sent| sent.parse().ok());
    let sent = sent.map(|sent| UNIX_EPOCH + Duration::from_millis(sent));
    sent.is_some_and(|sent| now + CLOCKS < sent + after)
}

/// A message is completed when TPNS was seen to agree with all that it names, and nothing is under way that would change
/// it: neither a call of the check's own time nor the operator_type 5 of an older deletion.
fn outcome<'f>(
    findings: impl Iterator<Item = &'f Finding>,
    is_early: bool,
    is_recent: impl Fn(Millis) -> bool,
) -> Outcome {
    let mut outcome = if is_early { YOUNG } else { Outcome::Applied };
    for finding in findings {
        if outcome == Outcome::Applied && finding.deleted.is_some_and(&is_recent) {
            outcome = DELETED;
        }
        match &finding.agreement {
            Agreement::Agrees | Agreement::Refused(_) => {}
            Agreement::Repaired(_) | Agreement::Left(_) => outcome = DIFFERS,
            Agreement::Failed(failed) => return failed.clone(),
        }
    }
    outcome
}

/// Whether calls may be under way that were made when this row changed.
fn is_recent(changed: Millis, now: SystemTime, after: Duration) -> bool {
    millis_since_epoch(now).saturating_sub(changed) < millis(after)
}

/// Rows record what TPNS is seen to have and to be without, if nothing is under way that says anything else of the
/// device: that is so when the row has not changed for as long as a check waits.
async fn confirm<R: Rows>(ledger: &Ledger<R>, findings: &Findings, now: SystemTime, after: Duration) {
    let settled = findings.confirmations.iter().filter(|confirmation| !is_recent(confirmation.changed, now, after));
    join_all(settled.map(|confirmation| ledger.confirm(confirmation))).await;
}
