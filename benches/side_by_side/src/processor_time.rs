//! The processor time of a process, as counted by the kernel (`proc_pid_stat(5)`).

use std::time::Duration;

/// The processor time of all threads of a process, in steps of 10 ms if some of them have ended. `None` when there is no such process.
///
/// The scheduler counts in nanoseconds, but only for threads that are still alive; the other count has all threads, in
/// steps of a clock tick. Neither is too high, so the greater of the two is the better one.
pub(crate) fn processor_time(pid: u32) -> Option<Duration> {
    let ticks = ticks(pid)?;
    Some(scheduled(pid).unwrap_or_default().max(ticks))
}

/// `utime` and `stime` together.
fn ticks(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is the program's name, which may have blanks and parentheses; utime is the twelfth after it.
    let (_, after_name) = stat.rsplit_once(')')?;
    let mut fields = after_name.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    let ticks = ticks()? + ticks()?;
    let per_second = rustix::param::clock_ticks_per_second();
    Some(Duration::from_nanos(ticks.saturating_mul(1_000_000_000) / per_second.max(1)))
}

/// The time that the scheduler gave its living threads; `None` where the kernel does not count it.
fn scheduled(pid: u32) -> Option<Duration> {
    let mut nanos = 0_u64;
    for thread in std::fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten() {
        // A thread may end while it is being read.
        let Ok(text) = std::fs::read_to_string(thread.path().join("schedstat")) else { continue };
        nanos += text.split_ascii_whitespace().next()?.parse::<u64>().ok()?;
    }
    Some(Duration::from_nanos(nanos))
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn it_is_that_of_the_process() {
        let used = || processor_time(std::process::id()).unwrap();
        let (before, begun) = (used(), Instant::now());
        // Other processes use this machine, too.
        while used() - before < Duration::from_millis(30) && begun.elapsed() < Duration::from_secs(60) {
            std::hint::spin_loop();
        }
        assert!(used() - before >= Duration::from_millis(30));
        assert_eq!(processor_time(u32::MAX), None);
    }
}
