//! TPNS's signature (facts.md, section 2a).

use std::fmt;

use aws_lc_rs::hmac;
use data_encoding::{BASE64, HEXLOWER};

/// An app's AccessID with the key made from its SecretKey. Prints neither.
#[derive(Clone)]
pub struct SigningKey {
    access_id: String,
    key: hmac::Key,
}

impl SigningKey {
    /// The key of an app; `key` is HMAC-SHA256 over the SecretKey's UTF-8 text.
    #[must_use]
    pub fn new(access_id: u64, key: &hmac::Key) -> Self {
        Self { access_id: access_id.to_string(), key: key.clone() }
    }

    /// The `AccessId` header.
    #[must_use]
    pub fn access_id(&self) -> &str {
        &self.access_id
    }

    /// The `Sign` header for these body bytes at this `TimeStamp` (epoch seconds):
    /// Base64 of the lower-case hex text of HMAC-SHA256 over timestamp, AccessID and body, one after the other.
    #[must_use]
    pub fn sign(&self, timestamp: &str, body: &[u8]) -> String {
        let mut context = hmac::Context::with_key(&self.key);
        for part in [timestamp.as_bytes(), self.access_id.as_bytes(), body] {
            context.update(part);
        }
        BASE64.encode(HEXLOWER.encode(context.sign().as_ref()).as_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMESTAMP: &str = "1565314789";

    fn sign(body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"1452fcebae9f3115ba794fb0fff2fd73");
        SigningKey::new(1_500_001_048, &key).sign(TIMESTAMP, body.as_bytes())
    }

    /// facts.md, section 2: V1 is the provider's own, V3 and V4 were computed for batchoperate.
    #[test]
    fn the_known_answers_hold() {
        let v1 = r#"{"audience_type": "account","platform": "android","message": {"title": "test title","content": "test content","android": { "action": {"action_type": 3,"intent": "xgscheme://com.xg.push/notify_detail?param1=xg"}}},"message_type": "notify","account_list": ["5822f0eee44c3625ef0000bb"] }"#;
        assert_eq!(v1.len(), 284);
        assert_eq!(
            sign(v1),
            "Y2QyMDc3NDY4MmJmNzhiZmRiNDNlMTdkMWQ1ZDU2YjNlNWI3ODlhMTY3MGZjMTUyN2VmNTRjNjVkMmQ3Yjc2ZA=="
        );
        let v3 = r#"{"operator_type":2,"token_accounts":[{"token":"token1","account_list":[{"account":"926@126.com"},{"account":"1527000000","account_type":1}]}]}"#;
        assert_eq!(
            sign(v3),
            "ZjhhOTE1OWU0ZmZmNjFiOTdhY2E0YzVlZWI0ZmIzMjJmZDRhNjQxMDU1MjY1OTlmNDFhM2I2YzZmOTRkODg2OQ=="
        );
        let v4 = r#"{"operator_type":4,"token_list":["token1","token2","token3"]}"#;
        assert_eq!(
            sign(v4),
            "ZDZkOWFhYWU0ZDI5MzAyNDFkMGU5OTdmNThlMzBjNTE1OGMxYmNkNmUzYTAwZGRhNjJiNGM2MTEyYjQwOTQ5Zg=="
        );
    }

    /// facts.md, section 2, V2: the current page prints V1's hash beside a body that has another.
    #[test]
    fn the_current_documents_sample_has_another_signature_than_printed() {
        let v2 = r#"{"audience_type": "account","message": {"title": "test title","content": "test content","android": { "action": {"action_type": 3,"intent": "xgscheme://com.xg.push/notify_detail?param1=xg"}}},"message_type": "notify","account_list": ["5822f0eee44c3625ef0000bb"] }"#;
        assert_eq!(
            sign(v2),
            "MDlmMDdkMmE1MThhODgxNGUzNjlkY2Q5NTM0ZjEwYjhhMjlkMTI4NTMxYTE5YWRhYTI4Y2IyNDc2MDVjMWU4NA=="
        );
    }

    #[test]
    fn a_key_does_not_print_itself() {
        let key = SigningKey::new(1, &hmac::Key::new(hmac::HMAC_SHA256, b"secret"));
        assert_eq!(format!("{key:?}"), "SigningKey(…)");
    }
}
