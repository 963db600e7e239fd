//! Which of the function's queues an event belongs in.

use contract::event::Kind;

/// Which queue an event belongs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lane {
    /// Logins, and bodies whose type can't be read.
    Main,
    /// Logouts and deletions.
    Unbinds,
}

impl Lane {
    /// The lane of an event of this type.
    pub(crate) fn of(kind: Option<&str>) -> Self {
        let kind = Kind::NAMES.into_iter().find(|(name, _)| Some(*name) == kind).map(|(_, kind)| kind);
        match kind {
            Some(Kind::Logout | Kind::Deletion) => Self::Unbinds,
            Some(Kind::Login) | None => Self::Main,
        }
    }
}
