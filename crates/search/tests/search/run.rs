//! A search: a protocol, sets of events and what may happen to them, run on every core.

use std::{num::NonZero, thread, time::Instant};

use crate::{
    events::{Book, Tpns},
    explore::{Kind, Tally, explore, shortest},
    learn::Learner,
    moves::{Rules, World},
    print::{line, table},
    sets::Set,
    weaker::Protocol,
    whole,
};

/// Searches of a protocol. What one search learns about it is reused by the next.
pub(crate) struct Searches {
    protocol: Protocol,
    /// Whether orders that can't make a difference are explored all the same.
    in_full: bool,
    /// A learner for each TPNS, for each core.
    learners: Vec<Vec<Learner>>,
}

impl Searches {
    pub(crate) fn of(protocol: Protocol) -> Self {
        let learner = |tpns| Learner::new(protocol, Book::new(tpns));
        let cores = thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            protocol,
            in_full: false,
            learners: (0..cores).map(|_| Tpns::ALL.into_iter().map(learner).collect()).collect(),
        }
    }

    pub(crate) fn in_full(protocol: Protocol) -> Self {
        Self { in_full: true, ..Self::of(protocol) }
    }

    /// Explores all states, and prints the results.
    pub(crate) fn run(&mut self, sets: &[Set], rules: Rules) -> Tally {
        let begun = Instant::now();
        let (in_full, cores) = (self.in_full, self.learners.len());
        let mut tally = Tally::default();
        thread::scope(|scope| {
            let parts = self.learners.iter_mut().enumerate();
            let parts: Vec<_> = parts
                .map(|(part, learners)| scope.spawn(move || some(learners, sets, rules, in_full, part, cores)))
                .collect();
            for part in parts {
                tally.add(&part.join().unwrap());
            }
        });
        line(self.protocol.name(), &what(sets, rules, in_full), &tally, begun.elapsed().as_secs_f64());
        tally
    }

    /// Explores the scenarios of a set, for the TPNS that has some, and returns what is found in each by its name.
    pub(crate) fn each(&mut self, set: Set, rules: Rules) -> Vec<(String, Tally)> {
        let mut found = Vec::new();
        for learner in &mut self.learners[0] {
            for scenario in set.scenarios(&mut learner.book) {
                let world = World { scenario: &scenario, rules, in_full: self.in_full };
                found.push((scenario.name(&learner.book), explore(&world, learner)));
            }
        }
        found
    }

    /// The shortest path to such a finding, as a table. In the short form, a read of a row that never changes is done
    /// first, needed or not.
    pub(crate) fn example(
        &mut self,
        title: &str,
        sets: &[Set],
        rules: Rules,
        is: impl Fn(Kind) -> bool,
    ) -> Option<String> {
        let mut best = usize::MAX;
        let mut example = None;
        for learner in &mut self.learners[0] {
            for scenario in sets.iter().flat_map(|set| set.scenarios(&mut learner.book)).collect::<Vec<_>>() {
                let world = World { scenario: &scenario, rules, in_full: whole() };
                if let Some(path) = shortest(&world, learner, &is, best) {
                    best = path.0.len();
                    example = Some(table(title, &world, learner, &path));
                }
            }
        }
        example
    }
}

/// One core's part of the scenarios.
fn some(learners: &mut [Learner], sets: &[Set], rules: Rules, in_full: bool, part: usize, parts: usize) -> Tally {
    let mut tally = Tally::default();
    for learner in learners {
        let before = learner.runs;
        let scenarios: Vec<_> = sets.iter().flat_map(|set| set.scenarios(&mut learner.book)).collect();
        for scenario in scenarios.iter().skip(part).step_by(parts) {
            tally.add(&explore(&World { scenario, rules, in_full }, learner));
        }
        tally.runs += learner.runs - before;
    }
    tally
}

/// The sets, what may go wrong and how often, and workers x messages per invocation.
fn what(sets: &[Set], rules: Rules, in_full: bool) -> String {
    let luck = rules.luck;
    let limits = [
        (luck.crashes, "crashes"),
        (luck.failures, "failures"),
        (luck.late, "late"),
        (luck.twice, "twice"),
        (luck.lost, "lost"),
        (luck.unsent, "unsent"),
        (luck.doubled, "doubled"),
        (luck.dead, "dead"),
    ];
    let limits: Vec<_> =
        limits.iter().filter(|(most, _)| *most > 0).map(|(most, what)| format!("{what} {most}")).collect();
    let limits = if limits.is_empty() { "no failures".to_owned() } else { limits.join(", ") };
    let sets: Vec<_> = sets.iter().map(|set| format!("{set:?}")).collect();
    let all = if in_full { ", every order" } else { "" };
    let [landing, wait] = [rules.landing.name(), rules.wait.name()];
    format!("{}: {limits}{landing}{wait}; {} x {}{all}", sets.join("+"), rules.workers, rules.batch)
}
