//! Explores every order of everything that can happen: each state of the world once, and the number of paths through
//! it.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    hash::BuildHasherDefault,
};

use crate::{
    events::{Bound, NOT_BOUND},
    hash::Mixer,
    learn::Learner,
    moves::{Move, World},
    world::State,
};

/// A wrong result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Finding {
    /// In an end state a device is bound to an account that is signed out in version order.
    Shown,
    /// In an end state a device is not bound to an account that is signed in in version order.
    Missing,
    /// The same, by the one named exception (docs/guarantees.md): the binding existed, made by the right login, and the
    /// operator_type 5 of an older deletion removed it.
    Wiped,
    /// An event is reported although nothing failed.
    Stuck,
}

/// A finding, and whether it is the open case: a message was deleted by one worker, while another worker had pushed and
/// did not verify.
pub(crate) type Kind = (Finding, bool);

/// The results of a search.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) scenarios: u64,
    pub(crate) states: u64,
    pub(crate) steps: u64,
    /// Paths from a start to an end: more than fit into an integer.
    pub(crate) orders: f64,
    /// Different end states.
    pub(crate) ends: u64,
    /// End states that differ in more than the logins by which accounts are or may be bound, and those of them with a
    /// finding: the numbers of a model that does not follow logins.
    pub(crate) results: u64,
    pub(crate) wrong_results: u64,
    /// Runs of the code.
    pub(crate) runs: u64,
    /// End states with this finding.
    pub(crate) found: BTreeMap<Kind, u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: &Self) {
        self.scenarios += other.scenarios;
        self.states += other.states;
        self.steps += other.steps;
        self.orders += other.orders;
        self.ends += other.ends;
        self.results += other.results;
        self.wrong_results += other.wrong_results;
        self.runs += other.runs;
        for (kind, count) in &other.found {
            *self.found.entry(*kind).or_default() += count;
        }
    }

    pub(crate) fn count(&self, is: impl Fn(Kind) -> bool) -> u64 {
        self.found.iter().filter(|(kind, _)| is(**kind)).map(|(_, count)| count).sum()
    }
}

type Seen<T> = HashMap<State, T, BuildHasherDefault<Mixer>>;

/// Explores all states.
pub(crate) fn explore(world: &World<'_>, learner: &mut Learner) -> Tally {
    let truth = world.scenario.truth(&learner.book);
    let start = world.start(learner);
    let mut walk =
        Walk { world, learner, truth, seen: Seen::default(), results: Seen::default(), tally: Tally::default() };
    walk.tally.orders = walk.visit(start);
    walk.tally.scenarios = 1;
    walk.tally.states = walk.seen.len() as u64;
    walk.tally.results = walk.results.len() as u64;
    walk.tally.wrong_results = walk.results.values().filter(|&&wrong| wrong).count() as u64;
    walk.tally
}

struct Walk<'a> {
    world: &'a World<'a>,
    learner: &'a mut Learner,
    truth: Bound,
    /// The states visited, and the number of paths from there to an end.
    seen: Seen<f64>,
    /// The end states without their logins, and whether something is wrong.
    results: Seen<bool>,
    tally: Tally,
}

impl Walk<'_> {
    /// The number of paths from here to an end. There are no cycles, so this terminates: every step advances an
    /// invocation towards its end, where it acknowledges its messages, or uses up a failure.
    fn visit(&mut self, state: State) -> f64 {
        if let Some(&paths) = self.seen.get(&state) {
            return paths;
        }
        let mut paths = 0.0;
        if state.is_end() {
            paths += 1.0;
            self.tally.ends += 1;
            let found = judge(&state, &self.truth);
            self.results.insert(state.without_logins(self.learner.values.get_mut()), !found.is_empty());
            for kind in found {
                *self.tally.found.entry(kind).or_default() += 1;
            }
        }
        let moves = self.world.moves(&state, self.learner);
        assert!(!moves.is_empty() || state.is_end(), "nothing can happen any more, but it is not an end state");
        self.tally.steps += moves.len() as u64;
        for to in moves {
            match self.world.after(&state, to, self.learner) {
                Ok(next) => paths += self.visit(next.sorted()),
                Err(_) => *self.tally.found.entry((Finding::Stuck, false)).or_default() += 1,
            }
        }
        self.seen.insert(state, paths);
        paths
    }
}

/// What is wrong in this end state, each kind once.
fn judge(state: &State, truth: &Bound) -> Vec<Kind> {
    let open_case = state.mail.iter().any(|mail| mail.abandoned);
    let mut found = Vec::new();
    for ((bound, wiped), wanted) in state.bound.iter().zip(&state.wiped).zip(truth) {
        for ((&bound, &wiped), &wanted) in bound.iter().zip(wiped).zip(wanted) {
            let finding = match (bound != NOT_BOUND, wanted != NOT_BOUND) {
                (true, false) => Finding::Shown,
                (false, true) if wiped == wanted => Finding::Wiped,
                (false, true) => Finding::Missing,
                _ => continue,
            };
            if !found.contains(&(finding, open_case)) {
                found.push((finding, open_case));
            }
        }
    }
    found
}

/// A path through the world: each state with the next move, and the end state.
pub(crate) type Path = (Vec<(State, Move)>, Option<State>);

/// The shortest path to such a finding, if there is one of less than `below` steps.
pub(crate) fn shortest(
    world: &World<'_>,
    learner: &mut Learner,
    is: impl Fn(Kind) -> bool,
    below: usize,
) -> Option<Path> {
    let truth = world.scenario.truth(&learner.book);
    let start = world.start(learner);
    let mut before: Seen<Option<(State, Move)>> = Seen::from_iter([(start, None)]);
    let mut open = VecDeque::from([(start, 0)]);
    while let Some((state, steps)) = open.pop_front() {
        let is_found = state.is_end() && judge(&state, &truth).into_iter().any(&is);
        if is_found || steps + 1 >= below {
            if is_found {
                return Some((path_to(&before, &state), Some(state)));
            }
            continue;
        }
        for to in world.moves(&state, learner) {
            match world.after(&state, to, learner) {
                Ok(next) => {
                    before.entry(next).or_insert_with(|| {
                        open.push_back((next, steps + 1));
                        Some((state, to))
                    });
                }
                Err(_) if is((Finding::Stuck, false)) => {
                    let mut path = path_to(&before, &state);
                    path.push((state, to));
                    return Some((path, None));
                }
                Err(_) => {}
            }
        }
    }
    None
}

fn path_to(before: &Seen<Option<(State, Move)>>, end: &State) -> Vec<(State, Move)> {
    let mut path: Vec<_> = std::iter::successors(before[end], |(state, _)| before[state]).collect();
    path.reverse();
    path
}
