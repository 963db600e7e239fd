//! The stand-alone server `tpns-sim`.

mod cli;

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
        // --help and --version: not errors, and on standard output.
        Err(asked) if !asked.use_stderr() => asked.exit(),
        Err(error) => {
            eprintln!("{}", cli::one_line(&error));
            return ExitCode::from(2);
        }
    };
    let builder = match cli.into_builder() {
        Ok(builder) => builder,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::from(2);
        }
    };
    match run(builder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// One thread: whoever measures a client wants the simulator to take as little as possible.
#[tokio::main(flavor = "current_thread")]
async fn run(builder: SimBuilder) -> Result<(), Box<dyn Error>> {
    // Before the line below: whoever reads it may send the signal at once.
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let sim = builder.start().await?;
    let mut stdout = io::stdout();
    writeln!(stdout, "tpns-sim listening on {}", sim.url())?;
    stdout.flush()?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
