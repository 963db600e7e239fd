//! Signature Version 4 of requests that differ in time, operation and body only ("Create a signed AWS API request",
//! docs.aws.amazon.com/IAM/latest/UserGuide). AWS's own crate makes the key, which holds for a day; its signer for
//! requests of any kind makes one for each request, and takes twice as long as this. The tests compare the two.

use std::{fmt::Write, time::SystemTime};

use aws_lc_rs::{
    digest::{SHA256, digest},
    hmac,
};
use aws_sdk_sqs::config::Credentials;
use aws_sigv4::sign::v4::generate_signing_key;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use hyper::header::{HeaderValue, InvalidHeaderValue};

/// What all requests to a service have in common.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scope<'a> {
    /// The service as signatures name it: `dynamodb`.
    pub(super) service: &'a str,
    pub(super) region: &'a str,
    /// The header.
    pub(super) host: &'a str,
    /// Encoded, as signatures have it.
    pub(super) path: &'a str,
    /// The header.
    pub(super) content_type: &'a str,
}

/// The headers of a signed request that others do not have.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    /// `x-amz-date`.
    pub(super) date: HeaderValue,
    /// `x-amz-security-token`.
    pub(super) token: Option<HeaderValue>,
    /// `authorization`.
    pub(super) authorization: HeaderValue,
}

/// Signs as one identity.
#[derive(Debug)]
pub(super) struct Signer {
    credentials: Credentials,
    token: Option<HeaderValue>,
    /// With its day, `20261127`.
    key: Option<(String, hmac::Key)>,
}

impl Signer {
    /// # Errors
    /// A token that fits into no header.
    pub(super) fn new(credentials: Credentials) -> Result<Self, InvalidHeaderValue> {
        let token = credentials.session_token().map(|token| secret(token.to_owned())).transpose()?;
        Ok(Self { token, credentials, key: None })
    }

    /// When the identity ends, if it does.
    pub(super) fn ends(&self) -> Option<SystemTime> {
        self.credentials.expiry()
    }

    /// Signs a request of this time, operation and body.
    ///
    /// # Errors
    /// A key id that fits into no header.
    pub(super) fn sign(
        &mut self,
        scope: Scope<'_>,
        now: SystemTime,
        target: &str,
        body: &[u8],
    ) -> Result<Signature, InvalidHeaderValue> {
        let Scope { service, region, host, path, content_type } = scope;
        let mut date = humantime::format_rfc3339_seconds(now).to_string();
        date.retain(|c| !matches!(c, '-' | ':'));
        let day = &date[..date.find('T').unwrap_or_default()];

        let mut text = String::with_capacity(2048);
        let (token_line, token_name) = match self.credentials.session_token() {
            Some(token) => (["x-amz-security-token:", token, "\n"], "x-amz-security-token;"),
            None => ([""; 3], ""),
        };
        let [name, token, end] = token_line;
        let names = ["content-type;host;x-amz-date;", token_name, "x-amz-target"];
        for part in [
            "POST\n",
            path,
            "\n\ncontent-type:",
            content_type,
            "\nhost:",
            host,
            "\nx-amz-date:",
            &date,
            "\n",
            name,
            token,
            end,
            "x-amz-target:",
            target,
            "\n\n",
            names[0],
            names[1],
            names[2],
            "\n",
        ] {
            text.push_str(part);
        }
        append_digest(body, &mut text);

        let mut signed = String::with_capacity(256);
        // Writing to a string can't fail.
        _ = write!(signed, "AWS4-HMAC-SHA256\n{date}\n{day}/{region}/{service}/aws4_request\n");
        append_digest(text.as_bytes(), &mut signed);

        text.clear();
        let key_id = self.credentials.access_key_id();
        _ = write!(text, "AWS4-HMAC-SHA256 Credential={key_id}/{day}/{region}/{service}/aws4_request, SignedHeaders=");
        text.extend(names);
        text.push_str(", Signature=");
        let signature = hmac::sign(self.key(now, day, region, service), signed.as_bytes());
        HEXLOWER.encode_append(signature.as_ref(), &mut text);
        let date = HeaderValue::from_maybe_shared(Bytes::from(date))?;
        Ok(Signature { authorization: secret(text)?, token: self.token.clone(), date })
    }

    fn key(&mut self, now: SystemTime, day: &str, region: &str, service: &str) -> &hmac::Key {
        self.key.take_if(|(of, _)| of != day);
        let (_, key) = self.key.get_or_insert_with(|| {
            let key = generate_signing_key(self.credentials.secret_access_key(), now, region, service);
            (day.to_owned(), hmac::Key::new(hmac::HMAC_SHA256, key.as_ref()))
        });
        key
    }
}

/// A header whose value is never printed.
fn secret(text: String) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut value = HeaderValue::from_maybe_shared(Bytes::from(text))?;
    value.set_sensitive(true);
    Ok(value)
}

fn append_digest(of: &[u8], to: &mut String) {
    HEXLOWER.encode_append(digest(&SHA256, of).as_ref(), to);
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use aws_sigv4::{
        http_request::{SignableBody, SignableRequest, SigningSettings, sign},
        sign::v4,
    };
    use proptest::prelude::*;

    use super::*;

    const DAY: u64 = 24 * 3600;

    /// The headers that AWS's own signer adds.
    fn by_aws(credentials: &Credentials, scope: Scope<'_>, now: SystemTime, target: &str, body: &[u8]) -> Vec<String> {
        let identity = credentials.clone().into();
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(scope.region)
            .name(scope.service)
            .time(now)
            .settings(SigningSettings::default());
        let headers = [("content-type", scope.content_type), ("x-amz-target", target)];
        let url = format!("https://{}{}", scope.host, scope.path);
        let request = SignableRequest::new("POST", url, headers.into_iter(), SignableBody::Bytes(body)).unwrap();
        let (signature, _) = sign(request, &parameters.build().unwrap().into()).unwrap().into_parts();
        let mut headers: Vec<_> = signature.headers().map(|(name, value)| format!("{name}: {value}")).collect();
        headers.sort();
        headers
    }

    proptest! {
        #[test]
        fn requests_are_signed_as_aws_s_own_signer_does_it(
            token in proptest::option::of("[A-Za-z0-9/+=]{1,200}"),
            secret in "[A-Za-z0-9/+=]{40}",
            region in "[a-z]{2}-[a-z]{4,9}-[1-9]",
            host in "[a-z0-9.]{1,30}(:8[0-9]{3})?",
            requests in proptest::collection::vec((0..3 * DAY, "[A-Za-z]{1,20}", "[ -~é]{0,300}"), 1..5),
        ) {
            let credentials = Credentials::new("AKIDEXAMPLE", secret, token, None, "test");
            let mut signer = Signer::new(credentials.clone()).unwrap();
            let content_type = "application/x-amz-json-1.0";
            let scope = Scope { service: "dynamodb", region: &region, host: &host, path: "/", content_type };
            for (seconds, target, body) in requests {
                let now = UNIX_EPOCH + Duration::from_secs(1_795_000_000 + seconds);
                let Signature { date, token, authorization } =
                    signer.sign(scope, now, &target, body.as_bytes()).unwrap();
                let mut headers: Vec<_> = [("authorization", Some(authorization)), ("x-amz-date", Some(date))]
                    .into_iter()
                    .chain([("x-amz-security-token", token)])
                    .filter_map(|(name, value)| Some(format!("{name}: {}", value?.to_str().unwrap())))
                    .collect();
                headers.sort();
                prop_assert_eq!(headers, by_aws(&credentials, scope, now, &target, body.as_bytes()));
            }
        }
    }
}
