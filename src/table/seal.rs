//! How rows hide names from those who can read the table and not the apps document.
//!
//! Account names are encrypted with the table's data key, which is kept in the row `apps`, encrypted with the keys of
//! the apps document. The encryption is deterministic within a row, since names of attributes must be found again, and
//! differs between rows, so that the table does not show which devices have an account in common: AES-256-GCM-SIV (RFC
//! 8452), whose nonce and associated data are the row's key. What is encrypted begins with `~`, which no text in clear
//! does.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    error::Unspecified,
    hmac, rand,
};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};

use super::unreadable::Unreadable;
use crate::tpns::DATA_KEY_LEN;

/// What is encrypted begins with it.
pub(super) const SEALED: char = '~';

/// The table's data key.
pub(super) struct Seal {
    data_key: [u8; DATA_KEY_LEN],
    names: LessSafeKey,
    nonces: hmac::Key,
    digests: hmac::Key,
    /// When the table began to have one, in seconds since 1970. Rows may have been written in clear until then. 0 if it
    /// always had one.
    pub(super) since: u64,
}

/// What hides the names in one row: nothing if the apps document has no keys.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowSeal<'a> {
    pub(super) seal: Option<&'a Seal>,
    pub(super) key: &'a str,
}

/// What an attribute holds, and whether that is in clear although the table has a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Opened<'a> {
    pub(super) text: std::borrow::Cow<'a, str>,
    pub(super) is_exposed: bool,
}

impl Seal {
    /// A new one.
    pub(super) fn new(since: u64) -> Result<Self, Unspecified> {
        let mut data_key = [0; DATA_KEY_LEN];
        rand::fill(&mut data_key)?;
        Self::of(data_key, since)
    }

    pub(super) fn of(data_key: [u8; DATA_KEY_LEN], since: u64) -> Result<Self, Unspecified> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &data_key);
        let derived = |purpose: &str| hmac::sign(&key, purpose.as_bytes());
        let names = LessSafeKey::new(UnboundKey::new(&AES_256_GCM_SIV, derived("ledger: names").as_ref())?);
        let of = |purpose| hmac::Key::new(hmac::HMAC_SHA256, derived(purpose).as_ref());
        Ok(Self { data_key, names, nonces: of("ledger: nonces"), digests: of("ledger: accounts"), since })
    }

    pub(super) fn data_key(&self) -> &[u8; DATA_KEY_LEN] {
        &self.data_key
    }

    /// Stands for an account in the key of its row: 64 hex digits.
    pub(super) fn digest(&self, clear: &str) -> String {
        HEXLOWER.encode(hmac::sign(&self.digests, clear.as_bytes()).as_ref())
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal(…)")
    }
}

impl RowSeal<'_> {
    /// The text as the row keeps it, after this much of it that stays in clear.
    pub(super) fn seal(&self, kept: &str, text: &str) -> Result<String, Unreadable> {
        let Some(seal) = self.seal else { return Ok(text.to_owned()) };
        let mut bytes = text.as_bytes().to_vec();
        let sealed = self
            .nonce(seal)
            .and_then(|nonce| seal.names.seal_in_place_append_tag(nonce, Aad::from(self.key.as_bytes()), &mut bytes));
        sealed.map_err(|_| Unreadable::Format("a name to encrypt"))?;
        Ok(format!("{kept}{SEALED}{}", BASE64URL_NOPAD.encode(&bytes)))
    }

    /// What was sealed as this text; `at_fault` is what to call it if that can't be opened.
    pub(super) fn open<'t>(&self, kept: &str, text: &'t str, at_fault: &'static str) -> Result<Opened<'t>, Unreadable> {
        let Some(sealed) = text.strip_prefix(kept).and_then(|rest| rest.strip_prefix(SEALED)) else {
            return Ok(Opened { text: text.into(), is_exposed: self.seal.is_some() });
        };
        let seal = self.seal.ok_or(Unreadable::NoKey)?;
        let opened = BASE64URL_NOPAD.decode(sealed.as_bytes()).ok().and_then(|mut bytes| {
            let nonce = self.nonce(seal).ok()?;
            let aad = Aad::from(self.key.as_bytes());
            let length = seal.names.open_in_place(nonce, aad, &mut bytes).ok()?.len();
            bytes.truncate(length);
            String::from_utf8(bytes).ok()
        });
        Ok(Opened { text: opened.ok_or(Unreadable::Format(at_fault))?.into(), is_exposed: false })
    }

    fn nonce(&self, seal: &Seal) -> Result<Nonce, Unspecified> {
        let digest = hmac::sign(&seal.nonces, self.key.as_bytes());
        Nonce::try_assume_unique_for_key(&digest.as_ref()[..NONCE_LEN])
    }
}

#[cfg(test)]
mod tests;
