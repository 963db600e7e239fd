//! AWS's services that speak JSON, asked by requests of our own over the same connections as TPNS. The SDK's clients do
//! more for a request than signing, writing and reading it takes (docs/decisions/0051-dynamodb-without-its-client.md).

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use aws_config::SdkConfig;
use aws_sdk_sqs::{
    config::{Credentials, ProvideCredentials, http::HttpResponse},
    error::{ErrorMetadata, SdkError},
};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_types::service_config::ServiceConfigKey;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, Uri,
    header::{AUTHORIZATION, CONTENT_TYPE, DATE, HeaderName, HeaderValue},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    CONNECT_TIMEOUT, UNLIMITED, failed, retry,
    signature::{Scope, Signature, Signer},
};
use crate::transport::{Origin, RequestLimits, Transport, path};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
const AMZ_DATE: HeaderName = HeaderName::from_static("x-amz-date");
const SECURITY_TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");
/// What a signature writes otherwise in a path, even where it is encoded already.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');
/// Bytes.
const USUAL_BODY: usize = 1024;
/// The most that a request has, `host` included.
const HEADERS: usize = 7;
/// Credentials that expire are asked for again before they do.
const BEFORE_EXPIRY: Duration = Duration::from_secs(300);

/// Why a request failed: of the SDK's type, so that [`super::failure`] describes it, too.
pub(crate) type RequestError = SdkError<ErrorMetadata, HttpResponse>;

/// What distinguishes the services.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonApi {
    /// In hosts and signatures: `dynamodb`.
    pub(crate) name: &'static str,
    /// In the names of settings: `DynamoDB`.
    pub(crate) id: &'static str,
    /// `application/x-amz-json-1.0` or `-1.1`.
    pub(crate) content_type: &'static str,
    /// Bytes.
    pub(crate) longest_answer: usize,
}

/// A service, with the SDK's credentials, region and endpoint.
#[derive(Debug)]
pub(crate) struct JsonService {
    api: JsonApi,
    sdk: SdkConfig,
    transport: Transport,
    limits: RequestLimits,
    /// `None` without a region.
    address: Option<Address>,
    signer: Mutex<Option<Signer>>,
    /// By how much AWS's clock is ahead of this one, if that matters: milliseconds.
    ahead: AtomicI64,
}

#[derive(Debug)]
struct Address {
    origin: Origin,
    /// As a request has it, and as its signature has it.
    path: (Uri, String),
    region: String,
}

#[derive(Deserialize)]
struct Refusal {
    #[serde(rename = "__type", alias = "code")]
    code: String,
}

impl JsonService {
    /// A kept connection may be silent for `silence`.
    pub(crate) fn new(api: JsonApi, sdk: &SdkConfig, transport: &Transport, silence: Duration) -> Self {
        let limits = RequestLimits { connect: CONNECT_TIMEOUT, exchange: UNLIMITED, silence, body: api.longest_answer };
        Self {
            api,
            sdk: sdk.clone(),
            transport: transport.clone(),
            limits,
            address: Address::of(api, sdk),
            signer: Mutex::default(),
            ahead: AtomicI64::default(),
        }
    }

    /// Asks for an operation, `DynamoDB_20120810.UpdateItem` for example.
    ///
    /// # Errors
    /// As the SDK's.
    pub(crate) async fn call<A: DeserializeOwned>(
        &self,
        target: &'static str,
        input: &impl Serialize,
    ) -> Result<A, RequestError> {
        let mut body = Vec::with_capacity(USUAL_BODY);
        serde_json::to_writer(&mut body, input).map_err(unsendable)?;
        let body = Bytes::from(body);
        let address = self.address.as_ref().ok_or_else(|| unsendable("Missing Region"))?;
        let signature = self.sign(address, target, &body).await?;
        let request = || self.request(address, target, &body, &signature);
        let sent = self.transport.send(&address.origin, request, self.limits).await;
        self.read(sent.map_err(|error| SdkError::dispatch_failure(failed(error)))?)
    }

    fn request(
        &self,
        address: &Address,
        target: &'static str,
        body: &Bytes,
        signature: &Signature,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = address.path.0.clone();
        let headers = request.headers_mut();
        headers.reserve(HEADERS);
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(self.api.content_type));
        headers.insert(TARGET, HeaderValue::from_static(target));
        headers.insert(AMZ_DATE, signature.date.clone());
        headers.insert(AUTHORIZATION, signature.authorization.clone());
        headers.extend(signature.token.clone().map(|token| (SECURITY_TOKEN, token)));
        request
    }

    async fn sign(&self, address: &Address, target: &str, body: &[u8]) -> Result<Signature, RequestError> {
        let Address { origin, path, region } = address;
        let scope = Scope {
            service: self.api.name,
            region,
            host: origin.host.to_str().map_err(unsendable)?,
            path: &path.1,
            content_type: self.api.content_type,
        };
        if let Some(signer) = &mut *self.signer()
            && signer.ends().is_none_or(|ends| ends > SystemTime::now() + BEFORE_EXPIRY)
        {
            return signer.sign(scope, self.clock(), target, body).map_err(unsendable);
        }
        let mut signer = Signer::new(self.credentials().await?).map_err(unsendable)?;
        let signature = signer.sign(scope, self.clock(), target, body).map_err(unsendable);
        *self.signer() = Some(signer);
        signature
    }

    fn signer(&self) -> MutexGuard<'_, Option<Signer>> {
        self.signer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who signs. Asked for once: Lambda's credentials stay as long as the process.
    async fn credentials(&self) -> Result<Credentials, RequestError> {
        let provider = self.sdk.credentials_provider().ok_or_else(|| unsendable("no credentials"))?;
        let credentials = provider.provide_credentials().await;
        credentials.map_err(|error| SdkError::dispatch_failure(ConnectorError::other(error.into(), None)))
    }

    /// AWS's time, as far as it is known.
    fn clock(&self) -> SystemTime {
        let (now, ahead) = (SystemTime::now(), self.ahead.load(Ordering::Relaxed));
        let by = Duration::from_millis(ahead.unsigned_abs());
        if ahead < 0 { now - by } else { now + by }
    }

    #[expect(clippy::result_large_err, reason = "it is the error of every request of the SDK")]
    fn read<A: DeserializeOwned>(&self, answer: Response<Vec<u8>>) -> Result<A, RequestError> {
        if answer.status().is_success() {
            return serde_json::from_slice(answer.body()).or_else(|error| {
                // The raw answer is only for its status: the error's text quotes what could not be read.
                Err(SdkError::response_error(error, raw(answer)?))
            });
        }
        let mut refusal = ErrorMetadata::builder();
        if let Ok(Refusal { code }) = serde_json::from_slice(answer.body()) {
            // It may be qualified by a namespace.
            refusal = refusal.code(code.rsplit('#').next().unwrap_or_default());
        }
        let refusal = refusal.build();
        if refusal.code().is_some_and(retry::is_of_the_signature) {
            self.learn_the_time(answer.headers());
        }
        Err(SdkError::service_error(refusal, raw(answer)?))
    }

    fn learn_the_time(&self, headers: &HeaderMap) {
        let date = headers.get(DATE).and_then(|date| date.to_str().ok());
        let Some(date) = date.and_then(|date| httpdate::parse_http_date(date).ok()) else { return };
        let millis = |by: Duration| i64::try_from(by.as_millis()).unwrap_or_default();
        let ahead = match date.duration_since(SystemTime::now()) {
            Ok(ahead) => millis(ahead),
            Err(behind) => -millis(behind.duration()),
        };
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

impl Address {
    fn of(api: JsonApi, sdk: &SdkConfig) -> Option<Self> {
        let region = sdk.region()?.as_ref().to_owned();
        let of_the_service = ServiceConfigKey::builder()
            .service_id(api.id)
            .env("AWS_ENDPOINT_URL")
            .profile("endpoint_url")
            .build()
            .ok()
            .and_then(|key| sdk.service_config()?.load_config(key));
        let url = of_the_service.or_else(|| sdk.endpoint_url().map(str::to_owned));
        let url = url.unwrap_or_else(|| endpoint(api.name, &region, sdk));
        let uri: Uri = format!("{}/", url.trim_end_matches('/')).parse().ok()?;
        let path = (path(&uri), utf8_percent_encode(uri.path(), ENCODED).to_string());
        Some(Self { origin: Origin::of(&uri)?, path, region })
    }
}

/// The endpoint of a service in a region, as AWS's rules have it for the services that are asked here.
fn endpoint(name: &str, region: &str, sdk: &SdkConfig) -> String {
    let (is_fips, is_dual_stack) = (sdk.use_fips() == Some(true), sdk.use_dual_stack() == Some(true));
    let china = region.starts_with("cn-");
    // In these regions every endpoint of DynamoDB is one of FIPS 140.
    let fips = if is_fips && !(name == "dynamodb" && region.starts_with("us-gov-")) { "-fips" } else { "" };
    let domain = match (is_dual_stack, china) {
        (false, false) => "amazonaws.com",
        (false, true) => "amazonaws.com.cn",
        (true, false) => "api.aws",
        (true, true) => "api.amazonwebservices.com.cn",
    };
    format!("https://{name}{fips}.{region}.{domain}")
}

#[expect(clippy::result_large_err, reason = "it is the error of every request of the SDK")]
fn raw(answer: Response<Vec<u8>>) -> Result<HttpResponse, RequestError> {
    HttpResponse::try_from(answer.map(SdkBody::from)).map_err(unsendable)
}

fn unsendable(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> RequestError {
    SdkError::construction_failure(error)
}

#[cfg(test)]
mod tests;
