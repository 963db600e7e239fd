//! The protocol with its check, and weaker forms of it.

use contract::check::CheckKey;
use futures_util::future::join_all;
use tpns_account_sync::{
    apply::apply,
    check::{Agreement, Asked, check as check_keys},
    config::UnknownBindings,
    event::{Change, Event},
    ingress::MessageIndex,
    ledger::{Ledger, State},
    outcome::Outcome,
};

use crate::{
    desk::Desk,
    events::{APP, device},
    steps::{Keeps, Key},
    weaker::Blind,
};

/// Which rows checks confirm, if TPNS agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Confirms {
    None,
    /// Those that have not changed for as long as a check waits.
    Old,
}

/// How an invocation sends checks, and how a check ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) name: &'static str,
    /// Whether checks are sent beside the merge, and not after the push.
    pub(crate) sends_first: bool,
    /// Whether a deletion asks who has the account before its operator_type 5.
    pub(crate) asks_first: bool,
    /// Whether a deletion has its account checked.
    pub(crate) checks_accounts: bool,
    /// Whether it does so although TPNS has accepted it before.
    pub(crate) checks_accepted: bool,
    /// Whether a check that has repaired something is deleted.
    pub(crate) ends_repaired: bool,
    /// Whether checks are delivered.
    pub(crate) delivers: bool,
    /// Whether a check is left open while an older deletion of an account of its device is young.
    pub(crate) waits_for_deletions: bool,
    /// Whether it is young again with each delivery, until TPNS has accepted it.
    pub(crate) renews_deletions: bool,
    /// Which rows checks confirm.
    pub(crate) confirms: Confirms,
    /// Which changes of a row leave a confirmation in it.
    pub(crate) keeps: Keeps,
    /// Whether logins read rows again behind the push.
    pub(crate) verifies: bool,
    /// Whether logins know of deletions.
    pub(crate) knows_deletions: bool,
}

impl Form {
    /// As the function does it.
    pub(crate) const WHOLE: Self = Self {
        name: "with a check",
        sends_first: true,
        asks_first: true,
        checks_accounts: true,
        checks_accepted: true,
        ends_repaired: false,
        delivers: true,
        waits_for_deletions: true,
        renews_deletions: true,
        confirms: Confirms::None,
        keeps: Keeps::SameAccounts,
        verifies: true,
        knows_deletions: true,
    };
}

/// A delivery of events.
pub(crate) async fn settle(form: Form, desk: &Desk<'_>, events: &[(MessageIndex, Event)]) -> Vec<Outcome> {
    let mut outcomes = vec![Outcome::UNTOUCHED; events.len()];
    let is_login = |(_, event): &(MessageIndex, Event)| matches!(event.change, Change::Login(..));
    if form.verifies || !events.iter().all(is_login) {
        apply(&Ledger::Table(desk), desk, events, 0, None, &mut outcomes).await;
    } else {
        apply(&Ledger::Table(Blind::new(desk, false)), desk, events, 0, None, &mut outcomes).await;
    }
    if !form.sends_first {
        let state = State::of(events.iter().map(|(_, event)| event));
        let devices = state.devices.keys().map(Desk::key_of);
        let accounts = state.deleted.keys().map(|key| desk.key_of_account(&key.account));
        let sent = join_all(devices.chain(accounts).map(|key| desk.send(key))).await;
        if sent.contains(&false) {
            outcomes.fill(Outcome::UNTOUCHED);
        }
    }
    outcomes
}

/// A delivery of a check. Returns whether it is deleted.
pub(crate) async fn check(form: Form, desk: &Desk<'_>, key: Key) -> bool {
    let key = match key {
        Key::Device(index) => CheckKey::from(device(index.into())),
        Key::Account(index) => CheckKey::Account { app: APP, account: desk.account_of(index) },
        Key::Row(_) | Key::Deletion(_) => unreachable!("no check"),
    };
    let asked = [Asked { key, again: false }];
    let ledger = Ledger::Table(desk);
    let findings = check_keys(&ledger, desk, &asked, UnknownBindings::Report, None).await;
    join_all(findings.confirmations.iter().map(|confirmation| ledger.confirm(confirmation))).await;
    match &findings.each[0].agreement {
        Agreement::Agrees => findings.each[0].deleted.is_none(),
        Agreement::Repaired(_) => form.ends_repaired,
        Agreement::Failed(_) => false,
        other => panic!("nothing here is rejected or written in another way: {other:?}"),
    }
}
