//! Many values of one metric as few: CloudWatch takes at most a hundred different ones in a line, and distinguishes no
//! more than a percentile needs.

use metrique_writer_core::{
    Observation,
    quantize::{Quantizer, Rounding, SignificantBits},
};

/// What CloudWatch takes of a metric in a line ("up to 100 numerics", embedded metric format specification).
const MOST_DIFFERENT: usize = 100;
/// The first try: values are kept to within 0.4 %, and exactly below 256.
const FINEST: u8 = 8;
/// The last: two values of each of the [`MOST_BITS`] binary orders are always few enough, and kept to within a quarter.
const COARSEST: u8 = 2;
/// Over thirty years in milliseconds: nothing that is counted here is larger.
const MOST_BITS: u32 = 40;

/// Values of a metric: milliseconds, or a count.
#[derive(Clone, Debug, Default)]
pub(super) struct Distribution(Vec<u64>);

impl Distribution {
    pub(super) fn record(&mut self, value: u64) {
        self.0.push(value.min(1 << MOST_BITS));
    }

    /// The values with how often each came, rounded as little as makes them few enough.
    pub(super) fn observations(&self) -> Vec<Observation> {
        let mut sorted = self.0.clone();
        sorted.sort_unstable();
        let rounded = |bits| {
            let quantizer = Quantizer::new(bits, Rounding::Midpoint);
            sorted.iter().map(|&value| quantizer.quantize_u64(value)).collect::<Vec<_>>()
        };
        let few = |values: &Vec<u64>| values.chunk_by(u64::eq).nth(MOST_DIFFERENT).is_none();
        let mut tries = (COARSEST..=FINEST).rev().filter_map(|bits| SignificantBits::new(bits).ok()).map(rounded);
        let values = tries.find(few).unwrap_or_default();
        let observation = |same: &[u64]| Observation::Repeated {
            total: same[0] as f64 * same.len() as f64,
            occurrences: same.len() as u64,
        };
        values.chunk_by(u64::eq).map(observation).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn recorded(values: &[u64]) -> Vec<(f64, u64)> {
        let mut distribution = Distribution::default();
        values.iter().for_each(|value| distribution.record(*value));
        let pair = |observation| match observation {
            Observation::Repeated { total, occurrences } => (total / occurrences as f64, occurrences),
            other => panic!("{other:?}"),
        };
        distribution.observations().into_iter().map(pair).collect()
    }

    #[test]
    fn few_values_stay_what_they_are() {
        assert_eq!(recorded(&[]), []);
        assert_eq!(recorded(&[20, 0, 20, 255]), [(0.0, 1), (20.0, 2), (255.0, 1)]);
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
            prop_assert_eq!(recorded.iter().map(|(_, times)| times).sum::<u64>(), values.len() as u64);
            let mut sorted: Vec<_> = values.iter().map(|value| (*value).min(1 << MOST_BITS) as f64).collect();
            sorted.sort_unstable_by(f64::total_cmp);
            let spread = recorded.iter().flat_map(|(value, times)| std::iter::repeat_n(*value, *times as usize));
            for (was, is) in sorted.into_iter().zip(spread) {
                prop_assert!((was - is).abs() <= was * 0.25, "{was} became {is}");
            }
        }
    }
}
