//! What an apps document must not hold although it can be read: it would fail later, or in silence.

use std::collections::HashMap;

use super::{
    App,
    error::{AppsError, KeyError, KeyFlaw, LONGEST_NAME, NameFlaw, Ordinal},
};
use crate::apps::{SEVERAL, UNKNOWN};

/// Checks the name of the app at this place. Names end in metrics, which drop a line with other characters, and in
/// logs.
pub(super) fn name(index: usize, name: &str) -> Result<(), AppsError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let flaw = match name {
        "" => NameFlaw::Empty,
        _ if name.chars().count() > LONGEST_NAME => NameFlaw::TooLong,
        _ if !name.chars().all(allowed) => NameFlaw::Characters,
        _ if [UNKNOWN, SEVERAL].iter().any(|word| name.eq_ignore_ascii_case(word)) => {
            return Err(AppsError::ReservedName(Ordinal(index + 1)));
        }
        _ => return Ok(()),
    };
    Err(AppsError::Name(Ordinal(index + 1), flaw))
}

/// Checks that no two names are one app: by case, which an event may confuse, or at TPNS, where the calls of both would
/// change one set of bindings, while the order of events is kept for each name by itself.
pub(super) fn distinct<'a>(apps: impl Iterator<Item = (&'a str, &'a App)>) -> Result<(), AppsError> {
    let (mut names, mut places) = (HashMap::new(), HashMap::new());
    for (name, app) in apps {
        if let Some(other) = names.insert(name.to_ascii_lowercase(), name) {
            return Err(if other == name {
                AppsError::NamedTwice(name.to_owned())
            } else {
                AppsError::NamesDifferInCase(other.to_owned(), name.to_owned())
            });
        }
        if let Some(other) = places.insert((app.key.access_id(), app.endpoint.origin()), name) {
            return Err(AppsError::SameApp(other.to_owned(), name.to_owned()));
        }
    }
    Ok(())
}

/// Checks a SecretKey: one with anything around it is a key, too, and TPNS would refuse every call.
pub(super) fn secret_key(key: &str) -> Result<(), KeyError> {
    let at_end = |c: Option<char>| c.and_then(|c| kind(c).or_else(|| quote(c)));
    let inside = || key.chars().zip(1..).find_map(|(c, number)| Some((number, kind(c)?)));
    let flaw = match (at_end(key.chars().next()), at_end(key.chars().next_back())) {
        (Some(first), Some(last)) => KeyFlaw::AtBothEnds(first, last),
        (Some(first), None) => KeyFlaw::AtStart(first),
        (None, Some(last)) => KeyFlaw::AtEnd(last),
        (None, None) => match inside() {
            Some((number, kind)) => KeyFlaw::Inside { kind, number, length: key.chars().count() },
            None => return Ok(()),
        },
    };
    Err(KeyError { flaw })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_any_visible_ascii_but_for_quotation_marks_at_its_ends_and_backslashes() {
        let visible: String = ('!'..='~').filter(|c| *c != '\\').collect();
        assert_eq!(secret_key(&format!("k{visible}k")), Ok(()));
        for c in ('\0'..='\u{ffff}').filter(|c| !c.is_ascii_graphic() || *c == '\\') {
            for key in [format!("{c}k"), format!("k{c}"), format!("k{c}k")] {
                let error = secret_key(&key).unwrap_err().to_string();
                assert!(!error.contains(c) || c == ' ', "{c:?}");
            }
        }
    }
}
