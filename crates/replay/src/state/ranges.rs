//! A set of line numbers, kept as ranges: a million consecutive lines take no more space than one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// First -> last of each range; no two ranges touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Vec<(u64, u64)>", try_from = "Vec<(u64, u64)>")]
pub(super) struct Ranges(BTreeMap<u64, u64>);

impl Ranges {
    pub(super) fn contains(&self, number: u64) -> bool {
        self.0.range(..=number).next_back().is_some_and(|(_, &last)| number <= last)
    }

    pub(super) fn insert(&mut self, number: u64) {
        if self.contains(number) {
            return;
        }
        let before = self.0.range(..number).next_back().filter(|(_, last)| **last + 1 == number);
        let first = before.map_or(number, |(&first, _)| first);
        let last = number.checked_add(1).and_then(|next| self.0.remove(&next)).unwrap_or(number);
        self.0.insert(first, last);
    }

    pub(super) fn last(&self) -> Option<u64> {
        self.0.last_key_value().map(|(_, &last)| last)
    }

    pub(super) fn count(&self) -> u64 {
        self.0.iter().map(|(first, last)| last - first + 1).sum()
    }
}

impl From<Ranges> for Vec<(u64, u64)> {
    fn from(ranges: Ranges) -> Self {
        ranges.0.into_iter().collect()
    }
}

impl TryFrom<Vec<(u64, u64)>> for Ranges {
    type Error = &'static str;

    fn try_from(list: Vec<(u64, u64)>) -> Result<Self, Self::Error> {
        let ordered = list.iter().all(|(first, last)| 0 < *first && first <= last && *last < u64::MAX);
        let apart = list.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0);
        if ordered && apart { Ok(Self(list.into_iter().collect())) } else { Err("ranges out of order") }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_is_a_set_and_its_ranges_never_touch(numbers in proptest::collection::vec(1_u64..40, 0..60)) {
            let (mut ranges, set) = (Ranges::default(), numbers.iter().copied().collect::<BTreeSet<_>>());
            numbers.iter().for_each(|&number| ranges.insert(number));
            prop_assert!((0..42).all(|number| ranges.contains(number) == set.contains(&number)));
            prop_assert_eq!((ranges.count(), ranges.last()), (set.len() as u64, set.last().copied()));
            let json = serde_json::to_string(&ranges).unwrap();
            prop_assert_eq!(serde_json::from_str::<Ranges>(&json).unwrap(), ranges);
        }
    }

    #[test]
    fn invalid_ranges_are_refused() {
        for json in ["[[0,1]]", "[[2,1]]", "[[1,2],[3,4]]", "[[5,6],[1,2]]", "[[1,18446744073709551615]]", "[[1]]"] {
            assert!(serde_json::from_str::<Ranges>(json).is_err(), "{json}");
        }
    }
}
