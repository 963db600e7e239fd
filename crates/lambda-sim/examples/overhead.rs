//! Measures what an invocation costs beside the function: `cargo run --release -p lambda-sim --example overhead [BINARY]`.
//!
//! BINARY is a function that echoes: `lambda-sim-echo` from the same target directory unless told.

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use bytes::Bytes;
use lambda_sim::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let own = std::env::current_exe()?.with_file_name("../lambda-sim-echo");
    let binary = std::env::args_os().nth(1).map_or(own, PathBuf::from);
    let function = Function::builder(binary).memory(256).build()?;
    let mut out = std::io::stdout();
    let first = function.invoke("{}").await?;
    writeln!(out, "Init {:?}", first.init.unwrap_or_default())?;
    let text = |len| format!("\"{}\"", "x".repeat(len));
    let one_way = format!(r#"{{"do":"answer","text":"null","more":{}}}"#, text(6_000_000));
    for (name, payload, rounds) in [
        ("2 bytes", "{}".to_owned(), 20_000),
        ("100 KB", text(100_000), 2_000),
        ("6 MB", text(6_000_000), 100),
        ("6 MB in", one_way, 100),
    ] {
        let payload = Bytes::from(payload);
        let mut times = Vec::with_capacity(rounds);
        for _ in 0..rounds {
            let begun = Instant::now();
            let invocation = function.invoke(payload.clone()).await?;
            times.push(begun.elapsed());
            if invocation.outcome.response().is_none() {
                return Err(format!("{:?}", invocation.outcome).into());
            }
        }
        times.sort_unstable();
        let at = |share: usize| times.get(rounds * share / 100).copied().unwrap_or(Duration::ZERO);
        writeln!(out, "{name:>8}: median {:?}, p90 {:?}, p99 {:?}", at(50), at(90), at(99))?;
    }
    Ok(())
}
