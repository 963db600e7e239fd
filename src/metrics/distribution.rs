//! Many values of one metric as few: CloudWatch takes at most a hundred different ones in a line, and distinguishes no
//! more than a percentile needs.

/// What CloudWatch takes of a metric in a line ("up to 100 numerics", embedded metric format specification).
const MOST_DIFFERENT: usize = 100;
/// The first try: values are kept to within 0.4 %, and exactly below 256.
const FINEST: u32 = 8;
/// The last: two values of each of the [`MOST_BITS`] binary orders are always few enough, and kept to within a quarter.
const COARSEST: u32 = 2;
/// Over thirty years in milliseconds: nothing that is counted here is larger.
const MOST_BITS: u32 = 40;

/// Values of a metric: milliseconds, or a count.
#[derive(Clone, Debug, Default)]
pub(super) struct Distribution(Vec<u64>);

impl Distribution {
    pub(super) fn record(&mut self, value: u64) {
        self.0.push(value.min(1 << MOST_BITS));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The values with how often each came, in order, rounded as little as makes them few enough.
    pub(super) fn rounded(&self) -> Vec<(u64, usize)> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rounded = |bits| sorted.iter().map(|&value| round(value, bits)).collect::<Vec<_>>();
        let few = |values: &Vec<u64>| values.chunk_by(u64::eq).nth(MOST_DIFFERENT).is_none();
        let values = (COARSEST..=FINEST).rev().map(rounded).find(few).unwrap_or_default();
        values.chunk_by(u64::eq).map(|same| (same[0], same.len())).collect()
    }
}

/// The middle of the values that have the same leading `bits` as this one; the value itself, if it has no more bits.
fn round(value: u64, bits: u32) -> u64 {
    let dropped = (u64::BITS - value.leading_zeros()).saturating_sub(bits);
    if dropped == 0 { value } else { (value >> dropped << dropped) + (1 << (dropped - 1)) }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn recorded(values: &[u64]) -> Vec<(u64, usize)> {
        let mut distribution = Distribution::default();
        values.iter().for_each(|value| distribution.record(*value));
        distribution.rounded()
    }

    #[test]
    fn few_values_stay_what_they_are() {
        assert_eq!(recorded(&[]), []);
        assert_eq!(recorded(&[20, 0, 20, 255]), [(0, 1), (20, 2), (255, 1)]);
    }

    #[test]
    fn a_value_is_rounded_to_the_middle_of_those_with_the_same_leading_bits() {
        assert_eq!([255, 256, 257, 258, 1000].map(|value| round(value, 8)), [255, 257, 257, 259, 1002]);
        assert_eq!([3, 4, 5, 6, 1 << MOST_BITS].map(|value| round(value, 2)), [3, 5, 5, 7, 5 << (MOST_BITS - 2)]);
    }

    #[test]
    fn ten_thousand_different_values_are_a_hundred_at_most() {
        let recorded = recorded(&(0..10_000).map(|n| n * n * n).collect::<Vec<_>>());
        assert!((60..=MOST_DIFFERENT).contains(&recorded.len()), "{}", recorded.len());
    }

    proptest! {
        #[test]
        fn none_is_lost_and_none_is_moved_by_more_than_a_quarter(values in vec(any::<u64>().prop_map(|v| v >> (v % 64)), 0..400)) {
            let recorded = recorded(&values);
            prop_assert!(recorded.len() <= MOST_DIFFERENT);
            prop_assert_eq!(recorded.iter().map(|(_, times)| times).sum::<usize>(), values.len());
            let mut sorted: Vec<_> = values.iter().map(|value| (*value).min(1 << MOST_BITS)).collect();
            sorted.sort_unstable();
            let spread = recorded.iter().flat_map(|&(value, times)| std::iter::repeat_n(value, times));
            for (was, is) in sorted.into_iter().zip(spread) {
                prop_assert!(was.abs_diff(is) <= was / 4, "{was} became {is}");
            }
        }
    }
}
