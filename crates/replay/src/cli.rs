//! The command line: commands, options and their help.

mod adopt;
mod audit;

use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use contract::{
    apps::AppNames,
    event::{DEFAULT_MAX_CLOCK_SKEW, DEFAULT_MAX_EVENT_AGE, Millis},
};

pub(crate) use self::{
    adopt::AdoptArgs,
    audit::{AppsArgs, AuditArgs},
};
use crate::{reading::Contract, sqs::queue_url};

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 something failed; 2 the command can't be carried out as given; 3 some lines or messages
were refused, or TPNS differs for some devices; 130 interrupted. Credentials, region and endpoint are those of the
AWS CLI: AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL.";

/// Puts auth events on the queue from a file, shows why events are parked or dead-lettered, sends them back, and
/// compares TPNS with the ledger
#[derive(Debug, Parser)]
#[command(name = "replay", version, arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Puts events on the queue from a file of JSON lines
    #[command(long_about = SEND, after_help = SEND_EXAMPLES)]
    Send(SendArgs),
    /// Shows what is parked or dead-lettered, and why; all messages stay in their queue
    #[command(after_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Sends parked or dead-lettered messages back to the queue
    #[command(long_about = REDRIVE, after_help = REDRIVE_EXAMPLES)]
    Redrive(RedriveArgs),
    /// Compares TPNS with the ledger, and shows what differs
    #[command(long_about = audit::AUDIT, after_help = audit::AUDIT_EXAMPLES)]
    Audit(AuditArgs),
    /// Fills the ledger from a file of who is signed in where, without calling TPNS
    #[command(long_about = adopt::ADOPT, after_help = adopt::ADOPT_EXAMPLES)]
    Adopt(AdoptArgs),
    /// Prints the fingerprint of a device or an event, as in the function's log
    #[command(after_help = FINGERPRINT_EXAMPLES)]
    Fingerprint(FingerprintArgs),
}

const SEND: &str = "\
Puts events on the queue from a file of JSON lines, such as an export or an archive, in any envelope that the function
accepts.

Every line is first checked against the function's own contract. Lines that break it are refused, and the others are
sent. What SQS has confirmed is recorded next to the file, so the same command resumes where it was interrupted.
Messages that were in flight at that moment are sent twice, which is harmless, since events have times and ids.";

const SEND_EXAMPLES: &str = "\
Examples:
  replay send --dry-run --apps android,ios export.jsonl
  replay send --queue-url https://sqs.eu-west-1.amazonaws.com/123456789012/tpns-events export.jsonl
  replay send --queue-url $QUEUE --unbinds-to $UNBINDS --rate 50 export.jsonl
  zcat archive.gz | replay send --queue-url $QUEUE --state archive.replay -";

const LIST_EXAMPLES: &str = "\
Examples:
  replay list --queue-url https://sqs.eu-west-1.amazonaws.com/123456789012/tpns-parked
  replay list --queue-url $DEAD_LETTERS --json | jq -r .reason | sort | uniq -c";

const REDRIVE: &str = "\
Sends parked or dead-lettered messages back to the queue. A message is deleted from --from only after SQS has
accepted it at --to.

Choose the messages by options: a message must match every option given, and one of the values of each.";

const REDRIVE_EXAMPLES: &str = "\
Examples:
  replay redrive --from $PARKED --to $QUEUE --reason unknown_app --app huawei --dry-run
  replay redrive --from $PARKED --to $QUEUE --reason unknown_app --app huawei
  replay redrive --from $DEAD_LETTERS --to $QUEUE --unbinds-to $UNBINDS --all --yes";

const FINGERPRINT_EXAMPLES: &str = "\
Examples:
  replay fingerprint --app android 05da87c0ae5973bd2dfa9e08d884aada5bb2
  pbpaste | replay fingerprint --app android -        keeps the token out of the shell's history
  replay fingerprint --event-id login-7 --app android 05da87c0ae5973bd2dfa9e08d884aada5bb2
  replay fingerprint --event-id deletion-7            an event without a device, or one that could not be read";

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// The file, one JSON body per line; - reads standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The queue that the function reads
    #[arg(long, value_name = "URL", value_parser = queue_url, required_unless_present = "dry_run")]
    pub(crate) queue_url: Option<String>,
    /// The unbind lane's queue, the stack's output UnbindQueueUrl: logouts and deletions go there, so that they don't
    /// wait behind logins [default: everything goes to --queue-url]
    #[arg(long, value_name = "URL", value_parser = queue_url)]
    pub(crate) unbinds_to: Option<String>,
    /// Maximum number of messages per second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) rate: Option<u32>,
    /// Checks every line and sends nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Gives events without a time of their own the time of sending, a millisecond apart
    #[arg(long)]
    pub(crate) stamp_now: bool,
    /// Records here what has been sent [default: FILE.replay; for standard input none]
    #[arg(long, value_name = "FILE")]
    pub(crate) state: Option<PathBuf>,
    /// Ignores the record of what has been sent, and sends everything
    #[arg(long)]
    pub(crate) restart: bool,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// The parking queue or the dead-letter queue
    #[arg(long, value_name = "URL", value_parser = queue_url)]
    pub(crate) queue_url: String,
    /// Prints one JSON object per message
    #[arg(long)]
    pub(crate) json: bool,
    /// Stops after this number of messages
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) limit: u32,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RedriveArgs {
    /// The parking queue or the dead-letter queue
    #[arg(long, value_name = "URL", value_parser = queue_url)]
    pub(crate) from: String,
    /// The queue that the function reads
    #[arg(long, value_name = "URL", value_parser = queue_url)]
    pub(crate) to: String,
    /// The unbind lane's queue, the stack's output UnbindQueueUrl: logouts and deletions go there, so that they don't
    /// wait behind logins [default: everything goes to --to]
    #[arg(long, value_name = "URL", value_parser = queue_url)]
    pub(crate) unbinds_to: Option<String>,
    #[command(flatten)]
    pub(crate) choice: ChoiceArgs,
    /// Chooses at most this number of messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) limit: Option<u32>,
    /// Gives events without a time of their own the time at which their message was sent; read the README first
    #[arg(long)]
    pub(crate) stamp: bool,
    /// Shows what would be sent, and sends nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Does not ask for confirmation
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) yes: bool,
    #[command(flatten)]
    pub(crate) contract: ContractArgs,
}

/// Which messages.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct ChoiceArgs {
    /// Every message
    #[arg(long, conflicts_with_all = ["reasons", "ids", "types", "apps_named"])]
    pub(crate) all: bool,
    /// Messages with this reason, as shown by list; repeatable
    #[arg(long = "reason", value_name = "REASON")]
    pub(crate) reasons: Vec<String>,
    /// The message with this id; repeatable
    #[arg(long = "id", value_name = "MESSAGE_ID")]
    pub(crate) ids: Vec<String>,
    /// Events of this type; repeatable
    #[arg(long = "type", value_name = "TYPE", value_parser = ["user.login", "user.logout", "account.deleted"])]
    pub(crate) types: Vec<String>,
    /// Events of this app; repeatable
    #[arg(long = "app", id = "apps_named", value_name = "APP")]
    pub(crate) apps: Vec<String>,
}

/// The function's settings that events are checked against.
#[derive(Debug, Args)]
pub(crate) struct ContractArgs {
    /// The apps configured in the function, e.g. android,ios [default: any name is accepted]
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    apps: Vec<String>,
    /// The function's MAX_EVENT_AGE; it parks older logins, and without a ledger older events of any type
    #[arg(long, value_name = "DURATION", default_value = DEFAULT_MAX_EVENT_AGE, value_parser = duration)]
    max_event_age: Duration,
    /// The function's MAX_CLOCK_SKEW; it parks logins further in the future, and without a ledger events of any type
    #[arg(long, value_name = "DURATION", default_value = DEFAULT_MAX_CLOCK_SKEW, value_parser = duration)]
    max_clock_skew: Duration,
}

impl ContractArgs {
    pub(crate) fn contract(&self) -> Contract {
        let millis = |duration: Duration| Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX);
        let names = self.apps.iter().map(|name| name.trim()).filter(|name| !name.is_empty());
        Contract {
            apps: (!self.apps.is_empty()).then(|| AppNames::new(names)),
            max_age: millis(self.max_event_age),
            max_skew: millis(self.max_clock_skew),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct FingerprintArgs {
    /// The app's name in TPNS_APPS
    #[arg(long, value_name = "APP", required_unless_present = "event_id", requires = "token")]
    pub(crate) app: Option<String>,
    /// The device's token; - reads it from standard input
    #[arg(value_name = "TOKEN", required_unless_present = "event_id", requires = "app")]
    pub(crate) token: Option<String>,
    /// Prints the event_id_hash of the event with this id; app and token are those of its device, if it has one
    #[arg(long, value_name = "ID")]
    pub(crate) event_id: Option<String>,
}

/// No duration.
#[derive(Debug, thiserror::Error)]
#[error("must be a duration such as 30s, 5m, 12h or 14d")]
struct DurationError(#[from] humantime::DurationError);

fn duration(text: &str) -> Result<Duration, DurationError> {
    Ok(humantime::parse_duration(text)?)
}

/// Clap's error on one line, without the usage that follows it.
pub(crate) fn one_line(error: &clap::Error) -> String {
    let text = error.to_string();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .filter(|line| !line.is_empty())
        .collect();
    format!("{}; see replay --help", lines.join(" "))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn error(line: &str) -> String {
        one_line(&Cli::try_parse_from(line.split(' ')).unwrap_err())
    }

    #[test]
    fn the_command_line_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn an_invalid_command_line_is_reported_in_one_line_that_says_what_to_do() {
        assert_eq!(
            error("replay send --queue-url tpns-events f"),
            "error: invalid value 'tpns-events' for '--queue-url <URL>': must be a queue's URL, such as https://sqs.eu-west-1.amazonaws.com/123456789012/tpns-parked; see replay --help"
        );
        assert!(error("replay send f").contains("--queue-url <URL>"));
        assert!(error("replay send --dry-run --max-event-age 14 f").contains("such as 30s, 5m, 12h or 14d"));
        assert!(error("replay redrive --from https://h/p --to https://h/q").contains("--all"));
        assert!(error("replay redrive --from https://h/p --to https://h/q --all --app android").contains("--app"));
    }

    #[test]
    fn a_fingerprint_is_of_a_device_or_an_event_or_both() {
        let parses = |line: &str| Cli::try_parse_from(line.split(' ')).is_ok();
        for line in ["--app a t", "--event-id 1", "--event-id 1 --app a t", "--app a -"] {
            assert!(parses(&format!("replay fingerprint {line}")), "{line}");
        }
        for line in ["--app a", "t", "--event-id 1 --app a", "--event-id 1 t"] {
            assert!(!parses(&format!("replay fingerprint {line}")), "{line}");
        }
    }

    #[test]
    fn a_dry_run_needs_no_queue() {
        assert!(Cli::try_parse_from(["replay", "send", "--dry-run", "-"]).is_ok());
    }
}
