//! The options of `replay adopt`.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{audit::AppsArgs, duration};

pub(super) const ADOPT: &str = "\
Fills the ledger from a file of who is signed in where: JSON lines, one user.login event per device, as producers send
them, with the time of the sign-in as occurred_at. Rows are written as the function writes them, so that anything newer
in the table wins. TPNS is not called: audit shows where it differs.

Every line is first checked against the function's own contract. What is written is recorded next to the file, so the
same command resumes where it was interrupted.";

pub(super) const ADOPT_EXAMPLES: &str = "\
Exit codes: 0 done; 3 some lines were refused; 1 something failed; 2 the command can't be carried out as given; 130
interrupted.

Examples:
  replay adopt --table $TABLE --secret tpns/apps --dry-run signed-in.jsonl
  replay adopt --table $TABLE --secret tpns/apps --rate 200 signed-in.jsonl";

#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    /// The file, one user.login per line; - reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The ledger's table, the stack's output LedgerTableName
    #[arg(long, value_name = "NAME")]
    pub(crate) table: String,
    #[command(flatten)]
    pub(crate) apps: AppsArgs,
    /// Maximum number of rows per second
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) rate: u32,
    /// Checks every line and writes nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The function's MAX_CLOCK_SKEW; a sign-in further in the future is refused
    #[arg(long, value_name = "DURATION", default_value = "5m", value_parser = duration)]
    pub(crate) max_clock_skew: Duration,
    /// Records here what has been written [default: FILE.replay; for standard input none]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Ignores the record of what has been written, and writes everything
    #[arg(long)]
    pub(crate) restart: bool,
}
