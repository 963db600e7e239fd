//! What a simulated outage costs, by the prices and measured sizes of `docs/cost.py`.

use std::str::FromStr;

use anyhow::Context;

use crate::results::Results;

const COST: &str = include_str!("../../../docs/cost.py");
/// `MemorySize` in the template, in GB.
const MEMORY: f64 = 0.25;
/// The line of a failed event, in bytes (docs/cost.md).
const FAILED_LINE: f64 = 400.0;
/// Rows that a login reads and writes; an unbind less.
const WRITES: f64 = 1.0;
const READS: f64 = 3.0;
/// X-Ray samples one invocation a second, and this share of the others.
const TRACED: f64 = 0.05;

/// Dollars, by service.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Cost {
    pub(crate) sqs: f64,
    pub(crate) lambda: f64,
    pub(crate) dynamodb: f64,
    pub(crate) logs: f64,
    pub(crate) traces: f64,
}

impl Cost {
    /// Of the invocations that applied nothing and of the deliveries that failed: what there would not have been
    /// without the outage.
    ///
    /// # Errors
    /// `docs/cost.py` has changed its form.
    pub(crate) fn of_failures(results: &Results, apps: usize) -> anyhow::Result<Self> {
        let failed = results.failed_deliveries as f64;
        let invocations = results.failed_invocations as f64;
        let requests = results.failed_invocations + results.sqs.changes;
        let seconds = results.failed_ms as f64 / 1e3;
        let [batch_line, metrics_line, overhead] = three("BATCH_LINE, METRICS_LINE, LINE_OVERHEAD")?;
        let lines = 1.0 + apps as f64;
        let platform: f64 = after("PLATFORM_LINES = ")?;
        let batch = batch_line + apps as f64 * metrics_line + platform + (lines + 2.0) * overhead;
        let logged = invocations * batch + failed * (FAILED_LINE + overhead);
        Ok(Self {
            sqs: requests as f64 / 1e6 * price("SQS standard, a million requests")?,
            lambda: invocations / 1e6 * price("Lambda, a million requests")?
                + seconds * MEMORY * price("Lambda arm64, a GB-second")?,
            dynamodb: failed / 1e6
                * (WRITES * price("DynamoDB, a million writes")? + READS * price("DynamoDB, a million reads")?),
            logs: logged / 1e9 * price("CloudWatch Logs, a GB ingested")?,
            traces: invocations * TRACED / 1e6 * price("X-Ray, a million traces")?,
        })
    }

    pub(crate) fn total(self) -> f64 {
        self.sqs + self.lambda + self.dynamodb + self.logs + self.traces
    }
}

fn price(name: &str) -> anyhow::Result<f64> {
    after(&format!("\"{name}\": "))
}

fn three(names: &str) -> anyhow::Result<[f64; 3]> {
    let found = rest(&format!("{names} = "))?;
    let numbers: Vec<f64> = found.split(", ").map(f64::from_str).collect::<Result<_, _>>()?;
    numbers.try_into().ok().with_context(|| format!("docs/cost.py: {names} are not three numbers"))
}

fn after(text: &str) -> anyhow::Result<f64> {
    Ok(rest(text)?.trim_end_matches(',').parse()?)
}

/// The rest of the line after this text.
fn rest(text: &str) -> anyhow::Result<&'static str> {
    let found = COST.split_once(text).and_then(|(_, rest)| rest.lines().next());
    found.with_context(|| format!("docs/cost.py has no {text:?} any more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_and_sizes_are_found_in_the_docs_program() {
        let mut results = Results::new(&crate::scenario::Scenario::DEFAULT);
        results.failed_deliveries = 1_000_000;
        results.failed_invocations = 100_000;
        results.sqs = crate::results::Requests { receives: 100_000, deletes: 0, changes: 100_000 };
        let cost = Cost::of_failures(&results, 2).unwrap();
        assert!((cost.sqs - 0.08).abs() < 1e-9, "{cost:?}");
        assert!((cost.dynamodb - 1.0).abs() < 1e-9, "{cost:?}");
        assert!((cost.traces - 0.025).abs() < 1e-9, "{cost:?}");
        assert!(cost.total() > cost.sqs + cost.lambda + cost.logs);
    }
}
