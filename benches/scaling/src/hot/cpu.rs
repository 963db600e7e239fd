//! The CPU that a sandbox has used.

use std::{fs, time::Duration};

use lambda_sim::Function;

/// As the scheduler counts it, in nanoseconds: of the threads that are alive, and the function keeps its threads.
pub(super) fn cpu(sandbox: &Function) -> Duration {
    let Some(threads) = sandbox.pid().and_then(|pid| fs::read_dir(format!("/proc/{pid}/task")).ok()) else {
        return Duration::ZERO;
    };
    let nanos = threads.flatten().filter_map(|thread| {
        let text = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split_ascii_whitespace().next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}
