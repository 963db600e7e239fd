//! The command line of the stand-alone server.

mod app;

use std::{collections::HashSet, fs, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use clap::{Parser, builder::RangedU64ValueParser};
use thiserror::Error;
use tpns_sim::{
    App, Apps, AppsError, AuthFailureStatus, Sim, SimBuilder,
    model::{OverrideMode, Settings, TokenCap},
};

use self::app::AppOptionError;

/// A faithful local Tencent Push Notification Service (TPNS), for tests.
#[derive(Debug, Parser)]
#[command(name = "tpns-sim", version)]
pub(crate) struct Cli {
    /// Address and port; port 0 picks a free one, which the first line of output names
    #[arg(long, value_name = "IP:PORT", default_value = "127.0.0.1:8090", value_parser = address)]
    listen: SocketAddr,
    /// The function's apps document: {"android":{"access_id":1500001048,"secret_key":"…"}}
    #[arg(long, value_name = "FILE", conflicts_with = "app")]
    apps: Option<PathBuf>,
    /// An app; repeat it for several. Without this and --apps there is one app, which the output shows
    #[arg(long, value_name = "NAME:ACCESS_ID:SECRET_KEY")]
    app: Vec<String>,
    /// Time from a complete request to its answer
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = milliseconds())]
    latency_ms: u64,
    /// Time from the acceptance of an operation to its effect
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = milliseconds())]
    apply_delay_ms: u64,
    /// Random part of that time, from 0 to this, drawn for each call, so that calls overtake each other
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = milliseconds())]
    apply_within_ms: u64,
    /// Seed of that random part
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Time from an effect until queries show it
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = milliseconds())]
    query_lag_ms: u64,
    /// Answers queries without account_type, as in TPNS's older samples
    #[arg(long)]
    omit_account_type: bool,
    /// What operator_type 2 does to account types the request does not name
    #[arg(long, value_name = "MODE", default_value = "per-type")]
    override_mode: OverrideMode,
    /// Only the tokens in this file, one per line, are registered; others get item code 1008006
    #[arg(long, value_name = "FILE")]
    known_tokens: Option<PathBuf>,
    /// What the 101st token of an account does
    #[arg(long, value_name = "RULE", default_value = "evict")]
    token_cap: TokenCap,
    /// Longest token in characters: 64 as in the function's contract; TPNS documents 36
    #[arg(long, value_name = "N", default_value_t = 64)]
    max_token_length: usize,
    /// Shortest account in characters: 1 as in the function's contract; TPNS's uploads require 2
    #[arg(long, value_name = "N", default_value_t = 1)]
    min_account_length: usize,
    /// How far TimeStamp may be off the clock; 0 accepts any
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    timestamp_window: u64,
    /// HTTP status of an authentication failure
    #[arg(long, value_name = "STATUS", default_value = "200")]
    auth_failure_status: AuthFailureStatus,
    /// How many of the newest calls /_sim/calls keeps
    #[arg(long, value_name = "N", default_value_t = 100_000)]
    keep_calls: usize,
    /// Logs one line a call to standard error, without tokens and accounts
    #[arg(long)]
    log: bool,
    /// Allows an address that others can reach; /_sim needs no credentials
    #[arg(long)]
    allow_non_loopback: bool,
}

/// An invalid command line. Each message is one line that names the field and says what to do.
#[derive(Debug, Error)]
pub(crate) enum CliError {
    #[error(
        "--listen {0}: can be reached from outside, and /_sim needs no credentials; use 127.0.0.1, or add \
         --allow-non-loopback"
    )]
    NotLoopback(SocketAddr),
    #[error("--{flag} {}: {source}; name a readable file", path.display())]
    File { flag: &'static str, path: PathBuf, source: std::io::Error },
    #[error("--apps {}: {source}", path.display())]
    Apps { path: PathBuf, source: AppsError },
    #[error("--app: {0}")]
    App(AppOptionError),
    #[error("--app: {0}")]
    SeveralApps(AppsError),
    #[error("--known-tokens {}: contains no token; put one token on each line", .0.display())]
    NoTokens(PathBuf),
}

impl Cli {
    /// The line that names the seed, when anything is drawn from it.
    pub(crate) fn drawn(&self) -> Option<String> {
        let within = self.apply_within_ms;
        (within > 0).then(|| format!("tpns-sim applies calls within {within} ms, seed {}", self.seed))
    }

    /// Whether the output has to show the app, because no one has chosen it.
    pub(crate) fn has_default_app(&self) -> bool {
        self.apps.is_none() && self.app.is_empty()
    }

    pub(crate) fn log(&self) -> bool {
        self.log
    }

    /// Reads the files named by the options and configures a simulator.
    pub(crate) fn into_builder(self) -> Result<SimBuilder, CliError> {
        if !self.listen.ip().is_loopback() && !self.allow_non_loopback {
            return Err(CliError::NotLoopback(self.listen));
        }
        let apps = read_apps(self.apps, &self.app)?;
        let settings = Settings {
            override_mode: self.override_mode,
            token_cap: self.token_cap,
            max_token_length: self.max_token_length,
            min_account_length: self.min_account_length,
            known_tokens: self.known_tokens.map(read_tokens).transpose()?,
            omit_account_type: self.omit_account_type,
        };
        Ok(Sim::builder()
            .listen(self.listen)
            .apps(&apps)
            .settings(settings)
            .latency(Duration::from_millis(self.latency_ms))
            .apply_delay(Duration::from_millis(self.apply_delay_ms))
            .apply_within(Duration::from_millis(self.apply_within_ms), self.seed)
            .query_lag(Duration::from_millis(self.query_lag_ms))
            .timestamp_window(self.timestamp_window)
            .auth_failure_status(self.auth_failure_status)
            .keep_calls(self.keep_calls))
    }
}

/// Checked here, too, so that an error of the command line names the option.
fn read_apps(file: Option<PathBuf>, given: &[String]) -> Result<Apps, CliError> {
    if let Some(path) = file {
        let document = read("apps", &path)?;
        return Apps::from_json(&document).map_err(|source| CliError::Apps { path, source });
    }
    let given: Result<Vec<App>, AppOptionError> = given.iter().map(|text| app::read(text)).collect();
    let given = given.map_err(CliError::App)?;
    let apps = if given.is_empty() { vec![app::default_app()] } else { given };
    Apps::new(apps).map_err(CliError::SeveralApps)
}

fn address(text: &str) -> Result<SocketAddr, &'static str> {
    text.parse().map_err(|_| "it must be an IP address and a port, such as 127.0.0.1:8090")
}

/// Up to a day.
fn milliseconds() -> RangedU64ValueParser {
    RangedU64ValueParser::new().range(0..=86_400_000)
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
    format!("{}; see tpns-sim --help", lines.join(" "))
}

fn read(flag: &'static str, path: &PathBuf) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(|source| CliError::File { flag, path: path.clone(), source })
}

fn read_tokens(path: PathBuf) -> Result<Arc<HashSet<String>>, CliError> {
    let tokens: HashSet<String> = read("known-tokens", &path)?
        .lines()
        .map(str::trim)
        .filter(|token| !token.is_empty())
        .map(ToOwned::to_owned)
        .collect();
    if tokens.is_empty() {
        return Err(CliError::NoTokens(path));
    }
    Ok(Arc::new(tokens))
}
