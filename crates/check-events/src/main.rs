//! `check-events`: what the function would do with events, and what their sender should know. It checks with the
//! function's own code, and needs neither AWS nor a stack.

mod checked;
mod documents;
mod report;
mod table;
mod text;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, BufWriter, Read, Write, stdin},
    path::{Path, PathBuf},
    process::ExitCode,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use clap::Parser;
use console::Term;
use contract::{
    apps::{AppNames, LEDGER_KEYS},
    event::{DEFAULT_MAX_CLOCK_SKEW, DEFAULT_MAX_EVENT_AGE, Millis},
    preview::{Settings, duration_text},
};
use serde::de::IgnoredAny;

use crate::report::{Against, Totals};

const EXIT_CODES: &str = "\
Exit codes: 0 each event would be accepted, maybe with warnings; 1 the output could not be written; 2 the command can't
be carried out as given; 3 some events would be parked, or not be taken by AWS.";

const ABOUT: &str = "\
Shows what the function would do with events, and what their sender should know. Nothing is sent.

The input may be JSON lines, one event, an array, entries of PutEvents or SendMessageBatch, or a batch as Lambda gets
it. The output holds no account and no token.";

/// The width of a report that is not written to a terminal, and the widest.
const PLAIN_WIDTH: usize = 80;
const WIDEST: usize = 120;

/// Shows what the function would do with events, and what their sender should know
#[derive(Debug, Parser)]
#[command(name = "check-events", version, long_about = ABOUT, after_help = EXIT_CODES)]
struct Cli {
    /// The file of events; - reads standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The apps document, for the names of the apps [default: any name is accepted]
    #[arg(long, value_name = "FILE")]
    apps: Option<PathBuf>,
    /// Prints one JSON object
    #[arg(long)]
    json: bool,
    /// The stack's MaxEventAge
    #[arg(long, value_name = "DURATION", default_value = DEFAULT_MAX_EVENT_AGE, value_parser = duration)]
    max_event_age: Duration,
    /// The stack's MaxClockSkew
    #[arg(long, value_name = "DURATION", default_value = DEFAULT_MAX_CLOCK_SKEW, value_parser = duration)]
    max_clock_skew: Duration,
    /// Checks as a stack without a ledger does
    #[arg(long)]
    without_ledger: bool,
    /// Checks as if the events were sent then, such as 2026-11-22T08:20:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_rfc3339_weak)]
    now: Option<SystemTime>,
    /// Adds the events themselves to the JSON, for a program that sends them
    #[arg(long, requires = "json", hide = true)]
    with_bodies: bool,
}

/// What ends the program early.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error("{0}")]
    Usage(String),
    #[error("could not write the output: {0}")]
    Output(#[from] io::Error),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    match run(&cli) {
        Ok(totals) if totals.all_accepted() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::from(3),
        Err(Problem::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("error: {problem}");
            ExitCode::from(if matches!(problem, Problem::Usage(_)) { 2 } else { 1 })
        }
    }
}

fn run(cli: &Cli) -> Result<Totals, Problem> {
    let apps = cli.apps.as_deref().map(app_names).transpose()?;
    let name = if cli.file == Path::new("-") { "standard input".to_owned() } else { cli.file.display().to_string() };
    let usage = |what: &dyn std::fmt::Display| Problem::Usage(format!("{name}: {what}"));
    let bytes = read(&cli.file).map_err(|error| usage(&format!("{error}; name a file of events")))?;
    let text = text::decode(&bytes).map_err(|error| usage(&error))?;
    let found = documents::find(&text);
    if found.is_empty() {
        return Err(usage(&"has no events; see docs/producers.md for their form"));
    }
    let settings = Settings {
        apps: apps.as_ref().map(|names| AppNames::new(names.iter().cloned())),
        max_age: millis(cli.max_event_age),
        max_skew: millis(cli.max_clock_skew),
        ledger: !cli.without_ledger,
    };
    let now = cli.now.unwrap_or_else(SystemTime::now).duration_since(UNIX_EPOCH).unwrap_or_default();
    let events = checked::check(found, &settings, millis(now), cli.with_bodies);
    let against = Against {
        apps,
        max_event_age: duration_text(cli.max_event_age),
        max_clock_skew: duration_text(cli.max_clock_skew),
        ledger: !cli.without_ledger,
    };
    let mut out = BufWriter::new(io::stdout().lock());
    if cli.json {
        report::json(&mut out, &events, &against)?;
    } else {
        report::text(&mut out, &events, &against, width())?;
    }
    out.flush()?;
    Ok(Totals::of(&events))
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    if path != Path::new("-") {
        return fs::read(path);
    }
    let mut bytes = Vec::new();
    stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The names in an apps document. Its keys and settings are not looked at.
fn app_names(path: &Path) -> Result<Vec<String>, Problem> {
    let usage = |what: String| Problem::Usage(format!("--apps {}: {what}", path.display()));
    let bytes = fs::read(path).map_err(|error| usage(format!("{error}; name the apps document")))?;
    let shape = || usage("is not an apps document; it is a JSON object with the apps by name".to_owned());
    let text = text::decode(&bytes).map_err(|error| usage(error.to_string()))?;
    let mut apps: BTreeMap<String, IgnoredAny> = serde_json::from_str(&text).map_err(|_| shape())?;
    apps.remove(LEDGER_KEYS);
    if apps.is_empty() { Err(shape()) } else { Ok(apps.into_keys().collect()) }
}

fn millis(duration: Duration) -> Millis {
    Millis::try_from(duration.as_millis()).unwrap_or(Millis::MAX)
}

/// No duration.
#[derive(Debug, thiserror::Error)]
#[error("must be a duration such as 30s, 5m, 12h or 14d")]
struct DurationError(#[from] humantime::DurationError);

fn duration(text: &str) -> Result<Duration, DurationError> {
    Ok(humantime::parse_duration(text)?)
}

fn width() -> usize {
    let terminal = Term::stdout();
    let columns = terminal.is_term().then(|| terminal.size_checked()).flatten().map(|(_, columns)| columns);
    columns.map_or(PLAIN_WIDTH, |columns| usize::from(columns).clamp(40, WIDEST))
}
