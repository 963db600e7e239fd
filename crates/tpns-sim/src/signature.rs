//! TPNS's request signature (facts.md, section 2a), implemented independently of the function's, so
//! that a mistake in one shows in the other.

use aws_lc_rs::{constant_time, hmac};
use data_encoding::{BASE64, HEXLOWER, HEXUPPER};

/// The `Sign` header for a request.
///
/// `Base64(lowercase_hex(HMAC_SHA256(secret_key, time_stamp + access_id + body)))`, 88 characters.
/// `time_stamp` is the text of the `TimeStamp` header, `access_id` that of `AccessId`, and `body`
/// the exact bytes sent.
#[must_use]
pub fn sign(secret_key: &str, time_stamp: &str, access_id: &str, body: &[u8]) -> String {
    let digest = digest(secret_key, time_stamp, access_id, body);
    BASE64.encode(HEXLOWER.encode(digest.as_ref()).as_bytes())
}

/// Whether `sign` is the signature of exactly these bytes.
#[must_use]
pub fn verify(sign: &str, secret_key: &str, time_stamp: &str, access_id: &str, body: &[u8]) -> bool {
    let expected = self::sign(secret_key, time_stamp, access_id, body);
    constant_time::verify_slices_are_equal(expected.as_bytes(), sign.as_bytes()).is_ok()
}

/// The well-known mistakes of public TPNS clients, recognised in a `Sign` that does not verify.
///
/// TPNS itself answers only "auth failure"; developers need to know which mistake it was.
pub(crate) fn diagnose(sign: &str, secret_key: &str, time_stamp: &str, access_id: &str, body: &[u8]) -> &'static str {
    let digest = digest(secret_key, time_stamp, access_id, body);
    let digest = digest.as_ref();
    if sign == BASE64.encode(digest) {
        "Sign is Base64 of the raw HMAC; TPNS expects Base64 of its lower-case hex text"
    } else if sign == HEXLOWER.encode(digest) {
        "Sign is the hex text of the HMAC; TPNS expects Base64 of that text"
    } else if sign == BASE64.encode(HEXUPPER.encode(digest).as_bytes()) {
        "Sign was made from upper-case hex; TPNS expects lower-case"
    } else {
        "Sign does not match TimeStamp + AccessId + the exact bytes of the body under this app's secret key"
    }
}

fn digest(secret_key: &str, time_stamp: &str, access_id: &str, body: &[u8]) -> hmac::Tag {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret_key.as_bytes());
    let mut context = hmac::Context::with_key(&key);
    context.update(time_stamp.as_bytes());
    context.update(access_id.as_bytes());
    context.update(body);
    context.sign()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "1452fcebae9f3115ba794fb0fff2fd73";
    const ACCESS_ID: &str = "1500001048";
    const TIME: &str = "1565314789";
    const V1_BODY: &str = r#"{"audience_type": "account","platform": "android","message": {"title": "test title","content": "test content","android": { "action": {"action_type": 3,"intent": "xgscheme://com.xg.push/notify_detail?param1=xg"}}},"message_type": "notify","account_list": ["5822f0eee44c3625ef0000bb"] }"#;
    const V1_SIGN: &str = "Y2QyMDc3NDY4MmJmNzhiZmRiNDNlMTdkMWQ1ZDU2YjNlNWI3ODlhMTY3MGZjMTUyN2VmNTRjNjVkMmQ3Yjc2ZA==";

    fn signed(body: &str) -> String {
        sign(SECRET, TIME, ACCESS_ID, body.as_bytes())
    }

    #[test]
    fn the_official_vector_holds() {
        assert_eq!(V1_BODY.len(), 284);
        assert_eq!(signed(V1_BODY), V1_SIGN);
        assert!(verify(V1_SIGN, SECRET, TIME, ACCESS_ID, V1_BODY.as_bytes()));
    }

    #[test]
    fn the_hash_printed_by_the_current_docs_is_refused_and_the_true_one_accepted() {
        let body = V1_BODY.replace(r#""platform": "android","#, "");
        let truth = "MDlmMDdkMmE1MThhODgxNGUzNjlkY2Q5NTM0ZjEwYjhhMjlkMTI4NTMxYTE5YWRhYTI4Y2IyNDc2MDVjMWU4NA==";
        assert!(!verify(V1_SIGN, SECRET, TIME, ACCESS_ID, body.as_bytes()));
        assert!(verify(truth, SECRET, TIME, ACCESS_ID, body.as_bytes()));
    }

    #[test]
    fn the_computed_vectors_of_both_batch_shapes_hold() {
        assert_eq!(
            signed(
                r#"{"operator_type":2,"token_accounts":[{"token":"token1","account_list":[{"account":"926@126.com"},{"account":"1527000000","account_type":1}]}]}"#
            ),
            "ZjhhOTE1OWU0ZmZmNjFiOTdhY2E0YzVlZWI0ZmIzMjJmZDRhNjQxMDU1MjY1OTlmNDFhM2I2YzZmOTRkODg2OQ=="
        );
        assert_eq!(
            signed(r#"{"operator_type":4,"token_list":["token1","token2","token3"]}"#),
            "ZDZkOWFhYWU0ZDI5MzAyNDFkMGU5OTdmNThlMzBjNTE1OGMxYmNkNmUzYTAwZGRhNjJiNGM2MTEyYjQwOTQ5Zg=="
        );
    }

    #[test]
    fn a_signature_over_other_bytes_is_refused() {
        let spaced = V1_BODY.replacen("{", "{ ", 1);
        assert!(!verify(V1_SIGN, SECRET, TIME, ACCESS_ID, spaced.as_bytes()));
        assert!(!verify(V1_SIGN, SECRET, "1565314790", ACCESS_ID, V1_BODY.as_bytes()));
        assert!(!verify("", SECRET, TIME, ACCESS_ID, V1_BODY.as_bytes()));
    }

    #[test]
    fn the_three_usual_mistakes_are_named() {
        let hex = "cd20774682bf78bfdb43e17d1d5d56b3e5b789a1670fc1527ef54c65d2d7b76d";
        let mistake = |sign: &str| diagnose(sign, SECRET, TIME, ACCESS_ID, V1_BODY.as_bytes());
        let raw = HEXLOWER.decode(hex.as_bytes()).expect("vector V1 is hex");
        assert!(mistake(&BASE64.encode(&raw)).contains("raw HMAC"));
        assert!(mistake(hex).contains("Base64 of that text"));
        assert!(mistake(&BASE64.encode(hex.to_uppercase().as_bytes())).contains("upper-case"));
        assert!(mistake("nonsense").contains("exact bytes"));
    }
}
