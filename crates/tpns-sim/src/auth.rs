//! Which app a request is sent for, and whether its credentials are accepted (facts.md, section 2).

use data_encoding::BASE64;
use thiserror::Error;

use crate::{
    apps::{App, Apps},
    codes::RetCode,
    signature,
};

/// The headers of a request that identify the sender.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Credentials<'a> {
    pub(crate) access_id: Option<&'a str>,
    pub(crate) time_stamp: Option<&'a str>,
    pub(crate) sign: Option<&'a str>,
    pub(crate) authorization: Option<&'a str>,
}

/// The clock and how far a `TimeStamp` may be from it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TimeWindow {
    /// Seconds since the epoch.
    pub(crate) now: i64,
    /// Seconds either way; 0 checks nothing. TPNS documents no window, its predecessor had 600 s.
    pub(crate) seconds: u64,
}

/// Why a request is refused. The text is for people; TPNS answers only the code.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum AuthError {
    #[error("send AccessId, TimeStamp and Sign, or Authorization: Basic")]
    NoCredentials,
    #[error("header {0} is missing; it goes with Sign")]
    MissingHeader(&'static str),
    #[error("Authorization must be `Basic ` and Base64 of AccessId:SecretKey")]
    NotBasic,
    #[error("no app has this AccessId")]
    UnknownAccessId,
    #[error("TimeStamp must be whole seconds since the epoch")]
    TimeStampNotSeconds,
    #[error("TimeStamp is {off} s off this clock, {allowed} s are allowed; it is in seconds")]
    TimeStampStale { off: u64, allowed: u64 },
    #[error("{0}")]
    WrongSign(&'static str),
    #[error("the password is not this app's secret key")]
    WrongSecret,
}

impl AuthError {
    pub(crate) fn ret_code(&self) -> RetCode {
        match self {
            Self::UnknownAccessId => RetCode::ACCESS_ID_NOT_CORRECT,
            _ => RetCode::AUTH_FAILURE,
        }
    }
}

/// The app that the request names, whether or not its credentials are accepted.
pub(crate) fn claimed<'a>(apps: &'a Apps, credentials: &Credentials<'_>) -> Option<&'a App> {
    match (credentials.access_id, credentials.authorization) {
        (Some(access_id), _) => apps.by_access_id(access_id),
        (None, Some(authorization)) => {
            let (access_id, _) = basic(authorization)?;
            apps.by_access_id(&access_id)
        }
        (None, None) => None,
    }
}

/// Authenticates a request as a configured app. A `Sign` header takes precedence over Basic.
pub(crate) fn admit<'a>(
    apps: &'a Apps,
    credentials: &Credentials<'_>,
    body: &[u8],
    window: TimeWindow,
) -> Result<&'a App, AuthError> {
    if let Some(sign) = credentials.sign {
        return admit_signed(apps, sign, credentials, body, window);
    }
    let authorization = credentials.authorization.ok_or(AuthError::NoCredentials)?;
    let (access_id, secret_key) = basic(authorization).ok_or(AuthError::NotBasic)?;
    let app = apps.by_access_id(&access_id).ok_or(AuthError::UnknownAccessId)?;
    if app.secret_key != secret_key {
        return Err(AuthError::WrongSecret);
    }
    Ok(app)
}

fn admit_signed<'a>(
    apps: &'a Apps,
    sign: &str,
    credentials: &Credentials<'_>,
    body: &[u8],
    window: TimeWindow,
) -> Result<&'a App, AuthError> {
    let missing = AuthError::MissingHeader;
    let access_id = credentials.access_id.ok_or(missing("AccessId"))?;
    let time_stamp = credentials.time_stamp.ok_or(missing("TimeStamp"))?;
    let app = apps.by_access_id(access_id).ok_or(AuthError::UnknownAccessId)?;
    check_time(time_stamp, window)?;
    if !signature::verify(sign, &app.secret_key, time_stamp, access_id, body) {
        let mistake = signature::diagnose(sign, &app.secret_key, time_stamp, access_id, body);
        return Err(AuthError::WrongSign(mistake));
    }
    Ok(app)
}

fn check_time(time_stamp: &str, window: TimeWindow) -> Result<(), AuthError> {
    let sent: i64 = time_stamp.parse().map_err(|_| AuthError::TimeStampNotSeconds)?;
    let off = window.now.abs_diff(sent);
    if window.seconds > 0 && off > window.seconds {
        return Err(AuthError::TimeStampStale { off, allowed: window.seconds });
    }
    Ok(())
}

fn basic(authorization: &str) -> Option<(String, String)> {
    let (scheme, encoded) = authorization.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = BASE64.decode(encoded.trim().as_bytes()).ok()?;
    let (access_id, secret_key) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    Some((access_id.to_owned(), secret_key.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "1452fcebae9f3115ba794fb0fff2fd73";
    const BODY: &[u8] = br#"{"operator_type":4,"token_list":["token1","token2","token3"]}"#;
    const SIGN: &str = "ZDZkOWFhYWU0ZDI5MzAyNDFkMGU5OTdmNThlMzBjNTE1OGMxYmNkNmUzYTAwZGRhNjJiNGM2MTEyYjQwOTQ5Zg==";

    fn apps() -> Apps {
        Apps::new([App { name: "android".to_owned(), access_id: 1_500_001_048, secret_key: SECRET.to_owned() }])
            .expect("one good app")
    }

    fn signed<'a>() -> Credentials<'a> {
        Credentials {
            access_id: Some("1500001048"),
            time_stamp: Some("1565314789"),
            sign: Some(SIGN),
            authorization: None,
        }
    }

    fn at(now: i64) -> TimeWindow {
        TimeWindow { now, seconds: 600 }
    }

    fn verdict(credentials: Credentials<'_>, window: TimeWindow) -> Result<String, AuthError> {
        admit(&apps(), &credentials, BODY, window).map(|app| app.name.clone())
    }

    fn basic_header(header: &str) -> Result<String, AuthError> {
        let credentials = Credentials { authorization: Some(header), ..Credentials::default() };
        verdict(credentials, at(0))
    }

    #[test]
    fn a_signed_request_inside_the_window_is_accepted() {
        let android = Ok("android".to_owned());
        assert_eq!(verdict(signed(), at(1_565_314_789 + 600)), android);
        assert_eq!(verdict(signed(), at(1_565_314_789 - 600)), android);
        let off = TimeWindow { now: 0, seconds: 0 };
        assert_eq!(verdict(signed(), off), android);
    }

    #[test]
    fn a_stale_time_stamp_is_an_auth_failure() {
        let stale = verdict(signed(), at(1_565_314_789 + 601)).expect_err("stale");
        assert_eq!(stale.ret_code(), 1_008_003);
        let milliseconds = Credentials { time_stamp: Some("1565314789000"), ..signed() };
        let text = verdict(milliseconds, at(1_565_314_789)).expect_err("stale");
        assert!(text.to_string().contains("it is in seconds"));
        let words = Credentials { time_stamp: Some("now"), ..signed() };
        assert_eq!(verdict(words, at(0)), Err(AuthError::TimeStampNotSeconds));
    }

    #[test]
    fn an_unknown_access_id_has_a_code_of_its_own() {
        let stranger = Credentials { access_id: Some("1500001049"), ..signed() };
        let error = verdict(stranger, at(1_565_314_789)).expect_err("unknown");
        assert_eq!(error.ret_code(), 1_008_035);
        assert!(claimed(&apps(), &stranger).is_none());
    }

    #[test]
    fn a_wrong_or_half_signature_is_an_auth_failure() {
        let now = at(1_565_314_789);
        let wrong = Credentials { sign: Some("AAAA"), ..signed() };
        let half = Credentials { time_stamp: None, ..signed() };
        for bad in [wrong, half, Credentials::default()] {
            let error = verdict(bad, now).expect_err("must be refused");
            assert_eq!(error.ret_code(), 1_008_003, "{error}");
        }
        let claim = claimed(&apps(), &wrong).map(|app| app.name.clone());
        assert_eq!(claim.as_deref(), Some("android"));
    }

    #[test]
    fn the_documented_basic_header_is_accepted_at_any_time() {
        let header = "Basic MTUwMDAwMTA0ODoxNDUyZmNlYmFlOWYzMTE1YmE3OTRmYjBmZmYyZmQ3Mw==";
        assert_eq!(basic_header(header), Ok("android".to_owned()));
    }

    #[test]
    fn a_wrong_basic_header_is_refused_with_the_right_code() {
        let encoded = |pair: &str| format!("Basic {}", BASE64.encode(pair.as_bytes()));
        assert_eq!(basic_header(&encoded("1500001048:other")), Err(AuthError::WrongSecret));
        assert_eq!(basic_header(&encoded("1:other")), Err(AuthError::UnknownAccessId));
        assert_eq!(basic_header("Bearer x"), Err(AuthError::NotBasic));
        assert_eq!(basic_header("Basic %%%"), Err(AuthError::NotBasic));
    }
}
