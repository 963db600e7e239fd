//! What ends the program early, in one line with the mend, and its exit codes.

use std::{io, path::PathBuf, process::ExitCode};

use crate::{
    sqs::Trouble,
    state::{Changed, StateError},
};

/// How the program ended, for scripts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// All that was asked for is done.
    Done = 0,
    /// Something outside failed; what was done stays done.
    Failed = 1,
    /// The command can't be followed as it is.
    Usage = 2,
    /// The rest is done, but some lines or messages were refused.
    SomeRefused = 3,
    /// A signal asked for the end.
    Interrupted = 130,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending as u8)
    }
}

/// Ends the program. The text is all that the user sees of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{0}")]
    Usage(String),
    #[error("{}: {source}; name a file of events, one JSON body a line", path.display())]
    Input { path: PathBuf, source: io::Error },
    #[error("{0}; send the new lines as a file of their own, or everything again with --restart")]
    Changed(#[from] Changed),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("{0}")]
    Sqs(#[from] Trouble),
    #[error("could not write the output: {0}")]
    Output(#[from] io::Error),
    #[error("{0}")]
    Stopped(String),
}

impl Problem {
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::Usage(_) | Self::Input { .. } | Self::Changed(_) | Self::State(_) => Ending::Usage,
            Self::Sqs(_) | Self::Output(_) | Self::Stopped(_) => Ending::Failed,
        }
    }
}
