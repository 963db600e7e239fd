//! A hot device, a hot account and the checks, measured: the function's binary between a local TPNS and a local AWS.

mod cpu;
mod drive;
mod events;
mod report;
mod stage;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, ensure};

use drive::{check, load, sandboxes};
use events::{Sending, Spread, account, checks, deletion, events, token};
use report::{Checked, Row};
use stage::{APP, Order, Stage};

/// Each is measured as often, in turn with the others; the table has the medians.
const ROUNDS: usize = 3;
const EVENTS: usize = 1_000;
/// Messages and devices of an invocation with checks.
const CHECKS: [(usize, usize); 3] = [(1, 10), (10, 10), (100, 10)];

/// How the same number of events arrives.
#[derive(Clone, Copy, Debug)]
struct Scenario {
    what: &'static str,
    spread: Spread,
    order: Order,
    sandboxes: usize,
    batch: usize,
    /// Between two events; zero sends all of them at once.
    interval: Duration,
    events: usize,
}

const SCENARIOS: [Scenario; 9] = {
    let at_once = Scenario {
        what: "1,000 devices",
        spread: Spread::ManyDevices,
        order: Order::Ledger,
        sandboxes: 1,
        batch: EVENTS,
        interval: Duration::ZERO,
        events: EVENTS,
    };
    let hundred = Scenario { sandboxes: 100, batch: 10, ..at_once };
    let steady =
        Scenario { sandboxes: 10, batch: 10, interval: Duration::from_millis(1), events: 5 * EVENTS, ..at_once };
    let one = "**one device**";
    [
        at_once,
        Scenario { what: one, spread: Spread::OneDevice, ..at_once },
        hundred,
        Scenario { what: one, spread: Spread::OneDevice, ..hundred },
        Scenario { what: "**one account**, 1,000 devices", spread: Spread::OneAccount, ..hundred },
        Scenario { what: "5,000 devices", ..steady },
        Scenario { what: one, spread: Spread::OneDevice, ..steady },
        Scenario { what: "**one account**, 5,000 devices", spread: Spread::OneAccount, ..steady },
        Scenario {
            what: "**one device**, FIFO, no ledger",
            spread: Spread::OneDevice,
            order: Order::Fifo,
            interval: Duration::ZERO,
            events: EVENTS,
            ..steady
        },
    ]
};

/// Measures everything, and returns the tables.
pub(crate) async fn measure(binary: &Path) -> anyhow::Result<String> {
    ensure!(binary.is_file(), "{}: is not there; `make scaling HOT=1` builds it", binary.display());
    let mut rows: Vec<Vec<Row>> = SCENARIOS.map(|_| Vec::new()).into();
    let mut checked = Vec::new();
    for round in 1..=ROUNDS {
        for (scenario, rows) in SCENARIOS.iter().zip(&mut rows) {
            eprintln!("  round {round} of {ROUNDS}: {}, {} sandboxes", scenario.what, scenario.sandboxes);
            rows.push(scenario.run(binary.to_owned()).await?);
        }
        checked.push(checks_of(binary.to_owned()).await?);
    }
    Ok(report::text(&rows.into_iter().map(report::median).collect::<Vec<_>>(), &report::median_checks(&checked)))
}

impl Scenario {
    async fn run(&self, binary: PathBuf) -> anyhow::Result<Row> {
        let stage = Arc::new(Stage::new(binary, self.order).await?);
        let sandboxes = sandboxes(&stage, self.sandboxes).await?;
        let sendings = events(self.events, self.spread, self.interval, self.order == Order::Fifo)?;
        let load = load(&stage, &sandboxes, sendings, self.batch).await?;
        self.check_bindings(&stage).await?;
        let deleted = if self.spread == Spread::OneAccount {
            let message = Sending { after: Duration::ZERO, message: deletion()? };
            let deleted = drive::load(&stage, &sandboxes[..1], vec![message], 1).await?;
            let bound = bound(&stage).await;
            ensure!(bound == 0, "{bound} devices still have the deleted account");
            Some(deleted)
        } else {
            None
        };
        Ok(Row { scenario: self.describe(), load, deleted })
    }

    fn describe(&self) -> [String; 3] {
        let arrive = if self.interval.is_zero() { "at once".into() } else { "1,000 a second".into() };
        [self.what.into(), arrive, format!("{} x {}", self.sandboxes, crate::tables::count(self.batch as f64))]
    }

    /// Whether TPNS has what the newest events say. A figure of a wrong result is none.
    async fn check_bindings(&self, stage: &Stage) -> anyhow::Result<()> {
        let bound = bound(stage).await;
        let right = match self.spread {
            Spread::ManyDevices => self.events / 2,
            Spread::OneDevice => 1,
            Spread::OneAccount => self.events,
        };
        ensure!(bound == right, "{}: {bound} devices have accounts instead of {right}", self.what);
        if self.spread == Spread::OneDevice {
            let last = self.events - 1;
            let bindings = stage.tpns.bindings();
            let of_device = bindings.get(APP).and_then(|devices| devices.get(&token(last, self.spread)));
            let accounts = of_device.context("the device is unknown")?;
            ensure!(
                accounts.iter().any(|bound| bound.account == account(last, self.spread)),
                "the newest login is lost"
            );
        }
        Ok(())
    }
}

/// Devices with an account.
async fn bound(stage: &Stage) -> usize {
    stage.tpns.flush().await;
    stage.tpns.bindings().get(APP).map_or(0, |devices| devices.values().filter(|accounts| !accounts.is_empty()).count())
}

/// Checks of devices that are as they should be.
async fn checks_of(binary: PathBuf) -> anyhow::Result<Vec<Checked>> {
    let stage = Arc::new(Stage::new(binary, Order::Ledger).await?);
    let sandboxes = sandboxes(&stage, 1).await?;
    let sendings = events(EVENTS, Spread::ManyDevices, Duration::ZERO, false)?;
    load(&stage, &sandboxes, sendings, EVENTS).await?;
    let mut all = Vec::new();
    for (messages, devices) in CHECKS {
        eprintln!("  checks of {} devices", messages * devices);
        let load = check(&stage, &sandboxes[0], checks(messages * devices, devices)).await?;
        all.push(Checked { devices: messages * devices, load });
    }
    Ok(all)
}
