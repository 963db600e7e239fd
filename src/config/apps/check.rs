//! What an apps document must not hold although it can be read: it would fail later, or in silence. The reasons quote
//! nothing but names that have passed, for a key may have been pasted anywhere.

use std::collections::HashMap;

use super::{App, SEVERAL, UNKNOWN};

const LONGEST_NAME: usize = 64;

/// Checks the name of the app at this place. Names end in metrics, which drop a line with other characters, and in logs.
pub(super) fn name(index: usize, name: &str) -> Result<(), String> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let flaw = match name {
        "" => "an empty name",
        _ if name.chars().count() > LONGEST_NAME => "a name of more than 64 characters",
        _ if !name.chars().all(allowed) => "a name with other characters",
        _ if [UNKNOWN, SEVERAL].iter().any(|word| name.eq_ignore_ascii_case(word)) => {
            return Err(format!(
                "gives its {} app a name that is reserved in metrics ({UNKNOWN}, {SEVERAL}); choose another",
                ordinal(index + 1)
            ));
        }
        _ => return Ok(()),
    };
    Err(format!(
        "gives its {} app {flaw}; use 1 to {LONGEST_NAME} of A-Z, a-z, 0-9, dot, hyphen and underscore",
        ordinal(index + 1)
    ))
}

/// Checks that no two names are one app: by case, which an event may confuse, or at TPNS, where the calls of both would
/// change one set of bindings, while the order of events is kept for each name by itself.
pub(super) fn distinct<'a>(apps: impl Iterator<Item = (&'a str, &'a App)>) -> Result<(), String> {
    let (mut names, mut places) = (HashMap::new(), HashMap::new());
    for (name, app) in apps {
        if let Some(other) = names.insert(name.to_ascii_lowercase(), name) {
            return Err(if other == name {
                format!("names {name} twice; give each app its own name")
            } else {
                format!("gives two apps names that differ only in case, {other} and {name}; rename one")
            });
        }
        if let Some(other) = places.insert((app.key.access_id(), app.endpoint.origin()), name) {
            return Err(format!(
                "gives {other} and {name} the same access_id and endpoint, so they are the same TPNS app; \
                 keep one of the two names"
            ));
        }
    }
    Ok(())
}

/// Checks a SecretKey: one with anything around it is a key, too, and TPNS would refuse every call.
pub(super) fn secret_key(key: &str) -> Result<(), String> {
    let at_end = |place, c: Option<char>| Some(format!("{place} {}", c.and_then(|c| kind(c).or_else(|| quote(c)))?));
    let ends = [at_end("begins with", key.chars().next()), at_end("ends with", key.chars().next_back())];
    let ends: Vec<_> = ends.into_iter().flatten().collect();
    let inside = || key.chars().zip(1..).find_map(|(c, n)| Some((n, kind(c)?)));
    let flaw = match ends.as_slice() {
        [] => match inside() {
            Some((n, kind)) => format!("has {kind} at character {n} of {}", key.chars().count()),
            None => return Ok(()),
        },
        ends => ends.join(" and "),
    };
    Err(format!("{flaw}; copy the SecretKey from the TPNS console, without anything around it"))
}

/// What a character is that no SecretKey has.
fn kind(c: char) -> Option<&'static str> {
    Some(match c {
        '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}' | '\u{2029}' => "a line break",
        '\t' => "a tab",
        '\u{feff}' => "a byte-order mark",
        '\u{200b}'..='\u{200d}' | '\u{2060}' => "a zero-width character",
        '\u{ad}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2061}'..='\u{206f}' => {
            "an invisible character"
        }
        '‘'..='‟' | '«' | '»' | '‹' | '›' | '＂' | '＇' => "a quotation mark",
        // Of JSON that was escaped twice.
        '\\' => "a backslash",
        _ if c.is_whitespace() => "a blank",
        _ if c.is_control() => "a control character",
        _ if !c.is_ascii() => "a non-ASCII character",
        _ => return None,
    })
}

/// What a character is that no SecretKey begins or ends with.
fn quote(c: char) -> Option<&'static str> {
    matches!(c, '"' | '\'' | '`').then_some("a quotation mark")
}

fn ordinal(n: usize) -> String {
    let suffix = match (n % 100, n % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{n}{suffix}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_apps_place_is_said_as_people_say_it() {
        let said = [1, 2, 3, 4, 11, 12, 13, 21, 102, 111].map(ordinal);
        assert_eq!(said, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "102nd", "111th"]);
    }

    #[test]
    fn a_key_is_any_visible_ascii_but_for_quotation_marks_at_its_ends_and_backslashes() {
        let visible: String = ('!'..='~').filter(|c| *c != '\\').collect();
        assert_eq!(secret_key(&format!("k{visible}k")), Ok(()));
        for c in ('\0'..='\u{ffff}').filter(|c| !c.is_ascii_graphic() || *c == '\\') {
            for key in [format!("{c}k"), format!("k{c}"), format!("k{c}k")] {
                assert!(secret_key(&key).is_err_and(|told| !told.contains(c) || c == ' '), "{c:?}");
            }
        }
    }
}
