//! The credentials of the functions under test, and whether a request was signed with them.

use hyper::http::request::Parts;

use super::operation::Service;

/// Temporary credentials of an IAM role.
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
    /// The ones in the environment of every [`Function`](crate::Function), made of the example keys of AWS's
    /// documentation, so that no scanner takes them for real ones.
    pub fn of_the_sandbox() -> Self {
        Self {
            access_key_id: "ASIAIOSFODNN7EXAMPLE".into(),
            secret_access_key: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token: Some("IQoJb3JpZ2luX2VjEXAMPLETOKEN".into()),
        }
    }
}

/// Whether a request bears a signature for `service` with the sandbox's key and session token. The signature itself,
/// the work of the AWS SDK, is not verified.
pub(super) fn signs(head: &Parts, service: Service) -> bool {
    let Credentials { access_key_id, session_token, .. } = Credentials::of_the_sandbox();
    let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let authorization = header("authorization").unwrap_or_default();
    authorization.starts_with(&format!("AWS4-HMAC-SHA256 Credential={access_key_id}/"))
        && authorization.contains(&format!("/{}/aws4_request,", service.signing_name()))
        && header("x-amz-security-token") == session_token.as_deref()
}
