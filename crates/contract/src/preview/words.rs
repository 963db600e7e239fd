//! Names and durations in reports for people.

use std::time::Duration;

use crate::{apps::AppNames, event::Invalid, outcome::Reason};

/// A name chosen by a producer, if it looks like a name: it could also be an account in the wrong field.
#[must_use]
pub fn plain_name(name: &str) -> &str {
    let like_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '/');
    let plain = (1..=64).contains(&name.len()) && name.chars().all(like_a_name);
    if plain { name } else { "(not a plain name)" }
}

/// Names the configured apps where the event's app is at fault. For reports to those who have the apps document: in
/// the function's log and in parked messages the text is one that can be counted.
#[must_use]
pub fn naming_apps(invalid: Invalid, apps: Option<&AppNames>) -> Invalid {
    let (Reason::UnknownApp | Reason::MissingApp, Some(apps)) = (invalid.reason, apps) else { return invalid };
    let names: Vec<&str> = apps.ids().map(|id| plain_name(apps.name(id))).collect();
    Invalid { detail: format!("{}; the apps are {}", invalid.detail, names.join(", ")).into(), ..invalid }
}

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

    #[test]
    fn the_apps_are_named_where_the_app_is_at_fault() {
        let apps = AppNames::new(["android", "ann@example.com"]);
        let detail = |reason, apps| naming_apps(Invalid::new(reason, "app: is wrong"), apps).detail;
        assert_eq!(detail(Reason::UnknownApp, Some(&apps)), "app: is wrong; the apps are android, (not a plain name)");
        assert_eq!(detail(Reason::MissingApp, None), "app: is wrong");
        assert_eq!(detail(Reason::TooOld, Some(&apps)), "app: is wrong");
    }
}
