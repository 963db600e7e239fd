//! A table of plain text that fits a width: no column is wrapped, and the last ones are omitted where there is no
//! space.

use std::io::{self, Write};

/// Between two columns.
const GAP: &str = "  ";

/// A table; the first column is of numbers.
#[derive(Debug)]
pub(crate) struct Table {
    header: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(header: Vec<&'static str>, rows: Vec<Vec<String>>) -> Self {
        Self { header, rows }
    }

    /// Writes it, with as many columns as fit.
    pub(crate) fn write(&self, out: &mut impl Write, width: usize) -> io::Result<()> {
        let widths = self.widths();
        let mut used = 0;
        let fits = |&&column: &&usize| {
            used += column + GAP.len();
            used <= width + GAP.len()
        };
        let columns = widths.iter().take_while(fits).count().max(1);
        let widths = &widths[..columns];
        writeln!(out, "{}", line(self.header.iter().copied(), widths))?;
        for row in &self.rows {
            writeln!(out, "{}", line(row.iter().map(String::as_str), widths))?;
        }
        Ok(())
    }

    fn widths(&self) -> Vec<usize> {
        let longest = |(column, name): (usize, &&str)| {
            let cells = self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
            cells.chain([name.len()]).max().unwrap_or_default()
        };
        self.header.iter().enumerate().map(longest).collect()
    }
}

fn line<'a>(cells: impl Iterator<Item = &'a str>, widths: &[usize]) -> String {
    let pad = |(column, (cell, &width)): (usize, (&str, &usize))| match column {
        0 => format!("{cell:>width$}"),
        _ => format!("{cell:<width$}"),
    };
    let cells: Vec<String> = cells.zip(widths).enumerate().map(pad).collect();
    cells.join(GAP).trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_that_do_not_fit_are_omitted_and_no_line_ends_with_a_blank() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let table =
            Table::new(vec!["line", "event", "app"], vec![row(["7", "a", "android"]), row(["10", "login", "i"])]);
        let at = |width| {
            let mut out = Vec::new();
            table.write(&mut out, width).unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(at(20), "line  event  app\n   7  a      android\n  10  login  i\n");
        assert_eq!(at(19), "line  event\n   7  a\n  10  login\n");
        assert_eq!(at(1), "line\n   7\n  10\n");
    }
}
