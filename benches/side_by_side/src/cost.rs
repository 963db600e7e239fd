//! The cost of a million events, by list price.

use std::time::Duration;

use serde::Serialize;

/// List prices of us-east-1 in US dollars, November 2024, without free tiers.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Prices {
    /// Lambda on arm64, the first tier.
    pub(crate) lambda_gb_second: f64,
    pub(crate) lambda_million_requests: f64,
    /// Standard queue.
    pub(crate) sqs_million_requests: f64,
    /// On demand.
    pub(crate) dynamodb_million_writes: f64,
    pub(crate) dynamodb_million_reads: f64,
}

pub(crate) const PRICES: Prices = Prices {
    lambda_gb_second: 0.000_013_333_4,
    lambda_million_requests: 0.20,
    sqs_million_requests: 0.40,
    dynamodb_million_writes: 0.625,
    dynamodb_million_reads: 0.125,
};

/// Lambda allocates processors in proportion to memory: one per this number of MB.
pub(crate) const MB_PER_PROCESSOR: f64 = 1769.0;

/// The memory sizes considered, in MB.
pub(crate) const SIZES: [u32; 6] = [128, 256, 512, 1024, 1769, 3008];

/// A producer sends each event separately; Lambda's pollers receive and delete ten at a time.
pub(crate) const SQS_REQUESTS_PER_EVENT: f64 = 1.0 + 0.1 + 0.1;

/// Requests to DynamoDB for an event.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct TableRequests {
    pub(crate) writes: f64,
    pub(crate) reads: f64,
}

/// For the benchmark's events (eight logins, a logout of one account, a logout of all): one write each, and three
/// reads, except one for the logout of all (docs/guarantees.md, "Do I need the ledger?").
pub(crate) const LEDGER: TableRequests = TableRequests { writes: 1.0, reads: 0.9 * 3.0 + 0.1 };
/// Of the Rust peer that writes.
pub(crate) const WRITES_ALONE: TableRequests = TableRequests { writes: 1.0, reads: 0.0 };

/// Dollars for a million events.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Cost {
    /// The cheapest memory size, in MB.
    pub(crate) memory_mb: u32,
    /// Duration of an invocation at that size.
    pub(crate) billed_ms: f64,
    pub(crate) lambda: f64,
    pub(crate) sqs: f64,
    pub(crate) dynamodb: f64,
}

impl Cost {
    pub(crate) fn total(&self) -> f64 {
        self.lambda + self.sqs + self.dynamodb
    }
}

/// The cheapest memory size that holds the measured peak, and what a million events cost with it.
///
/// An invocation waits as long as measured, and its computing time is scaled by Lambda's share of a processor, assuming
/// processors as fast as this machine's. Starts are not included.
pub(crate) fn per_million(
    messages: usize,
    wall: Duration,
    cpu: Duration,
    peak_bytes: u64,
    table: TableRequests,
) -> Cost {
    let (wall, cpu, invocations) = (wall.as_secs_f64(), cpu.as_secs_f64(), 1e6 / messages as f64);
    let waiting = (wall - cpu).max(0.0);
    let at = |memory_mb: u32| {
        let seconds = waiting + cpu * (MB_PER_PROCESSOR / f64::from(memory_mb)).max(1.0);
        let gb_seconds = invocations * seconds * f64::from(memory_mb) / 1024.0;
        let lambda = gb_seconds * PRICES.lambda_gb_second + invocations / 1e6 * PRICES.lambda_million_requests;
        Cost {
            memory_mb,
            billed_ms: seconds * 1e3,
            lambda,
            sqs: SQS_REQUESTS_PER_EVENT * PRICES.sqs_million_requests,
            dynamodb: table.writes * PRICES.dynamodb_million_writes + table.reads * PRICES.dynamodb_million_reads,
        }
    };
    let fits = SIZES.into_iter().filter(|&size| u64::from(size) << 20 >= peak_bytes).map(at);
    fits.min_by(|a, b| a.lambda.total_cmp(&b.lambda)).unwrap_or_else(|| at(SIZES[SIZES.len() - 1]))
}
