//! `replay adopt`: fills the ledger from a file of who is signed in where. TPNS is not called.

mod check;
mod reader;
mod writer;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    io::{self, Write},
    time::Instant,
};

use aws_config::BehaviorVersion;
use contract::{apps::AppNames, event::Millis};
use futures_util::{StreamExt, stream::FuturesUnordered};
use tokio::sync::mpsc::Receiver;
use tpns_account_sync::{table::Table, transport::Transport};

use self::{
    reader::{Read, ReadLine},
    writer::{Writer, Written},
};
use crate::{
    cli::AdoptArgs,
    ending::Ending,
    input::Input,
    interrupt::Interrupt,
    problem::Problem,
    progress::Progress,
    rate::Pace,
    show::{count, table},
    state::{State, StateFile},
    tpns_apps,
};

const WRITES_AT_A_TIME: usize = 16;
/// What is written twice is harmless, so not every row is recorded at once.
const RECORD_EVERY: u64 = 200;
/// With this many refused lines it is the wrong file.
const MOST_REFUSED: u64 = 1000;

/// Writes the lines of the file named on the command line.
pub(crate) async fn run(args: AdoptArgs, interrupt: Interrupt) -> Result<Ending, Problem> {
    let input = Input::open(&args.file)?;
    let claimed = input.claim()?;
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let transport = Transport::new().map_err(|error| Problem::Stopped(format!("TLS can't be used: {error}")))?;
    let apps = tpns_apps::read(&args.apps, &sdk, &transport).await?;
    let state_file = match args.state {
        _ if args.dry_run => None,
        Some(path) => Some(StateFile::new(path)),
        None => (!input.is_stdin()).then(|| StateFile::beside(input.path(), "adopt")),
    };
    let target = format!("table {}", args.table);
    let earlier = match &state_file {
        Some(file) if !args.restart => file.load(&target)?,
        _ => None,
    };
    let state = earlier.unwrap_or_else(|| State::new(&target));
    if let Some(file) = &state_file {
        file.save(&state)?;
    }
    let progress = Progress::new(input.length());
    if state.count() > 0 {
        progress.print(&format!("{} already written, resuming after them", count(state.count(), "line")));
    }
    let names = apps.current().names.clone();
    let max_skew = Millis::try_from(args.max_clock_skew.as_millis()).unwrap_or(Millis::MAX);
    let lines = reader::start(input, state.clone(), apps.current(), max_skew);
    let mut run = Run { state, state_file, progress, tally: Tally::default(), unrecorded: 0, names, stop: None };
    if args.dry_run {
        run.check_all(lines, &interrupt).await;
    } else {
        let pace = RefCell::new(Pace::new(args.rate, Instant::now()));
        let table = Table::new(&sdk, &transport, tpns_apps::TIMEOUT, args.table.clone());
        let writer = Writer { table, apps, pace, interrupt: interrupt.clone() };
        run.write_all(&writer, lines, &interrupt).await;
    }
    drop(claimed);
    run.end(&args.table, args.dry_run)
}

/// Why the run ends before the end of the file.
#[derive(Debug)]
enum Stop {
    Interrupted,
    Problem(Problem),
}

#[derive(Debug, Default)]
struct Tally {
    /// By app; in a dry run those that would be written.
    written: BTreeMap<String, u64>,
    newer: u64,
    refused: u64,
}

#[derive(Debug)]
struct Run {
    state: State,
    state_file: Option<StateFile>,
    progress: Progress,
    tally: Tally,
    /// Lines that are settled and not recorded.
    unrecorded: u64,
    names: AppNames,
    stop: Option<Stop>,
}

impl Run {
    /// Writes until the end of the file, or until something stops it, then waits for the writes in flight.
    async fn write_all(&mut self, writer: &Writer, mut lines: Receiver<Read>, interrupt: &Interrupt) {
        let (mut reading, mut writes) = (true, FuturesUnordered::new());
        loop {
            let may_read = reading && self.stop.is_none() && writes.len() < WRITES_AT_A_TIME;
            if writes.is_empty() && !may_read {
                return self.record();
            }
            tokio::select! {
                () = interrupt.wait(), if self.stop.is_none() => self.stop = Some(Stop::Interrupted),
                Some(done) = writes.next(), if !writes.is_empty() => self.settle(done),
                read = lines.recv(), if may_read => match read {
                    Some(Read::Line(line)) => writes.push(writer.write(line)),
                    Some(Read::Refused { number, error }) => self.refuse(number, &error),
                    Some(Read::Failed(problem)) => self.stop_for(problem),
                    None => reading = false,
                },
            }
        }
    }

    /// Checks all lines and writes nothing.
    async fn check_all(&mut self, mut lines: Receiver<Read>, interrupt: &Interrupt) {
        while self.stop.is_none() {
            tokio::select! {
                () = interrupt.wait() => self.stop = Some(Stop::Interrupted),
                read = lines.recv() => match read {
                    Some(Read::Line(line)) => self.count(&line),
                    Some(Read::Refused { number, error }) => self.refuse(number, &error),
                    Some(Read::Failed(problem)) => self.stop_for(problem),
                    None => return,
                },
            }
        }
    }

    fn settle(&mut self, (line, written): (Box<ReadLine>, Written)) {
        match written {
            Written::Yes => self.count(&line),
            Written::NewerIsThere => self.tally.newer += 1,
            Written::Refused(error) => return self.refuse(line.number, &error),
            Written::Failed(problem) => return self.stop_for(problem),
            Written::Interrupted => return,
        }
        self.state.confirm(line.nth, line.digest);
        self.unrecorded += 1;
        if self.unrecorded >= RECORD_EVERY {
            self.record();
        }
        let done = self.tally.written.values().sum::<u64>() + self.tally.newer;
        let message = format!("{done} devices, {} refused, {}/s", self.tally.refused, self.progress.rate(done));
        self.progress.show(line.end, message);
    }

    fn count(&mut self, line: &ReadLine) {
        *self.tally.written.entry(self.names.name(line.signed_in.app()).to_owned()).or_default() += 1;
    }

    fn record(&mut self) {
        self.unrecorded = 0;
        if let Some(Err(error)) = self.state_file.as_ref().map(|file| file.save(&self.state)) {
            self.stop_for(error.into());
        }
    }

    fn refuse(&mut self, number: u64, error: &dyn std::fmt::Display) {
        self.tally.refused += 1;
        self.progress.print(&format!("line {number}: {error}"));
        if self.tally.refused == MOST_REFUSED {
            let problem = format!("{MOST_REFUSED} lines were refused; check the file with --dry-run");
            self.stop_for(Problem::Stopped(problem));
        }
    }

    fn stop_for(&mut self, problem: Problem) {
        self.stop.get_or_insert(Stop::Problem(problem));
    }

    /// Reports what was done and how to resume.
    fn end(self, name: &str, dry_run: bool) -> Result<Ending, Problem> {
        self.progress.end();
        let (tally, mut out) = (self.tally, io::stdout().lock());
        if !tally.written.is_empty() {
            let rows = tally.written.iter().map(|(app, number)| [app.clone(), number.to_string()]);
            writeln!(out, "{}\n", table(["app", "devices"], rows))?;
        }
        let written = count(tally.written.values().sum::<u64>(), "device");
        if dry_run {
            writeln!(
                out,
                "{written} would be written to {name}, {} refused; nothing was written",
                count(tally.refused, "line")
            )?;
        } else {
            writeln!(out, "{written} written to {name} in {:.1} s", self.progress.seconds())?;
        }
        if tally.newer > 0 {
            writeln!(out, "{} not written: the ledger has something newer", count(tally.newer, "device"))?;
        }
        if tally.refused > 0 && !dry_run {
            let lines = count(tally.refused, "line");
            writeln!(out, "{lines} refused, see above; correct them in a separate file and adopt that")?;
        }
        let resume = match &self.state_file {
            Some(file) => format!("recorded in {}; run the same command again to resume", file.path().display()),
            None => "nothing is recorded without --state; the same command starts again, which is harmless".into(),
        };
        match self.stop {
            Some(Stop::Interrupted) => {
                writeln!(out, "interrupted; {resume}")?;
                Ok(Ending::Interrupted)
            }
            Some(Stop::Problem(problem)) => {
                if self.state.count() > 0 {
                    writeln!(out, "{resume}")?;
                }
                Err(problem)
            }
            None => Ok(if tally.refused > 0 { Ending::SomeRefused } else { Ending::Done }),
        }
    }
}
