//! Whether an id reveals nothing about a person. Producers choose their ids, and some are made of an account.
//!
//! Opaque are UUIDs, ULIDs, KSUIDs, and hex, base32 and base64url of at least 16 characters, as random generators write
//! them. What could be a phone number, a word or an encoded text is not.

use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};

use crate::event::{Change, Event};

/// A number of this many digits may be a phone number.
const PHONE_NUMBER: usize = 7;
/// This many characters that an id has in common with an account are no accident.
const COMMON: usize = 6;
/// Fewer may be an accident, so a shorter account is not searched for.
const LEAST_COMMON: usize = 4;
const LEAST: usize = 16;
const MOST: usize = 128;

/// Whether the log may show a producer's id of this event: it has the form of a random one, and nothing in common with
/// the event's token or accounts.
#[must_use]
pub fn may_be_shown(id: &str, event: &Event) -> bool {
    let token = event.device().map(|device| device.token.as_str());
    is_opaque(id) && !accounts(event).into_iter().chain(token).any(|person| shares(id, person))
}

/// Whether the id has the form of a random one.
#[must_use]
pub fn is_opaque(id: &str) -> bool {
    if is_uuid(id) {
        return !decodes_to_text(&letters(id));
    }
    let fits = (LEAST..=MOST).contains(&id.len()) && id.bytes().all(|byte| kind(byte) != CharKind::Other);
    fits && longest_number(id) < PHONE_NUMBER && !parts(id).chain([id]).any(decodes_to_text) && is_mixed(id)
}

/// Whether the id has so much in common with a text that one may be made of the other. Only letters and digits count,
/// in either case: an id made of `+86 137-1111` has `861371111`.
#[must_use]
pub fn shares(id: &str, text: &str) -> bool {
    let (id, text) = (letters(id), letters(text));
    match text.len() {
        0..LEAST_COMMON => false,
        LEAST_COMMON..COMMON => id.contains(&text),
        _ => (COMMON..=id.len()).any(|end| text.contains(&id[end - COMMON..end])),
    }
}

fn accounts(event: &Event) -> Vec<&str> {
    match &event.change {
        Change::Login(_, accounts) | Change::Deletion(_, accounts) => {
            accounts.iter().map(|account| account.account.as_str()).collect()
        }
        Change::Logout(_, accounts) => accounts.iter().map(|account| account.account.as_str()).collect(),
        Change::LogoutAll(_) => Vec::new(),
    }
}

fn letters(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// Five groups of hex digits. One that is filled up with zeros, or has no letter but in its last group, is a number in
/// the form of a UUID.
fn is_uuid(id: &str) -> bool {
    let groups = [8, 4, 4, 4, 12];
    let form =
        id.split('-').map(str::len).eq(groups) && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
    form && id[..23].contains(|c: char| c.is_ascii_alphabetic()) && !letters(id).contains("000000")
}

/// 26 characters of Crockford's base32, the first of which holds three bits.
fn is_ulid(id: &str) -> bool {
    let base32 = |byte: u8| byte.is_ascii_alphanumeric() && !b"ILOUilou".contains(&byte);
    id.len() == 26 && id.bytes().all(base32) && matches!(id.as_bytes()[0], b'0'..=b'7')
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum CharKind {
    Digit,
    Lower,
    Upper,
    /// `-` and `_` of base64url.
    Mark,
    Other,
}

fn kind(byte: u8) -> CharKind {
    match byte {
        b'0'..=b'9' => CharKind::Digit,
        b'a'..=b'z' => CharKind::Lower,
        b'A'..=b'Z' => CharKind::Upper,
        b'-' | b'_' => CharKind::Mark,
        _ => CharKind::Other,
    }
}

/// Whether upper case, lower case and digits follow each other as by chance. Words and dates keep to one of them.
fn is_mixed(id: &str) -> bool {
    let has = |wanted: CharKind| id.bytes().any(|byte| kind(byte) == wanted);
    let changes = id.as_bytes().windows(2).filter(|pair| kind(pair[0]) != kind(pair[1])).count();
    let one_case = !(has(CharKind::Lower) && has(CharKind::Upper));
    match has(CharKind::Mark) {
        // Hex can't spell a name.
        false if one_case && id.bytes().all(|byte| byte.is_ascii_hexdigit()) => true,
        false if one_case && is_ulid(id) => true,
        // A random base32 changes at a third of its places, a word with a number behind it once.
        false if one_case => changes * 8 > id.len() && !is_word(id),
        // A random base64url changes at two thirds of its places, CamelCase at a fifth to two fifths.
        _ => !one_case && has(CharKind::Digit) && changes * 9 > (id.len() - 1) * 4 && !parts(id).any(is_word),
    }
}

fn parts(id: &str) -> impl Iterator<Item = &str> {
    id.split(['-', '_'])
}

/// Letters alone, but for digits at the ends: `login`, `JohnSmith84`, `LOGOUT`.
fn is_word(part: &str) -> bool {
    let word = part.trim_matches(|c: char| c.is_ascii_digit()).as_bytes();
    let is_upper = |byte: &u8| byte.is_ascii_uppercase();
    let in_camel_case = || !word.windows(2).any(|pair| pair.iter().all(is_upper));
    word.len() >= 4 && word.iter().all(u8::is_ascii_alphabetic) && (word.iter().all(is_upper) || in_camel_case())
}

/// How many digits follow each other; a mark between them does not count, since people group numbers.
fn longest_number(id: &str) -> usize {
    let id: Vec<u8> = id.bytes().filter(|&byte| kind(byte) != CharKind::Mark).collect();
    id.split(|byte| !byte.is_ascii_digit()).map(<[u8]>::len).max().unwrap_or_default()
}

/// Whether it is a readable text in hex, base32 or base64url. Random bytes never are.
fn decodes_to_text(id: &str) -> bool {
    let encodings = [
        HEXLOWER_PERMISSIVE.decode(id.as_bytes()),
        BASE32_NOPAD.decode(id.to_ascii_uppercase().as_bytes()),
        BASE64URL_NOPAD.decode(id.as_bytes()),
    ];
    let is_text = |bytes: Vec<u8>| {
        bytes.len() >= COMMON && str::from_utf8(&bytes).is_ok_and(|text| !text.contains(char::is_control))
    };
    encodings.into_iter().flatten().any(is_text)
}

#[cfg(test)]
mod tests;
