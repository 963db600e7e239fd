use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::{
    batch::{Batcher, Item},
    lines::Lines,
};

struct OfGroup(Line, Option<String>);

impl Item for OfGroup {
    fn size(&self) -> usize {
        1
    }
    fn group(&self) -> Option<&str> {
        self.1.as_deref()
    }
}

fn file(lines: usize) -> String {
    (0..lines).map(|number| format!("line {number}\n")).collect()
}

/// A run that is cut off once `calls` calls have been confirmed, while others are in flight; `sent` is what SQS has
/// received, whether or not it has been confirmed.
fn run(
    file: &str,
    state: &mut State,
    sent: &mut Vec<u64>,
    bad: &BTreeSet<u64>,
    fifo: bool,
    dice: &[usize],
    calls: usize,
) {
    let gate_state = state.clone();
    let mut gate = Resume::new(&gate_state);
    let mut batcher = Batcher::new();
    for line in Lines::new(file.as_bytes()) {
        for line in gate.pass(line.unwrap()).unwrap() {
            let group = fifo.then(|| (line.nth % 4).to_string());
            if !bad.contains(&line.nth) {
                batcher.push(OfGroup(line, group));
            }
        }
    }
    gate.end().unwrap();
    let (mut open, mut dice): (Vec<Vec<OfGroup>>, _) = (Vec::new(), dice.iter().cycle());
    for _ in 0..calls {
        while open.len() < 4 {
            let call = batcher.take(3);
            if call.is_empty() {
                break;
            }
            sent.extend(call.iter().map(|one| one.0.nth));
            open.push(call);
        }
        if open.is_empty() {
            return;
        }
        let call = open.remove(dice.next().unwrap() % open.len());
        for one in call {
            state.confirm(one.0.nth, one.0.digest);
            batcher.finish(&one);
        }
        // After kill -9, only the content of the file is left.
        *state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
    }
}

proptest! {
    /// Every line is sent, wherever earlier runs were cut off and whatever was in flight; only lines in flight are sent
    /// twice; and refused lines are checked again.
    #[test]
    fn interrupted_anywhere_and_run_again_every_line_is_sent_and_few_are_sent_twice(
        lines in 1_usize..60,
        fifo in any::<bool>(),
        bad in proptest::collection::btree_set(1_u64..60, 0..8),
        cuts in proptest::collection::vec(0_usize..12, 0..5),
        dice in proptest::collection::vec(0_usize..100, 1..20),
    ) {
        let (file, mut state, mut sent) = (file(lines), State::new("q"), Vec::new());
        for &cut in &cuts {
            run(&file, &mut state, &mut sent, &bad, fifo, &dice, cut);
        }
        run(&file, &mut state, &mut sent, &bad, fifo, &dice, usize::MAX);
        let wanted: BTreeSet<u64> = (1..=lines as u64).filter(|nth| !bad.contains(nth)).collect();
        prop_assert_eq!(sent.iter().copied().collect::<BTreeSet<_>>(), wanted.clone());
        prop_assert!(sent.len() <= wanted.len() + cuts.len() * 4 * 3, "{} for {}", sent.len(), wanted.len());
        prop_assert_eq!(state.count(), wanted.len() as u64);
        if fifo {
            // The first copies of a group's lines keep their order.
            for group in 0..4 {
                let mut seen = BTreeSet::new();
                let firsts: Vec<_> = sent.iter().filter(|nth| **nth % 4 == group && seen.insert(**nth)).collect();
                prop_assert!(firsts.is_sorted(), "{firsts:?}");
            }
        }
    }

    #[test]
    fn another_file_is_noticed_before_anything_of_it_is_sent(
        lines in 1_usize..30, shorter in any::<bool>(), at in any::<prop::sample::Index>(),
    ) {
        let (first, mut state, mut sent) = (file(lines), State::new("q"), Vec::new());
        run(&first, &mut state, &mut sent, &BTreeSet::from([1]), false, &[0], usize::MAX);
        prop_assume!(state.count() > 0);
        let second = if shorter { file(lines - 1) } else { first.replacen('l', "L", at.index(lines) + 1) };
        let mut gate = Resume::new(&state);
        let passed = Lines::new(second.as_bytes()).try_fold(Vec::new(), |mut all, line| {
            all.extend(gate.pass(line.unwrap())?);
            Ok::<_, Changed>(all)
        });
        prop_assert!(passed.is_err() || gate.end().is_err());
        prop_assert_eq!(passed.map(|passed| passed.len()).unwrap_or(0), 0);
    }
}

#[test]
fn appended_lines_are_sent_by_the_next_run() {
    let (mut state, mut sent) = (State::new("q"), Vec::new());
    for lines in [5, 5, 8] {
        run(&file(lines), &mut state, &mut sent, &BTreeSet::new(), false, &[0], usize::MAX);
    }
    assert_eq!(sent, [1, 2, 3, 4, 5, 6, 7, 8]);
}
