//! `replay`: puts auth events on the queue from a file, shows why events are parked or dead-lettered, sends them back,
//! compares TPNS with the ledger, and fills it.

mod adopt;
mod audit;
mod batch;
mod choose;
mod cli;
mod clock;
mod confirm;
mod ending;
mod entry;
mod input;
mod interrupt;
mod invocation;
mod lane;
mod lanes;
mod lines;
mod list;
mod listing;
mod message;
mod problem;
mod progress;
mod rate;
mod reader;
mod reading;
mod redrive;
mod send;
mod show;
mod sqs;
mod stamp;
mod state;
mod tpns_apps;

use std::{
    io::{self, Write, stdin},
    process::ExitCode,
};

use clap::Parser;
use contract::{event::Token, fingerprint};

use self::{
    cli::{Cli, Command, FingerprintArgs},
    ending::Ending,
    interrupt::Interrupt,
    problem::Problem,
};

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        // --help and --version are no errors and go to standard output. Without a command: the help, and an error.
        Err(asked) if asked.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => asked.exit(),
        Err(asked) if !asked.use_stderr() => asked.exit(),
        Err(error) => {
            eprintln!("{}", cli::one_line(&error));
            return Ending::Usage.into();
        }
    };
    match run(cli.command) {
        Ok(ending) => ending.into(),
        // The reader of the output has closed it.
        Err(Problem::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ending::Failed.into(),
        Err(problem) => {
            eprintln!("error: {problem}");
            problem.ending().into()
        }
    }
}

/// On one thread, besides that of the reader: it mostly waits for SQS.
#[tokio::main(flavor = "current_thread")]
async fn run(command: Command) -> Result<Ending, Problem> {
    if let Command::Fingerprint(args) = command {
        return print_fingerprint(&args);
    }
    let interrupt = Interrupt::listen()?;
    match command {
        Command::Send(args) => send::run(args, interrupt).await,
        Command::List(args) => list::run(args, interrupt).await,
        Command::Redrive(args) => redrive::run(args, interrupt).await,
        Command::Adopt(args) => adopt::run(args, interrupt).await,
        Command::Audit(args) => audit::run(args, interrupt).await,
        Command::Fingerprint(_) => Ok(Ending::Done),
    }
}

fn print_fingerprint(args: &FingerprintArgs) -> Result<Ending, Problem> {
    let token = args.token.as_deref().map(read_token).transpose()?;
    let device = args.app.as_deref().zip(token.as_ref().map(Token::as_str));
    let fingerprint = match (&args.event_id, device) {
        (Some(id), device) => fingerprint::event_id(device, id),
        (None, Some((app, token))) => fingerprint::device(app, token),
        (None, None) => {
            return Err(Problem::Usage("--app and TOKEN, or --event-id: missing; add one or the other".into()));
        }
    };
    writeln!(io::stdout(), "{fingerprint}")?;
    Ok(Ending::Done)
}

fn read_token(argument: &str) -> Result<Token, Problem> {
    let mut token = argument.to_owned();
    if token == "-" {
        token.clear();
        stdin().read_line(&mut token)?;
    }
    Token::new(token.trim()).ok_or_else(|| Problem::Usage(format!("TOKEN: must be {}", Token::EXPECTED)))
}
