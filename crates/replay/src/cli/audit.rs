//! The options of `replay audit`, and those that it shares with `replay adopt`.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use tpns_account_sync::config::UnknownBindings;

use super::duration;
use crate::sqs::queue_url;

pub(super) const AUDIT: &str = "\
Compares TPNS with the ledger, device by device, as the function's checks do. It only reads: what differs is looked at
again after --settle, and counts if it still differs.

Prints a table by app and kind of drift, and the fingerprints of devices that differ. No account, token or key is
printed. With --repair, checks of these devices are sent to the check queue, and the function repairs them.";

pub(super) const AUDIT_EXAMPLES: &str = "\
Exit codes: 0 TPNS agrees; 3 it differs for some devices; 1 something failed, or some devices were not compared; 2 the
command can't be carried out as given; 130 interrupted.

Examples:
  replay audit --table $TABLE --secret tpns/apps --rate 5 --state audit.state --csv drift.csv
  replay audit --table $TABLE --apps apps.json --tokens tokens.txt --app android
  replay audit --table $TABLE --secret tpns/apps --repair $CHECKS";

#[derive(Debug, Args)]
pub(crate) struct AuditArgs {
    /// The ledger's table, the stack's output LedgerTableName
    #[arg(long, value_name = "NAME")]
    pub(crate) table: String,
    #[command(flatten)]
    pub(crate) apps: AppsArgs,
    /// Compares the devices of this file, one token per line [default: all devices of the table]
    #[arg(long, value_name = "FILE", requires = "app")]
    pub(crate) tokens: Option<PathBuf>,
    /// The app of the tokens
    #[arg(long, value_name = "NAME", requires = "tokens")]
    pub(crate) app: Option<String>,
    /// Maximum number of calls to TPNS per second; each compares up to twenty devices
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) rate: u32,
    /// What differs is looked at again after this time
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    pub(crate) settle: Duration,
    /// Omits devices whose rows have changed within this time: their own checks are still to come. At least the
    /// stack's CheckAfterSeconds
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    pub(crate) recent: Duration,
    /// The function's UNKNOWN_BINDINGS: with remove, they count as bound, but out
    #[arg(long, value_name = "report|remove", default_value = "report")]
    pub(crate) unknown_bindings: Unknown,
    /// Writes the devices that differ to this file, by fingerprint
    #[arg(long, value_name = "FILE")]
    pub(crate) csv: Option<PathBuf>,
    /// Prints one JSON object in place of the tables
    #[arg(long)]
    pub(crate) json: bool,
    /// Records here what is finished, so that an interrupted audit resumes [default: it starts again]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Ignores what --state records
    #[arg(long, requires = "state")]
    pub(crate) restart: bool,
    /// Sends checks of the devices that differ to this queue, the stack's output CheckQueueUrl
    #[arg(long, value_name = "CHECK_QUEUE_URL", value_parser = queue_url)]
    pub(crate) repair: Option<String>,
    /// Does not ask for confirmation
    #[arg(long, requires = "repair")]
    pub(crate) yes: bool,
}

/// Where the apps document is.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct AppsArgs {
    /// The Secrets Manager secret with the function's apps document
    #[arg(long, value_name = "ID")]
    pub(crate) secret: Option<String>,
    /// A file with the function's apps document
    #[arg(long = "apps", value_name = "FILE")]
    pub(crate) document: Option<PathBuf>,
}

/// What is done about bindings that nothing known of a device names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Unknown {
    Report,
    Remove,
}

impl From<Unknown> for UnknownBindings {
    fn from(unknown: Unknown) -> Self {
        match unknown {
            Unknown::Report => Self::Report,
            Unknown::Remove => Self::Remove,
        }
    }
}
