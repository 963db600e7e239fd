//! The quotas that limit events per second, and at how many of them. Their sources are in docs/scaling.md.

use crate::{
    measured::{CHECK_CONCURRENCY, CONCURRENCY},
    model::Setup,
};

/// Concurrent executions of an account in a region.
const LAMBDA_CONCURRENCY: f64 = 1_000.0;
/// Invocations per second for each of them.
const INVOCATIONS_PER_CONCURRENCY: f64 = 10.0;
/// `MaximumConcurrency` of an event source mapping.
pub(crate) const MAPPING_CONCURRENCY: f64 = 1_000.0;
/// Concurrent invocations with which a mapping begins, and that it adds in a minute.
pub(crate) const MAPPING_BEGINS_WITH: f64 = 5.0;
pub(crate) const MAPPING_ADDS_A_MINUTE: f64 = 300.0;
/// The same in provisioned mode.
pub(crate) const PROVISIONED_ADDS_A_MINUTE: f64 = 1_000.0;
/// Messages of a queue that have been received and not yet deleted.
pub(crate) const IN_FLIGHT: f64 = 120_000.0;
/// `PutEvents` per second, and events that rules send to their targets, in us-east-1.
const PUT_EVENTS: f64 = 10_000.0;
const RULE_INVOCATIONS: f64 = 18_750.0;
/// Sends per second to a FIFO queue of high throughput, in us-east-1.
const FIFO_SENDS: f64 = 70_000.0;
/// Of an on-demand table in its first minutes.
const NEW_TABLE_WRITES: f64 = 4_000.0;
const NEW_TABLE_READS: f64 = 12_000.0;
/// Of an on-demand table.
const TABLE_WRITES: f64 = 40_000.0;
const TABLE_READS: f64 = 40_000.0;
/// Of one item, and so of one device.
pub(crate) const ITEM_WRITES: f64 = 1_000.0;
pub(crate) const ITEM_READS: f64 = 3_000.0;

/// How a quota is raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Remedy {
    Parameter,
    Request,
    Traffic,
    AnotherQueue,
}

impl Remedy {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Parameter => "a parameter of the stack",
            Self::Request => "AWS, on request",
            Self::Traffic => "grows with the traffic",
            Self::AnotherQueue => "a mapping for another queue",
        }
    }
}

/// A quota, or a default that acts as one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    pub(crate) name: &'static str,
    pub(crate) value: f64,
    /// Events per second at which it is reached; infinite if events don't count towards it.
    pub(crate) reached_at: f64,
    pub(crate) remedy: Remedy,
}

/// All of them for a setup, the first to be reached first.
pub(crate) fn quotas(setup: Setup) -> Vec<Quota> {
    let quota = |name, value, each: f64, remedy| Quota { name, value, reached_at: value * each, remedy };
    let per = |used: f64| if used > 0.0 { 1.0 / used } else { f64::INFINITY };
    let sandbox = setup.sandbox();
    let checked = if setup.checks { setup.checking_sandbox() } else { f64::INFINITY };
    // Checks take sandboxes, too.
    let both = 1.0 / (1.0 / sandbox + 1.0 / checked);
    let mut all = vec![
        quota("`MaximumConcurrency`, default", CONCURRENCY as f64, sandbox, Remedy::Parameter),
        quota("`CheckConcurrency`, default", CHECK_CONCURRENCY as f64, checked, Remedy::Parameter),
        quota("Lambda: concurrent executions", LAMBDA_CONCURRENCY, both, Remedy::Request),
        quota(
            "Lambda: invocations per second",
            LAMBDA_CONCURRENCY * INVOCATIONS_PER_CONCURRENCY,
            setup.batch as f64,
            Remedy::Request,
        ),
        quota("`MaximumConcurrency` of a mapping", MAPPING_CONCURRENCY, sandbox, Remedy::AnotherQueue),
        quota("SQS: messages in flight of a queue", IN_FLIGHT, 1e3 / setup.batch_ms(), Remedy::Request),
        quota("EventBridge: `PutEvents` per second, an event each", PUT_EVENTS, 1.0, Remedy::Request),
        quota("EventBridge: rule invocations per second", RULE_INVOCATIONS, 1.0, Remedy::Request),
        quota("SQS FIFO: sends per second, a message each", FIFO_SENDS, 1.0, Remedy::Request),
        quota(
            "DynamoDB: writes per second of a new table",
            NEW_TABLE_WRITES,
            per(setup.writes_per_event()),
            Remedy::Traffic,
        ),
        quota(
            "DynamoDB: reads per second of a new table",
            NEW_TABLE_READS,
            per(setup.reads_per_event()),
            Remedy::Traffic,
        ),
        quota("DynamoDB: writes per second of a table", TABLE_WRITES, per(setup.writes_per_event()), Remedy::Request),
        quota("DynamoDB: reads per second of a table", TABLE_READS, per(setup.reads_per_event()), Remedy::Request),
    ];
    all.retain(|quota| quota.reached_at.is_finite());
    all.sort_by(|a, b| a.reached_at.total_cmp(&b.reached_at));
    all
}
