//! The local TPNS and the local AWS of a run, and the sandboxes.

use std::{path::PathBuf, time::Duration};

use lambda_sim::{AwsApi, Function, Operation, Queue, RunningAwsApi, Service};
use tpns_sim::{RunningSim, Sim, model::TokenCap};

const SECRET: &str = "1452fcebae9f3115ba794fb0fff2fd73";
pub(super) const APP: &str = "android";
const TABLE: &str = "ledger";
const CHECKS: &str = "checks";
/// As in `make bench`.
const TPNS_LATENCY: Duration = Duration::from_millis(20);
const AWS_LATENCY: Duration = Duration::from_millis(5);
/// The template's, and the visibility timeout that belongs to it.
const TIMEOUT: Duration = Duration::from_secs(30);
const VISIBILITY: Duration = Duration::from_secs(180);

/// Which queue the events come from, and whether there is a ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ledger,
    /// A FIFO queue, grouped by device, without the ledger.
    Fifo,
}

impl Order {
    pub(super) fn queue(self) -> &'static str {
        if self == Self::Fifo { "events.fifo" } else { "events" }
    }
}

#[derive(Debug)]
pub(super) struct Stage {
    pub(super) tpns: RunningSim,
    pub(super) aws: RunningAwsApi,
    binary: PathBuf,
    order: Order,
}

/// Requests to the table since a mark.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Requests {
    pub(super) writes: usize,
    /// Of the writes.
    pub(super) refused: usize,
    pub(super) reads: usize,
    pub(super) rows_read: usize,
}

impl Stage {
    pub(super) async fn new(binary: PathBuf, order: Order) -> anyhow::Result<Self> {
        let sim = Sim::builder().app(APP, 1_500_001_048, SECRET).latency(TPNS_LATENCY).token_cap(TokenCap::Off);
        let aws = AwsApi::start().await?;
        aws.create_table(TABLE, "pk");
        aws.latency(Service::DynamoDb, AWS_LATENCY);
        aws.latency(Service::Sqs, AWS_LATENCY);
        aws.create_queue(Queue::builder(order.queue()).visibility_timeout(VISIBILITY).build()?);
        let stage = Self { tpns: sim.start().await?, aws, binary, order };
        stage.empty_check_queue()?;
        Ok(stage)
    }

    /// A sandbox that has not started.
    pub(super) fn sandbox(&self) -> anyhow::Result<Function> {
        let builder = Function::builder(&self.binary)
            .env("TPNS_APPS", self.tpns.apps_document())
            .env("AWS_ENDPOINT_URL", self.aws.url())
            // As in the template.
            .env("AWS_LAMBDA_LOG_FORMAT", "JSON")
            .timeout(TIMEOUT);
        Ok(match self.order {
            Order::Ledger => builder
                .env("LEDGER_TABLE", TABLE)
                .env("CHECK_QUEUE_URL", self.aws.queue_url(CHECKS))
                // What is checked has just been sent.
                .env("CHECK_AFTER", "0s")
                .build()?,
            Order::Fifo => builder.build()?,
        })
    }

    pub(super) fn queue(&self) -> &'static str {
        self.order.queue()
    }

    /// The name of the check queue, without the checks of earlier events.
    pub(super) fn empty_check_queue(&self) -> anyhow::Result<&'static str> {
        self.aws.create_queue(Queue::builder(CHECKS).visibility_timeout(VISIBILITY).build()?);
        Ok(CHECKS)
    }

    /// The number of requests so far.
    pub(super) fn mark(&self) -> usize {
        self.aws.requests().len()
    }

    pub(super) fn requests_since(&self, mark: usize) -> Requests {
        let mut sum = Requests::default();
        for request in &self.aws.requests()[mark..] {
            match request.operation {
                Some(Operation::UpdateItem) => {
                    sum.writes += 1;
                    sum.refused += usize::from(request.error.as_deref() == Some("ConditionalCheckFailedException"));
                }
                Some(Operation::BatchGetItem) => {
                    sum.reads += 1;
                    sum.rows_read += request.entries;
                }
                _ => {}
            }
        }
        sum
    }
}
