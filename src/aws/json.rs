//! AWS's services that speak JSON, asked by requests of our own over the same connections as TPNS, and signed by AWS's
//! own crate. The SDK's clients do more for a request than signing, writing and reading it takes
//! (docs/decisions/0051-dynamodb-without-its-client.md).

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

use aws_config::SdkConfig;
use aws_sdk_sqs::{
    config::{ProvideCredentials, http::HttpResponse},
    error::{ErrorMetadata, SdkError},
};
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use aws_smithy_runtime_api::client::{identity::Identity, result::ConnectorError};
use aws_smithy_types::body::SdkBody;
use aws_types::service_config::ServiceConfigKey;
use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Request, Response, Uri,
    header::{CONTENT_TYPE, DATE, HeaderName, HeaderValue},
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{CONNECT_TIMEOUT, UNLIMITED, failed, retry};
use crate::transport::{RequestLimits, Transport};

const TARGET: HeaderName = HeaderName::from_static("x-amz-target");
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
    identity: Mutex<Option<Identity>>,
    /// By how much AWS's clock is ahead of this one, if that matters: milliseconds.
    ahead: AtomicI64,
}

#[derive(Debug)]
struct Address {
    url: String,
    uri: Uri,
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
            identity: Mutex::default(),
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
        let body = Bytes::from(serde_json::to_vec(input).map_err(unsendable)?);
        let request = self.signed(target, body).await?;
        let sent = self.transport.send(request, self.limits).await;
        self.read(sent.map_err(|error| SdkError::dispatch_failure(failed(error)))?)
    }

    async fn signed(&self, target: &'static str, body: Bytes) -> Result<Request<Full<Bytes>>, RequestError> {
        let Address { url, uri, region } = self.address.as_ref().ok_or_else(|| unsendable("Missing Region"))?;
        let identity = self.identity().await?;
        let content_type = self.api.content_type;
        let headers = [("content-type", content_type), ("x-amz-target", target)];
        let signable = SignableRequest::new("POST", url, headers.into_iter(), SignableBody::Bytes(&body));
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(self.api.name)
            .time(self.clock())
            .settings(SigningSettings::default())
            .build()
            .map_err(unsendable)?
            .into();
        let (signature, _) = signable.and_then(|request| sign(request, &parameters)).map_err(unsendable)?.into_parts();
        let mut request = Request::post(uri.clone()).body(Full::new(body)).map_err(unsendable)?;
        let own = request.headers_mut();
        own.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        own.insert(TARGET, HeaderValue::from_static(target));
        for header in signature.into_parts().0 {
            let value = HeaderValue::try_from(header.value()).map_err(unsendable)?;
            own.insert(HeaderName::from_static(header.name()), value);
        }
        Ok(request)
    }

    /// Who signs. Asked for once: Lambda's credentials stay as long as the process.
    async fn identity(&self) -> Result<Identity, RequestError> {
        let lasts = |identity: &&Identity| {
            identity.expiration().is_none_or(|expires| expires > SystemTime::now() + BEFORE_EXPIRY)
        };
        let kept = self.identity.lock().unwrap_or_else(PoisonError::into_inner).as_ref().filter(lasts).cloned();
        if let Some(identity) = kept {
            return Ok(identity);
        }
        let provider = self.sdk.credentials_provider().ok_or_else(|| unsendable("no credentials"))?;
        let credentials = provider.provide_credentials().await;
        let identity = Identity::from(
            credentials.map_err(|error| SdkError::dispatch_failure(ConnectorError::other(error.into(), None)))?,
        );
        *self.identity.lock().unwrap_or_else(PoisonError::into_inner) = Some(identity.clone());
        Ok(identity)
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
        let url = format!("{}/", url.trim_end_matches('/'));
        Some(Self { uri: url.parse().ok()?, url, region })
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
