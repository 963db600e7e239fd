//! The codes TPNS answers with (facts.md, section 4).

use std::fmt;

use serde::{Deserialize, Serialize};

/// A `ret_code`, or the code of one item of a `result`.
///
/// Not an enum: the provider's table has gaps, and a fault may answer any number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RetCode(pub i64);

impl RetCode {
    /// Accepted.
    pub const NO_ERROR: Self = Self(0);
    /// The body is not the JSON of a request.
    pub const PARAMETER_PARSE_ERROR: Self = Self(1_008_001);
    /// A required field is absent.
    pub const MISSING_PARAMETER: Self = Self(1_008_002);
    /// Wrong `Sign`, wrong secret, no credentials, or a `TimeStamp` outside the window.
    pub const AUTH_FAILURE: Self = Self(1_008_003);
    /// An internal error of TPNS; worth a retry.
    pub const INVOKE_SERVICE_ERROR: Self = Self(1_008_004);
    /// An item's token was never registered with the app.
    pub const INVALID_TOKEN: Self = Self(1_008_006);
    /// A field is there and of the right type, but its value is not allowed.
    pub const INVALID_PARAMETER: Self = Self(1_008_007);
    /// Some items failed; `result` says which.
    pub const PARTLY_ERROR: Self = Self(1_008_026);
    /// Every item failed.
    pub const TOTAL_ERROR: Self = Self(1_008_027);
    /// Too many requests.
    pub const REQUEST_TOO_FAST: Self = Self(1_008_028);
    /// An item's token cannot be a token at all: empty or too long.
    pub const TOKEN_NOT_VALID: Self = Self(1_008_029);
    /// The app has not been paid for.
    pub const APP_NOT_PAID: Self = Self(1_008_030);
    /// The app's resources have been deleted.
    pub const APP_EXPIRED: Self = Self(1_008_031);
    /// There is no app with this `AccessId` at this host.
    pub const ACCESS_ID_NOT_CORRECT: Self = Self(1_008_035);
    /// A queried token or account has no binding.
    pub const NO_TOKEN_NO_ACCOUNT: Self = Self(10_110_008);

    /// Every code above, which are those that TPNS documents for this API.
    pub const DOCUMENTED: [Self; 15] = [
        Self::NO_ERROR,
        Self::PARAMETER_PARSE_ERROR,
        Self::MISSING_PARAMETER,
        Self::AUTH_FAILURE,
        Self::INVOKE_SERVICE_ERROR,
        Self::INVALID_TOKEN,
        Self::INVALID_PARAMETER,
        Self::PARTLY_ERROR,
        Self::TOTAL_ERROR,
        Self::REQUEST_TOO_FAST,
        Self::TOKEN_NOT_VALID,
        Self::APP_NOT_PAID,
        Self::APP_EXPIRED,
        Self::ACCESS_ID_NOT_CORRECT,
        Self::NO_TOKEN_NO_ACCOUNT,
    ];

    /// The `err_msg` TPNS documents for the code; `UNKNOWN` for a code outside its table.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NO_ERROR => "NO_ERROR",
            Self::PARAMETER_PARSE_ERROR => "parameter parse error",
            Self::MISSING_PARAMETER => "missing parameter",
            Self::AUTH_FAILURE => "auth failure",
            Self::INVOKE_SERVICE_ERROR => "invoke service error",
            Self::INVALID_TOKEN => "invalid token",
            Self::INVALID_PARAMETER => "invalid parameter",
            Self::PARTLY_ERROR => "batch op, partly error",
            Self::TOTAL_ERROR => "batch op, total error",
            Self::REQUEST_TOO_FAST => "request too fast",
            Self::TOKEN_NOT_VALID => "token is not valid",
            Self::APP_NOT_PAID => "app not paid",
            Self::APP_EXPIRED => "app was expired",
            Self::ACCESS_ID_NOT_CORRECT => "accessId is not correct or domain not correct",
            Self::NO_TOKEN_NO_ACCOUNT => "no token, no account",
            _ => "UNKNOWN",
        }
    }

    /// The code of a whole call: 0 when every item's is 0, 1008027 when none is, 1008026 otherwise.
    ///
    /// The codes are documented, this use of them is inferred (facts.md, section 4).
    #[must_use]
    pub fn over(items: &[Self]) -> Self {
        match items.iter().filter(|&&item| item == Self::NO_ERROR).count() {
            good if good == items.len() => Self::NO_ERROR,
            0 => Self::TOTAL_ERROR,
            _ => Self::PARTLY_ERROR,
        }
    }
}

impl fmt::Display for RetCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq<i64> for RetCode {
    fn eq(&self, other: &i64) -> bool {
        self.0 == *other
    }
}

#[cfg(test)]
mod tests {
    use super::RetCode;

    #[test]
    fn the_code_of_a_call_distinguishes_all_some_and_none() {
        let (good, bad) = (RetCode::NO_ERROR, RetCode::INVALID_TOKEN);
        assert_eq!(RetCode::over(&[good, good]), 0);
        assert_eq!(RetCode::over(&[good, bad]), 1_008_026);
        assert_eq!(RetCode::over(&[bad, bad]), 1_008_027);
    }

    #[test]
    fn a_code_outside_the_table_still_has_a_message() {
        assert_eq!(RetCode(42).message(), "UNKNOWN");
        assert_eq!(RetCode::AUTH_FAILURE.message(), "auth failure");
        assert!(RetCode::DOCUMENTED.iter().all(|code| code.message() != "UNKNOWN"));
    }
}
