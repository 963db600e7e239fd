//! What `local/outage` measured with real parts, in `target/outage/real.json`.

use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

/// All runs. They had the same traffic at the same time.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Real {
    /// When the fault began and ended, in seconds since the beginning of the traffic.
    pub(crate) fault: [f64; 2],
    pub(crate) runs: Vec<Run>,
}

#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Run {
    pub(crate) fault: RealFault,
    pub(crate) timing: RealTiming,
    pub(crate) dead_lettered: u64,
    pub(crate) unbinds: Vec<RealUnbind>,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RealFault {
    Tpns,
    Table,
    Key,
}

#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RealTiming {
    New,
    Old,
}

/// When a logout was sent, and after how long TPNS accepted it, both in seconds.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct RealUnbind(pub(crate) f64, pub(crate) Option<f64>);

impl Real {
    /// `None` if nothing has been measured.
    ///
    /// # Errors
    /// The file can't be read.
    pub(crate) fn read(file: &Path) -> anyhow::Result<Option<Self>> {
        if !file.exists() {
            return Ok(None);
        }
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        Ok(Some(serde_json::from_str(&text).with_context(|| file.display().to_string())?))
    }

    pub(crate) fn run(&self, fault: RealFault, timing: RealTiming) -> Option<&Run> {
        self.runs.iter().find(|run| run.fault == fault && run.timing == timing)
    }
}

impl Run {
    /// The lateness of the logouts that were sent during the fault: median, 99th percentile and maximum, in
    /// milliseconds.
    pub(crate) fn lateness(&self, fault: [f64; 2]) -> Option<[u32; 3]> {
        let during = self.unbinds.iter().filter(|unbind| (fault[0]..fault[1]).contains(&unbind.0));
        crate::results::percentiles(during.filter_map(|unbind| unbind.1).map(|late| (late * 1e3) as u32).collect())
    }
}
