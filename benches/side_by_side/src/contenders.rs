//! What is compared: the function with and without its ledger, the peers, and the floor.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context, bail};
use lambda_sim::{AwsApi, Function, Queue, RunningAwsApi};

use crate::cost::{LEDGER, TableRequests, WRITES_ALONE};

/// Lambda's longest timeout.
const TIMEOUT: Duration = Duration::from_secs(900);

/// The table that the function with a ledger uses.
const TABLE: &str = "ledger";
/// The table of the Rust peer that writes.
const TABLE_OF_THE_PEER: &str = "newest_events";
const CHECK_QUEUE: &str = "checks";
/// As in the template.
const GLIBC_TUNABLES: &str =
    "glibc.malloc.mmap_threshold=65536:glibc.malloc.trim_threshold=65536:glibc.malloc.arena_max=1";

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Contender {
    Ours,
    OursWithLedger,
    /// Compared with `OursWithLedger` alone.
    OursWithChecks,
    RustByTwenty,
    RustSdkWrites,
    PythonOneCall,
    PythonByTwenty,
    NodeOneCall,
    NodeByTwenty,
    Floor,
}

use Contender::{
    Floor, NodeByTwenty, NodeOneCall, Ours, OursWithChecks, OursWithLedger, PythonByTwenty, PythonOneCall,
    RustByTwenty, RustSdkWrites,
};

impl Contender {
    /// The columns of the table; the floor is the last one.
    pub(crate) const EVERYTHING: &[Self] = &[
        Ours,
        OursWithLedger,
        RustByTwenty,
        RustSdkWrites,
        PythonOneCall,
        PythonByTwenty,
        NodeOneCall,
        NodeByTwenty,
        Floor,
    ];
    /// Those that are built by Cargo.
    pub(crate) const RUST: &[Self] = &[Ours, OursWithLedger, RustByTwenty, RustSdkWrites, Floor];

    pub(crate) fn applies_events(self) -> bool {
        self != Floor
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Ours => "ours",
            OursWithLedger => "ours, ledger",
            OursWithChecks => "ours, ledger, checks",
            RustByTwenty => "Rust, by twenty",
            RustSdkWrites => "Rust, SDK writes",
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

    pub(crate) fn is_own(self) -> bool {
        matches!(self, Ours | OursWithLedger | OursWithChecks)
    }

    fn needs_node(self) -> bool {
        matches!(self, NodeOneCall | NodeByTwenty)
    }

    /// What it asks of DynamoDB for an event.
    pub(crate) fn table_requests(self) -> TableRequests {
        match self {
            OursWithLedger | OursWithChecks => LEDGER,
            RustSdkWrites => WRITES_ALONE,
            Ours | RustByTwenty | PythonOneCall | PythonByTwenty | NodeOneCall | NodeByTwenty | Floor => {
                TableRequests::default()
            }
        }
    }
}

/// The paths of everything that was built or installed for the run.
#[derive(Debug)]
pub(crate) struct Places {
    /// Cargo's release directory.
    pub(crate) release: PathBuf,
    /// The peers' folders: `rust/release`; `python/package`, `node/package`, and the runtimes next to them.
    pub(crate) peers: PathBuf,
    /// `None` if no contender runs on it.
    node: Option<PathBuf>,
}

impl Places {
    pub(crate) fn find(target: &Path, contenders: &[Contender]) -> anyhow::Result<Self> {
        let needs_node = contenders.iter().any(|contender| contender.needs_node());
        Ok(Self {
            release: target.join("release"),
            peers: target.join("bench/peers"),
            node: needs_node.then(node).transpose()?,
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
            RustByTwenty => self.peers.join("rust/release/by_twenty"),
            RustSdkWrites => self.peers.join("rust/release/sdk_writes"),
            PythonOneCall | PythonByTwenty => self.peers.join("python/package"),
            NodeOneCall | NodeByTwenty => self.peers.join("node/package"),
        }
    }
}

fn node() -> anyhow::Result<PathBuf> {
    let node = Command::new("node").args(["-p", "process.execPath"]).output();
    let node = node.context("node can't be run: install Node.js 20 or newer")?;
    Ok(PathBuf::from(String::from_utf8(node.stdout)?.trim()))
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
        aws.create_table(TABLE_OF_THE_PEER, "pk");
        aws.latency(lambda_sim::Service::DynamoDb, table_latency);
        aws.latency(lambda_sim::Service::Sqs, table_latency);
        aws.create_queue(Queue::builder(CHECK_QUEUE).build()?);
        Ok(Self { places, apps, aws })
    }

    /// A function whose process is not yet started.
    pub(crate) fn function(&self, contender: Contender) -> anyhow::Result<Function> {
        let package = self.places.package(contender);
        let with_aws = || Function::builder(&package).env("AWS_ENDPOINT_URL", self.aws.url());
        let with_ledger = || with_aws().env("LEDGER_TABLE", TABLE);
        let builder = match contender {
            Ours | RustByTwenty | Floor => Function::builder(&package),
            OursWithLedger => with_ledger(),
            OursWithChecks => with_ledger().env("CHECK_QUEUE_URL", self.aws.queue_url(CHECK_QUEUE)),
            RustSdkWrites => with_aws().env("TABLE", TABLE_OF_THE_PEER),
            PythonOneCall => Function::builder(package.join("bootstrap")).handler("one_call.handler"),
            PythonByTwenty => Function::builder(package.join("bootstrap")).handler("by_twenty.handler"),
            NodeOneCall => Function::builder(package.join("bootstrap")).handler("one_call.handler"),
            NodeByTwenty => Function::builder(package.join("bootstrap")).handler("by_twenty.handler"),
        };
        let builder = if contender.is_own() { builder.env("GLIBC_TUNABLES", GLIBC_TUNABLES) } else { builder };
        let builder = builder.env("TPNS_APPS", &*self.apps);
        let builder = match &self.places.node {
            Some(node) => builder.env("NODE", node.to_string_lossy()),
            None => builder,
        };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_has_the_memory_settings_of_the_template() {
        let template = include_str!("../../../template.yaml");
        assert!(template.contains(&format!("GLIBC_TUNABLES: {GLIBC_TUNABLES}\n")));
    }
}
