//! Reads and checks a file on a thread of its own: standard input may block for ever, and Ctrl-C must still work.

use std::thread;

use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::{
    input::{Input, failed},
    lines::{Line, Lines},
    problem::Problem,
    state::{Resume, State},
};

/// What the thread reports: a line as its check returns it, or what is wrong.
#[derive(Debug)]
pub(crate) enum Read<T, E> {
    Line(Box<T>),
    Refused { number: u64, error: E },
    Failed(Problem),
}

/// Starts reading the lines that earlier runs, whose state it is, have not completed; the channel closes at the end of
/// the file.
pub(crate) fn start<T, E, C>(input: Input, state: State, check: C) -> Receiver<Read<T, E>>
where
    T: Send + 'static,
    E: Send + 'static,
    C: Fn(Line, &State) -> Result<T, E> + Send + 'static,
{
    let (sender, receiver) = channel(256);
    thread::spawn(move || {
        if let Err(problem) = read(input, &state, check, &sender) {
            // If the receiver is gone, the run has ended and no one needs the problem.
            let _ = sender.blocking_send(Read::Failed(problem));
        }
    });
    receiver
}

fn read<T, E>(
    input: Input,
    state: &State,
    check: impl Fn(Line, &State) -> Result<T, E>,
    sender: &Sender<Read<T, E>>,
) -> Result<(), Problem> {
    let path = input.path().to_owned();
    let mut gate = Resume::new(state);
    for line in Lines::new(input.reader()) {
        for line in gate.pass(line.map_err(|error| failed(&path, error))?)? {
            let number = line.number;
            let read = match check(line, state) {
                Err(error) => Read::Refused { number, error },
                Ok(checked) => Read::Line(Box::new(checked)),
            };
            if sender.blocking_send(read).is_err() {
                return Ok(());
            }
        }
    }
    Ok(gate.end()?)
}
