//! `replay send`: sends the events of a file to the queue.

mod check;
mod dry_run;
mod ending;
mod reader;
mod tally;

use std::{fs::File, time::Instant};

use futures_util::{FutureExt, StreamExt, stream::FuturesUnordered};
use tokio::sync::mpsc::error::TryRecvError;

use self::{
    reader::{LineInfo, Read, Rules},
    tally::Tally,
};
use crate::{
    batch::Batcher,
    cli::SendArgs,
    clock::{self, Stamps},
    ending::Ending,
    entry::{self, Outgoing},
    input::Input,
    interrupt::Interrupt,
    lanes::{LaneUrls, Lanes},
    problem::Problem,
    progress::Progress,
    rate::{Pace, most_in_a_call},
    reading::Age,
    show::count,
    sqs::{self, Outcome, SqsFailure},
    stamp::stamp,
    state::{State, StateFile},
};

const CALLS_AT_A_TIME: usize = 8;
/// With this many refused lines it is the wrong file.
const MOST_REFUSED: u64 = 1000;

/// Sends the file named on the command line.
pub(crate) async fn run(args: SendArgs, interrupt: Interrupt) -> Result<Ending, Problem> {
    let input = Input::open(&args.file)?;
    let Some(queue_url) = args.queue_url.filter(|_| !args.dry_run) else {
        return dry_run::run(input, args.contract.contract(), args.stamp_now, interrupt).await;
    };
    let urls = LaneUrls::new(queue_url, "--queue-url", args.unbinds_to)?;
    let queue_url = urls.main();
    let claimed = input.claim()?;
    let state_file = match args.state {
        Some(path) => Some(StateFile::new(path)),
        None => (!input.is_stdin()).then(|| StateFile::beside(input.path(), "replay")),
    };
    let earlier = match &state_file {
        Some(file) if !args.restart => file.load(queue_url)?,
        _ => None,
    };
    let state = earlier.unwrap_or_else(|| State::new(queue_url));
    if let Some(file) = &state_file {
        // A state file that can't be written is reported before anything is sent.
        file.save(&state)?;
    }
    let rate = if args.stamp_now { Some(args.rate.unwrap_or(u32::MAX).min(Stamps::MOST_A_SECOND)) } else { args.rate };
    let mut progress = Progress::new(input.length());
    progress.show(0, Tally::default().message(0));
    if state.count() > 0 {
        progress.print(&format!("{} already sent, resuming after them", count(state.count(), "line")));
    }
    let fifo = entry::is_fifo(queue_url);
    let rules = Rules { contract: args.contract.contract(), stamp_now: args.stamp_now, fifo };
    let lanes = Lanes::new(&sqs::client().await, &urls, "--queue-url", &interrupt);
    let lines = reader::start(input, state.clone(), rules);
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
    run.all(&lanes, lines, &interrupt).await;
    run.end(&urls)
}

/// Why the run ends before the end of the file.
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
    batcher: Batcher<Outgoing<LineInfo>>,
    most: usize,
    pace: Option<Pace>,
    stamps: Stamps,
    tally: Tally,
    progress: Progress,
    stop: Option<Stop>,
    _claimed: Option<File>,
}

type Call = Vec<Outgoing<LineInfo>>;

impl Run {
    /// Runs until the end of the file, or until something stops it, then waits for the calls in flight.
    async fn all(&mut self, lanes: &Lanes, mut lines: tokio::sync::mpsc::Receiver<Read>, interrupt: &Interrupt) {
        let (mut reading, mut calls) = (true, FuturesUnordered::new());
        loop {
            while reading && self.stop.is_none() && self.batcher.has_capacity() {
                match lines.try_recv() {
                    Ok(read) => self.take_in(read),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => reading = false,
                }
            }
            // A call that is not full waits for more lines while other calls are in flight.
            while self.stop.is_none()
                && calls.len() < CALLS_AT_A_TIME
                && (self.batcher.len() >= self.most || !reading || calls.is_empty())
            {
                let call = self.next_call();
                if call.is_empty() {
                    break;
                }
                let start = self.pace.as_mut().map(|pace| pace.start(call.len(), Instant::now()));
                calls.push(send_at(lanes, start, call, interrupt));
            }
            if calls.is_empty() && (self.stop.is_some() || (!reading && self.batcher.len() == 0)) {
                return;
            }
            tokio::select! {
                () = interrupt.wait(), if self.stop.is_none() => self.interrupted(),
                Some(done) = calls.next(), if !calls.is_empty() => {
                    self.settle(done);
                    while let Some(Some(done)) = calls.next().now_or_never() {
                        self.settle(done);
                    }
                    self.record();
                }
                read = lines.recv(), if reading && self.stop.is_none() && self.batcher.has_capacity() => match read {
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
                    self.progress.begin_at(message.context.end.saturating_sub(message.body.len() as u64));
                }
                self.batcher.push(*message);
            }
            Read::Refused { number, error } => self.refuse(number, &error),
            Read::Failed(problem) => self.stop_for(problem),
        }
    }

    fn next_call(&mut self) -> Call {
        let mut call = self.batcher.take(self.most);
        for message in call.iter_mut().filter(|message| message.context.to_be_stamped) {
            // The reader has stamped it before, so this can't fail.
            if let Ok(body) = stamp(&message.body, self.stamps.next(clock::now())) {
                message.body = body;
            }
        }
        call
    }

    fn settle(&mut self, (call, outcomes, failure): (Call, Vec<Outcome>, Option<SqsFailure>)) {
        let mut unconfirmed = false;
        for (message, outcome) in call.iter().zip(outcomes) {
            self.batcher.finish(message);
            match outcome {
                Outcome::Accepted => {
                    self.state.confirm(message.context.nth, message.context.digest);
                    self.tally.sent += 1;
                    self.tally.out_of_time += u64::from(message.context.age != Age::Fine);
                    self.tally.stamped += u64::from(message.context.to_be_stamped);
                    let rate = self.progress.rate(self.tally.sent);
                    self.progress.show(message.context.end, self.tally.message(rate));
                }
                Outcome::Refused(code) => {
                    self.refuse(
                        message.context.number,
                        &format!(
                            "SQS refused it: {code}; look up this code in the SQS API reference, SendMessageBatch"
                        ),
                    );
                }
                Outcome::Unconfirmed => unconfirmed = true,
            }
        }
        // The next run sends what is unconfirmed. Without a failure this is an interrupt that the call noticed first.
        match failure {
            Some(failure) => self.stop_for(failure.into()),
            None if unconfirmed => self.interrupted(),
            None => {}
        }
    }

    /// Records what is confirmed before anything else is sent, so that after kill -9 only messages in flight are sent
    /// again.
    fn record(&mut self) {
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

    fn interrupted(&mut self) {
        if self.stop.is_none() {
            self.progress.print("stopping: waiting for the messages in flight");
            self.stop = Some(Stop::Interrupted);
        }
    }

    fn stop_for(&mut self, problem: Problem) {
        self.stop.get_or_insert(Stop::Problem(problem));
    }
}

/// Sends a call when its turn comes, unless an interrupt comes first.
async fn send_at(
    lanes: &Lanes,
    start: Option<Instant>,
    call: Call,
    interrupt: &Interrupt,
) -> (Call, Vec<Outcome>, Option<SqsFailure>) {
    if let Some(start) = start {
        tokio::select! {
            () = tokio::time::sleep_until(start.into()) => {}
            () = interrupt.wait() => {
                let outcomes = vec![Outcome::Unconfirmed; call.len()];
                return (call, outcomes, None);
            }
        }
    }
    let (outcomes, failure) = lanes.send(&call).await;
    (call, outcomes, failure)
}
