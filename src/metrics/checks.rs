//! What is counted of the checks.

use std::{
    collections::HashSet,
    io::{self, Write},
};

use super::{
    Distribution, Metrics,
    emf::{
        DimensionSets,
        Unit::Milliseconds,
        Value::{Count, Spread},
    },
    lines::Common,
};
use crate::{check::Agreement, finished::FinishedChecks, ingress::MessageIndex};

const OF_CHECKS: DimensionSets = &[&["FunctionName"]];

#[derive(Debug, Default)]
struct Figures {
    checked: u64,
    drifted: u64,
    drift_shown: u64,
    drift_age: Distribution,
    failed: u64,
    unknown: u64,
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
    ) -> io::Result<()> {
        let common = Common { at: finished.at, function: &self.function, request_id };
        let Figures { checked, drifted, drift_shown, drift_age, failed, unknown } = figures(finished);
        let mut line = common.line(OF_CHECKS);
        line.metric("Checked", Count(checked));
        line.metric("Drifted", Count(drifted));
        line.metric("DriftShown", Count(drift_shown));
        line.metric("DriftAge", Spread(&drift_age, Milliseconds));
        line.metric("ChecksFailed", Count(failed));
        line.metric("Unknown", Count(unknown));
        let mut text = Vec::with_capacity(1024);
        line.write(&mut text)?;
        output.write_all(&text)?;
        output.flush()
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
    // Messages that could not be read, or whose handling panicked.
    let read: HashSet<MessageIndex> = finished.keys.iter().map(|(index, _)| *index).collect();
    let outcomes = finished.outcomes.iter().enumerate();
    let unread = outcomes.filter(|(n, outcome)| !outcome.is_acknowledged() && !read.contains(&MessageIndex(*n)));
    figures.failed += unread.count() as u64;
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
    for found in finished.repaired().filter(|found| found.is_settled) {
        figures.drifted += 1;
        figures.drift_shown += u64::from(found.drift.shown);
        found.age.into_iter().for_each(|age| figures.drift_age.record(age));
    }
    figures
}
