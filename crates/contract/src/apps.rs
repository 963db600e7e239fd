//! The configured apps by name. What TPNS needs to know of an app is not here.

/// What the log and the metrics show instead of an app's name if an event goes to more than one.
pub const SEVERAL: &str = "several";
/// What the log and the metrics show instead of an app's name if the app is not known.
pub const UNKNOWN: &str = "unknown";

/// The member of the apps document that is no app: the keys of the ledger.
pub const LEDGER_KEYS: &str = "ledger_keys";

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

    fn id(index: usize) -> Option<AppId> {
        u16::try_from(index).ok().map(AppId)
    }
}
