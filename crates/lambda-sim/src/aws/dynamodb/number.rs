//! Numbers: decimals of up to 38 significant digits, from 1E-130 to 9.99…E+125 (DynamoDB developer guide, "Supported data types").

use std::cmp::Ordering;
use std::fmt;

const MAX_DIGITS: usize = 38;
const MAX_EXPONENT: i64 = 125;
const MIN_EXPONENT: i64 = -130;

/// A number that can't be, worded as DynamoDB does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// An empty string.
    #[error("The parameter cannot be converted to a numeric value")]
    Empty,
    /// Something else than a decimal.
    #[error("The parameter cannot be converted to a numeric value: {0}")]
    NotNumeric(String),
    /// Larger than 9.99…E+125, in either direction.
    #[error("Number overflow. Attempting to store a number with magnitude larger than supported range")]
    Overflow,
    /// Smaller than 1E-130.
    #[error("Number underflow. Attempting to store a number with magnitude smaller than supported range")]
    Underflow,
    /// More than 38 significant digits.
    #[error("Attempting to store more than 38 significant digits in a Number")]
    TooManyDigits,
}

/// Equal numbers are equal here, however they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Number {
    negative: bool,
    /// Without zeros at either end; none at all for zero.
    digits: Vec<u8>,
    /// The power of ten of the first digit.
    exponent: i64,
}

impl Number {
    pub(super) fn parse(text: &str) -> Result<Self, NumberError> {
        let not_numeric = || NumberError::NotNumeric(text.to_owned());
        if text.is_empty() {
            return Err(NumberError::Empty);
        }
        let negative = text.starts_with('-');
        let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
        let (mantissa, power) = match unsigned.split_once(['e', 'E']) {
            Some((mantissa, power)) => (mantissa, power.parse::<i32>().map_err(|_| not_numeric())?),
            None => (unsigned, 0),
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let written = [whole, fraction].concat();
        if written.is_empty() || !written.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(not_numeric());
        }
        let significant = written.trim_start_matches('0');
        if significant.is_empty() {
            return Ok(Self { negative: false, digits: Vec::new(), exponent: 0 });
        }
        let leading_zeros = written.len() - significant.len();
        // A request has a few MB at most: its lengths are far from the ends of an i64.
        let signed = |len: usize| i64::try_from(len).unwrap_or(i64::MAX);
        let exponent = signed(whole.len()) - 1 - signed(leading_zeros) + i64::from(power);
        let digits: Vec<u8> = significant.trim_end_matches('0').bytes().map(|byte| byte - b'0').collect();
        match exponent {
            ..MIN_EXPONENT => Err(NumberError::Underflow),
            MIN_EXPONENT..=MAX_EXPONENT if digits.len() > MAX_DIGITS => Err(NumberError::TooManyDigits),
            MIN_EXPONENT..=MAX_EXPONENT => Ok(Self { negative, digits, exponent }),
            _ => Err(NumberError::Overflow),
        }
    }

    /// What it counts for in the size of an item: a byte for each two digits, aligned at the decimal point, one for the exponent, one for
    /// a minus.
    pub(super) fn size(&self) -> usize {
        let count = self.digits.len();
        let across_pairs = count > 0 && count.is_multiple_of(2) && self.exponent % 2 == 0;
        1 + count.div_ceil(2) + usize::from(across_pairs) + usize::from(self.negative)
    }

    fn sign(&self) -> i8 {
        match (self.digits.is_empty(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_magnitude = || (self.exponent, &self.digits).cmp(&(other.exponent, &other.digits));
        self.sign().cmp(&other.sign()).then_with(|| match self.negative {
            true => by_magnitude().reverse(),
            false => by_magnitude(),
        })
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// As DynamoDB gives a number back: without exponent and without needless zeros.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.digits.is_empty() {
            return f.write_str("0");
        }
        let digits: String = self.digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        f.write_str(if self.negative { "-" } else { "" })?;
        match usize::try_from(self.exponent) {
            Ok(exponent) => match digits.split_at_checked(exponent + 1).filter(|(_, fraction)| !fraction.is_empty()) {
                Some((whole, fraction)) => write!(f, "{whole}.{fraction}"),
                None => write!(f, "{digits:0<width$}", width = exponent + 1),
            },
            Err(_) => {
                let zeros = usize::try_from(-self.exponent - 1).unwrap_or_default();
                write!(f, "0.{:0<zeros$}{digits}", "")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_comes_back_in_one_form() {
        for (written, form) in [
            ("0", "0"),
            ("-0.00", "0"),
            ("007", "7"),
            ("+1.50", "1.5"),
            (".5", "0.5"),
            ("5.", "5"),
            ("1E2", "100"),
            ("12.5e1", "125"),
            ("1.25e1", "12.5"),
            ("-1e-3", "-0.001"),
            ("1700000000123", "1700000000123"),
        ] {
            assert_eq!(Number::parse(written).map(|number| number.to_string()).as_deref(), Ok(form), "{written}");
        }
    }

    #[test]
    fn what_dynamodb_cannot_store_is_refused() {
        for text in ["abc", "1e", "1.2.3", "--1", " 1", "0x1", "-", ".", "NaN", "1e99999999999"] {
            assert_eq!(Number::parse(text), Err(NumberError::NotNumeric(text.into())));
        }
        assert_eq!(Number::parse(""), Err(NumberError::Empty));
        assert_eq!(Number::parse("1e126"), Err(NumberError::Overflow));
        assert_eq!(Number::parse("1e-131"), Err(NumberError::Underflow));
        assert_eq!(Number::parse(&"1".repeat(39)), Err(NumberError::TooManyDigits));
        for text in ["1e125", "-1e-130", &"1".repeat(38), &format!("{}0", "1".repeat(38))] {
            assert!(Number::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn numbers_are_ordered_by_value_and_not_by_spelling() {
        let ascending = ["-1e10", "-9", "-1.5", "-1", "-0.1", "0", "0.09", "0.1", "1", "1.5", "9", "10", "1e10"];
        let numbers: Vec<Number> = ascending.iter().map(|text| Number::parse(text).unwrap()).collect();
        assert!(numbers.is_sorted_by(|a, b| a < b));
        assert_eq!(Number::parse("10"), Number::parse("1.0e1"));
    }

    #[test]
    fn digits_count_in_pairs_aligned_at_the_point() {
        for (text, size) in [("0", 1), ("1", 2), ("12", 2), ("1.2", 3), ("123", 3), ("-123", 4), ("1200", 2)] {
            assert_eq!(Number::parse(text).unwrap().size(), size, "{text}");
        }
    }
}
