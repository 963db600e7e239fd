use super::*;
use crate::{page, root};

#[test]
fn the_tables_of_the_page_are_those_of_the_program() {
    let page = std::fs::read_to_string(root().join(crate::PAGE)).unwrap();
    for table in all() {
        let right = page::with_table(&page, &table).unwrap();
        assert!(page == right, "docs/scaling.md, {}: is out of date; `make scaling` writes it", table.name);
    }
}

#[test]
fn numbers_have_two_digits_and_commas() {
    let shown = [0.0, 0.2, 3.0, 96.4, 125.0, 960.3, 1_249.0, 99_900.0, 1e6].map(rounded);
    assert_eq!(shown, ["0", "1", "3", "96", "130", "960", "1,200", "100,000", "1,000,000"]);
    assert_eq!([0.0, 12.0, 123.0, 1_234.0, 1e6].map(count), ["0", "12", "123", "1,234", "1,000,000"]);
}

#[test]
fn each_row_has_as_many_cells_as_the_head() {
    for table in all() {
        let bars: Vec<_> = table.text.lines().map(|line| line.matches('|').count()).collect();
        assert!(bars.len() > 2 && bars.iter().all(|count| *count == bars[0] && *count > 2), "{}", table.name);
    }
}
