//! What is wrong with a setting.

use crate::tpns::AppsError;

pub(super) const FUNCTION_TIMEOUT: &str = "FUNCTION_TIMEOUT_SECONDS";

/// A setting that can't be used: one line that names the variable and what to do. Never a secret, never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The apps document in the environment.
    #[error("TPNS_APPS: {0}")]
    Apps(#[from] AppsError),
    /// Nothing says where the apps document is.
    #[error(
        "TPNS_APPS_SECRET_ID: is not set; name the Secrets Manager secret that holds the apps document, or set \
         TPNS_APPS_SSM_PARAMETER to the name of a parameter that does, or TPNS_APPS to the document itself, e.g. {{\"android\":{{\"access_id\":1500001048,\"secret_key\":\"…\",\"region\":\"guangzhou\"}}}}"
    )]
    NoApps,
    /// There are several apps documents.
    #[error("TPNS_APPS, TPNS_APPS_SECRET_ID, TPNS_APPS_SSM_PARAMETER: more than one is set; keep one of them")]
    SeveralSourcesOfApps,
    /// No number, or one that is too small or too large.
    #[error("{name}: must be a whole number from {least} to {most}; the default is {default}")]
    Number {
        /// The variable.
        name: &'static str,
        /// The least it may be.
        least: u32,
        /// The most it may be.
        most: u32,
        /// What it is if it is not set.
        default: u32,
    },
    /// No duration.
    #[error("{name}: must be a duration such as 30s, 5m, 12h or 14d; the default is {default}")]
    Duration {
        /// The variable.
        name: &'static str,
        /// What it is if it is not set.
        default: &'static str,
    },
    /// A secret that would be read in nearly every invocation.
    #[error("TPNS_APPS_MAX_AGE: must be at least 1s; the default is 60s")]
    AppsMaxAge,
    /// No name of a table.
    #[error(
        "LEDGER_TABLE: must be the name or the ARN of a DynamoDB table: 3 to 255 letters, digits, dots, hyphens and underscores"
    )]
    LedgerTable,
    /// No URL of a queue.
    #[error("{name}: must be the URL of an SQS queue, such as https://sqs.eu-west-1.amazonaws.com/123456789012/events")]
    QueueUrl {
        /// The setting.
        name: &'static str,
    },
    /// Checks compare TPNS with the ledger.
    #[error("CHECK_QUEUE_URL: needs LEDGER_TABLE, since checks compare TPNS with the ledger; set both or neither")]
    ChecksWithoutLedger,
    /// No time that a check can wait.
    #[error("CHECK_AFTER: must be a duration from 0s to 15m, such as 5m; the default is 5m")]
    CheckAfter,
    /// None of the two.
    #[error("UNKNOWN_BINDINGS: must be report or remove; the default is report")]
    UnknownBindings,
    /// An age that a redelivered event reaches.
    #[error("MAX_EVENT_AGE: is less than 1m, so one redelivery could make an event too old; the default is 14d")]
    MaxEventAgeTooShort,
    /// An age at which the ledger knows nothing any more.
    #[error(
        "MAX_EVENT_AGE: is more than {most}d, and an event that is older than its row in LEDGER_TABLE ({lifetime}d) could \
         win; set at most {most}d"
    )]
    MaxEventAgeTooLong {
        /// The most it may be, in days.
        most: u64,
        /// How long a row is kept, in days.
        lifetime: u64,
    },
    /// No time between two calls.
    #[error(
        "TPNS_PROBE_INTERVAL: must be a duration from 1ms to 5m, or 0 to call TPNS as often while it fails; the default is 30s"
    )]
    ProbeInterval,
    /// A delay that SQS does not take.
    #[error(
        "RETRY_MAX_DELAY: must be a duration from 1s to 12h, or 0 to leave redelivery to the visibility timeout; the default is 10m"
    )]
    RetryMaxDelay,
    /// Clocks differ by more.
    #[error("MAX_CLOCK_SKEW: is less than 1s, and clocks are not that exact; the default is 5m")]
    MaxClockSkewTooShort,
    /// A clock that is so wrong would decide for too long.
    #[error(
        "MAX_CLOCK_SKEW: is more than 1d, so a wrong clock could outrank a day of events; correct the clock, the default is 5m"
    )]
    MaxClockSkewTooLong,
    /// No time would be left for calls.
    #[error(
        "DEADLINE_RESERVE_MS: must be less than half of the function's timeout ({FUNCTION_TIMEOUT}); set at most {most}, or a \
         longer timeout; the default is 1000"
    )]
    DeadlineReserve {
        /// The most it may be.
        most: u128,
    },
    /// No timeout that Lambda takes.
    #[error(
        "{FUNCTION_TIMEOUT}: must be the function's timeout, a whole number of seconds from 1 to 900; set it to that, or omit it"
    )]
    FunctionTimeout,
}
