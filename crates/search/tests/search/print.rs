//! Prints a line for each search, and paths through the world step by step.

use std::{fmt::Write, sync::Once};

use tpns_account_sync::ledger::{DeletionRow, DeviceState};

use crate::{
    calls::Landing,
    checks::Stage,
    events::{ACCOUNTS, Book, Bound, NAMES, NOT_BOUND},
    explore::{Finding, Path, Tally},
    learn::Learner,
    moves::{How, Move, World},
    steps::{Item, Key, Op},
    world::{State, each},
};

/// Prints from a test: the harness captures it unless it is run with `--nocapture`.
pub(crate) fn print(text: &str) {
    eprint!("{text}");
}

/// The line of a search, with the heading before the first one.
pub(crate) fn line(name: &str, what: &str, tally: &Tally, seconds: f64) {
    static HEADING: Once = Once::new();
    let put = |cells: [&str; 12]| {
        let [name, what, numbers @ ..] = cells;
        let numbers =
            numbers.iter().zip([9, 11, 11, 9, 8, 6, 6, 7, 6, 6]).fold(String::new(), |mut line, (cell, width)| {
                _ = write!(line, " {cell:>width$}");
                line
            });
        print(&format!("{name:<31} {what:<70}{numbers}\n"));
    };
    HEADING.call_once(|| {
        print("\n");
        put([
            "protocol",
            "what may happen",
            "scenarios",
            "states",
            "steps",
            "orders",
            "code run",
            "ends",
            "wrong",
            "by exc.",
            "open",
            "s",
        ]);
    });
    let wrong = tally.count(|(finding, open_case)| finding != Finding::Wiped && !open_case);
    let open = tally.count(|(finding, open_case)| finding != Finding::Wiped && open_case);
    let exception = tally.count(|(finding, _)| finding == Finding::Wiped);
    let [scenarios, states, steps, runs, ends] =
        [tally.scenarios, tally.states, tally.steps, tally.runs, tally.ends].map(|number| number.to_string());
    let [wrong, open, exception] = [wrong, open, exception].map(|number| number.to_string());
    let (orders, seconds) = (format!("{:.1e}", tally.orders), format!("{seconds:.1}"));
    put([name, what, &scenarios, &states, &steps, &orders, &runs, &ends, &wrong, &exception, &open, &seconds]);
}

/// A path through the world as a table of its steps.
pub(crate) fn table(title: &str, world: &World<'_>, learner: &Learner, path: &Path) -> String {
    let book = &learner.book;
    let (steps, end) = path;
    let mut text = format!("\n{title}: {} ({:?})\n", world.scenario.name(book), book.tpns);
    for (number, (state, to)) in steps.iter().enumerate() {
        let after = steps.get(number + 1).map(|(state, _)| state).or(end.as_ref());
        let (who, does, sees) = Describer { world, learner, state, after }.describe(*to);
        let line = format!("  {:>2}  {who:<8}  {does:<64}  {sees}", number + 1);
        _ = writeln!(text, "{}", line.trim_end());
    }
    match end {
        Some(end) => {
            let (bound, truth) = (bound(&end.bound), bound(&world.scenario.truth(book)));
            _ = writeln!(text, "      so in the end TPNS has {bound}; version order says {truth}");
        }
        None => text += "      although nothing failed\n",
    }
    text += "\n";
    text
}

struct Describer<'a> {
    world: &'a World<'a>,
    learner: &'a Learner,
    state: &'a State,
    after: Option<&'a State>,
}

impl Describer<'_> {
    /// The worker or TPNS, what it does, and what it sees or TPNS then has.
    fn describe(&self, to: Move) -> (String, String, String) {
        let (worker, does, sees) = match to {
            Move::Deliver { worker, messages } => {
                let first = each(messages).next().unwrap();
                let how = match (self.state.mail[first].waiting, self.state.mail[first].acknowledged) {
                    (true, _) => "",
                    (_, true) => ", which is redelivered",
                    _ => ", which the other worker is handling",
                };
                (worker, format!("takes {}{how}", self.messages(messages)), String::new())
            }
            Move::Step { worker, step, how } => {
                let node = self.learner.node(self.state.workers[worker].unwrap().node);
                let (does, sees) = self.step(node.open[step].0);
                match how {
                    How::Done => (worker, does, sees),
                    How::Refused => (worker, does, "a failure: not done".to_owned()),
                    How::AnswerLost => (worker, does, format!("a failure, but done: {sees}")),
                    How::Repeated => (worker, does, format!("no answer, so again: {sees}")),
                }
            }
            Move::Report { worker } => {
                let at = self.state.workers[worker].unwrap();
                let end = self.learner.node(at.node).end.clone().unwrap();
                let mut does = Vec::new();
                if at.holds == 0 {
                    does.push(if end[0] { "deletes the check".to_owned() } else { "returns the check".to_owned() });
                }
                for (message, acknowledged) in each(at.holds).zip(end) {
                    let word = if acknowledged { "acknowledges" } else { "fails" };
                    does.push(format!("{word} {}", self.messages(1 << message)));
                }
                (worker, does.join(", "), String::new())
            }
            Move::Crash { worker } => (worker, "dies".to_owned(), String::new()),
            Move::DeliverCheck { worker, slot } => {
                let check = self.state.checks[slot].unwrap();
                let how = if check.stage == Stage::Held { ", which the other worker is handling" } else { "" };
                (worker, format!("takes the check of {}{how}", key(check.key)), String::new())
            }
            Move::GiveUp { worker } => {
                (worker, "dies for the last time: its messages are dead letters".to_owned(), String::new())
            }
            Move::Land { call } => {
                let after = self.after.unwrap_or(self.state);
                let does = format!("applies {}", item(self.state.calls.at(call)));
                return ("TPNS".to_owned(), does, has(&after.bound));
            }
            Move::Lose { call } => {
                return ("TPNS".to_owned(), format!("loses {}", item(self.state.calls.at(call))), String::new());
            }
        };
        (format!("worker {}", worker + 1), does, sees)
    }

    fn messages(&self, messages: u8) -> String {
        let names: Vec<_> =
            each(messages).map(|message| self.learner.book.name(self.world.scenario.messages[message])).collect();
        names.join(" and ")
    }

    fn step(&self, op: Op) -> (String, String) {
        let book = &self.learner.book;
        let values = self.learner.values.borrow();
        let after = self.after.unwrap_or(self.state);
        let device_row = |device: u8| row(values.device(after.devices[usize::from(device)]), book);
        let deletion_row = |account: u8| deletion(values.deletion(after.deletions[usize::from(account)]), book);
        match op {
            Op::RaiseDevice(device, change) => (
                format!("adds {} to the row of {}", row(values.device(change), book), phone(device)),
                device_row(device),
            ),
            Op::RaiseDeletion(account, event) => {
                (format!("adds [{}] to the row of {}", book.name(event), name(account)), deletion_row(account))
            }
            Op::Accept(account, event) => (
                format!("records in the row of {} that TPNS accepted [{}]", name(account), book.name(event)),
                deletion_row(account),
            ),
            Op::Confirm(device, ..) => (format!("confirms the row of {}", phone(device)), device_row(device)),
            Op::ReadDevice(device) => (format!("reads the row of {}", phone(device)), device_row(device)),
            Op::ReadDeletion(account) => (format!("reads the row of {}", name(account)), deletion_row(account)),
            Op::Send(of) => (format!("sends a check of {}", key(of)), String::new()),
            Op::Query(Key::Device(device)) => {
                (format!("asks TPNS for the accounts of {}", phone(device)), has(&self.state.bound))
            }
            Op::Query(Key::Account(account)) => {
                (format!("asks TPNS for the phones of {}", name(account)), has(&self.state.bound))
            }
            Op::Query(Key::Row(_) | Key::Deletion(_)) => unreachable!("no check"),
            Op::Item(sent) => {
                let sees = match self.world.rules.landing {
                    Landing::Late | Landing::LateInOne => "accepted".to_owned(),
                    _ => has(&after.bound),
                };
                (item(sent), sees)
            }
        }
    }
}

fn item(item: Item) -> String {
    let list = |accounts: u8| each(accounts).map(|account| NAMES[account]).collect::<Vec<_>>().join(", ");
    match item {
        Item::Bind { device, accounts, .. } => format!("operator_type 2: {} has {}", phone(device), list(accounts)),
        Item::Unbind { device, accounts } => format!("operator_type 3: {} without {}", phone(device), list(accounts)),
        Item::UnbindAll { device } => format!("operator_type 4: {} without accounts", phone(device)),
        Item::UnbindEverywhere { account } => format!("operator_type 5: no phone has {}", name(account)),
    }
}

fn has(all: &Bound) -> String {
    format!("TPNS has {}", bound(all))
}

fn key(key: Key) -> &'static str {
    match key {
        Key::Device(device) | Key::Row(device) => phone(device),
        Key::Account(account) | Key::Deletion(account) => name(account),
    }
}

fn name(account: u8) -> &'static str {
    NAMES[usize::from(account)]
}

fn phone(device: u8) -> &'static str {
    ["phone", "phone 2"][usize::from(device)]
}

/// The events that determine a row.
fn row(state: &DeviceState, book: &Book) -> String {
    let owner = state.owner().map(|owner| book.name(book.event_at(&owner.version)));
    let out = state.unbound().values().map(|version| book.name(book.event_at(version)));
    let confirmed = state.confirmed().map(|version| format!("confirmed by {}", book.name(book.event_at(version))));
    format!("[{}]", owner.into_iter().chain(out).chain(confirmed).collect::<Vec<_>>().join(", "))
}

fn deletion(row: Option<&DeletionRow>, book: &Book) -> String {
    let Some(row) = row else { return "[]".to_owned() };
    format!("[{}{}]", book.name(book.event_at(&row.version)), if row.accepted { ", accepted" } else { "" })
}

fn bound(bound: &Bound) -> String {
    let names = |device: usize| {
        let bound = (0..ACCOUNTS).filter(|&account| bound[device][account] != NOT_BOUND);
        bound.map(|account| NAMES[account]).collect::<Vec<_>>().join("+")
    };
    let phones = [names(0), names(1)].into_iter().zip(["phone", "phone 2"]).filter(|(names, _)| !names.is_empty());
    let text: Vec<_> = phones.map(|(names, phone)| format!("{names} on {phone}")).collect();
    if text.is_empty() { "no account".to_owned() } else { text.join(", ") }
}
