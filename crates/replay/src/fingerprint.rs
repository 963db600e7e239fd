//! What a device is called where its token must not stand: in the function's log, and here.

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

/// The first 12 hex digits of SHA-256 of app, a zero byte and token: as it stands in the function's log.
pub(crate) fn fingerprint(app: &str, token: &str) -> String {
    HEXLOWER.encode(&Sha256::digest([app.as_bytes(), b"\0", token.as_bytes()].concat())[..6])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `printf 'android\0a1f4c7d09b2e4836a5c8e1f7d3b9064c2e58' | sha256sum`.
    #[test]
    fn it_is_what_sha256sum_says() {
        assert_eq!(fingerprint("android", "a1f4c7d09b2e4836a5c8e1f7d3b9064c2e58"), "2aa183252edf");
    }

    #[test]
    fn the_same_token_of_another_app_is_another_device() {
        assert_ne!(fingerprint("android", "token"), fingerprint("ios", "token"));
        assert_ne!(fingerprint("a", "bc"), fingerprint("ab", "c"));
    }
}
