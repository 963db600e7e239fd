//! How many events per second the function takes, by settings and quotas, and which quota is reached first.
//!
//! `make scaling` calculates the tables of docs/scaling.md from measured numbers and writes them into the page.
//! `make scaling HOT=1` measures a hot device, a hot account and the checks with the function's release binary, and
//! writes their tables.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a benchmark prints its table and its progress")]

#[cfg(test)]
mod bench_page;
mod hot;
mod measured;
mod model;
mod page;
mod picture;
mod quotas;
mod tables;

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use tables::Table;

/// The page, from the root of the repository.
const PAGE: &str = "docs/scaling.md";
const PICTURE: &str = "docs/scaling.svg";

fn main() -> anyhow::Result<()> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => {
            let path = root().join(PAGE);
            let mut page = std::fs::read_to_string(&path).context(PAGE)?;
            for table in tables::all() {
                println!("{}\n\n{}", table.name, table.text);
                page = page::with_table(&page, &table)?;
            }
            std::fs::write(&path, page).context(PAGE)?;
            std::fs::write(root().join(PICTURE), picture::svg()).context(PICTURE)?;
            println!("Written: the calculated tables in {PAGE}, {PICTURE}.");
        }
        ["hot", binary] => {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
            let text = runtime.block_on(hot::measure(Path::new(binary)))?;
            print!("{text}");
            let path = root().join(PAGE);
            let page = std::fs::read_to_string(&path).context(PAGE)?;
            std::fs::write(&path, page::with_table(&page, &Table { name: "measured", text })?)?;
            println!("\nWritten: the tables in {PAGE}.");
        }
        _ => bail!("give nothing for the calculated tables, or `hot` and the function's binary"),
    }
    Ok(())
}

/// The root of the repository.
fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}
