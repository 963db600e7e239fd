//! The page at `/`: static files in the binary. What it shows it reads from `/_sim/changes`.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderName, HeaderValue, header},
    response::{IntoResponse, Response},
    routing::get,
};

use super::{account_api, state::Shared};

/// The page takes scripts and styles from this server only, no HTML from a string, and is in no frame.
const CONTENT_SECURITY_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// The files beside the page, under `/_sim/page/`.
const FILES: [(&str, &str, &str); 9] = [
    ("calls.js", SCRIPT, include_str!("../page/calls.js")),
    ("devices.js", SCRIPT, include_str!("../page/devices.js")),
    ("fault-form.js", SCRIPT, include_str!("../page/fault-form.js")),
    ("faults.js", SCRIPT, include_str!("../page/faults.js")),
    ("dom.js", SCRIPT, include_str!("../page/dom.js")),
    ("icon.svg", SVG, include_str!("../page/icon.svg")),
    ("main.js", SCRIPT, include_str!("../page/main.js")),
    ("page.css", CSS, include_str!("../page/page.css")),
    ("rows.js", SCRIPT, include_str!("../page/rows.js")),
];

/// `GET /`. Any other request to `/` is a client at the wrong path, and is logged as such.
pub(super) fn router() -> Router<Arc<Shared>> {
    let page = get(async || file(HTML, include_str!("../page/index.html"))).fallback(account_api::receive);
    FILES.into_iter().fold(Router::new().route("/", page), |router, (name, content_type, text)| {
        router.route(&format!("/_sim/page/{name}"), get(async move || file(content_type, text)))
    })
}

fn file(content_type: &'static str, text: &'static str) -> Response {
    let headers: [(HeaderName, HeaderValue); 5] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(content_type)),
        // Of this build of the server: an older page must not meet a newer server.
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, text).into_response()
}
