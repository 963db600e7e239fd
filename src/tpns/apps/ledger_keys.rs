//! The keys with which the ledger hides names from those who can read the table and not the apps document.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM_SIV, Aad, NONCE_LEN, Nonce, RandomizedNonceKey},
    error::Unspecified,
    hmac,
};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;

/// The member of the apps document that holds them, in place of an app.
pub(super) const NAME: &str = "ledger_keys";
/// During a rotation there are two.
const MOST: usize = 3;
const SHORTEST: usize = 32;
const LONGEST: usize = 256;
/// The length of a key that a ledger key encrypts, in bytes.
pub const DATA_KEY_LEN: usize = 32;

/// The keys of the apps document, the current one first; none if it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LedgerKeys(Vec<LedgerKey>);

/// One of them. Each of its uses has a key of its own, derived with HMAC-SHA256.
#[derive(Clone)]
pub struct LedgerKey {
    id: String,
    wrapping: [u8; DATA_KEY_LEN],
    ids: hmac::Key,
}

/// The keys of a document can't be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LedgerKeysError {
    /// Not a list of strings, or an empty one.
    #[error("ledger_keys must be a list of 1 to {MOST} strings; make one with head -c 32 /dev/urandom | base64")]
    NotAList,
    /// Named twice.
    #[error("ledger_keys appears twice; keep one")]
    AppearsTwice,
    /// More than a rotation needs.
    #[error("ledger_keys has more than {MOST} keys; remove the oldest")]
    TooMany,
    /// A key that could be guessed, or with characters that are easily lost in copying.
    #[error(
        "ledger_keys[{0}] must be {SHORTEST} to {LONGEST} visible ASCII characters, without blanks; make one with \
         head -c 32 /dev/urandom | base64"
    )]
    Unfit(usize),
    /// The same key twice.
    #[error("ledger_keys[{0}] is the same as an earlier one; keep one of them")]
    Same(usize),
}

impl LedgerKeys {
    /// Reads the document's member.
    pub(super) fn parse(member: &RawValue) -> Result<Self, LedgerKeysError> {
        let texts: Vec<SecretString> = serde_json::from_str(member.get()).map_err(|_| LedgerKeysError::NotAList)?;
        match texts.len() {
            0 => return Err(LedgerKeysError::NotAList),
            1..=MOST => {}
            _ => return Err(LedgerKeysError::TooMany),
        }
        let mut keys: Vec<LedgerKey> = Vec::with_capacity(texts.len());
        for (place, text) in texts.iter().enumerate() {
            let text = text.expose_secret();
            if !(SHORTEST..=LONGEST).contains(&text.len()) || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err(LedgerKeysError::Unfit(place));
            }
            let key = LedgerKey::of(text);
            if keys.contains(&key) {
                return Err(LedgerKeysError::Same(place));
            }
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// The key that new entries are made with.
    #[must_use]
    pub fn current(&self) -> Option<&LedgerKey> {
        self.0.first()
    }

    /// All keys.
    pub fn iter(&self) -> impl Iterator<Item = &LedgerKey> {
        self.0.iter()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl LedgerKey {
    fn of(text: &str) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes());
        let id = HEXLOWER.encode(&derived(&key, b"ledger key: id")[..8]);
        let ids = hmac::Key::new(hmac::HMAC_SHA256, &derived(&key, b"ledger key: event ids"));
        Self { id, wrapping: derived(&key, b"ledger key: data key"), ids }
    }

    /// What distinguishes it from other keys, and says nothing of it: 16 hex digits.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Stands for an event's id: the same for the same id, and not to be found by trying ids.
    #[must_use]
    pub fn pseudonym(&self, event_id: &str) -> String {
        BASE64URL_NOPAD.encode(&hmac::sign(&self.ids, event_id.as_bytes()).as_ref()[..16])
    }

    /// A data key, encrypted.
    ///
    /// # Errors
    /// [`Unspecified`], not seen in practice.
    pub fn wrap(&self, data_key: &[u8; DATA_KEY_LEN]) -> Result<String, Unspecified> {
        let mut sealed = data_key.to_vec();
        let nonce = self.wrapping()?.seal_in_place_append_tag(self.aad(), &mut sealed)?;
        Ok(BASE64URL_NOPAD.encode(&[&nonce.as_ref()[..], &sealed].concat()))
    }

    /// The data key that this one has encrypted.
    ///
    /// # Errors
    /// [`Unspecified`] if it was another one, or the text has changed since.
    pub fn unwrap(&self, wrapped: &str) -> Result<[u8; DATA_KEY_LEN], Unspecified> {
        let bytes = BASE64URL_NOPAD.decode(wrapped.as_bytes()).map_err(|_| Unspecified)?;
        let (nonce, sealed) = bytes.split_at_checked(NONCE_LEN).ok_or(Unspecified)?;
        let mut sealed = sealed.to_vec();
        let nonce = Nonce::try_assume_unique_for_key(nonce)?;
        let data_key = self.wrapping()?.open_in_place(nonce, self.aad(), &mut sealed)?;
        data_key.try_into().map_err(|_| Unspecified)
    }

    fn wrapping(&self) -> Result<RandomizedNonceKey, Unspecified> {
        RandomizedNonceKey::new(&AES_256_GCM_SIV, &self.wrapping)
    }

    fn aad(&self) -> Aad<&[u8]> {
        Aad::from(self.id.as_bytes())
    }
}

/// Keys are equal if their ids are: those are digests of the keys.
impl PartialEq for LedgerKey {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for LedgerKey {}

impl fmt::Debug for LedgerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LedgerKey").field(&self.id).finish()
    }
}

/// A key for one purpose.
fn derived(key: &hmac::Key, purpose: &[u8]) -> [u8; DATA_KEY_LEN] {
    let mut derived = [0; DATA_KEY_LEN];
    derived.copy_from_slice(hmac::sign(key, purpose).as_ref());
    derived
}

#[cfg(test)]
mod tests;
