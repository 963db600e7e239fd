//! Merges and settles a batch's events under the apps document in force, also if the document changes meanwhile.

use std::{sync::Arc, time::SystemTime};

use futures_util::future::join;

use crate::{
    AccountSync,
    apply::{self, Ends},
    event::Event,
    ingress::{Batch, MessageIndex},
    ledger::Ledger,
    millis_since_epoch,
    outcome::{Failure, Outcome, Reason},
    table::OpenTable,
    tpns::{Apps, Deadline, Needs, NotRead, Tpns},
};

/// A deletion for all apps, while the apps document can't be read again: an app may have been added since.
const APPS_DOCUMENT_UNREAD: Failure = Failure::new(
    Reason::AppsDocumentUnread,
    "the apps document could not be read again, and may name more apps by now",
);

/// The times of an invocation.
#[derive(Clone, Copy)]
pub(crate) struct Times {
    /// When it began.
    pub(crate) now: SystemTime,
    pub(crate) ends: Ends,
}

/// A batch, opened under an apps document.
pub(crate) struct Opened<'m> {
    /// The messages whose turn it is.
    pub(crate) messages: &'m [MessageIndex],
    /// The events that could be read, with their messages' indices. They name apps by their places in the document.
    pub(crate) events: Vec<(MessageIndex, Event)>,
    /// The document's apps.
    pub(crate) apps: Arc<Apps>,
}

/// Events of which the first have been merged into the ledger.
pub(crate) struct Merged<'a> {
    ledger: Ledger<OpenTable<'a>>,
    pub(crate) merged: apply::Merged,
    /// Whether every app is known.
    apps: Result<(), NotRead>,
}

impl AccountSync {
    /// Merges the events. If it is due, the apps document is read again meanwhile, and if it then names other apps or
    /// has other ledger keys, the batch is opened and merged once more.
    pub(crate) async fn merge(
        &self,
        batch: &Batch<'_>,
        times: Times,
        opened: &mut Opened<'_>,
        outcomes: &mut [Outcome],
    ) -> Merged<'_> {
        let ledger = self.ledger(&opened.apps, times);
        let merge = apply::merge(&ledger, &opened.events, Some(times.ends));
        if !self.apps.is_due(|| needs(opened, outcomes)) {
            let merged = merge.await;
            return Merged { ledger, merged, apps: Ok(()) };
        }
        // Not for long: the events do not depend on it.
        let limit = self.calls.timeout.min(Deadline(times.ends.calls).remaining() / 4);
        let (merged, read) = join(merge, self.apps.read_again(limit)).await;
        match read {
            Err(not_read) => Merged { ledger, merged, apps: Err(not_read) },
            Ok(apps) => {
                let old = std::mem::replace(&mut opened.apps, apps);
                if old.names_the_same(&opened.apps) && old.ledger_keys == opened.apps.ledger_keys {
                    return Merged { ledger, merged, apps: Ok(()) };
                }
                opened.messages.iter().for_each(|index| outcomes[index.0] = Outcome::UNTOUCHED);
                opened.events = self.read(batch, opened.messages, &opened.apps, times.now, outcomes);
                let ledger = self.ledger(&opened.apps, times);
                let merged = apply::merge(&ledger, &opened.events, Some(times.ends)).await;
                Merged { ledger, merged, apps: Ok(()) }
            }
        }
    }

    /// Settles the events that have been merged.
    pub(crate) async fn settle(
        &self,
        merged: Merged<'_>,
        tpns: &Tpns<'_>,
        times: Times,
        events: &[(MessageIndex, Event)],
        outcomes: &mut [Outcome],
    ) {
        let Merged { ledger, merged, apps } = merged;
        apply::settle(&ledger, tpns, events, merged, millis_since_epoch(times.now), outcomes).await;
        if let Some(apps) = tpns.moved() {
            self.follow(Arc::new(apps), tpns, times, events, outcomes).await;
        }
        if let Err(NotRead) = apps {
            // Done for the known apps. A sandbox that knows more of them does the rest with the next delivery.
            for (index, event) in events {
                if event.reaches_every_app() && outcomes[index.0].is_acknowledged() {
                    outcomes[index.0] = Outcome::Retry(APPS_DOCUMENT_UNREAD);
                }
            }
        }
    }

    /// TPNS has refused apps that have another access point or AccessID by now. There they have other rows, so the
    /// refused events are merged again.
    async fn follow(
        &self,
        apps: Arc<Apps>,
        tpns: &Tpns<'_>,
        times: Times,
        events: &[(MessageIndex, Event)],
        outcomes: &mut [Outcome],
    ) {
        let is_refused = |index: MessageIndex| matches!(outcomes[index.0], Outcome::Misconfigured(_));
        let refused: Vec<_> = events.iter().filter(|(index, _)| is_refused(*index)).cloned().collect();
        let ledger = self.ledger(&apps, times);
        let merged = apply::merge(&ledger, &refused, Some(times.ends)).await;
        let there = tpns.at(apps.clone(), &merged.calls(apps.list.len()));
        apply::settle(&ledger, &there, &refused, merged, millis_since_epoch(times.now), outcomes).await;
        tpns.add_calls(there);
    }

    pub(crate) fn ledger(&self, apps: &Arc<Apps>, times: Times) -> Ledger<OpenTable<'_>> {
        match &self.table {
            Some(table) => Ledger::Table(table.open(self.check_queue.as_ref(), apps, times.now, times.ends.table)),
            None => Ledger::Invocation,
        }
    }
}

/// What these events need of the apps document.
fn needs(opened: &Opened<'_>, outcomes: &[Outcome]) -> Needs {
    // Another apps document might make an event of it.
    let is_of_the_apps = |outcome: &Outcome| match outcome {
        Outcome::Rejected(failure) => matches!(failure.reason, Reason::UnknownApp | Reason::MissingApp),
        _ => false,
    };
    Needs {
        every_app: opened.events.iter().any(|(_, event)| event.reaches_every_app()),
        other_apps: opened.messages.iter().any(|index| is_of_the_apps(&outcomes[index.0])),
    }
}
