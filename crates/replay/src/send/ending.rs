//! What is said at the end of a run.

use std::io::{self, Write};

use super::{Run, Stop};
use crate::{
    problem::{Ending, Problem},
    show::count,
};

impl Run {
    /// Tells what was done and how to go on.
    pub(super) fn end(self, queue_url: &str) -> Result<Ending, Problem> {
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
                "warning: {} of these will be parked by the function: too old, or too far ahead",
                count(tally.out_of_time, "message")
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
