//! One HTTP exchange with TPNS: signed, bounded in time and size.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request,
    header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT},
};

use super::{
    App, Operation,
    answer::{HttpAnswer, retry_after},
    breaker::Breakers,
    codes::is_a_status_of_the_app,
};
use crate::{
    moment::Moment,
    plan::Verdict,
    transport::{NoConnection, Origin, RequestLimits, Transport, TransportError, path},
};

/// No account call answers with more: twenty items have twenty codes, and twenty accounts at most two thousand tokens.
const LONGEST_ANSWER: usize = 1 << 20;
const AGENT: HeaderValue = HeaderValue::from_static(concat!("tpns-account-sync/", env!("CARGO_PKG_VERSION")));
const ACCESS_ID: HeaderName = HeaderName::from_static("accessid");
const TIME_STAMP: HeaderName = HeaderName::from_static("timestamp");
const SIGN: HeaderName = HeaderName::from_static("sign");

/// What calls are made with.
#[derive(Clone, Debug)]
pub struct Client {
    transport: Transport,
    /// None makes every call.
    breakers: Option<Arc<Mutex<Breakers>>>,
}

impl Client {
    /// Calls over these connections. While TPNS fails, an app is called once in `probe_interval`.
    #[must_use]
    pub fn new(transport: Transport, probe_interval: Option<Duration>) -> Self {
        let breakers = probe_interval.map(|interval| Arc::new(Mutex::new(Breakers::new(interval))));
        Self { transport, breakers }
    }

    /// Begins an invocation: a failure of TPNS counts as an outage only if it lasts for more than one.
    pub(crate) fn begin_invocation(&self) {
        if let Some(mut breakers) = self.breakers() {
            breakers.begin_invocation();
        }
    }

    /// Whether a call may be made to the app now.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn permit(&self, app: &App) -> Result<(), Verdict> {
        self.breakers().map_or(Ok(()), |mut breakers| breakers.permit(&app.identity(), Moment::now()))
    }

    /// Notes the result of a call that had time for its answer: the verdict on all of its items, if there is one.
    pub(super) fn note(&self, app: &App, whole: Option<&Verdict>) {
        let Some(mut breakers) = self.breakers() else { return };
        match whole {
            Some(verdict @ Verdict::Retry(..)) => breakers.failed(&app.identity(), Moment::now(), verdict),
            Some(verdict @ Verdict::Misconfigured(failure)) if !is_a_status_of_the_app(failure) => {
                breakers.failed(&app.identity(), Moment::now(), verdict);
            }
            _ => breakers.answered(&app.identity()),
        }
    }

    fn breakers(&self) -> Option<MutexGuard<'_, Breakers>> {
        Some(self.breakers.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Posts `body` to this operation of the app's account API, signed for now. An exchange has `timeout`; with a second one after a dead
    /// connection it has `remaining`.
    pub(super) async fn post(
        &self,
        app: &App,
        operation: Operation,
        body: Bytes,
        timeout: Duration,
        remaining: Duration,
    ) -> Result<HttpAnswer, TransportError> {
        let now = SystemTime::now();
        let timestamp = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
        let sign = app.key.sign(&timestamp, &body);
        let uri = app.endpoint.uri(operation);
        let (origin, path) = (Origin::of(uri).ok_or(NoConnection::Unresolved)?, path(uri));
        let request = || {
            let mut request = Request::new(Full::new(body.clone()));
            *request.method_mut() = Method::POST;
            *request.uri_mut() = path.clone();
            let headers = request.headers_mut();
            headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
            headers.insert(USER_AGENT, AGENT);
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            for (name, value) in [(ACCESS_ID, app.key.access_id()), (TIME_STAMP, &timestamp), (SIGN, &sign)] {
                // Digits and Base64 fit into a header.
                headers.extend(HeaderValue::from_str(value).ok().map(|value| (name, value)));
            }
            request
        };
        // Half of the time, if there is not enough for two exchanges: the second is the one that counts.
        let silence = timeout.min(remaining / 2);
        let limits = RequestLimits { connect: timeout, exchange: timeout, silence, body: LONGEST_ANSWER };
        let exchange = tokio::time::timeout(remaining, self.transport.send(&origin, request, limits));
        let (head, body) = exchange.await.unwrap_or(Err(TransportError::Timeout))?.into_parts();
        let after = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = after.and_then(|value| retry_after(value, now));
        Ok(HttpAnswer { status: head.status.as_u16(), retry_after, body })
    }
}
