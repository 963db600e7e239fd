//! What a sandbox's first event takes over TLS, with the connections that Init opens and without: `make bench
//! ONLY=first-event`. The function runs in a process of its own, with the library's own code and a root certificate of
//! the tests; DynamoDB, SQS and TPNS are the local ones, each behind a TLS proxy.

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

mod sandbox;
mod tls;

use std::time::Duration;

use anyhow::Context;
use lambda_sim::{AwsApi, Queue, Service};
use sandbox::{Measured, Phase};
use tpns_sim::Sim;

const SANDBOXES: usize = 20;
const TPNS_LATENCY: Duration = Duration::from_millis(20);
const AWS_LATENCY: Duration = Duration::from_millis(5);
/// Lambda gives a function of 1,769 MB one core, and others a share by their memory.
const SHARE: f64 = 256.0 / 1769.0;

fn main() -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    if let Some(is_warmed) = sandbox::is_asked_for() {
        return runtime.block_on(sandbox::run(is_warmed));
    }
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(compare())
}

async fn compare() -> anyhow::Result<()> {
    let aws = AwsApi::start().await?;
    aws.create_table(sandbox::TABLE, "pk");
    aws.create_queue(Queue::builder("checks").build()?);
    aws.latency(Service::DynamoDb, AWS_LATENCY);
    aws.latency(Service::Sqs, AWS_LATENCY);
    let tpns = Sim::builder().app("android", 1_500_001_048, "secret").latency(TPNS_LATENCY).start().await?;
    let aws_url = tls::before(&aws.url()).await?;
    let tpns_url = tls::before(&tpns.url()).await?;
    let apps = tpns.apps_document().replace(&tpns.url(), &tpns_url);
    let checks = aws.queue_url("checks").replace(&aws.url(), &aws_url);

    let (mut cold, mut warmed) = (Vec::new(), Vec::new());
    // The first of each only brings the files into the page cache.
    for round in 0..=SANDBOXES {
        for (is_warmed, all) in [(false, &mut cold), (true, &mut warmed)] {
            let measured = sandbox::start(is_warmed, &apps, &aws_url, &checks)?;
            if round > 0 {
                all.push(measured);
            }
        }
    }
    print(&cold, &warmed);
    Ok(())
}

type PhaseOf = fn(&Measured) -> Phase;
type FigureOf = fn(Phase) -> f64;

fn print(cold: &[Measured], warmed: &[Measured]) {
    println!("{:<28}{:>16}{:>16}", "", "as before", "opened in Init");
    let phases: [(&str, PhaseOf); 3] =
        [("Init", |each| each.init), ("first event", |each| each.first), ("a warm event", |each| each.warm)];
    for (name, phase) in phases {
        let figures: [(&str, FigureOf); 3] = [("", wall), (", CPU", |phase| phase.cpu_ms), (", 256 MB", small)];
        for (what, figure) in figures {
            // Init has a whole core.
            if name == "Init" && what == ", 256 MB" {
                continue;
            }
            let of = |all: &[Measured]| median(all.iter().map(|each| figure(phase(each))));
            println!("{:<28}{:>13.2} ms{:>13.2} ms", format!("{name}{what}"), of(cold), of(warmed));
        }
    }
    for (what, figure) in [("first / warm", wall as FigureOf), ("first / warm, 256 MB", small)] {
        let ratio = |all: &[Measured]| median(all.iter().map(|each| figure(each.first) / figure(each.warm)));
        println!("{what:<28}{:>14.2} x{:>14.2} x", ratio(cold), ratio(warmed));
    }
}

fn wall(phase: Phase) -> f64 {
    phase.wall_ms
}

/// The time with the CPU of 256 MB: waiting takes as long, and work seven times as long.
fn small(phase: Phase) -> f64 {
    phase.wall_ms - phase.cpu_ms + phase.cpu_ms / SHARE
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<_> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// The directory of the tests' certificates.
fn fixture(name: &str) -> anyhow::Result<Vec<u8>> {
    let path = format!("{}/../../src/transport/fixtures/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).context(path)
}
