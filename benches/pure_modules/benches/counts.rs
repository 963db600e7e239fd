//! Instructions of each pure module for 10, 1,000 and 10,000 messages. `make counts` runs it, and compares the result
//! with the committed counts.

#![allow(missing_docs, reason = "the attribute generates modules that can't be documented")]

use std::hint::black_box;

use gungraun::{Callgrind, LibraryBenchmarkConfig, library_benchmark, library_benchmark_group, main};
use pure_modules::{APP, Events, Unexpected, answer, calls, judge, merge, read};
use tpns_account_sync::{
    apps::AppNames, ingress::Batch, ledger::State, plan::Plan, settlement::Settlement, tpns::Call,
};

/// The clock of the batch: its events are a minute old.
const NOW: i64 = 1_764_000_060_000;

/// A batch after each module. Leaked, so that freeing is not counted.
#[derive(Clone, Copy)]
struct Sample {
    payload: &'static str,
    apps: &'static AppNames,
    batch: &'static Batch<'static>,
    events: &'static Events,
    state: &'static State,
    plan: &'static Plan,
}

/// Of ten messages seven are logins, one a logout of one account, one of all, and one a deletion.
fn payload(messages: usize) -> String {
    let record = |n: usize| {
        let at = 1_764_000_000_000 + n;
        let rest = format!(r#"\"occurred_at\":{at},\"token\":\"05da87c0ae5973bd2dfa9e08d884{n:08}\""#);
        let accounts = format!(r#"\"account_list\":[{{\"account\":\"1527{n:06}\",\"account_type\":1002}}]"#);
        let body = match n % 10 {
            7 => format!(r#"{{\"type\":\"user.logout\",{rest},{accounts}}}"#),
            8 => format!(r#"{{\"type\":\"user.logout\",{rest}}}"#),
            9 => format!(r#"{{\"type\":\"account.deleted\",\"occurred_at\":{at},{accounts}}}"#),
            _ => format!(r#"{{\"type\":\"user.login\",{rest},{accounts}}}"#),
        };
        format!(
            r#"{{"messageId":"4f1c8a52-7d3e-4b6a-9c21-{n:012}","receiptHandle":"AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a","body":"{body}","attributes":{{"ApproximateReceiveCount":"1","SentTimestamp":"1764000000000","SenderId":"AIDAIENQZJOLO23YVJ4VO","ApproximateFirstReceiveTimestamp":"1764000000001"}},"messageAttributes":{{}},"md5OfBody":"e4e68fb7bd0e697a0ae8f1bb342846b3","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:us-east-2:123456789012:my-queue","awsRegion":"us-east-2"}}"#
        )
    };
    let records: Vec<_> = (0..messages).map(record).collect();
    format!(r#"{{"Records":[{}]}}"#, records.join(","))
}

fn sample(messages: usize) -> Sample {
    let payload: &'static str = payload(messages).leak();
    let apps: &'static AppNames = Box::leak(Box::new(AppNames::new([APP])));
    let Ok((batch, events)) = read(payload, apps, NOW) else { std::process::abort() };
    let (batch, events): (&'static Batch<'static>, &'static Events) =
        (Box::leak(Box::new(batch)), Box::leak(Box::new(events)));
    let state: &'static State = Box::leak(Box::new(merge(events)));
    let plan: &'static Plan = Box::leak(Box::new(calls(state).0));
    Sample { payload, apps, batch, events, state, plan }
}

fn judged(messages: usize) -> (Sample, Settlement) {
    let sample = sample(messages);
    (sample, judge(sample.events, sample.state, sample.plan))
}

#[library_benchmark]
#[benches::messages(args = [10, 1000, 10000], setup = sample)]
fn ingress_event(sample: Sample) -> Result<(Batch<'static>, Events), Unexpected> {
    black_box(read(sample.payload, sample.apps, NOW))
}

#[library_benchmark]
#[benches::messages(args = [10, 1000, 10000], setup = sample)]
fn ledger(sample: Sample) -> State {
    black_box(merge(sample.events))
}

#[library_benchmark]
#[benches::messages(args = [10, 1000, 10000], setup = sample)]
fn plan(sample: Sample) -> (Plan, Vec<Call>) {
    black_box(calls(sample.state))
}

#[library_benchmark]
#[benches::messages(args = [10, 1000, 10000], setup = sample)]
fn settlement(sample: Sample) -> Settlement {
    black_box(judge(sample.events, sample.state, sample.plan))
}

#[library_benchmark]
#[benches::messages(args = [10, 1000, 10000], setup = judged)]
fn report((sample, settlement): (Sample, Settlement)) -> Result<String, Unexpected> {
    black_box(answer(sample.batch, sample.events, settlement))
}

library_benchmark_group!(name = modules, benchmarks = [ingress_event, ledger, plan, settlement, report]);

main!(
    config = LibraryBenchmarkConfig::default().tool(Callgrind::with_args(["--cache-sim=no"])),
    library_benchmark_groups = modules
);
