//! All measurements, and what is derived from them.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use crate::{
    contenders::Contender,
    cost::{self, Cost},
    events::Events,
    measure::{Batch, Start},
};

pub(crate) type Starts = BTreeMap<Contender, Vec<Start>>;

#[derive(Debug, Default)]
pub(crate) struct Report {
    /// What is compared, in the order of the columns.
    pub(crate) contenders: &'static [Contender],
    pub(crate) starts: Starts,
    pub(crate) sizes: Vec<Size>,
    /// Batches of ten with a ledger, with and without checks.
    pub(crate) checks: BTreeMap<Contender, Batch>,
    /// By messages.
    pub(crate) modules: BTreeMap<usize, PureModules>,
    pub(crate) zipped: BTreeMap<Contender, u64>,
}

/// Batches of one size.
#[derive(Debug)]
pub(crate) struct Size {
    pub(crate) messages: usize,
    pub(crate) payload_bytes: usize,
    pub(crate) fewest_calls: usize,
    pub(crate) bare_call: Vec<Duration>,
    /// Invocations of the floor, which only answers.
    pub(crate) empty: Vec<Duration>,
    pub(crate) batches: BTreeMap<Contender, Batch>,
}

/// Nanoseconds of the pure modules, and of serde_json with the same payload.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct PureModules {
    pub(crate) modules: f64,
    /// Into a `serde_json::Value`, all of it kept.
    pub(crate) value: f64,
    /// Into `IgnoredAny`, nothing kept.
    pub(crate) ignored: f64,
}

/// A contender's figures for one size.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Figures {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
    /// `None` where it was not measured.
    pub(crate) peak_bytes: Option<u64>,
    pub(crate) calls: usize,
    pub(crate) redelivered: usize,
    pub(crate) dead: usize,
    /// Ten times the value of a tenth of the messages.
    pub(crate) extrapolated: bool,
}

impl Size {
    pub(crate) fn new(messages: usize, events: &Events) -> Self {
        Self {
            messages,
            payload_bytes: events.payload().len(),
            fewest_calls: events.fewest_calls(),
            bare_call: Vec::new(),
            empty: Vec::new(),
            batches: BTreeMap::new(),
        }
    }
}

impl Report {
    pub(crate) fn applying(&self) -> impl Iterator<Item = Contender> {
        self.contenders.iter().copied().filter(|contender| contender.applies_events())
    }

    pub(crate) fn size(&self, messages: usize) -> Option<&Size> {
        self.sizes.iter().find(|size| size.messages == messages)
    }

    pub(crate) fn figures(&self, contender: Contender, messages: usize) -> Option<Figures> {
        if let Some(batch) = self.size(messages)?.batches.get(&contender) {
            return Some(Figures {
                wall: median(&batch.wall),
                cpu: batch.cpu,
                peak_bytes: Some(batch.peak_bytes),
                calls: batch.calls,
                redelivered: batch.redelivered,
                dead: batch.dead,
                extrapolated: false,
            });
        }
        let tenth = contender.is_sequential().then(|| self.figures(contender, messages / 10))??;
        Some(Figures {
            wall: tenth.wall * 10,
            cpu: tenth.cpu * 10,
            peak_bytes: None,
            calls: tenth.calls * 10,
            redelivered: tenth.redelivered * 10,
            dead: tenth.dead * 10,
            extrapolated: true,
        })
    }

    pub(crate) fn ready(&self, contender: Contender) -> Duration {
        self.start(contender, |start| start.ready)
    }

    pub(crate) fn first_answer(&self, contender: Contender) -> Duration {
        self.start(contender, |start| start.first_answer)
    }

    fn start(&self, contender: Contender, of: impl Fn(&Start) -> Duration) -> Duration {
        median(&self.starts.get(&contender).into_iter().flatten().map(of).collect::<Vec<_>>())
    }

    /// The memory of a process that has applied one message.
    pub(crate) fn started_bytes(&self, contender: Contender) -> u64 {
        let mut all: Vec<_> = self.starts.get(&contender).into_iter().flatten().map(|start| start.rss_bytes).collect();
        all.sort_unstable();
        all.get(all.len() / 2).copied().unwrap_or_default()
    }

    pub(crate) fn bare_call(&self, messages: usize) -> Duration {
        self.size(messages).map(|size| median(&size.bare_call)).unwrap_or_default()
    }

    /// An invocation of the floor: the cost of the Runtime API alone.
    pub(crate) fn empty(&self, messages: usize) -> Duration {
        self.size(messages).map(|size| median(&size.empty)).unwrap_or_default()
    }

    /// `None` if messages were redelivered, or the peak is not known.
    pub(crate) fn cost(&self, contender: Contender, messages: usize) -> Option<Cost> {
        let figures = self.figures(contender, messages).filter(|figures| figures.redelivered == 0)?;
        let (peak, table) = (figures.peak_bytes?, contender.table_requests());
        Some(cost::per_million(messages, figures.wall, figures.cpu, peak, table))
    }
}

pub(crate) fn median(durations: &[Duration]) -> Duration {
    let mut sorted = durations.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

pub(crate) fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
