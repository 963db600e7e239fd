//! The sets of events that are explored together.

use crate::events::{
    Book, Bound, EventId, FROM_BEFORE, TimedEvent, Tpns,
    What::{self, DeleteA, DeleteAb, LoginA, LoginAElsewhere, LoginAb, LoginB, LoginCb, LogoutAll},
};

/// The maximum number of messages in a scenario.
pub(crate) const MESSAGES: usize = 3;

/// Some events, each in its own message.
#[derive(Clone, Debug)]
pub(crate) struct Scenario {
    pub(crate) messages: Vec<EventId>,
    /// The accounts bound before the ledger existed, or by the login that is confirmed.
    pub(crate) before: Bound,
    /// A login before them, which the first phone's row has, confirmed by its check.
    pub(crate) confirmed: Option<EventId>,
}

impl Scenario {
    /// The accounts that must be bound in the end.
    pub(crate) fn truth(&self, book: &Book) -> Bound {
        let events: Vec<_> = self.confirmed.iter().chain(&self.messages).copied().collect();
        book.truth(self.before, &events)
    }

    pub(crate) fn name(&self, book: &Book) -> String {
        let names: Vec<_> = self.messages.iter().map(|&id| book.name(id)).collect();
        let before = match self.confirmed {
            Some(login) => format!(" (after {}, confirmed)", book.name(login)),
            None if self.before == Bound::default() => String::new(),
            None => " (on a phone that was bound before)".to_owned(),
        };
        format!("{}{before}", names.join(", "))
    }
}

/// Sets of scenarios.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Set {
    /// All pairs of events: one after the other, at the same time, the same one twice.
    Pairs,
    /// The same, on a phone whose accounts were bound before the ledger existed.
    PairsAfter,
    /// A deletion of two accounts and every other event: before it, after it, at the same time.
    TwoDeleted,
    /// All triples of events, one after the other. Only the order of versions matters, so equal times would add
    /// nothing.
    Triples,
    /// Every event in two messages, and another one, before or after it.
    Doubled,
    /// A deletion, a login on the second phone, and every other event, in every order.
    TwoPhones,
    /// All pairs of events with one account on a device at most, one after the other, on a phone without an account and
    /// on one that had A before the ledger existed.
    OneAccount,
    /// Five of them, in which everything that can go wrong does.
    FivePairs,
    /// On a phone with a confirmed login: that login again, and every other event, before the confirmed one, between
    /// the two and after both, and at the same time as the later one; and that login in two messages.
    Repeats,
    /// The same with a third event: that login again after two other events, and twice with another one between.
    RepeatsOfThree,
    /// That login again, and a deletion of one of its accounts.
    RepeatsDeleted,
    /// That login again, where TPNS has lost its binding.
    Drifted,
}

fn at(what: What, at: u8) -> TimedEvent {
    TimedEvent { what, at, twin: 0 }
}

fn both<T: Copy>(left: &[T], right: &[T]) -> Vec<(T, T)> {
    left.iter().flat_map(|&left| right.iter().map(move |&right| (left, right))).collect()
}

fn in_order(what: [What; 3], times: [u8; 3]) -> Vec<TimedEvent> {
    what.into_iter().zip(times).map(|(what, time)| at(what, time)).collect()
}

/// One after the other, and at the same time.
fn pairs((first, second): (What, What)) -> [Vec<TimedEvent>; 2] {
    let same_time = TimedEvent { what: second, at: 1, twin: 1 };
    [vec![at(first, 1), at(second, 2)], vec![at(first, 1), same_time]]
}

/// Repeats of a confirmed login, which is that of time 2.
fn repeats(set: Set, login: What, kinds: &[What]) -> Vec<Vec<TimedEvent>> {
    let again = |time| at(login, time);
    match set {
        Set::Repeats => {
            let one = |&other: &What| {
                let same_time = TimedEvent { what: other, at: 3, twin: 1 };
                let others = [at(other, 1), at(other, 4), same_time].map(|other| vec![again(3), other]);
                others.into_iter().chain([vec![at(other, 3), again(4)]])
            };
            kinds.iter().flat_map(one).chain([vec![again(3); 2], vec![again(2), again(3)]]).collect()
        }
        Set::RepeatsOfThree => {
            let twice = kinds.iter().map(|&other| vec![again(3), at(other, 4), again(5)]);
            let two = both(kinds, kinds).into_iter().flat_map(|(one, other)| {
                [[1, 3], [3, 4]].map(|times| vec![at(one, times[0]), at(other, times[1]), again(5)])
            });
            twice.chain(two).collect()
        }
        Set::RepeatsDeleted => {
            vec![vec![at(DeleteA, 1), again(3)], vec![at(DeleteA, 3), again(4)], vec![again(3), at(DeleteA, 4)]]
        }
        _ => vec![vec![again(3)]],
    }
}

impl Set {
    /// On a phone with each confirmed login.
    fn after_confirmed(self, book: &mut Book) -> Vec<Scenario> {
        let kinds = book.tpns.kinds();
        let logins = kinds.iter().filter(|what| matches!(what, LoginA | LoginB | LoginAb | LoginCb));
        let mut scenarios = Vec::new();
        for &login in logins {
            let confirmed = book.id(at(login, 2));
            let before = match self {
                Self::Drifted => Bound::default(),
                _ => book.truth(Bound::default(), &[confirmed]),
            };
            for events in repeats(self, login, kinds) {
                let messages = events.into_iter().map(|each| book.id(each)).collect();
                scenarios.push(Scenario { messages, before, confirmed: Some(confirmed) });
            }
        }
        scenarios
    }

    pub(crate) fn scenarios(self, book: &mut Book) -> Vec<Scenario> {
        if matches!(self, Self::Repeats | Self::RepeatsOfThree | Self::RepeatsDeleted | Self::Drifted) {
            return self.after_confirmed(book);
        }
        let kinds = book.tpns.kinds();
        let all: Vec<Vec<TimedEvent>> = match self {
            Self::Pairs | Self::PairsAfter => {
                let twice = kinds.iter().map(|&what| vec![at(what, 1); 2]);
                both(kinds, kinds).into_iter().flat_map(pairs).chain(twice).collect()
            }
            Self::TwoDeleted => {
                let orders = both(&[DeleteAb], kinds).into_iter().chain(both(kinds, &[DeleteAb]));
                orders.flat_map(pairs).collect()
            }
            Self::Triples => {
                let with_third =
                    |&third: &What| both(kinds, kinds).into_iter().map(move |(first, second)| [first, second, third]);
                kinds.iter().flat_map(with_third).map(|three| in_order(three, [1, 2, 3])).collect()
            }
            Self::Doubled => {
                let all = both(kinds, kinds).into_iter();
                all.flat_map(|(twice, once)| [[1, 1, 2], [2, 2, 1]].map(|times| in_order([twice, twice, once], times)))
                    .collect()
            }
            Self::TwoPhones => {
                let orders = [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]];
                let three = kinds.iter().map(|&what| [DeleteA, LoginAElsewhere, what]);
                three.flat_map(|three| orders.map(|times| in_order(three, times))).collect()
            }
            // Two account types are two accounts, and so are two accounts of one login.
            Self::OneAccount | Self::FivePairs if book.tpns != Tpns::PerType => Vec::new(),
            Self::FivePairs => {
                let five =
                    [(LoginA, LogoutAll), (LoginA, LoginB), (LogoutAll, LoginA), (LoginA, DeleteA), (DeleteA, LoginA)];
                five.map(|(first, second)| vec![at(first, 1), at(second, 2)]).into()
            }
            Self::OneAccount => {
                let kinds = [LoginA, LoginB, LogoutAll, DeleteA];
                let pairs = both(&kinds, &kinds).into_iter();
                pairs.map(|(first, second)| vec![at(first, 1), at(second, 2)]).collect()
            }
            Self::Repeats | Self::RepeatsOfThree | Self::RepeatsDeleted | Self::Drifted => {
                unreachable!("they have a confirmed login")
            }
        };
        let nothing = Bound::default();
        let mut bound = nothing;
        bound[0][..if book.tpns == Tpns::PerType { 1 } else { 2 }].fill(FROM_BEFORE);
        let before: &[Bound] = match self {
            Self::PairsAfter => &[bound],
            Self::OneAccount => &[nothing, bound],
            _ => &[nothing],
        };
        let messages: Vec<Vec<EventId>> =
            all.into_iter().map(|events| events.into_iter().map(|each| book.id(each)).collect()).collect();
        let of = |&before: &Bound| {
            messages.iter().cloned().map(move |messages| Scenario { messages, before, confirmed: None })
        };
        before.iter().flat_map(of).collect()
    }
}
