//! What ends the program early, as one line that says what to do, and the exit codes.

use std::{io, path::PathBuf, process::ExitCode};

use crate::{
    sqs::SqsFailure,
    state::{Changed, StateError},
};

/// How the program ended: its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Everything requested is done.
    Done = 0,
    /// Something outside the program failed; what was done stays done.
    Failed = 1,
    /// The command can't be carried out as given.
    Usage = 2,
    /// The rest is done, but some lines or messages were refused.
    SomeRefused = 3,
    /// A signal ended it.
    Interrupted = 130,
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending as u8)
    }
}

/// Ends the program. Its text is all that the user sees.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{0}")]
    Usage(String),
    #[error("{}: {source}; name a file of events, one JSON body per line", path.display())]
    Input { path: PathBuf, source: io::Error },
    #[error("{0}; send the new lines in a separate file, or everything again with --restart")]
    Changed(#[from] Changed),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("{0}")]
    Sqs(#[from] SqsFailure),
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
