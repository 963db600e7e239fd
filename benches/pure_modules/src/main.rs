//! Times the pure modules, compared with serde_json reading the same payload: `pure-modules PAYLOAD.json ROUNDS`.
//! Prints one JSON object with nanoseconds of processor time, each the median of the rounds.

#![allow(clippy::print_stdout, reason = "what it prints is its result")]

use std::hint::black_box;

use pure_modules::{APP, whole};
use rustix::time::{ClockId, clock_gettime};
use serde::de::IgnoredAny;
use tpns_account_sync::apps::AppNames;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let (Some(file), Some(rounds)) = (arguments.next(), arguments.next()) else {
        return Err("usage: pure-modules PAYLOAD.json ROUNDS".into());
    };
    let payload = std::fs::read_to_string(file)?;
    let apps = AppNames::new([APP]);
    let now = i64::try_from(std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_millis())?;
    let rounds: usize = rounds.parse()?;
    let (mut ours, mut value, mut ignored) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds.max(1) {
        let answer = timed(&mut ours, || whole(&payload, &apps, now)).map_err(|unexpected| unexpected.0)?;
        if answer != r#"{"batchItemFailures":[]}"# {
            return Err(format!("the batch was not applied: {answer}").into());
        }
        timed(&mut value, || serde_json::from_str::<serde_json::Value>(&payload).map(drop))?;
        timed(&mut ignored, || serde_json::from_str::<IgnoredAny>(&payload))?;
    }
    let medians =
        [("modules", ours), ("value", value), ("ignored", ignored)].map(|(name, times)| (name, median(times)));
    println!("{}", serde_json::to_string(&std::collections::BTreeMap::from(medians))?);
    Ok(())
}

/// Includes the time to free what `work` builds.
fn timed<T>(times: &mut Vec<i64>, work: impl FnOnce() -> T) -> T {
    let begun = processor_time();
    let result = black_box(work());
    times.push(processor_time() - begun);
    result
}

/// The processor time of this thread, so that other load on the machine does not count.
fn processor_time() -> i64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn median(mut times: Vec<i64>) -> i64 {
    times.sort_unstable();
    times[times.len() / 2]
}
