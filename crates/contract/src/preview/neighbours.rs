//! What an event has in common with earlier ones of its file.

use std::collections::{HashMap, hash_map::Entry};

use super::Preview;
use crate::{
    event::{Kind, Millis},
    warning::Warning,
};

/// Device by app and token.
type DeviceKey = (String, String);

/// The events so far.
#[derive(Debug, Default)]
pub struct Neighbours {
    at_times: HashMap<(DeviceKey, Millis), (u64, String)>,
    ids: HashMap<String, (u64, Option<DeviceKey>, Kind, Millis)>,
}

impl Neighbours {
    /// Adds an event, and to its warnings those about it and an earlier one. An event that appears twice as it is is
    /// harmless.
    pub fn add(&mut self, line: u64, preview: &mut Preview) {
        let Preview { opened, verdict: Ok(event), warnings } = preview else { return };
        // Without a time of their own, all have that of sending.
        if !opened.fields.contains_key("occurred_at") {
            return;
        }
        let at = event.version.at;
        let device = opened.token().map(|token| (opened.app().unwrap_or_default().to_owned(), token.to_owned()));
        let id = opened.id().filter(|id| !id.is_empty());
        if let Some(device) = &device {
            match self.at_times.entry((device.clone(), at)) {
                Entry::Occupied(earlier) => {
                    let (line, other) = earlier.get();
                    if id != Some(other.as_str()) || other.is_empty() {
                        warnings.push(Warning::SameTime { line: *line });
                    }
                }
                Entry::Vacant(place) => _ = place.insert((line, id.unwrap_or_default().to_owned())),
            }
        }
        let Some(id) = id else { return };
        match self.ids.entry(id.to_owned()) {
            Entry::Occupied(earlier) => {
                let (line, its_device, kind, its_time) = earlier.get();
                if (its_device, *kind, *its_time) != (&device, event.version.rank, at) {
                    warnings.push(Warning::SameId { line: *line });
                }
            }
            Entry::Vacant(place) => _ = place.insert((line, device, event.version.rank, at)),
        }
    }
}
