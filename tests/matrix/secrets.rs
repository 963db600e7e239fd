//! Change must never be printed, and the search for it.

use data_encoding::{BASE64_NOPAD, HEXLOWER};
use lambda_sim::Function;

use crate::stage::SECRETS;

/// Every account of these tests begins and ends with it, so that a part of one is found too.
pub(crate) const IN_ACCOUNTS: &str = "kwyjibo";
/// The same for tokens.
pub(crate) const IN_TOKENS: &str = "vexillum";

/// An account that is found in any form in which it may be printed.
pub(crate) fn account(name: &str) -> String {
    format!("{IN_ACCOUNTS}.{name}@{IN_ACCOUNTS}.example")
}

/// A token that is found in any form in which it may be printed.
pub(crate) fn token(name: &str) -> String {
    format!("{IN_TOKENS}{name}{IN_TOKENS}")
}

/// The first secret in the output, with its line.
pub(crate) fn secret_in(printed: &[u8]) -> Option<String> {
    let printed = String::from_utf8_lossy(printed).to_lowercase();
    let found = |needle: &str| {
        let line = printed.lines().find(|line| line.contains(&needle.to_lowercase()))?;
        Some(format!("`{needle}` is printed: {line}"))
    };
    [IN_ACCOUNTS, IN_TOKENS, SECRETS[0], SECRETS[1]].into_iter().find_map(|secret| {
        let hex = HEXLOWER.encode(secret.as_bytes());
        found(secret).or_else(|| found(&hex)).or_else(|| inside_base64(secret).iter().find_map(|needle| found(needle)))
    })
}

/// The secret as it appears inside a longer Base64 text, in each of the three alignments, without the characters at
/// both ends, which depend on the surrounding text.
fn inside_base64(secret: &str) -> Vec<String> {
    let aligned = |lead: usize| {
        let text = BASE64_NOPAD.encode(&[vec![0; lead], secret.as_bytes().to_vec()].concat());
        let (start, end) = ((lead * 8).div_ceil(6), (lead + secret.len()) * 8 / 6);
        text[start..end].to_owned()
    };
    (0..3).map(aligned).collect()
}

/// Panics when the function printed a secret, or broke a rule of the Runtime API.
pub(crate) fn assert_no_secrets(function: &Function) {
    let printed = function.output().unwrap();
    assert_eq!(secret_in(&printed), None);
    assert_eq!(function.violations(), []);
}

#[test]
fn a_secret_is_found_plain_in_hex_and_within_base64() {
    for secret in [IN_ACCOUNTS, IN_TOKENS, SECRETS[0]] {
        for lead in ["", "a", "ab", "abc"] {
            let text = format!("{lead}{secret} and more");
            let base64 = format!("x {} y", BASE64_NOPAD.encode(text.as_bytes()));
            for printed in [text.clone(), HEXLOWER.encode(text.as_bytes()), base64, text.to_uppercase()] {
                assert!(secret_in(printed.as_bytes()).is_some(), "{printed}");
            }
        }
    }
    assert_eq!(secret_in(br#"{"level":"WARN","message_id":"m0","reason":"tpns_timeout"}"#), None);
}
