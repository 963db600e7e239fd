//! Whether a line may be written to the ledger, and what of it. Pure.

use contract::{
    apps::AppId,
    event::{Change, Device, Event, Invalid, Millis, Version},
};
use tpns_account_sync::{
    ledger::{DeviceState, State},
    tpns::Apps,
};

use crate::{
    lines::{Flaw, Line},
    reading,
};

/// What a device's row gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SignedIn {
    pub(crate) device: Device,
    pub(crate) version: Version,
    pub(crate) state: DeviceState,
}

impl SignedIn {
    pub(crate) fn app(&self) -> AppId {
        self.device.app
    }
}

/// A line that may not be written: the field, what is wrong with it and what to do. No value of the event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    #[error(transparent)]
    Flaw(#[from] Flaw),
    #[error(transparent)]
    Contract(#[from] Invalid),
    #[error("occurred_at: is missing; add the time of the sign-in, by which later logouts win")]
    Timeless,
    #[error("type: must be user.login; adopt takes who is signed in where")]
    NotALogin,
    #[error("occurred_at: is in the future, so it would win against later events; check the clock that wrote it")]
    InTheFuture,
    #[error("its row in the table is not one that the function writes, or is full; delete the row")]
    Row,
}

/// Checks a line. A sign-in later than `latest` is refused.
///
/// # Errors
/// [`LineError`].
pub(crate) fn check(line: &Line, apps: &Apps, latest: Millis) -> Result<SignedIn, LineError> {
    let text = line.text.as_ref().map_err(|&flaw| flaw)?;
    let mut event = match reading::event(text, false, &apps.names) {
        Ok(event) => event,
        // Only the time is missing.
        Err(_) if reading::event(text, true, &apps.names).is_ok() => return Err(LineError::Timeless),
        Err(invalid) => return Err(invalid.into()),
    };
    // As the function does.
    if let Some(key) = apps.ledger_keys.current() {
        event.name_in_version(|id| key.pseudonym(id));
    }
    if event.version.at > latest {
        return Err(LineError::InTheFuture);
    }
    signed_in(&event).ok_or(LineError::NotALogin)
}

fn signed_in(event: &Event) -> Option<SignedIn> {
    let Change::Login(..) = &event.change else { return None };
    let (device, state) = State::of([event]).devices.pop()?;
    Some(SignedIn { device, version: event.version.clone(), state })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Lines;

    const LATEST: Millis = 1_795_334_400_000;

    const APPS: &str = r#""android":{"access_id":1,"secret_key":"k","region":"guangzhou"},
                          "ios":{"access_id":2,"secret_key":"k","region":"guangzhou"}"#;

    fn checked(text: &str) -> Result<SignedIn, String> {
        checked_with("", text)
    }

    fn checked_with(ledger_keys: &str, text: &str) -> Result<SignedIn, String> {
        let line = Lines::new(text.as_bytes()).next().unwrap().unwrap();
        let apps = Apps::parse(&format!("{{{ledger_keys}{APPS}}}")).unwrap();
        check(&line, &apps, LATEST).map_err(|error| error.to_string())
    }

    #[test]
    fn with_a_ledger_key_the_version_has_another_text_in_place_of_the_id() {
        let line = r#"{"id":"annabel-1","type":"user.login","app":"ios","token":"t","occurred_at":1,"account_list":[{"account":"annabel"}]}"#;
        let (clear, hidden) =
            (checked(line), checked_with(r#""ledger_keys":["a-key-of-32-characters-and-no-less"],"#, line));
        let tie_breaker = |signed_in: Result<SignedIn, String>| signed_in.unwrap().version.tie_breaker.to_string();
        let (clear, hidden) = (tie_breaker(clear), tie_breaker(hidden));
        assert_eq!((clear.as_str(), hidden.len(), hidden.contains("annabel")), ("annabel-1", 22, false));
    }

    #[test]
    fn a_login_becomes_the_state_that_the_function_would_merge() {
        let at = LATEST - 400 * 86_400_000;
        let signed_in = checked(&format!(
            r#"{{"type":"user.login","app":"ios","token":"t","occurred_at":{at},"account_list":[{{"account":"annabel"}},
               {{"account":"annabel@example.com","account_type":1005}}]}}"#
        ).replace('\n', " "))
        .unwrap();
        assert_eq!((signed_in.app(), signed_in.device.token.as_str(), signed_in.version.at), (AppId(1), "t", at));
        let owner = signed_in.state.owner().unwrap();
        assert_eq!((owner.accounts.len(), owner.version == signed_in.version), (2, true));
        let archived = r#"{"detail-type":"user.login","time":"2025-11-22T08:00:00Z","id":"e","detail":{"app":"ios","token":"t","account_list":[{"account":"annabel"}]}}"#;
        assert!(checked(archived).is_ok(), "in any envelope that the function accepts");
    }

    #[test]
    fn other_lines_are_refused_by_field_and_without_a_value() {
        let with = |more: &str| format!(r#"{{"app":"android","token":"secret-token"{more}}}"#);
        let login = r#","type":"user.login","account_list":[{"account":"annabel"}]"#;
        for (line, field) in [
            (with(login), "occurred_at: is missing"),
            (with(&format!(r#"{login},"occurred_at":{}"#, LATEST + 1)), "occurred_at: is in the future"),
            (with(r#","type":"user.logout","occurred_at":1"#), "type: must be user.login"),
            (
                r#"{"type":"account.deleted","account_list":[{"account":"annabel"}],"occurred_at":1}"#.into(),
                "type: must be user.login",
            ),
            (with(r#","type":"user.login","occurred_at":1"#), "account_list: "),
            (with(&login.replace("}]", r#"}],"occurred_at":1"#)).replace("android", "windows"), "app: "),
            ("annabel".into(), "body: "),
        ] {
            let error = checked(&line).unwrap_err();
            assert!(error.starts_with(field), "{line}: {error}");
            assert!(!error.contains("annabel") && !error.contains("secret-token"), "{error}");
        }
    }
}
