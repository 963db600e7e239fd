//! Who is on the stage: the events of a batch, each with the call and the item it becomes, and what they do.

use tpns_sim::model::{Account, OverrideMode, Settings, Tpns};

use crate::{
    secrets::{account, token},
    what::What,
};

/// One event of a batch.
#[derive(Clone, Debug)]
pub(crate) struct Happening {
    /// The message id; also the event's own id.
    pub(crate) id: String,
    pub(crate) app: &'static str,
    pub(crate) what: What,
    /// The call it travels in, in the order of calls, and its place there; none for bystanders.
    pub(crate) place: Option<(usize, usize)>,
}

impl Happening {
    pub(crate) fn operator_type(&self) -> u8 {
        self.what.operation().operator_type()
    }
}

/// The events of a row, and what was bound before them.
#[derive(Clone, Debug)]
pub(crate) struct Scene {
    pub(crate) before: Vec<Happening>,
    pub(crate) events: Vec<Happening>,
}

/// A message that can never be applied, whatever TPNS does: a bad neighbour in every batch of a queue.
pub(crate) const STRAY: &str = "stray";

/// Calls of `operator_type` 5, 2, 3 and 4, in this order, with three items each. Beside them the other app, whose
/// events no trouble of the first app may touch.
pub(crate) fn mixed() -> Scene {
    let mut scene = Scene { before: Vec::new(), events: Vec::new() };
    for n in 0..3 {
        let name = |what: &str| format!("{what}{n}");
        let one = |what: &str, account_type| Account::new(account(&name(what)), account_type);
        let login = |what: &str, accounts| What::Login(token(&name(what)), accounts);
        scene.was_bound("android", login("holder", vec![one("gone", 0)]));
        scene.was_bound("android", login("in", vec![one("former", 0)]));
        scene.was_bound("android", login("part", vec![one("left", 0), one("stays", 1)]));
        scene.was_bound("android", login("out", vec![one("whoever", 0)]));
    }
    for (call, item) in (0..4).flat_map(|call| (0..3).map(move |item| (call, item))) {
        let name = |what: &str| format!("{what}{item}");
        let one = |what: &str| vec![Account::new(account(&name(what)), 0)];
        let what = match call {
            0 => What::Deletion(one("gone")),
            1 => What::Login(token(&name("in")), one("new")),
            2 => What::Logout(token(&name("part")), one("left")),
            _ => What::LogoutAll(token(&name("out"))),
        };
        scene.happens("android", what, Some((call, item)));
    }
    scene.bystanders();
    scene
}

/// Three calls of `operator_type` 2, as full as TPNS allows.
pub(crate) fn wide() -> Scene {
    let mut scene = Scene { before: Vec::new(), events: Vec::new() };
    for n in 0..60 {
        let what = What::Login(token(&format!("w{n}")), vec![Account::new(account(&format!("new{n}")), 0)]);
        scene.happens("android", what, Some((n / 20, n % 20)));
    }
    scene.bystanders();
    scene
}

impl Scene {
    fn was_bound(&mut self, app: &'static str, what: What) {
        self.before.push(Happening { id: format!("b{}", self.before.len()), app, what, place: None });
    }

    fn happens(&mut self, app: &'static str, what: What, place: Option<(usize, usize)>) {
        self.events.push(Happening { id: format!("m{}", self.events.len()), app, what, place });
    }

    fn bystanders(&mut self) {
        let one = |name: &str| vec![Account::new(account(name), 0)];
        self.was_bound("ios", What::Login(token("ios-out"), one("whoever")));
        self.happens("ios", What::Login(token("ios-in"), one("new")), None);
        self.happens("ios", What::LogoutAll(token("ios-out")), None);
    }

    /// The same scene with one event only: what fits an EventBridge event as the invocation.
    pub(crate) fn solo(mut self, call: usize) -> Self {
        self.events.retain(|event| event.place == Some((call, 1)));
        self
    }

    /// TPNS as it must be after `before` and these events.
    pub(crate) fn bound_after<'a>(&'a self, events: impl IntoIterator<Item = &'a Happening>) -> Tpns {
        let settings = Settings { override_mode: OverrideMode::PerType, ..Settings::default() };
        let mut tpns = Tpns::new(["android", "ios"], settings);
        for event in self.before.iter().chain(events) {
            assert!(tpns.batch_operate(event.app, &event.what.operation()).took_effect(), "{event:?}");
        }
        tpns
    }

    /// The same, with the devices of these events signed out in the end.
    pub(crate) fn emptied_after<'a>(
        &'a self,
        events: impl IntoIterator<Item = &'a Happening>,
        emptied: impl IntoIterator<Item = &'a Happening>,
    ) -> Tpns {
        let mut tpns = self.bound_after(events);
        for event in emptied {
            let Some(token) = event.what.token() else { continue };
            assert!(tpns.batch_operate(event.app, &What::LogoutAll(token.to_owned()).operation()).took_effect());
        }
        tpns
    }
}
