//! `replay audit`: compares TPNS with the ledger, and shows what differs. It only reads; the function repairs.

mod auditor;
mod parts;
mod repair;
mod report;
mod source;
mod state;
mod tally;
mod targets;
mod walk;

use std::{
    collections::HashSet,
    fs::{File, OpenOptions},
    io::{self, BufWriter, Write},
    path::Path,
};

use aws_config::{BehaviorVersion, SdkConfig};
use contract::apps::AppNames;
use tpns_account_sync::{table::Table, transport::Transport};

use self::{
    auditor::Auditor,
    parts::Parts,
    source::{Source, Tokens},
    state::{AuditState, Subject},
    tally::Tally,
    targets::Targets,
    walk::{Stop, Walk},
};
use crate::{
    cli::AuditArgs, clock, confirm, ending::Ending, interrupt::Interrupt, problem::Problem, progress::Progress,
    show::count, state::StateFile, tpns_apps,
};

/// Compares the devices named on the command line.
pub(crate) async fn run(args: AuditArgs, interrupt: Interrupt) -> Result<Ending, Problem> {
    if args.repair.is_some() && !args.yes {
        confirm::possible("omit --repair")?;
    }
    if let Some(path) = &args.csv {
        // A file that can't be written is reported before anything is asked; what it holds is kept until the end.
        OpenOptions::new().append(true).create(true).open(path).map_err(|error| csv_failed(path, &error))?;
    }
    let sdk = aws_config::load_defaults(BehaviorVersion::latest()).await;
    let transport = Transport::new().map_err(|error| Problem::Stopped(format!("TLS can't be used: {error}")))?;
    let apps = tpns_apps::read(&args.apps, &sdk, &transport).await?;
    let source = source(&args, &apps.current().names)?;
    let table = Table::new(&sdk, &transport, tpns_apps::TIMEOUT, args.table.clone());
    let judging = (args.unknown_bindings.into(), args.recent);
    let auditor = Auditor::new(transport, apps, table, judging, args.rate, interrupt.clone());
    let (state, state_file) = resume(&args, auditor.names(), &source)?;
    let mut walk = Walk {
        progress: Progress::new(Some(source.parts().into())),
        auditor: &auditor,
        source: &source,
        state,
        state_file,
        interrupt: &interrupt,
        targets: Targets::new(args.settle),
        parts: Parts::default(),
        parts_read: 0,
        differ: HashSet::new(),
        looked_at: 0,
        unanswered: 0,
        last_failure: None,
    };
    let finished = walk.state.count();
    if finished > 0 {
        walk.progress
            .print(&format!("{finished} of {} parts already compared, resuming with the others", source.parts()));
    }
    let walked = walk.all().await;
    walk.progress.end();
    if let Err(stop) = walked {
        return stopped(stop, walk.state_file.as_ref());
    }
    let tally = walk.state.total();
    show(&args, &tally, walk.state.began)?;
    if let Some(why) = &walk.last_failure {
        let devices = count(tally.omitted.unanswered, "device");
        eprintln!("error: {devices} not compared: {why}; run the command again later");
    }
    if let Some(ending) = repair(&args, &sdk, auditor.names(), &walk.differ, &interrupt).await? {
        return Ok(ending);
    }
    if let Some(file) = &walk.state_file {
        // The same command begins a new audit.
        file.remove()?;
    }
    Ok(ending(&tally, &source))
}

fn source(args: &AuditArgs, names: &AppNames) -> Result<Source, Problem> {
    let (Some(path), Some(app)) = (&args.tokens, &args.app) else { return Ok(Source::Table) };
    let Some(app) = names.find(app) else {
        let known: Vec<&str> = names.ids().map(|id| names.name(id)).collect();
        let known = known.join(", ");
        return Err(Problem::Usage(format!("--app: is not in the apps document; name one of {known}")));
    };
    let tokens = Tokens::read(path, app)?;
    for line in &tokens.refused {
        eprintln!("line {line}: is not a token; name one token per line");
    }
    Ok(Source::Tokens(tokens))
}

fn resume(args: &AuditArgs, names: &AppNames, source: &Source) -> Result<(AuditState, Option<StateFile>), Problem> {
    let of = Subject {
        table: args.table.clone(),
        apps: names.ids().map(|id| names.name(id).to_owned()).collect(),
        devices: source.name(|app| names.name(app).to_owned()),
    };
    let file = args.state.clone().map(StateFile::new);
    let earlier = match &file {
        Some(file) if !args.restart => AuditState::load(file, &of)?,
        _ => None,
    };
    let mut state = earlier.unwrap_or_else(|| AuditState::new(of, clock::now()));
    if args.repair.is_some() {
        state.reopen_those_that_differ();
    }
    if let Some(file) = &file {
        file.save(&state)?;
    }
    Ok((state, file))
}

fn stopped(stop: Stop, state_file: Option<&StateFile>) -> Result<Ending, Problem> {
    let how = match state_file {
        Some(file) => format!("recorded in {}; run the same command again to resume", file.path().display()),
        None => "nothing is recorded without --state; the same command starts again".to_owned(),
    };
    match stop {
        Stop::Interrupted => {
            // On standard error: standard output may have to be JSON.
            eprintln!("interrupted; {how}");
            Ok(Ending::Interrupted)
        }
        Stop::Problem(problem) => {
            eprintln!("{how}");
            Err(problem)
        }
    }
}

fn show(args: &AuditArgs, tally: &Tally, began: contract::event::Millis) -> Result<(), Problem> {
    if let Some(path) = &args.csv {
        let write = || {
            let mut out = BufWriter::new(File::create(path)?);
            report::csv(&mut out, tally)?;
            out.flush()
        };
        write().map_err(|error| csv_failed(path, &error))?;
    }
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", report::json(tally, &args.table, began))?;
        return Ok(());
    }
    report::tables(&mut out, tally, clock::now())?;
    if tally.differ() > 0 && args.repair.is_none() {
        report::fill(&mut out, "nothing was changed; with --repair, checks of these devices are sent to the function")?;
    }
    Ok(())
}

/// Sends checks of what differs, if that was asked for. Returns how the program ends if that is decided by it.
async fn repair(
    args: &AuditArgs,
    sdk: &SdkConfig,
    names: &AppNames,
    differ: &HashSet<contract::event::Device>,
    interrupt: &Interrupt,
) -> Result<Option<Ending>, Problem> {
    let Some(queue_url) = args.repair.as_ref().filter(|_| !differ.is_empty()) else { return Ok(None) };
    let devices = count(differ.len() as u64, "device");
    if !args.yes {
        match confirm::ask(&format!("send checks of {devices} to the function?"), interrupt).await {
            Some(true) => {}
            Some(false) => {
                eprintln!("nothing was changed");
                return Ok(None);
            }
            None => return Ok(Some(Ending::Interrupted)),
        }
    }
    let sent = repair::send(aws_sdk_sqs::Client::new(sdk), queue_url, names, differ, interrupt).await?;
    // On standard error: standard output may be JSON.
    eprintln!("checks of {} sent; the function repairs what still differs", count(sent as u64, "device"));
    Ok(interrupt.is_requested().then_some(Ending::Interrupted))
}

fn ending(tally: &Tally, source: &Source) -> Ending {
    let omitted = &tally.omitted;
    match source {
        _ if tally.differ() > 0 => Ending::SOME_DIFFER,
        _ if omitted.unanswered + omitted.unreadable > 0 => Ending::Failed,
        Source::Tokens(tokens) if !tokens.refused.is_empty() => Ending::SomeRefused,
        _ => Ending::Done,
    }
}

fn csv_failed(path: &Path, error: &io::Error) -> Problem {
    Problem::Usage(format!("--csv {}: {error}; name a writable file", path.display()))
}
