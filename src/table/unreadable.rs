//! Why a row can't be read.

/// A row that can't be read. Says which attribute is at fault, and nothing of its value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// This function does not write it so.
    #[error("{0} is not in the format that this function writes")]
    Format(&'static str),
    /// It was written with a key, and the apps document has none.
    #[error("names are encrypted, and the apps document has no ledger_keys")]
    NoKey,
}
