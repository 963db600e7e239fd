//! Looks at devices: the function's own query, read and comparison, at a limited rate.

use std::{
    cell::RefCell,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use contract::{apps::AppNames, event::Millis};
use tpns_account_sync::{
    check::{NotInspected, inspect},
    config::UnknownBindings,
    ledger::{Ledger, RowError},
    plan::Verdict,
    table::{Access, OpenTable, Page, Position, ScanError, Segment, Table},
    tpns::{Apps, AppsInForce, CallSettings, Client, Deadline, Tpns},
    transport::Transport,
};

use super::{tally::Seen, targets::Target};
use crate::{clock, interrupt::Interrupt, problem::Problem, rate::Pace, tpns_apps::TIMEOUT};

/// For a call to TPNS or a page of the table, with all retries.
const LIMIT: Duration = Duration::from_secs(30);
const SETTINGS: CallSettings = CallSettings { concurrency: 4, timeout: TIMEOUT, max_attempts: 3, checked: true };

/// What devices are looked at with.
#[derive(Debug)]
pub(crate) struct Auditor {
    client: Client,
    apps: AppsInForce,
    /// Devices name apps by their places in it.
    begun_with: Arc<Apps>,
    table: Table,
    unknown: UnknownBindings,
    /// Rows that have changed within this time are not judged.
    recent: Millis,
    pace: RefCell<Pace>,
    interrupt: Interrupt,
}

/// What a look showed.
#[derive(Debug)]
pub(crate) enum Looked {
    /// This, of each device.
    At(Vec<(Target, Seen)>),
    /// Nothing: the program is to end.
    Interrupted,
    /// TPNS refuses the app, whatever is asked.
    Refused(Problem),
}

impl Auditor {
    pub(crate) fn new(
        transport: Transport,
        apps: AppsInForce,
        table: Table,
        (unknown, recent): (UnknownBindings, Duration),
        rate: u32,
        interrupt: Interrupt,
    ) -> Self {
        let recent = Millis::try_from(recent.as_millis()).unwrap_or(Millis::MAX);
        let pace = RefCell::new(Pace::new(rate, Instant::now()));
        let begun_with = apps.current();
        Self { client: Client::new(transport, None), apps, begun_with, table, unknown, recent, pace, interrupt }
    }

    /// The apps' names.
    pub(crate) fn names(&self) -> &AppNames {
        &self.begun_with.names
    }

    /// Reads a page of the table's keys.
    pub(crate) async fn scan(&self, segment: Segment, after: Option<&Position>) -> Result<Page, Problem> {
        let table = self.open();
        table.scan(segment, after).await.map_err(|error| match error {
            ScanError::Aws(error) => Problem::Stopped(format!(
                "--table: could not be scanned ({error}); check the name and AWS_REGION, and allow dynamodb:Scan on it"
            )),
            ScanError::Apps(row_error) => Problem::Stopped(not_read(&table, row_error)),
        })
    }

    /// Looks at the devices of a call, which are of one app, when it is its turn.
    pub(crate) async fn look(&self, targets: Vec<Target>) -> Looked {
        let start = self.pace.borrow_mut().start(1, Instant::now());
        tokio::select! {
            () = tokio::time::sleep_until(start.into()) => {}
            () = self.interrupt.wait() => return Looked::Interrupted,
        }
        if self.interrupt.is_requested() {
            return Looked::Interrupted;
        }
        let apps = self.apps.current();
        if !apps.names_the_same(&self.begun_with) {
            let problem = "the apps document has changed meanwhile; run the command again with --restart";
            return Looked::Refused(Problem::Stopped(problem.into()));
        }
        let mut calls = vec![0; apps.list.len()];
        if let Some(own) = targets.first().and_then(|target| calls.get_mut(usize::from(target.device.app.0))) {
            *own = 1;
        }
        let tpns = Tpns::new(&self.client, &self.apps, apps.clone(), SETTINGS, &calls);
        let ledger = Ledger::Table(self.open());
        let devices: Vec<_> = targets.iter().map(|target| target.device.clone()).collect();
        let deadline = Deadline(tokio::time::Instant::now() + LIMIT);
        let inspected = inspect(&ledger, &tpns, &devices, self.unknown, Some(deadline)).await;
        // What was repeated or halved counts as well.
        let more = tpns.into_calls().len().saturating_sub(1);
        _ = self.pace.borrow_mut().start(more, Instant::now());
        let now = clock::now();
        let mut seen = Vec::with_capacity(targets.len());
        for (target, inspected) in targets.into_iter().zip(&inspected) {
            if let Err(NotInspected::Tpns(Verdict::Misconfigured(failure))) = inspected {
                let app = apps.names.name(target.device.app);
                return Looked::Refused(Problem::Stopped(format!(
                    "TPNS refuses the app {app} ({failure}); check its entry in the apps document"
                )));
            }
            let mut found = Seen::of(inspected, now, self.recent);
            if let (Err(NotInspected::Row(row_error)), Seen::Unanswered(why), Ledger::Table(table)) =
                (inspected, &mut found, &ledger)
            {
                *why = not_read(table, *row_error);
            }
            seen.push((target, found));
        }
        Looked::At(seen)
    }

    fn open(&self) -> OpenTable<'_> {
        let until = tokio::time::Instant::now() + LIMIT;
        self.table.open_as(Access::Reader, &self.begun_with, SystemTime::now(), until)
    }
}

fn not_read(table: &OpenTable<'_>, row_error: RowError) -> String {
    if row_error == RowError::NoKey {
        return contract::outcome::Failure::from(row_error).to_string();
    }
    let why = table.last_failure().map_or_else(|| "a row is unreadable".to_owned(), |error| error.to_string());
    format!("--table: could not be read ({why}); check the name and AWS_REGION, and allow dynamodb:BatchGetItem on it")
}
