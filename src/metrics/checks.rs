//! What is counted of the checks.

use std::io::{self, Write};

use metrique_writer_core::{Entry, EntryWriter, IoStreamError, format::Format};

use super::{
    Distribution, Formats, Metrics,
    lines::{Common, Count, MILLISECONDS, Spread},
};
use crate::{check::Agreement, finished::FinishedChecks};

#[derive(Debug, Default)]
struct Figures {
    checked: u64,
    drifted: u64,
    drift_shown: u64,
    drift_age: Distribution,
    failed: u64,
    unknown: u64,
}

struct ChecksLine<'a> {
    common: Common<'a>,
    figures: &'a Figures,
}

impl Metrics {
    /// Writes the line of a batch of the check queue.
    ///
    /// # Errors
    /// The output's, or the format's.
    pub fn write_checks(
        &self,
        request_id: &str,
        finished: &FinishedChecks<'_>,
        output: &mut impl Write,
    ) -> Result<(), IoStreamError> {
        let common = Common { at: finished.at, function: &self.function, request_id };
        let figures = figures(finished);
        let mut text = Vec::with_capacity(1024);
        self.formats(|Formats { checks, .. }| checks.format(&ChecksLine { common, figures: &figures }, &mut text))?;
        output.write_all(&text).and_then(|()| output.flush()).map_err(IoStreamError::Io)
    }

    /// Writes it to standard output. A failure is logged.
    pub fn print_checks(&self, request_id: &str, finished: &FinishedChecks<'_>) {
        if let Err(error) = self.write_checks(request_id, finished, &mut io::stdout().lock()) {
            tracing::error!(%error, "metrics: incomplete for this invocation");
        }
    }
}

fn figures(finished: &FinishedChecks<'_>) -> Figures {
    let mut figures = Figures::default();
    for finding in &finished.findings.each {
        figures.unknown += finding.unknown as u64;
        match finding.agreement {
            Agreement::Failed(_) => figures.failed += 1,
            Agreement::Left(_) => {
                figures.checked += 1;
                figures.failed += 1;
            }
            Agreement::Agrees | Agreement::Repaired(_) | Agreement::Refused(_) => figures.checked += 1,
        }
    }
    for found in finished.repaired().filter(|found| found.settled) {
        figures.drifted += 1;
        figures.drift_shown += u64::from(found.drift.shown);
        found.age.into_iter().for_each(|age| figures.drift_age.record(age));
    }
    figures
}

impl Entry for ChecksLine<'_> {
    fn write<'a>(&'a self, line: &mut impl EntryWriter<'a>) {
        let Figures { checked, drifted, drift_shown, drift_age, failed, unknown } = self.figures;
        self.common.write(line);
        line.value("Checked", &Count(*checked));
        line.value("Drifted", &Count(*drifted));
        line.value("DriftShown", &Count(*drift_shown));
        line.value("DriftAge", &Spread(drift_age, MILLISECONDS));
        line.value("ChecksFailed", &Count(*failed));
        line.value("Unknown", &Count(*unknown));
    }
}
