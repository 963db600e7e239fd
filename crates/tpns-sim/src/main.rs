//! The stand-alone server `tpns-sim`.

mod cli;
mod log;

use std::{
    error::Error,
    io::{self, Write},
    process::ExitCode,
};

use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use tpns_sim::SimBuilder;

use self::cli::Cli;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // --help and --version are no errors and go to standard output.
        Err(asked) if !asked.use_stderr() => asked.exit(),
        Err(error) => {
            eprintln!("{}", cli::one_line(&error));
            return ExitCode::from(2);
        }
    };
    let (drawn, shows_app, logs) = (cli.drawn(), cli.has_default_app(), cli.log());
    let builder = match cli.into_builder() {
        Ok(builder) => builder,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    let builder = if logs { builder.on_call(log::write) } else { builder };
    match run(builder, drawn.as_deref(), shows_app) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// On one thread: measurements of a client need a simulator that uses little CPU.
#[tokio::main(flavor = "current_thread")]
async fn run(builder: SimBuilder, drawn: Option<&str>, shows_app: bool) -> Result<(), Box<dyn Error>> {
    // Before the line is printed, since its reader may send the signal at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let sim = builder.start().await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "tpns-sim listening on {}", sim.url())?;
    if let Some(drawn) = drawn {
        writeln!(stdout, "{drawn}")?;
    }
    if shows_app {
        writeln!(stdout, "TPNS_APPS={}", sim.apps_document())?;
    }
    stdout.flush()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
