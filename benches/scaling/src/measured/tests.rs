use super::*;
use crate::bench_page::measured;

const TEMPLATE: &str = include_str!("../../../../template.yaml");

#[test]
fn the_cpu_of_an_invocation_is_what_the_benchmark_measured() {
    for of in measured() {
        let line = if of.ledger { CPU_WITH_LEDGER } else { CPU };
        let ratio = line.at(of.messages) / of.cpu;
        // The lines have two digits, and the benchmark is run on different machines.
        assert!((0.6..1.6).contains(&ratio), "{of:?}: the model has {:.2} ms", line.at(of.messages));
    }
}

#[test]
fn the_settings_are_the_defaults_of_the_template() {
    for (name, default) in [
        ("BatchSize", BATCH as f64),
        ("MaximumConcurrency", CONCURRENCY as f64),
        ("CheckConcurrency", CHECK_CONCURRENCY as f64),
        ("MemorySize", MEMORY_MB),
    ] {
        assert!(TEMPLATE.contains(&format!("\n  {name}:\n    Type: Number\n    Default: {default}\n")), "{name}");
    }
    let checks = TEMPLATE.split_once("\n  CheckMapping:\n").unwrap().1.split("\n\n").next().unwrap();
    assert!(checks.contains(&format!("BatchSize: {CHECK_MESSAGES}\n")));
}

#[test]
fn the_limits_are_those_of_the_function() {
    for (source, text) in [
        (include_str!("../../../../src/tpns/calls.rs"), format!("ITEMS_PER_CALL: usize = {ITEMS_PER_CALL};")),
        (include_str!("../../../../src/ledger/protocol.rs"), format!("WRITES_AT_A_TIME: usize = {WRITES_AT_A_TIME};")),
        (include_str!("../../../../src/apply/slices.rs"), format!("MOST_ROWS: usize = {ROWS_A_SLICE};")),
        (include_str!("../../../../crates/contract/src/check.rs"), format!("MOST_KEYS: usize = {KEYS_A_CHECK};")),
        (TEMPLATE, format!("\n  TpnsConcurrency:\n    Type: Number\n    Default: {CALLS_AT_A_TIME}\n")),
    ] {
        assert!(source.contains(&text), "{text}");
    }
}
