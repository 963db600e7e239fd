//! The events of the search, and their result in version order.

use std::sync::Arc;

use tpns_account_sync::{
    apps::AppId,
    event::{Account, AccountName, AccountType, Change, Device, Event, Kind, ListedAccount, Token, Version},
};

pub(crate) const DEVICES: usize = 2;
pub(crate) const ACCOUNTS: usize = 3;
/// Index of an event in the [`Book`].
pub(crate) type EventId = u8;

/// The only app.
pub(crate) const APP: AppId = AppId(0);

/// The login an account was bound by: its event's id and one, or one of these two.
pub(crate) type By = u8;
pub(crate) const NOT_BOUND: By = 0;
/// Bound before the ledger existed.
pub(crate) const FROM_BEFORE: By = 255;

/// The accounts bound on each device.
pub(crate) type Bound = [[By; ACCOUNTS]; DEVICES];

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    LoginA,
    LoginB,
    LoginAb,
    LoginCb,
    LogoutA,
    LogoutAll,
    DeleteA,
    DeleteAb,
    /// On the second phone; all others concern the first one, or both.
    LoginAElsewhere,
}

use What::*;

/// How TPNS interprets operator_type 2 (facts.md, section 3), and which account types there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tpns {
    /// It replaces all accounts of the token. B is of another type than A.
    Replaces,
    /// It replaces the accounts of the types it names. A and B are of one type, which all logins name.
    PerType,
    /// The same; A and C are of one type, B of another, and all logins name both.
    PerTypeOfTwo,
}

impl Tpns {
    pub(crate) const ALL: [Self; 3] = [Self::Replaces, Self::PerType, Self::PerTypeOfTwo];

    pub(crate) fn account_type(self, account: usize) -> u32 {
        u32::from(account == 1 && self != Self::PerType)
    }

    pub(crate) fn account(self, account: usize) -> Account {
        let name = AccountName::new(NAMES[account]).unwrap();
        Account { account: name, account_type: AccountType(self.account_type(account)) }
    }

    /// The kinds of events to explore with this TPNS.
    pub(crate) fn kinds(self) -> &'static [What] {
        match self {
            Self::Replaces => &[LoginA, LoginB, LoginAb, LogoutA, LogoutAll, DeleteA],
            Self::PerType => &[LoginA, LoginB, LogoutA, LogoutAll, DeleteA],
            Self::PerTypeOfTwo => &[LoginAb, LoginCb, LogoutA, LogoutAll, DeleteA],
        }
    }
}

pub(crate) const NAMES: [&str; ACCOUNTS] = ["A", "B", "C"];

/// An event: its kind, its time, and its number among those of the same kind and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TimedEvent {
    pub(crate) what: What,
    pub(crate) at: u8,
    pub(crate) twin: u8,
}

/// Every event of the search, once, so that what is learnt in one scenario is reused in the others.
#[derive(Debug)]
pub(crate) struct Book {
    pub(crate) tpns: Tpns,
    events: Vec<(TimedEvent, Event)>,
}

pub(crate) fn device(index: usize) -> Device {
    Device { app: APP, token: Token::new(["phone", "phone2"][index]).unwrap() }
}

fn listed(Account { account, account_type }: Account) -> ListedAccount {
    ListedAccount { account, account_type: Some(account_type) }
}

impl Book {
    pub(crate) fn new(tpns: Tpns) -> Self {
        Self { tpns, events: Vec::new() }
    }

    pub(crate) fn id(&mut self, event: TimedEvent) -> EventId {
        let known = self.events.iter().position(|(known, _)| *known == event);
        let index = known.unwrap_or_else(|| {
            self.events.push((event, self.event_of(event)));
            self.events.len() - 1
        });
        EventId::try_from(index).unwrap()
    }

    fn event_of(&self, TimedEvent { what, at, twin }: TimedEvent) -> Event {
        let [a, b, c] = [0, 1, 2].map(|account| self.tpns.account(account));
        let (rank, change) = match what {
            LoginA => (Kind::Login, Change::Login(device(0), vec![a])),
            LoginB => (Kind::Login, Change::Login(device(0), vec![b])),
            LoginAb => (Kind::Login, Change::Login(device(0), vec![a, b])),
            LoginCb => (Kind::Login, Change::Login(device(0), vec![c, b])),
            LogoutA => (Kind::Logout, Change::Logout(device(0), vec![listed(a)])),
            LogoutAll => (Kind::Logout, Change::LogoutAll(device(0))),
            DeleteA => (Kind::Deletion, Change::Deletion(vec![APP].into(), vec![a])),
            DeleteAb => (Kind::Deletion, Change::Deletion(vec![APP].into(), vec![a, b])),
            LoginAElsewhere => (Kind::Login, Change::Login(device(1), vec![a])),
        };
        // The id decides between events of one time and rank.
        let id: Arc<str> = format!("{twin} {what:?}").into();
        Event {
            version: Version { at: at.into(), rank, tie_breaker: id.clone() },
            change,
            id,
            clock_ahead: 0,
            deliveries: 1,
        }
    }

    pub(crate) fn event(&self, id: EventId) -> &Event {
        &self.events[usize::from(id)].1
    }

    pub(crate) fn event_at(&self, version: &Version) -> EventId {
        let index = self.events.iter().position(|(_, event)| event.version == *version);
        EventId::try_from(index.expect("a version of the search")).unwrap()
    }

    pub(crate) fn name(&self, id: EventId) -> String {
        let TimedEvent { what, at, twin } = self.events[usize::from(id)].0;
        let name = match what {
            LoginA => "login A",
            LoginB => "login B",
            LoginAb => "login A+B",
            LoginCb => "login C+B",
            LogoutA => "logout A",
            LogoutAll => "logout of all",
            DeleteA => "deletion of A",
            DeleteAb => "deletion of A+B",
            LoginAElsewhere => "login A on phone 2",
        };
        format!("{name} @{at}{}", ["", "'"][usize::from(twin)])
    }

    /// Whether an event deletes this account.
    pub(crate) fn deletes(&self, id: EventId, account: u8) -> bool {
        match self.events[usize::from(id)].0.what {
            DeleteA => account == 0,
            DeleteAb => account < 2,
            _ => false,
        }
    }

    /// The accounts that must be bound after these events, applied one by one in version order: according to the
    /// contract (docs/producers.md, "Order"), without the ledger's rules.
    pub(crate) fn truth(&self, before: Bound, events: &[EventId]) -> Bound {
        let mut bound = before;
        let mut events = events.to_vec();
        events.sort_by_key(|&id| &self.event(id).version);
        for id in events {
            let by = id + 1;
            match self.events[usize::from(id)].0.what {
                LoginA => bound[0] = [by, NOT_BOUND, NOT_BOUND],
                LoginB => bound[0] = [NOT_BOUND, by, NOT_BOUND],
                LoginAb => bound[0] = [by, by, NOT_BOUND],
                LoginCb => bound[0] = [NOT_BOUND, by, by],
                LogoutA => bound[0][0] = NOT_BOUND,
                LogoutAll => bound[0] = [NOT_BOUND; ACCOUNTS],
                DeleteA => bound.iter_mut().for_each(|phone| phone[0] = NOT_BOUND),
                DeleteAb => bound.iter_mut().for_each(|phone| phone[..2].fill(NOT_BOUND)),
                LoginAElsewhere => bound[1] = [by, NOT_BOUND, NOT_BOUND],
            }
        }
        bound
    }
}
