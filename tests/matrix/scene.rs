//! The events of a batch, each with the call and the item it becomes, and their effect.

use tpns_sim::model::{Account, OverrideMode, Settings, Tpns};

use crate::{
    contract_event::Change,
    secrets::{account, token},
};

/// One event of a batch.
#[derive(Clone, Debug)]
pub(crate) struct BatchEvent {
    /// The message id; also the event's own id.
    pub(crate) id: String,
    pub(crate) app: &'static str,
    pub(crate) change: Change,
    /// The call that contains it, in the order of calls, and its position there; none for bystanders.
    pub(crate) place: Option<(usize, usize)>,
}

impl BatchEvent {
    pub(crate) fn operator_type(&self) -> u8 {
        self.change.operation().operator_type()
    }
}

/// The events of a row, and what was bound before them.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) before: Vec<BatchEvent>,
    pub(crate) events: Vec<BatchEvent>,
}

/// A message that can never be applied, whatever TPNS answers: a bad neighbour in every batch from a queue.
pub(crate) const STRAY: &str = "stray";

/// Calls of `operator_type` 5, 2, 3 and 4, in this order, with three items each. In addition events of the
/// other app, which no fault of the first app may affect.
pub(crate) fn mixed() -> Scene {
    let mut scene = Scene { before: Vec::new(), events: Vec::new() };
    for n in 0..3 {
        let name = |what: &str| format!("{what}{n}");
        let one = |what: &str, account_type| Account::new(account(&name(what)), account_type);
        let login = |what: &str, accounts| Change::Login(token(&name(what)), accounts);
        scene.add_before("android", login("holder", vec![one("gone", 0)]));
        scene.add_before("android", login("in", vec![one("former", 0)]));
        scene.add_before("android", login("part", vec![one("left", 0), one("stays", 1)]));
        scene.add_before("android", login("out", vec![one("former", 0)]));
    }
    for (call, item) in (0..4).flat_map(|call| (0..3).map(move |item| (call, item))) {
        let name = |what: &str| format!("{what}{item}");
        let one = |what: &str| vec![Account::new(account(&name(what)), 0)];
        let change = match call {
            0 => Change::Deletion(one("gone")),
            1 => Change::Login(token(&name("in")), one("new")),
            2 => Change::Logout(token(&name("part")), one("left")),
            _ => Change::LogoutAll(token(&name("out"))),
        };
        scene.add("android", change, Some((call, item)));
    }
    scene.add_bystanders();
    scene
}

/// Three calls of `operator_type` 2, as full as TPNS allows.
pub(crate) fn wide() -> Scene {
    let mut scene = Scene { before: Vec::new(), events: Vec::new() };
    for n in 0..60 {
        let change = Change::Login(token(&format!("w{n}")), vec![Account::new(account(&format!("new{n}")), 0)]);
        scene.add("android", change, Some((n / 20, n % 20)));
    }
    scene.add_bystanders();
    scene
}

impl Scene {
    fn add_before(&mut self, app: &'static str, change: Change) {
        self.before.push(BatchEvent { id: format!("b{}", self.before.len()), app, change, place: None });
    }

    fn add(&mut self, app: &'static str, change: Change, place: Option<(usize, usize)>) {
        self.events.push(BatchEvent { id: format!("m{}", self.events.len()), app, change, place });
    }

    fn add_bystanders(&mut self) {
        let one = |name: &str| vec![Account::new(account(name), 0)];
        self.add_before("ios", Change::Login(token("ios-out"), one("former")));
        self.add("ios", Change::Login(token("ios-in"), one("new")), None);
        self.add("ios", Change::LogoutAll(token("ios-out")), None);
    }

    /// The same scene with one event only, as for a single EventBridge event as the payload.
    pub(crate) fn solo(mut self, call: usize) -> Self {
        self.events.retain(|event| event.place == Some((call, 1)));
        self
    }

    /// The expected TPNS after `before` and these events.
    pub(crate) fn bound_after<'a>(&'a self, events: impl IntoIterator<Item = &'a BatchEvent>) -> Tpns {
        let settings = Settings { override_mode: OverrideMode::PerType, ..Settings::default() };
        let mut tpns = Tpns::new(["android", "ios"], settings);
        for event in self.before.iter().chain(events) {
            assert!(tpns.batch_operate(event.app, &event.change.operation()).took_effect(), "{event:?}");
        }
        tpns
    }

    /// The same, with the devices of these events signed out in the end.
    pub(crate) fn emptied_after<'a>(
        &'a self,
        events: impl IntoIterator<Item = &'a BatchEvent>,
        emptied: impl IntoIterator<Item = &'a BatchEvent>,
    ) -> Tpns {
        let mut tpns = self.bound_after(events);
        for event in emptied {
            let Some(token) = event.change.token() else { continue };
            assert!(tpns.batch_operate(event.app, &Change::LogoutAll(token.to_owned()).operation()).took_effect());
        }
        tpns
    }
}
