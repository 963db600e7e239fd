//! The file, read and checked in a thread of its own: standard input may keep it waiting for ever, and Ctrl-C must not.

use std::{borrow::Cow, collections::HashMap, thread};

use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{
    check::check,
    input::{Input, failed},
};
use crate::{
    clock,
    contract::{Age, Contract},
    entry::{self, Fifo, Outgoing},
    lines::{Digest256, Lines},
    problem::Problem,
    stamp::stamp,
    state::{Resume, State},
};

/// What is remembered of a line on its way.
#[derive(Debug)]
pub(crate) struct Sending {
    pub(crate) number: u64,
    pub(crate) nth: u64,
    pub(crate) digest: Digest256,
    /// Where it begins and ends in the file, about.
    pub(crate) end: u64,
    pub(crate) age: Age,
    pub(crate) to_be_stamped: bool,
}

/// What the thread tells.
#[derive(Debug)]
pub(crate) enum Read {
    Line(Box<Outgoing<Sending>>),
    Refused { number: u64, why: Cow<'static, str> },
    Failed(Problem),
}

/// What the thread goes by.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) contract: Contract,
    pub(crate) stamp_now: bool,
    pub(crate) fifo: bool,
    /// What has been sent before.
    pub(crate) state: State,
}

/// Starts reading; the channel closes at the end of the file.
pub(crate) fn start(input: Input, rules: Rules) -> Receiver<Read> {
    let (tell, told) = channel(256);
    thread::spawn(move || {
        if let Err(problem) = read(input, &rules, &tell) {
            // Nobody listens any more: then nobody needs to know.
            let _ = tell.blocking_send(Read::Failed(problem));
        }
    });
    told
}

fn read(input: Input, rules: &Rules, tell: &Sender<Read>) -> Result<(), Problem> {
    let path = input.path().to_owned();
    let mut gate = Resume::new(&rules.state);
    for line in Lines::new(input.reader()) {
        for line in gate.pass(line.map_err(|error| failed(&path, error))?)? {
            let read = match check(&line, &rules.contract, rules.stamp_now, clock::now()) {
                Err(why) => Read::Refused { number: line.number, why },
                Ok(checked) => {
                    let body = line.text.unwrap_or_default();
                    // The time itself comes when it is sent; it takes as much room as this one.
                    let body = if checked.to_be_stamped { stamp(&body, clock::now()).unwrap_or(body) } else { body };
                    let fifo = |body: &str| Fifo {
                        group: entry::group(checked.reading.token.as_deref(), body),
                        deduplication: entry::deduplication(rules.state.run(), body),
                    };
                    let fifo = rules.fifo.then(|| fifo(&body));
                    let of = Sending {
                        number: line.number,
                        nth: line.nth,
                        digest: line.digest,
                        end: line.end,
                        age: checked.age,
                        to_be_stamped: checked.to_be_stamped,
                    };
                    Read::Line(Box::new(Outgoing { body, fifo, trace: None, attributes: HashMap::new(), of }))
                }
            };
            if tell.blocking_send(read).is_err() {
                return Ok(());
            }
        }
    }
    Ok(gate.end()?)
}
