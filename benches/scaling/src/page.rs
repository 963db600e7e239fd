//! The places of tables in docs/scaling.md.

use anyhow::Context;

use crate::tables::Table;

/// Where a table ends.
const END: &str = "<!-- until here -->";

/// The page with this table between its marks.
pub(crate) fn with_table(page: &str, table: &Table) -> anyhow::Result<String> {
    let begin = format!("<!-- table: {} -->\n", table.name);
    let parts = page.split_once(&begin).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = parts.with_context(|| format!("docs/scaling.md has lost {begin:?} or {END:?} after it"))?;
    Ok(format!("{before}{begin}{}{END}{after}", table.text))
}

#[cfg(test)]
mod tests;
