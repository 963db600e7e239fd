//! The table of docs/bench.md, for the tests that compare the model with it.

const PAGE: &str = include_str!("../../../docs/bench.md");

/// What was measured for a batch of one size, in milliseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    pub(crate) messages: usize,
    pub(crate) ledger: bool,
    pub(crate) bare_call: f64,
    pub(crate) time: f64,
    pub(crate) cpu: f64,
}

/// All sizes, with and without the ledger.
pub(crate) fn measured() -> Vec<Measured> {
    let table = PAGE.split("```").find(|text| text.contains("10 messages,")).unwrap();
    let heads = heads(table);
    let column = |name: &str| heads.iter().position(|head| *head == name).unwrap();
    let columns = [(false, column("ours")), (true, column("ours, ledger"))];
    let mut found = Vec::new();
    for section in table.split("\n\n").filter(|section| section.contains(" messages, ") && section.contains("  CPU  "))
    {
        let section = section.trim_start();
        let messages = section.split_once(" messages").unwrap().0.replace(',', "").parse().unwrap();
        let bare_call = millis(section.split_once("a bare call to TPNS ").unwrap().1.split(',').next().unwrap());
        let row = |name: &str| fields(section.lines().find(|line| line.trim_start().starts_with(name)).unwrap());
        for (ledger, column) in columns {
            let [time, cpu] = ["time ", "CPU "].map(|name| millis(row(name)[column + 1]));
            found.push(Measured { messages, ledger, bare_call, time, cpu });
        }
    }
    assert_eq!(found.len(), 10);
    found
}

/// The names of the columns, which have two lines.
fn heads(table: &str) -> Vec<String> {
    let mut lines = table.lines().filter(|line| !line.trim().is_empty());
    let (first, second) = (lines.next().unwrap(), lines.next().unwrap());
    let mut begin = 0;
    let head = |name: &str| {
        let end = begin + first[begin..].find(name).unwrap() + name.len();
        let rest = second.get(begin..end.min(second.len())).unwrap_or_default().trim();
        begin = end;
        format!("{name} {rest}").trim_end().to_owned()
    };
    fields(first).into_iter().map(head).collect()
}

/// Columns have at least two blanks between them.
fn fields(line: &str) -> Vec<&str> {
    line.split("  ").map(str::trim).filter(|field| !field.is_empty()).collect()
}

fn millis(text: &str) -> f64 {
    let (number, unit) = text.trim().split_once(' ').unwrap();
    let number: f64 = number.parse().unwrap();
    match unit {
        "ms" => number,
        "s" => number * 1e3,
        other => panic!("{other}: is no unit of docs/bench.md"),
    }
}
