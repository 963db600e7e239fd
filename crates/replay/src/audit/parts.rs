//! Which parts of the ledger are done: a part is when each device in it has been settled. Pure.

use std::collections::BTreeMap;

use super::tally::{Seen, Tally};

/// The number of a part: a segment of the table, or some lines of a file of tokens.
pub(crate) type PartNumber = u32;

/// The parts that were begun and are not finished.
#[derive(Debug, Default)]
pub(crate) struct Parts(BTreeMap<PartNumber, Part>);

#[derive(Debug, Default)]
struct Part {
    is_read: bool,
    /// The devices that were read and are not settled.
    open: usize,
    tally: Tally,
}

impl Parts {
    /// Adds what a page of a part holds: this number of devices, and counted rows of other kinds.
    pub(crate) fn read(&mut self, number: PartNumber, devices: usize, others: Tally, is_last: bool) {
        let part = self.0.entry(number).or_default();
        part.open += devices;
        part.tally.merge(others);
        part.is_read |= is_last;
    }

    /// Settles a device of a part.
    pub(crate) fn settle(&mut self, number: PartNumber, app: &str, fingerprint: impl FnOnce() -> String, seen: &Seen) {
        let part = self.0.entry(number).or_default();
        part.open = part.open.saturating_sub(1);
        part.tally.add(app, fingerprint, seen);
    }

    /// Takes the parts that are finished now.
    pub(crate) fn take_finished(&mut self) -> impl Iterator<Item = (PartNumber, Tally)> {
        self.0.extract_if(.., |_, part| part.is_read && part.open == 0).map(|(number, part)| (number, part.tally))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finished(parts: &mut Parts) -> Vec<(PartNumber, u64)> {
        parts.take_finished().map(|(number, tally)| (number, tally.omitted.recent)).collect()
    }

    fn settle(parts: &mut Parts, number: PartNumber) {
        parts.settle(number, "android", String::new, &Seen::Recent);
    }

    #[test]
    fn a_part_is_finished_when_all_of_it_is_read_and_each_device_settled() {
        let mut parts = Parts::default();
        parts.read(3, 2, Tally::default(), false);
        settle(&mut parts, 3);
        settle(&mut parts, 3);
        assert_eq!(finished(&mut parts), [], "there are more pages");
        parts.read(3, 1, Tally::default(), true);
        parts.read(5, 0, Tally::default(), true);
        assert_eq!(finished(&mut parts), [(5, 0)], "an empty part has nothing to settle");
        settle(&mut parts, 3);
        assert_eq!(finished(&mut parts), [(3, 3)]);
        assert_eq!(finished(&mut parts), [], "and it is taken once");
    }
}
