//! The tables of docs/scaling.md, in Markdown.

use crate::{
    model::Setup,
    quotas::{
        IN_FLIGHT, ITEM_READS, ITEM_WRITES, MAPPING_ADDS_A_MINUTE, MAPPING_BEGINS_WITH, MAPPING_CONCURRENCY,
        PROVISIONED_ADDS_A_MINUTE, quotas,
    },
};

/// Events in an invocation. The template allows up to 200, Lambda 10,000.
pub(crate) const BATCHES: [usize; 4] = [10, 100, 1_000, 10_000];
pub(crate) const TARGETS: [f64; 4] = [1e3, 1e4, 1e5, 1e6];
const LATENCIES: [f64; 3] = [20.0, 50.0, 200.0];
const CONCURRENCIES: [f64; 11] = [2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1e3, 1e4, 2e4];
const MEMORIES: [f64; 5] = [128.0, 256.0, 512.0, 1_024.0, 1_769.0];

/// A table, and its name between the marks of the page.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    pub(crate) text: String,
}

pub(crate) fn all() -> Vec<Table> {
    vec![sandbox(), total(), memory(), reached(), needs(), multiples(), bursts(), hot()]
}

fn batch_of(batch: usize) -> Setup {
    Setup { batch, ..Setup::DEFAULT }
}

fn sandbox() -> Table {
    let heads = ["ledger", "no ledger"].into_iter().flat_map(|ledger| LATENCIES.map(|ms| format!("{ledger}, {ms} ms")));
    let row = |batch| {
        let with = LATENCIES.map(|tpns_ms| Setup { tpns_ms, ..batch_of(batch) });
        let without = with.map(Setup::without_ledger);
        cells(count(batch as f64), with.into_iter().chain(without).map(|setup| rounded(setup.sandbox())))
    };
    Table { name: "sandbox", text: table(cells("batch".into(), heads), BATCHES.map(row)) }
}

fn total() -> Table {
    let with = BATCHES.map(|batch| (format!("batch {}", count(batch as f64)), batch_of(batch)));
    let without = [10, 100].map(|batch| (format!("batch {batch}, no ledger"), batch_of(batch).without_ledger()));
    let columns: Vec<_> = with.into_iter().chain(without).collect();
    let heads = columns.iter().map(|(head, _)| head.clone());
    let row = |concurrency: f64| {
        cells(count(concurrency), columns.iter().map(|(_, setup)| rounded(concurrency * setup.sandbox())))
    };
    Table { name: "total", text: table(cells("concurrency".into(), heads), CONCURRENCIES.map(row)) }
}

fn memory() -> Table {
    let batches = [10, 100, 1_000];
    let heads = batches
        .into_iter()
        .flat_map(|batch| [format!("batch {}", count(batch as f64)), "GB-seconds a million events".to_owned()]);
    let row = |memory_mb: f64| {
        let of = |batch| {
            let setup = Setup { memory_mb, ..batch_of(batch) };
            let seconds = setup.invocation_ms() / 1e3 * 1e6 / batch as f64;
            [rounded(setup.sandbox()), rounded(seconds * memory_mb / 1_024.0)]
        };
        cells(count(memory_mb), batches.into_iter().flat_map(of))
    };
    Table { name: "memory", text: table(cells("`MemorySize`".into(), heads), MEMORIES.map(row)) }
}

/// At how many events per second each quota is reached.
fn reached() -> Table {
    let heads = ["default", "batch 10", "batch 100", "batch 1,000", "raised by"].map(str::to_owned);
    let at = [100, 1_000].map(|batch| quotas(batch_of(batch)));
    let rows = quotas(Setup::DEFAULT).into_iter().map(|quota| {
        let others = at.iter().map(|quotas| {
            let same = quotas.iter().find(|other| other.name == quota.name);
            same.map_or_else(String::new, |other| rounded(other.reached_at))
        });
        let own = [count(quota.value), format!("**{}**", rounded(quota.reached_at))];
        cells(quota.name.into(), own.into_iter().chain(others).chain([quota.remedy.text().to_owned()]))
    });
    Table { name: "reached", text: table(cells("quota".into(), heads), rows) }
}

/// What so many events per second use.
fn needs() -> Table {
    let heads =
        ["batch", "sandboxes", "for checks", "invocations/s", "TPNS calls/s", "writes/s", "reads/s", "in flight"];
    let rows = TARGETS.into_iter().flat_map(|target| {
        [10, 100, 1_000].map(|batch| {
            let setup = batch_of(batch);
            let used = [
                setup.sandboxes(target),
                (target / setup.checking_sandbox()).ceil(),
                target / batch as f64,
                target * setup.calls_per_event(),
                target * setup.writes_per_event(),
                target * setup.reads_per_event(),
                target * setup.batch_ms() / 1e3,
            ];
            cells(count(target), [count(batch as f64)].into_iter().chain(used.map(rounded)))
        })
    });
    Table { name: "needs", text: table(cells("events/s".into(), heads.map(str::to_owned)), rows) }
}

/// How many times a quota is needed.
fn multiples() -> Table {
    let heads = TARGETS.map(|target| format!("{}/s", count(target)));
    let rows = quotas(batch_of(100)).into_iter().map(|quota| {
        let times = TARGETS.map(|target| match target / quota.reached_at {
            fits if fits <= 1.0 => "fits".to_owned(),
            times if times < 10.0 => format!("x {times:.1}"),
            times => format!("x {}", rounded(times)),
        });
        cells(quota.name.into(), times)
    });
    Table { name: "multiples", text: table(cells("quota".into(), heads), rows) }
}

/// From no events to this many at once, spread over as many mappings as they need; and a TPNS that is down.
fn bursts() -> Table {
    let heads = [
        "batch",
        "mappings",
        "all sandboxes after",
        "events waiting by then",
        "in provisioned mode",
        "all in flight after",
    ];
    let rows = TARGETS.into_iter().flat_map(|target| {
        [10, 100].map(|batch| {
            let sandboxes = batch_of(batch).sandboxes(target);
            let mappings = (sandboxes / MAPPING_CONCURRENCY).ceil();
            let of_a_mapping = sandboxes / mappings;
            let more = (of_a_mapping - MAPPING_BEGINS_WITH).max(0.0);
            let seconds = |a_minute: f64| more * 60.0 / a_minute;
            // The sandboxes grow evenly, so half of what the missing ones would have applied waits.
            let waiting = target * seconds(MAPPING_ADDS_A_MINUTE) * more / of_a_mapping / 2.0;
            let shown = [
                count(batch as f64),
                count(mappings),
                duration(seconds(MAPPING_ADDS_A_MINUTE)),
                rounded(waiting),
                duration(seconds(PROVISIONED_ADDS_A_MINUTE)),
                duration(IN_FLIGHT * mappings / target),
            ];
            cells(count(target), shown)
        })
    });
    Table { name: "bursts", text: table(cells("events/s".into(), heads.map(str::to_owned)), rows) }
}

/// What one device and one account can have.
fn hot() -> Table {
    let fifo = |tpns_ms: f64| {
        let setup = Setup { tpns_ms, ..Setup::DEFAULT.without_ledger() };
        rounded(setup.sandbox())
    };
    let [fast, usual, slow] = LATENCIES.map(fifo);
    let batch = Setup::DEFAULT.batch as f64;
    let rows = [
        (
            "one device, standard queue: one event of it in a batch",
            "1,000 writes per second of an item",
            rounded(ITEM_WRITES),
        ),
        ("the same, a batch of ten for it alone", "the same", rounded(ITEM_WRITES * batch)),
        (
            "one device, FIFO queue, no ledger, TPNS at 20, 50, 200 ms",
            "one batch of ten of a message group at a time",
            format!("{fast}, {usual}, {slow}"),
        ),
        (
            "one account: logins on any devices, one in a batch",
            "3,000 reads per second of an item, two a batch",
            rounded(ITEM_READS / 2.0),
        ),
    ];
    let rows = rows.map(|(what, limit, events)| cells(what.into(), [limit.to_owned(), events]));
    let heads = ["limit", "events/s"].map(str::to_owned);
    Table { name: "hot", text: table(cells("what".into(), heads), rows) }
}

fn cells(first: String, others: impl IntoIterator<Item = String>) -> Vec<String> {
    std::iter::once(first).chain(others).collect()
}

pub(crate) fn table(head: Vec<String>, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule: Vec<_> = head.iter().map(|_| "---".to_owned()).collect();
    let rows: String = rows.into_iter().map(|row| line(&row)).collect();
    format!("{}{}{rows}", line(&head), line(&rule))
}

/// To two digits, as the numbers they are made of allow no more.
pub(crate) fn rounded(number: f64) -> String {
    if number < 10.0 {
        return count(number.ceil());
    }
    let step = 10_f64.powf(number.log10().floor() - 1.0);
    count((number / step).round() * step)
}

/// With commas.
pub(crate) fn count(number: f64) -> String {
    let digits = format!("{number:.0}");
    let first = digits.len() % 3;
    let mut text = digits[..first].to_owned();
    for at in (first..digits.len()).step_by(3) {
        if at > 0 {
            text.push(',');
        }
        text += &digits[at..at + 3];
    }
    text
}

fn duration(seconds: f64) -> String {
    match seconds {
        0.0 => "at once".to_owned(),
        s if s < 1.0 => format!("{s:.1} s"),
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.0} h", s / 3_600.0),
    }
}

#[cfg(test)]
mod tests;
