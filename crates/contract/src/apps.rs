//! The configured apps by name. What TPNS needs to know of an app is not here.

/// What the log and the metrics show instead of an app's name if an event goes to more than one.
pub const SEVERAL: &str = "several";
/// What the log and the metrics show instead of an app's name if the app is not known.
pub const UNKNOWN: &str = "unknown";

/// The member of the apps document that is no app: the keys of the ledger.
pub const LEDGER_KEYS: &str = "ledger_keys";

/// How many names a text lists.
const MOST_LISTED: usize = 10;

/// The place of an app in the apps document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(pub u16);

/// The configured apps' names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AppNames(Vec<String>);

impl AppNames {
    /// Names in the order of their ids.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(names.into_iter().map(Into::into).collect())
    }

    /// The app of that name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<AppId> {
        self.0.iter().position(|own| own == name).and_then(Self::id)
    }

    /// The app, if there is only one.
    #[must_use]
    pub fn only(&self) -> Option<AppId> {
        (self.0.len() == 1).then_some(AppId(0))
    }

    /// Every app.
    pub fn ids(&self) -> impl Iterator<Item = AppId> {
        (0..self.0.len()).filter_map(Self::id)
    }

    /// The app's name.
    #[must_use]
    pub fn name(&self, id: AppId) -> &str {
        self.0.get(usize::from(id.0)).map_or("?", String::as_str)
    }

    /// The names as a text for people lists them: `android, ios`.
    #[must_use]
    pub fn listed(&self) -> String {
        let mut listed = self.0.iter().take(MOST_LISTED).map(|name| plain_name(name)).collect::<Vec<_>>().join(", ");
        if self.0.len() > MOST_LISTED {
            listed.push_str(&format!(" and {} more", self.0.len() - MOST_LISTED));
        }
        listed
    }

    fn id(index: usize) -> Option<AppId> {
        u16::try_from(index).ok().map(AppId)
    }
}

/// A name chosen by a producer, if it looks like a name: it could also be an account in the wrong field.
#[must_use]
pub fn plain_name(name: &str) -> &str {
    let like_a_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ':' | '.' | '/');
    let plain = (1..=64).contains(&name.len()) && name.chars().all(like_a_name);
    if plain { name } else { "(not a plain name)" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_names_shows_ten_at_most_and_nothing_that_may_be_an_account() {
        assert_eq!(AppNames::new(["android", "ann@example.com"]).listed(), "android, (not a plain name)");
        let many = AppNames::new((0..12).map(|number| format!("app{number}")));
        assert_eq!(many.listed(), "app0, app1, app2, app3, app4, app5, app6, app7, app8, app9 and 2 more");
    }
}
