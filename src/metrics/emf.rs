//! Lines in CloudWatch's embedded metric format, as far as this function needs it
//! (docs.aws.amazon.com, "Specification: Embedded metric format").

use std::io::{self, Write};

use serde::{Serialize, Serializer, ser::SerializeMap};

use super::Distribution;

/// The names of the properties by which the metrics of a line are looked up, set by set.
pub(super) type DimensionSets = &'static [&'static [&'static str]];

/// CloudWatch's units.
#[derive(Clone, Copy, Debug, Serialize)]
pub(super) enum Unit {
    Count,
    Milliseconds,
}

/// What a metric is in a line.
#[derive(Clone, Copy, Debug)]
pub(super) enum Value<'a> {
    Count(u64),
    /// Left out if it has no values: 0 would be one.
    Spread(&'a Distribution, Unit),
}

/// A line under construction: metrics with their names, and properties, which are dimensions or fields to search for.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// Milliseconds since the epoch.
    at: u128,
    namespace: &'a str,
    dimension_sets: DimensionSets,
    properties: Vec<(&'static str, &'a str)>,
    metrics: Vec<(&'static str, Value<'a>)>,
}

impl<'a> Line<'a> {
    pub(super) fn new(at: u128, namespace: &'a str, dimension_sets: DimensionSets) -> Self {
        Self { at, namespace, dimension_sets, properties: Vec::new(), metrics: Vec::new() }
    }

    pub(super) fn property(&mut self, name: &'static str, value: &'a str) {
        self.properties.push((name, value));
    }

    pub(super) fn metric(&mut self, name: &'static str, value: Value<'a>) {
        if !matches!(value, Value::Spread(values, _) if values.is_empty()) {
            self.metrics.push((name, value));
        }
    }

    /// # Errors
    /// The output's.
    pub(super) fn write(&self, mut output: impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut output, self)?;
        output.write_all(b"\n")
    }
}

impl Serialize for Line<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut line = serializer.serialize_map(None)?;
        let metrics = self.metrics.iter().map(|&(name, value)| Definition { name, unit: value.unit() }).collect();
        let directive = Directive { namespace: self.namespace, dimensions: self.dimension_sets, metrics };
        line.serialize_entry("_aws", &Metadata { directives: [directive], timestamp: self.at })?;
        for (name, value) in &self.metrics {
            match value {
                Value::Count(count) => line.serialize_entry(name, count)?,
                Value::Spread(values, _) => {
                    let (values, counts) = values.rounded().into_iter().unzip();
                    line.serialize_entry(name, &Histogram { values, counts })?;
                }
            }
        }
        for (name, value) in &self.properties {
            line.serialize_entry(name, value)?;
        }
        line.end()
    }
}

impl Value<'_> {
    fn unit(self) -> Unit {
        match self {
            Self::Count(_) => Unit::Count,
            Self::Spread(_, unit) => unit,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Metadata<'a> {
    #[serde(rename = "CloudWatchMetrics")]
    directives: [Directive<'a>; 1],
    timestamp: u128,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Directive<'a> {
    namespace: &'a str,
    dimensions: DimensionSets,
    metrics: Vec<Definition>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    name: &'static str,
    unit: Unit,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Histogram {
    values: Vec<u64>,
    counts: Vec<usize>,
}
