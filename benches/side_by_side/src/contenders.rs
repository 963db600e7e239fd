//! What is compared: the function with and without its ledger, the peers, and the floor.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, bail};
use lambda_sim::{AwsApi, Function, Queue, RunningAwsApi};

/// Lambda's longest timeout.
const TIMEOUT: Duration = Duration::from_secs(900);

/// The table that the function with a ledger uses.
pub(crate) const TABLE: &str = "ledger";
const CHECK_QUEUE: &str = "checks";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    Ours,
    OursWithLedger,
    /// Compared with `OursWithLedger` alone.
    OursWithChecks,
    PythonOneCall,
    PythonByTwenty,
    NodeOneCall,
    NodeByTwenty,
    Floor,
}

use Contender::{
    Floor, NodeByTwenty, NodeOneCall, Ours, OursWithChecks, OursWithLedger, PythonByTwenty, PythonOneCall,
};

impl Contender {
    pub(crate) const ALL: [Self; 7] =
        [Ours, OursWithLedger, PythonOneCall, PythonByTwenty, NodeOneCall, NodeByTwenty, Floor];

    /// Those that apply events.
    pub(crate) const APPLYING: [Self; 6] =
        [Ours, OursWithLedger, PythonOneCall, PythonByTwenty, NodeOneCall, NodeByTwenty];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Ours => "ours",
            OursWithLedger => "ours, ledger",
            OursWithChecks => "ours, ledger, checks",
            PythonOneCall => "Python, Powertools",
            PythonByTwenty => "Python, by twenty",
            NodeOneCall => "Node, Powertools",
            NodeByTwenty => "Node, by twenty",
            Floor => "floor",
        }
    }

    /// Whether messages are sent to TPNS one after the other, one per call: then 10,000 take ten times as long as
    /// 1,000.
    pub(crate) fn is_sequential(self) -> bool {
        self == PythonOneCall
    }
}

/// The paths of everything that was built or installed for the run.
#[derive(Debug)]
pub(crate) struct Places {
    /// Cargo's release directory.
    pub(crate) release: PathBuf,
    /// The peers' folders: `python/package`, `node/package`, and the runtimes next to them.
    pub(crate) peers: PathBuf,
    node: PathBuf,
}

impl Places {
    pub(crate) fn find(target: &Path) -> anyhow::Result<Self> {
        let node = Command::new("node").args(["-p", "process.execPath"]).output();
        let node = node.context("node can't be run: install Node.js 20 or newer")?;
        Ok(Self {
            release: target.join("release"),
            peers: target.join("bench/peers"),
            node: PathBuf::from(String::from_utf8(node.stdout)?.trim()),
        })
    }

    pub(crate) fn binary(&self, name: &str) -> PathBuf {
        self.release.join(name)
    }

    /// The content of a deployment package: one binary, or a folder.
    pub(crate) fn package(&self, contender: Contender) -> PathBuf {
        match contender {
            Ours | OursWithLedger | OursWithChecks => self.binary("tpns-account-sync"),
            Floor => self.binary("empty-handler"),
            PythonOneCall | PythonByTwenty => self.peers.join("python/package"),
            NodeOneCall | NodeByTwenty => self.peers.join("node/package"),
        }
    }
}

/// The environment of the contenders in this run.
#[derive(Debug)]
pub(crate) struct Stage {
    pub(crate) places: Places,
    pub(crate) apps: String,
    pub(crate) aws: RunningAwsApi,
}

impl Stage {
    pub(crate) async fn new(places: Places, apps: String, table_latency: Duration) -> anyhow::Result<Self> {
        let aws = AwsApi::start().await?;
        aws.create_table(TABLE, "pk");
        aws.latency(lambda_sim::Service::DynamoDb, table_latency);
        aws.latency(lambda_sim::Service::Sqs, table_latency);
        aws.create_queue(Queue::builder(CHECK_QUEUE).build()?);
        Ok(Self { places, apps, aws })
    }

    /// A function whose process is not yet started.
    pub(crate) fn function(&self, contender: Contender) -> anyhow::Result<Function> {
        let package = self.places.package(contender);
        let with_ledger =
            || Function::builder(&package).env("LEDGER_TABLE", TABLE).env("AWS_ENDPOINT_URL", self.aws.url());
        let builder = match contender {
            Ours | Floor => Function::builder(&package),
            OursWithLedger => with_ledger(),
            OursWithChecks => with_ledger().env("CHECK_QUEUE_URL", self.aws.queue_url(CHECK_QUEUE)),
            PythonOneCall => Function::builder(package.join("bootstrap")).handler("one_call.handler"),
            PythonByTwenty => Function::builder(package.join("bootstrap")).handler("by_twenty.handler"),
            NodeOneCall => Function::builder(package.join("bootstrap")).handler("one_call.handler"),
            NodeByTwenty => Function::builder(package.join("bootstrap")).handler("by_twenty.handler"),
        };
        let builder = builder.env("TPNS_APPS", &*self.apps).env("NODE", self.places.node.to_string_lossy());
        builder.timeout(TIMEOUT).build().with_context(|| format!("{} can't be started", contender.name()))
    }

    /// The size of the zipped deployment package, in bytes.
    pub(crate) fn zipped(&self, contender: Contender, into: &Path) -> anyhow::Result<u64> {
        let package = self.places.package(contender);
        let zip = into.join("package.zip");
        let mut command = Command::new("python3");
        command.args(["-m", "zipfile", "-c"]).arg(&zip);
        if package.is_dir() {
            command.current_dir(&package);
            let entries = std::fs::read_dir(&package)?.collect::<Result<Vec<_>, _>>()?;
            // The bootstrap represents the runtime, which is not part of a package.
            command.args(entries.iter().map(std::fs::DirEntry::file_name).filter(|name| name != "bootstrap"));
        } else {
            command.arg(&package);
        }
        let output = command.output().context("python3 can't be run")?;
        if !output.status.success() {
            bail!("zipping {}: {}", package.display(), String::from_utf8_lossy(&output.stderr));
        }
        let size = std::fs::metadata(&zip)?.len();
        std::fs::remove_file(&zip)?;
        Ok(size)
    }
}
