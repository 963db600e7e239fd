//! Fields that are ignored, and whose names are nearly those of the contract. The contract itself refuses names that
//! differ by case or by what is between words; these differ by a letter or two.

use serde_json::{Map, Value};

use crate::warning::Warning;

/// The fields whose names are long enough not to be like others by accident, with the most letters that may differ.
const LONG: [(&str, usize); 4] = [("occurred_at", 2), ("account_list", 2), ("account_type", 2), ("token", 1)];
const KNOWN: [&str; 8] = ["type", "id", "occurred_at", "app", "token", "account_list", "account", "account_type"];
/// A longer name is like none of them.
const LONGEST: usize = 16;

/// A warning for each such name, of the event and of its accounts.
pub(super) fn ignored_fields(event: &Map<String, Value>) -> Vec<Warning> {
    let accounts = event.get("account_list").and_then(Value::as_array).into_iter().flatten();
    let names = event.keys().chain(accounts.filter_map(Value::as_object).flat_map(Map::keys));
    let mut found: Vec<Warning> = Vec::new();
    for warning in names.filter_map(|name| like(name)) {
        if !found.contains(&warning) {
            found.push(warning);
        }
    }
    found
}

fn like(name: &str) -> Option<Warning> {
    let is_plain =
        name.len() <= LONGEST && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    if !is_plain || KNOWN.contains(&name) {
        return None;
    }
    let near = |&&(field, most): &&(&str, usize)| distance(&name.to_ascii_lowercase(), field) <= most;
    let &(field, _) = LONG.iter().find(near)?;
    Some(Warning::IgnoredField { name: name.to_owned(), field })
}

/// How many letters are to be added, removed or replaced to make one of the other; two that are swapped count as two.
fn distance(one: &str, other: &str) -> usize {
    let other = other.as_bytes();
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, letter) in one.bytes().enumerate() {
        let mut current = vec![row + 1];
        for (column, &wanted) in other.iter().enumerate() {
            let replaced = above[column] + usize::from(letter != wanted);
            current.push(replaced.min(above[column + 1] + 1).min(current[column] + 1));
        }
        above = current;
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_differs_by_a_letter_or_two_is_found() {
        for (name, field) in [
            ("acount_list", "account_list"),
            ("account_lst", "account_list"),
            ("ocurred_at", "occurred_at"),
            ("occured_at", "occurred_at"),
            ("tokn", "token"),
            ("acount_type", "account_type"),
        ] {
            let expected = Warning::IgnoredField { name: name.into(), field };
            assert_eq!(like(name), Some(expected), "{name}");
        }
    }

    #[test]
    fn other_names_are_not_mentioned() {
        for name in ["", "uid", "apps_id", "created_at", "account_id", "device_token", "source", "accounts_of_ann@x"] {
            assert_eq!(like(name), None, "{name}");
        }
    }
}
