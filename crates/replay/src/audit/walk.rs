//! Walks through all parts: reads the keys, looks at the devices, and at those that differ again.

use std::{collections::HashSet, time::Instant};

use contract::{event::Device, fingerprint};
use futures_util::{StreamExt, stream};
use tpns_account_sync::table::Page;

use super::{
    auditor::{Auditor, Looked},
    parts::{PartNumber, Parts},
    source::Source,
    state::AuditState,
    tally::{Omitted, Seen, Tally},
    targets::{Target, Targets},
};
use crate::{interrupt::Interrupt, problem::Problem, progress::Progress, state::StateFile};

/// Calls to TPNS in flight.
const CALLS_AT_A_TIME: usize = 8;
/// After this many calls in a row without any answer, the rest would not be answered either.
const MOST_UNANSWERED: u32 = 5;
/// With this many devices that differ, something else is wrong.
const MOST_DIFFERING: u64 = 100_000;

/// Why a walk ends before its end.
#[derive(Debug)]
pub(crate) enum Stop {
    Interrupted,
    Problem(Problem),
}

impl From<Problem> for Stop {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// A walk through the ledger.
#[derive(Debug)]
pub(crate) struct Walk<'a> {
    pub(crate) auditor: &'a Auditor,
    pub(crate) source: &'a Source,
    pub(crate) state: AuditState,
    pub(crate) state_file: Option<StateFile>,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) progress: Progress,
    pub(crate) targets: Targets,
    pub(crate) parts: Parts,
    pub(crate) parts_read: PartNumber,
    /// Those that differ, for a repair.
    pub(crate) differ: HashSet<Device>,
    pub(crate) looked_at: u64,
    /// Calls in a row that nothing was answered to.
    pub(crate) unanswered: u32,
    /// Why the last device that was not compared was not.
    pub(crate) last_failure: Option<String>,
}

impl Walk<'_> {
    /// Walks until the end, or until something stops it.
    pub(crate) async fn all(&mut self) -> Result<(), Stop> {
        for part in (0..self.source.parts()).filter(|&part| !self.state.is_finished(part)).collect::<Vec<_>>() {
            let mut position = None;
            loop {
                if self.interrupt.is_requested() {
                    return Err(Stop::Interrupted);
                }
                let Page { devices, accounts, others, next } = match self.source.segment(part) {
                    Some(segment) => self.auditor.scan(segment, position.as_ref()).await?,
                    None => Page { devices: self.source.devices(part), ..Page::default() },
                };
                let omitted = Omitted { rows_of_accounts: accounts, rows_of_other_apps: others, ..Omitted::default() };
                let others = Tally { omitted, ..Tally::default() };
                self.parts.read(part, devices.len(), others, next.is_none());
                self.targets.extend(devices.into_iter().map(|device| Target { device, part, again: false }));
                self.look(false).await?;
                position = next;
                if position.is_none() {
                    break;
                }
            }
            self.parts_read = part + 1;
            self.show();
        }
        self.look(true).await?;
        while let Some(due) = self.targets.all_due() {
            self.progress.print(&format!(
                "{} differ or were not answered; looking at them again in {} s",
                self.targets.count_later(),
                due.saturating_duration_since(Instant::now()).as_secs()
            ));
            tokio::select! {
                () = tokio::time::sleep_until(due.into()) => {}
                () = self.interrupt.wait() => return Err(Stop::Interrupted),
            }
            self.look(true).await?;
        }
        Ok(())
    }

    /// Makes the calls that can be made now, and records which parts are finished by them.
    async fn look(&mut self, last: bool) -> Result<(), Stop> {
        let looked = self.make_calls(last).await;
        self.record()?;
        looked
    }

    async fn make_calls(&mut self, last: bool) -> Result<(), Stop> {
        let calls = self.targets.calls(Instant::now(), last);
        let auditor = self.auditor;
        let mut looks = stream::iter(calls).map(|call| auditor.look(call)).buffer_unordered(CALLS_AT_A_TIME);
        let mut interrupted = false;
        while let Some(looked) = looks.next().await {
            match looked {
                // Calls in flight are waited for.
                Looked::Interrupted => interrupted = true,
                Looked::Refused(problem) => return Err(problem.into()),
                Looked::At(seen) => self.settle_call(seen)?,
            }
        }
        if interrupted { Err(Stop::Interrupted) } else { Ok(()) }
    }

    fn settle_call(&mut self, seen: Vec<(Target, Seen)>) -> Result<(), Stop> {
        let is_answered = seen.iter().any(|(_, seen)| !matches!(seen, Seen::Unanswered(_)));
        self.unanswered = if is_answered { 0 } else { self.unanswered + 1 };
        if let (MOST_UNANSWERED, Some((_, Seen::Unanswered(why)))) = (self.unanswered, seen.first()) {
            let problem = format!("{MOST_UNANSWERED} calls in a row were not answered: {why}");
            return Err(Problem::Stopped(problem).into());
        }
        self.looked_at += seen.len() as u64;
        for (target, seen) in seen {
            self.settle(target, &seen);
        }
        self.show();
        if self.differ.len() as u64 >= MOST_DIFFERING {
            let problem = format!("{MOST_DIFFERING} devices differ; check that --table and the apps are of one stack");
            return Err(Problem::Stopped(problem).into());
        }
        Ok(())
    }

    fn settle(&mut self, target: Target, seen: &Seen) {
        if seen.is_provisional() && !target.again {
            return self.targets.look_again(target, Instant::now());
        }
        let app = self.auditor.names().name(target.device.app);
        let token = target.device.token.as_str();
        self.parts.settle(target.part, app, || fingerprint::device(app, token), seen);
        match seen {
            Seen::Unanswered(why) => self.last_failure = Some(why.clone()),
            seen if seen.differs() => _ = self.differ.insert(target.device),
            _ => {}
        }
    }

    fn record(&mut self) -> Result<(), Stop> {
        let before = self.state.count();
        for (part, tally) in self.parts.take_finished() {
            self.state.finish(part, tally);
        }
        if let Some(file) = self.state_file.as_ref().filter(|_| self.state.count() > before) {
            file.save(&self.state).map_err(Problem::from)?;
        }
        Ok(())
    }

    fn show(&mut self) {
        let rate = self.progress.rate(self.looked_at);
        let later = match self.targets.count_later() {
            0 => String::new(),
            later => format!(", {later} to be looked at again"),
        };
        let differ = self.differ.len();
        let message = format!("{} devices, {rate}/s, {differ} differ{later}", self.looked_at);
        self.progress.show(self.parts_read.into(), message);
    }
}
