//! What the log calls a thing whose own name must not be in it. `replay fingerprint` prints the same.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// A device. Anyone who has the token can find its lines, and no one can go the other way: tokens are too many to try.
#[must_use]
pub fn device(app: &str, token: &str) -> String {
    fingerprint(&[app, token])
}

/// An event's id that is not shown as it is. `device` is the app and the token of the event's device, if it has one: an
/// id made of a phone number could be found by trying all numbers, and a token in the digest prevents that.
#[must_use]
pub fn event_id(device: Option<(&str, &str)>, id: &str) -> String {
    let (app, token) = device.unwrap_or_default();
    fingerprint(&[app, token, id])
}

/// The first 12 hex digits of SHA-256 of the parts with zero bytes between them.
fn fingerprint(parts: &[&str]) -> String {
    HEXLOWER.encode(&Sha256::digest(parts.join("\0").as_bytes())[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `printf 'android\0a1f4c7d09b2e4836a5c8e1f7d3b9064c2e58' | sha256sum` and the like.
    #[test]
    fn they_are_what_sha256sum_says() {
        assert_eq!(device("android", "a1f4c7d09b2e4836a5c8e1f7d3b9064c2e58"), "2aa183252edf");
        assert_eq!(event_id(Some(("android", "token")), "login-7"), "fd8ad641e24e");
        assert_eq!(event_id(None, "login-7"), "3343aec0089f");
    }

    #[test]
    fn the_same_token_of_another_app_is_another_device() {
        assert_ne!(device("android", "token"), device("ios", "token"));
        assert_ne!(device("a", "bc"), device("ab", "c"));
    }

    #[test]
    fn the_same_id_of_another_device_is_another_event() {
        assert_ne!(event_id(Some(("android", "t1")), "1"), event_id(Some(("android", "t2")), "1"));
        assert_ne!(event_id(Some(("android", "t1")), "1"), event_id(None, "1"));
    }
}
