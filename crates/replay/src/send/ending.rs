//! What is printed at the end of a run.

use std::io::{self, Write};

use super::{Run, Stop};
use crate::{ending::Ending, lanes::LaneUrls, problem::Problem, show::count};

impl Run {
    /// Reports what was done and how to resume.
    pub(super) fn end(self, queues: &LaneUrls) -> Result<Ending, Problem> {
        self.progress.end();
        let (tally, mut out) = (self.tally, io::stdout().lock());
        let sent = count(tally.sent, "message");
        let (seconds, rate) = (self.progress.seconds(), self.progress.rate(tally.sent));
        writeln!(out, "{sent} sent to {queues} in {seconds:.1} s ({rate}/s)")?;
        if tally.stamped > 0 {
            writeln!(out, "{} of them got the time of sending as occurred_at", tally.stamped)?;
        }
        if tally.out_of_time > 0 {
            writeln!(
                out,
                "warning: {} of these will be parked by the function: too old, or too far in the future",
                count(tally.out_of_time, "message")
            )?;
        }
        if tally.refused > 0 {
            let lines = count(tally.refused, "line");
            writeln!(out, "{lines} refused, see above; correct them in a separate file and send that")?;
        }
        let resume = match &self.state_file {
            Some(file) => format!("recorded in {}; run the same command again to resume", file.path().display()),
            None => {
                "nothing is recorded without --state; the same command sends everything again, which is harmless".into()
            }
        };
        match self.stop {
            Some(Stop::Interrupted) => {
                writeln!(out, "interrupted; {resume}")?;
                Ok(Ending::Interrupted)
            }
            Some(Stop::Problem(problem)) => {
                if tally.sent > 0 {
                    writeln!(out, "{resume}")?;
                }
                Err(problem)
            }
            None => {
                if let Some(file) = self.state_file.as_ref().filter(|_| self.state.count() > 0) {
                    let all = count(self.state.count(), "line");
                    let path = file.path().display();
                    writeln!(out, "{all} sent in total, as recorded in {path}; use --restart to send them again")?;
                }
                Ok(if tally.refused > 0 { Ending::SomeRefused } else { Ending::Done })
            }
        }
    }
}
