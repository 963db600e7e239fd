//! Whether a line may be sent.

use crate::{
    lines::{Flaw, Line},
    reading::{Age, Contract, Reading, When},
};
use contract::event::{Invalid, Millis};

/// A line that may be sent.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(crate) reading: Reading,
    pub(crate) age: Age,
    /// It has no time of its own and gets that of sending.
    pub(crate) to_be_stamped: bool,
}

/// A line that may not be sent: the field, what is wrong with it and what to do. No value of the event.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    #[error(transparent)]
    Flaw(#[from] Flaw),
    #[error(transparent)]
    Contract(#[from] Invalid),
    #[error(
        "occurred_at: is missing, so the event would take the time of sending, and an old login would become the newest; \
         add the time, or use --stamp-now if the event happens now"
    )]
    Timeless,
}

/// Checks a line.
///
/// # Errors
/// [`LineError`].
pub(crate) fn check(line: &Line, contract: &Contract, stamp_now: bool, now: Millis) -> Result<Checked, LineError> {
    let text = line.text.as_ref().map_err(|&flaw| flaw)?;
    let mut reading = contract.read(text);
    match std::mem::replace(&mut reading.verdict, Ok(When::WhenSent))? {
        When::At(at) => Ok(Checked { reading, age: contract.age(at, now), to_be_stamped: false }),
        When::WhenSent if stamp_now => Ok(Checked { reading, age: Age::Fine, to_be_stamped: true }),
        When::WhenSent => Err(LineError::Timeless),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Lines;

    const NOW: Millis = 1_795_334_400_000;

    fn checked(text: &str, stamp_now: bool) -> Result<(Age, bool), String> {
        let line = Lines::new(text.as_bytes()).next().unwrap().unwrap();
        let contract = Contract { apps: None, max_age: 1000, max_skew: 1000 };
        let checked = check(&line, &contract, stamp_now, NOW).map_err(|error| error.to_string())?;
        Ok((checked.age, checked.to_be_stamped))
    }

    #[test]
    fn a_line_without_a_time_of_its_own_is_refused_unless_it_is_to_be_stamped() {
        let line = r#"{"type":"user.logout","app":"android","token":"t"}"#;
        let refusal = checked(line, false).unwrap_err();
        assert!(refusal.starts_with("occurred_at: ") && refusal.contains("--stamp-now"), "{refusal}");
        assert_eq!(checked(line, true), Ok((Age::Fine, true)));
        let archived = r#"{"detail-type":"user.logout","time":"2026-11-22T08:00:00Z","id":"e","detail":{"app":"android","token":"t"}}"#;
        assert_eq!(checked(archived, false), Ok((Age::Fine, false)));
        assert_eq!(checked(archived, true), Ok((Age::Fine, false)));
    }

    #[test]
    fn a_line_that_is_too_old_is_sent_and_reported() {
        let line = r#"{"type":"user.logout","app":"android","token":"t","occurred_at":1}"#;
        assert_eq!(checked(line, false), Ok((Age::TooOld, false)));
    }

    #[test]
    fn a_line_that_breaks_the_contract_is_refused_also_when_it_is_to_be_stamped() {
        assert!(
            checked(r#"{"type":"user.logout","app":"android"}"#, true).unwrap_err().starts_with("token: is missing")
        );
    }
}
