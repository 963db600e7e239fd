//! `replay send`: a file's events onto the queue.

mod check;
mod dry_run;
mod input;
mod progress;
mod reader;

use std::{
    fs::File,
    io::{self, Write},
    time::Instant,
};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::sync::mpsc::error::TryRecvError;

use self::{
    input::Input,
    progress::{Progress, Tally},
    reader::{Read, Rules, Sending},
};
use crate::{
    batch::Batcher,
    cli::SendArgs,
    clock::{self, Stamps},
    contract::Age,
    entry::{self, Outgoing},
    interrupt::Interrupt,
    problem::{Ending, Problem},
    rate::{Pace, most_in_a_call},
    show::count,
    sqs::{self, Fate, Sender, Trouble},
    stamp::stamp,
    state::{State, StateFile},
};

const CALLS_AT_A_TIME: usize = 8;
/// So many refusals, and it is the wrong file.
const MOST_REFUSED: u64 = 1000;

/// Sends what the command line says.
pub(crate) async fn run(args: SendArgs, interrupt: Interrupt) -> Result<Ending, Problem> {
    let input = Input::open(&args.file)?;
    let Some(queue_url) = args.queue_url.filter(|_| !args.dry_run) else {
        return dry_run::run(input, args.contract.contract(), args.stamp_now, interrupt).await;
    };
    let claimed = input.claim()?;
    let state_file = match args.state {
        Some(path) => Some(StateFile::new(path)),
        None => (!input.is_stdin()).then(|| StateFile::beside(input.path())),
    };
    let known = match &state_file {
        Some(file) if !args.restart => file.load(&queue_url)?,
        _ => None,
    };
    let state = known.unwrap_or_else(|| State::new(&queue_url));
    if let Some(file) = &state_file {
        // A place that can't be written to is told before anything is sent.
        file.save(&state)?;
    }
    let rate = if args.stamp_now { Some(args.rate.unwrap_or(u32::MAX).min(Stamps::MOST_A_SECOND)) } else { args.rate };
    let progress = Progress::new(input.length());
    if state.count() > 0 {
        progress.say(&format!("{} sent before, going on after them", count(state.count(), "line")));
    }
    let fifo = entry::is_fifo(&queue_url);
    let rules = Rules { contract: args.contract.contract(), stamp_now: args.stamp_now, fifo, state: state.clone() };
    let sender = Sender::new(sqs::client().await, queue_url.clone(), "--queue-url", interrupt.clone());
    let lines = reader::start(input, rules);
    let mut run = Run {
        began_with: state.count(),
        state,
        state_file,
        batcher: Batcher::new(),
        most: most_in_a_call(rate),
        pace: rate.map(|rate| Pace::new(rate, Instant::now())),
        stamps: Stamps::default(),
        tally: Tally::default(),
        progress,
        stop: None,
        _claimed: claimed,
    };
    run.all(&sender, lines, &interrupt).await;
    run.end(&queue_url)
}

/// Why it ends before the end of the file.
#[derive(Debug)]
enum Stop {
    Interrupted,
    Problem(Problem),
}

#[derive(Debug)]
struct Run {
    began_with: u64,
    state: State,
    state_file: Option<StateFile>,
    batcher: Batcher<Outgoing<Sending>>,
    most: usize,
    pace: Option<Pace>,
    stamps: Stamps,
    tally: Tally,
    progress: Progress,
    stop: Option<Stop>,
    _claimed: Option<File>,
}

type Call = Vec<Outgoing<Sending>>;

impl Run {
    /// Until the file is at its end, or something stops it; then what is on its way is waited for.
    async fn all(&mut self, sender: &Sender, mut lines: tokio::sync::mpsc::Receiver<Read>, interrupt: &Interrupt) {
        let (mut reading, mut calls) = (true, FuturesUnordered::new());
        loop {
            while reading && self.stop.is_none() && self.batcher.has_room() {
                match lines.try_recv() {
                    Ok(read) => self.take_in(read),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => reading = false,
                }
            }
            // A call that is not full waits for lines, unless nothing is on its way that it could use the time of.
            while self.stop.is_none()
                && calls.len() < CALLS_AT_A_TIME
                && (self.batcher.len() >= self.most || !reading || calls.is_empty())
            {
                let call = self.next_call();
                if call.is_empty() {
                    break;
                }
                let start = self.pace.as_mut().map(|pace| pace.start(call.len(), Instant::now()));
                calls.push(send_at(sender, start, call, interrupt));
            }
            if calls.is_empty() && (self.stop.is_some() || (!reading && self.batcher.len() == 0)) {
                return;
            }
            tokio::select! {
                () = interrupt.wait(), if self.stop.is_none() => {
                    self.progress.say("ending: waiting for what is on its way");
                    self.stop = Some(Stop::Interrupted);
                }
                Some(done) = calls.next(), if !calls.is_empty() => {
                    self.settle(done);
                    while let Some(Some(done)) = calls.next().now_or_never() {
                        self.settle(done);
                    }
                    self.note();
                }
                read = lines.recv(), if reading && self.stop.is_none() && self.batcher.has_room() => match read {
                    Some(read) => self.take_in(read),
                    None => reading = false,
                },
            }
        }
    }

    fn take_in(&mut self, read: Read) {
        match read {
            Read::Line(message) => {
                if self.tally.sent == 0 && self.batcher.len() == 0 && self.began_with > 0 {
                    self.progress.begin_at(message.of.end.saturating_sub(message.body.len() as u64));
                }
                self.batcher.push(*message);
            }
            Read::Refused { number, why } => self.refuse(number, &why),
            Read::Failed(problem) => self.stop_for(problem),
        }
    }

    fn next_call(&mut self) -> Call {
        let mut call = self.batcher.take(self.most);
        for message in call.iter_mut().filter(|message| message.of.to_be_stamped) {
            // It was stamped before, so it can be.
            if let Ok(body) = stamp(&message.body, self.stamps.next(clock::now())) {
                message.body = body;
            }
        }
        call
    }

    fn settle(&mut self, (call, fates, trouble): (Call, Vec<Fate>, Option<Trouble>)) {
        for (message, fate) in call.iter().zip(fates) {
            self.batcher.is_over(message);
            match fate {
                Fate::Taken => {
                    self.state.confirm(message.of.nth, message.of.digest);
                    self.tally.sent += 1;
                    self.tally.out_of_time += u64::from(message.of.age != Age::Fine);
                    self.tally.stamped += u64::from(message.of.to_be_stamped);
                    self.progress.show(message.of.end, self.tally);
                }
                Fate::Refused(code) => {
                    self.refuse(
                        message.of.number,
                        &format!("SQS refused it: {code}; see that code in SQS's API reference, SendMessageBatch"),
                    );
                }
                // The run is being stopped, and the next one sends it.
                Fate::Open => {}
            }
        }
        if let Some(trouble) = trouble {
            self.stop_for(trouble.into());
        }
    }

    /// What has been confirmed is noted before anything else is sent: so kill -9 loses no more than what is on its way.
    fn note(&mut self) {
        if let Some(Err(error)) = self.state_file.as_ref().map(|file| file.save(&self.state)) {
            self.stop_for(error.into());
        }
    }

    fn refuse(&mut self, number: u64, why: &str) {
        self.tally.refused += 1;
        self.progress.say(&format!("line {number}: {why}"));
        if self.tally.refused == MOST_REFUSED {
            let problem = format!("{MOST_REFUSED} lines refused; see what is wrong with the file by --dry-run");
            self.stop_for(Problem::Stopped(problem));
        }
    }

    fn stop_for(&mut self, problem: Problem) {
        self.stop.get_or_insert(Stop::Problem(problem));
    }

    /// Tells what was done and how to go on.
    fn end(self, queue_url: &str) -> Result<Ending, Problem> {
        self.progress.end();
        let (tally, mut out) = (self.tally, io::stdout().lock());
        let sent = count(tally.sent, "message");
        let (seconds, rate) = (self.progress.seconds(), self.progress.rate(tally));
        writeln!(out, "{sent} sent to {queue_url} in {seconds:.1} s ({rate}/s)")?;
        if tally.stamped > 0 {
            writeln!(out, "{} of them got the time of sending as occurred_at", tally.stamped)?;
        }
        if tally.out_of_time > 0 {
            writeln!(
                out,
                "warning: {} of them are too old, or too far ahead: the function will park them",
                tally.out_of_time
            )?;
        }
        if tally.refused > 0 {
            let lines = count(tally.refused, "line");
            writeln!(out, "{lines} refused, see above; mend them in a file of their own and send that")?;
        }
        let go_on = match &self.state_file {
            Some(file) => format!("noted in {}; the same command again goes on from there", file.path().display()),
            None => {
                "nothing is noted without --state; the same command again sends everything again, which is harmless"
                    .into()
            }
        };
        match self.stop {
            Some(Stop::Interrupted) => {
                writeln!(out, "interrupted; {go_on}")?;
                Ok(Ending::Interrupted)
            }
            Some(Stop::Problem(problem)) => {
                if tally.sent > 0 {
                    writeln!(out, "{go_on}")?;
                }
                Err(problem)
            }
            None => {
                if let Some(file) = self.state_file.as_ref().filter(|_| self.state.count() > 0) {
                    let all = count(self.state.count(), "line");
                    let path = file.path().display();
                    writeln!(out, "{all} sent in all, as noted in {path}; --restart sends them again")?;
                }
                Ok(if tally.refused > 0 { Ending::SomeRefused } else { Ending::Done })
            }
        }
    }
}

/// Sends a call when it is its turn, unless somebody wants the end first.
async fn send_at(
    sender: &Sender,
    start: Option<Instant>,
    call: Call,
    interrupt: &Interrupt,
) -> (Call, Vec<Fate>, Option<Trouble>) {
    if let Some(start) = start {
        tokio::select! {
            () = tokio::time::sleep_until(start.into()) => {}
            () = interrupt.wait() => {
                let fates = vec![Fate::Open; call.len()];
                return (call, fates, None);
            }
        }
    }
    let (fates, trouble) = sender.send(&call).await;
    (call, fates, trouble)
}
