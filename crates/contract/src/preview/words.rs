//! Durations in reports for people.

use std::time::Duration;

/// A duration as settings are written: `14d`, `1h 30m`, `500ms`.
#[must_use]
pub fn duration_text(duration: Duration) -> String {
    let mut rest = duration.as_millis();
    let mut parts = Vec::new();
    for (unit, millis) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)] {
        let number = rest / millis;
        rest %= millis;
        if number > 0 {
            parts.push(format!("{number}{unit}"));
        }
    }
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_written_as_settings_are() {
        for (seconds, text) in [(0, "0s"), (86_400 * 14, "14d"), (86_400 * 44, "44d"), (5400, "1h 30m"), (300, "5m")] {
            assert_eq!(duration_text(Duration::from_secs(seconds)), text);
        }
        assert_eq!(duration_text(Duration::from_millis(1500)), "1s 500ms");
    }
}
