//! What the function itself adds to TPNS's latency, for a warm batch.
//!
//! Side by side in one run: a bare call to the local TPNS over a kept connection, and an invocation that makes the same
//! call. The Runtime API's own share of an invocation (two exchanges on loopback) is in the figure.

#![allow(clippy::print_stdout, reason = "a benchmark prints its table")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use lambda_sim::{AwsApi, Function, Outcome, Service, event::sqs_event};
use tpns_sim::{RunningSim, Sim};

const LATENCY: Duration = Duration::from_millis(20);
const TABLE_LATENCY: Duration = Duration::from_millis(5);
const ROUNDS: usize = 300;
const WARM_UP: usize = 20;
const SECRET: &str = "1452fcebae9f3115ba794fb0fff2fd73";

type Failure = Box<dyn std::error::Error>;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Failure> {
    let sim = Sim::builder().app("android", 1_500_001_048_u64, SECRET).latency(LATENCY).start().await?;
    let aws = AwsApi::start().await?;
    aws.create_table("ledger", "pk");
    aws.latency(Service::DynamoDb, TABLE_LATENCY);
    let function = || {
        Function::builder(env!("CARGO_BIN_EXE_tpns-account-sync"))
            .env("TPNS_APPS", sim.apps_document())
            .timeout(Duration::from_secs(30))
    };
    let without = Arc::new(function().build()?);
    let ledger = function().env("LEDGER_TABLE", "ledger").env("AWS_ENDPOINT_URL", aws.url());
    let ledger = Arc::new(ledger.build()?);
    println!(
        "{ROUNDS} rounds after {WARM_UP} to warm up; local TPNS with {} ms latency, local DynamoDB with {} ms\n",
        LATENCY.as_millis(),
        TABLE_LATENCY.as_millis()
    );
    println!(
        "{:<34} {:>11} {:>11} {:>11} {:>12}",
        "warm batch", "TPNS median", "ours median", "ours p95", "own (median)"
    );
    for (name, function, bodies) in [
        ("10 messages, 1 call", &without, logins(10)),
        ("10 messages, 3 calls at a time", &without, mixed()),
        ("1 message, 1 call", &without, logins(1)),
        ("10 messages, 1 call, ledger", &ledger, logins(10)),
        ("1 message, 1 call, ledger", &ledger, logins(1)),
    ] {
        let (direct, ours) = measure(&sim, function, &bodies).await?;
        let own = median(&ours).as_secs_f64() - median(&direct).as_secs_f64();
        println!(
            "{name:<34} {:>8.3} ms {:>8.3} ms {:>8.3} ms {:>9.3} ms",
            median(&direct).as_secs_f64() * 1e3,
            median(&ours).as_secs_f64() * 1e3,
            percentile(&ours, 95).as_secs_f64() * 1e3,
            own * 1e3
        );
    }
    println!("\nWith the ledger two round trips to DynamoDB are in \"own\": the merge and the look after the push.");
    println!(
        "The goal for 10 messages without it is under 1 ms. \"own\" holds the Runtime API's two exchanges on loopback."
    );
    Ok(())
}

/// Durations of bare calls and of invocations, taken in turn, so that a noisy machine disturbs both alike.
async fn measure(
    sim: &RunningSim,
    function: &Function,
    bodies: &[String],
) -> Result<(Vec<Duration>, Vec<Duration>), Failure> {
    let client = reqwest::Client::builder().no_proxy().tcp_nodelay(true).build()?;
    let (mut direct, mut ours) = (Vec::new(), Vec::new());
    let ids: Vec<_> = (0..bodies.len()).map(|n| format!("message-{n}")).collect();
    let messages: Vec<_> = ids.iter().map(String::as_str).zip(bodies.iter().map(String::as_str)).collect();
    let payload = sqs_event(&messages);
    for round in 0..WARM_UP + ROUNDS {
        let begun = Instant::now();
        call(&client, sim).await?;
        let took = begun.elapsed();
        let invocation = function.invoke(payload.clone()).await?;
        match invocation.outcome {
            Outcome::Response { body } if &*body == b"{\"batchItemFailures\":[]}" => {}
            other => return Err(format!("the batch was not applied: {other:?}").into()),
        }
        if round >= WARM_UP {
            direct.push(took);
            ours.push(invocation.duration);
        }
    }
    Ok((direct, ours))
}

/// One bare call, as any client would make it.
async fn call(client: &reqwest::Client, sim: &RunningSim) -> Result<(), Failure> {
    let body = r#"{"operator_type":4,"token_list":["direct"]}"#;
    let timestamp = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs().to_string();
    let sign = tpns_sim::signature::sign(SECRET, &timestamp, "1500001048", body.as_bytes());
    let response = client
        .post(format!("{}/v3/device/account/batchoperate", sim.url()))
        .header("AccessId", "1500001048")
        .header("TimeStamp", timestamp)
        .header("Sign", sign)
        .body(body)
        .send()
        .await?;
    let text = response.text().await?;
    if text.contains("\"ret_code\":0") { Ok(()) } else { Err(text.into()) }
}

fn logins(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| format!(r#"{{"type":"user.login","token":"token-{n}","account_list":[{{"account":"user-{n}"}}]}}"#))
        .collect()
}

/// Four logins, three logouts of one account, three of all: one call for each, side by side.
fn mixed() -> Vec<String> {
    let some = |n| format!(r#"{{"type":"user.logout","token":"some-{n}","account_list":[{{"account":"user-{n}"}}]}}"#);
    let all = |n| format!(r#"{{"type":"user.logout","token":"all-{n}"}}"#);
    logins(4).into_iter().chain((0..3).map(some)).chain((0..3).map(all)).collect()
}

fn median(durations: &[Duration]) -> Duration {
    percentile(durations, 50)
}

fn percentile(durations: &[Duration], percent: usize) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    sorted[(sorted.len() - 1) * percent / 100]
}
