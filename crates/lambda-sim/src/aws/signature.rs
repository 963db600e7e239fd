//! Signature Version 4 as the services check it, worked out here anew: from the request as it arrived, not by the SDK's own signer (AWS IAM
//! user guide, "Create a signed AWS API request").

use data_encoding::HEXLOWER;
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::http::request::Parts;
use sha2::{Digest, Sha256};

use super::error::CommonError;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// Temporary credentials of an IAM role, or a user's lasting ones without the session token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: String,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: String,
    /// `AWS_SESSION_TOKEN`.
    pub session_token: Option<String>,
}

impl Credentials {
    /// The ones every [`Function`](crate::Function) finds in its environment and every [`AwsApi`](super::AwsApi) accepts: made of the
    /// example keys of AWS's documentation, so that no scanner takes them for real ones.
    pub fn of_the_sandbox() -> Self {
        Self {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token: Some("IQoJb3JpZ2luX2VjEXAMPLETOKEN".into()),
        }
    }
}

/// Whether a request with `head` and `body` is signed for `service` by one of `accepted`. The age of the signature isn't checked.
pub(super) fn verify(head: &Parts, body: &[u8], service: &str, accepted: &[Credentials]) -> Result<(), CommonError> {
    let header = text(&head.headers, AUTHORIZATION.as_str()).filter(|header| header.starts_with(ALGORITHM));
    let claim = Claim::of(header.ok_or(CommonError::MissingAuthenticationToken)?);
    let claim = claim.ok_or(CommonError::IncompleteSignature)?;
    let time = text(&head.headers, "x-amz-date").ok_or(CommonError::IncompleteSignature)?;
    let signed: Vec<&str> = claim.signed_headers.split(';').collect();
    if !["host", "x-amz-date", "x-amz-target"].iter().all(|name| signed.contains(name))
        || !time.starts_with(claim.date)
        || claim.service != service
        || claim.terminator != "aws4_request"
    {
        return Err(CommonError::InvalidSignature);
    }
    let token = text(&head.headers, "x-amz-security-token");
    let credentials = accepted.iter().find(|own| own.access_key_id == claim.access_key_id);
    let credentials = credentials.filter(|own| own.session_token.as_deref() == token);
    let credentials = credentials.ok_or(CommonError::UnrecognizedClient)?;
    let canonical = canonical(head, &signed, claim.signed_headers, body).ok_or(CommonError::InvalidSignature)?;
    let right = claim.signature_of(&canonical, time, &credentials.secret_access_key);
    if right.as_deref() == Some(claim.signature) { Ok(()) } else { Err(CommonError::InvalidSignature) }
}

/// What an `Authorization` header says.
#[derive(Debug, PartialEq, Eq)]
struct Claim<'a> {
    access_key_id: &'a str,
    date: &'a str,
    region: &'a str,
    service: &'a str,
    terminator: &'a str,
    signed_headers: &'a str,
    signature: &'a str,
}

impl<'a> Claim<'a> {
    fn of(header: &'a str) -> Option<Self> {
        let rest = header.strip_prefix(ALGORITHM)?.strip_prefix(' ')?;
        let part = |name: &str| rest.split(',').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let mut scope = part("Credential")?.split('/');
        Some(Self {
            access_key_id: scope.next()?,
            date: scope.next()?,
            region: scope.next()?,
            service: scope.next()?,
            terminator: scope.next()?,
            signed_headers: part("SignedHeaders")?,
            signature: part("Signature")?,
        })
    }

    fn signature_of(&self, canonical: &str, time: &str, secret: &str) -> Option<String> {
        let Self { date, region, service, terminator, .. } = self;
        let hash = HEXLOWER.encode(&Sha256::digest(canonical));
        let to_sign = format!("{ALGORITHM}\n{time}\n{date}/{region}/{service}/{terminator}\n{hash}");
        let mut key = format!("AWS4{secret}").into_bytes();
        for text in [date, region, service, terminator, to_sign.as_str()] {
            let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
            mac.update(text.as_bytes());
            key = mac.finalize().into_bytes().to_vec();
        }
        Some(HEXLOWER.encode(&key))
    }
}

/// The canonical request; `None` when a header that is said to be signed isn't there.
fn canonical(head: &Parts, signed: &[&str], signed_headers: &str, body: &[u8]) -> Option<String> {
    let mut headers = String::new();
    for name in signed {
        let value = text(&head.headers, name)?.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        headers.push_str(&format!("{name}:{value}\n"));
    }
    let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
    let hash = HEXLOWER.encode(&Sha256::digest(body));
    Some(format!("{}\n{path}\n{query}\n{headers}\n{signed_headers}\n{hash}", head.method))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    /// The signed request of the IAM user guide's former page "Signature Version 4 signing process", `iam` `ListUsers`.
    #[test]
    fn the_signature_is_the_one_of_the_aws_example() {
        let request = Request::get("/?Action=ListUsers&Version=2010-05-08")
            .header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
            .header("host", "iam.amazonaws.com")
            .header("x-amz-date", "20150830T123600Z");
        let (head, ()) = request.body(()).unwrap().into_parts();
        let signed = ["content-type", "host", "x-amz-date"];
        let canonical = canonical(&head, &signed, &signed.join(";"), b"").unwrap();
        let claim = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
                     SignedHeaders=content-type;host;x-amz-date, \
                     Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        let claim = Claim::of(claim).unwrap();
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        let signature = claim.signature_of(&canonical, "20150830T123600Z", secret).unwrap();
        assert_eq!(signature, claim.signature);
    }

    #[test]
    fn a_header_without_one_of_its_parts_is_no_claim() {
        let whole = "AWS4-HMAC-SHA256 Credential=A/1/r/s/aws4_request, SignedHeaders=host, Signature=0";
        assert!(Claim::of(whole).is_some());
        for part in ["Credential=", "SignedHeaders=", "Signature=", "/aws4_request", "AWS4-HMAC-SHA256 "] {
            assert_eq!(Claim::of(&whole.replace(part, "")), None, "{part}");
        }
    }

    /// A request for `AmazonSQS.SendMessage`, rightly signed as `claim` says.
    fn signed(scope: &str, headers: &str, secret: &str) -> (Parts, Vec<Credentials>) {
        let own = Credentials { session_token: None, ..Credentials::of_the_sandbox() };
        let request = Request::post("/").header("host", "localhost").header("x-amz-date", "20260101T000000Z");
        let request = request.header("x-amz-target", "AmazonSQS.SendMessage");
        let (mut head, ()) = request.body(()).unwrap().into_parts();
        let id = &own.access_key_id;
        let unsigned = format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={headers}, Signature=");
        let names: Vec<&str> = headers.split(';').collect();
        let canonical = canonical(&head, &names, headers, b"{}").unwrap();
        let claim = Claim::of(&unsigned).unwrap();
        let signature = claim.signature_of(&canonical, "20260101T000000Z", secret).unwrap();
        head.headers.insert(AUTHORIZATION, format!("{unsigned}{signature}").parse().unwrap());
        (head, vec![own])
    }

    #[test]
    fn a_right_signature_for_something_else_is_wrong() {
        const SCOPE: &str = "20260101/us-east-2/sqs/aws4_request";
        const HEADERS: &str = "host;x-amz-date;x-amz-target";
        let secret = Credentials::of_the_sandbox().secret_access_key;
        let (head, own) = signed(SCOPE, HEADERS, &secret);
        assert_eq!(verify(&head, b"{}", "sqs", &own), Ok(()));
        let wrong = Err(CommonError::InvalidSignature);
        assert_eq!(verify(&head, b"{ }", "sqs", &own), wrong, "another body");
        assert_eq!(verify(&head, b"{}", "secretsmanager", &own), wrong, "another service");
        for (scope, headers) in [
            (&SCOPE.replace("20260101", "20260102"), HEADERS),
            (&SCOPE.replace("aws4_request", "aws5_request"), HEADERS),
            (&SCOPE.to_owned(), "x-amz-date;x-amz-target"),
            (&SCOPE.to_owned(), "host;x-amz-target"),
            (&SCOPE.to_owned(), "host;x-amz-date"),
        ] {
            let (head, own) = signed(scope, headers, &secret);
            assert_eq!(verify(&head, b"{}", "sqs", &own), wrong, "{scope} {headers}");
        }
    }
}
