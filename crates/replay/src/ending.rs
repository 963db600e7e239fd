//! The exit codes.

use std::process::ExitCode;

/// How the program ended: its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything requested is done.
    Done = 0,
    /// Something outside the program failed; what was done stays done.
    Failed = 1,
    /// The command can't be carried out as given.
    Usage = 2,
    /// The rest is done, but some lines or messages were refused; or TPNS differs for some devices.
    SomeRefused = 3,
    /// A signal ended it.
    Interrupted = 130,
}

impl Ending {
    /// The audit is done, and TPNS differs for some devices.
    pub(crate) const SOME_DIFFER: Self = Self::SomeRefused;
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending as u8)
    }
}
