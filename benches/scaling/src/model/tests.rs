use super::*;
use crate::bench_page::measured;

#[test]
fn an_invocation_takes_as_long_as_the_benchmark_measured() {
    for of in measured() {
        let setup = Setup {
            batch: of.messages,
            ledger: of.ledger,
            checks: false,
            tpns_ms: of.bare_call,
            memory_mb: MB_PER_CPU,
        };
        let ratio = setup.invocation_ms() / of.time;
        // In the largest batches slices overlap: one computes while the calls of another are under way.
        let most = if of.messages > 1_000 { 1.5 } else { 1.3 };
        assert!((0.75..most).contains(&ratio), "{of:?}: the model has {:.1} ms", setup.invocation_ms());
    }
}

#[test]
fn a_batch_takes_as_many_calls_as_the_benchmark_counts() {
    let calls = [1, 10, 100, 1_000, 10_000].map(|batch| Setup { batch, ..Setup::DEFAULT }.calls());
    assert_eq!(calls, [1, 3, 6, 50, 500]);
}

#[test]
fn more_memory_a_faster_tpns_and_no_ledger_make_a_sandbox_faster() {
    for batch in [1, 10, 100, 1_000, 10_000] {
        let setup = Setup { batch, ..Setup::DEFAULT };
        let rate = setup.sandbox();
        assert!(Setup { memory_mb: 1_024.0, ..setup }.sandbox() > rate);
        assert!(Setup { tpns_ms: 20.0, ..setup }.sandbox() > rate);
        assert!(setup.without_ledger().sandbox() > rate);
        // More than one CPU is of no use to one thread.
        let whole = Setup { memory_mb: MB_PER_CPU, ..setup };
        assert_eq!(Setup { memory_mb: 2.0 * MB_PER_CPU, ..setup }.sandbox(), whole.sandbox());
    }
}

#[test]
fn as_many_sandboxes_as_needed_apply_the_events() {
    for events in [1.0, 1e3, 1e6] {
        let sandboxes = Setup::DEFAULT.sandboxes(events);
        assert!(sandboxes * Setup::DEFAULT.sandbox() >= events);
        assert!((sandboxes - 1.0) * Setup::DEFAULT.sandbox() < events);
    }
}
