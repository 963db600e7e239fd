//! What ends the program early, as one line that says what to do.

use std::{io, path::PathBuf};

use crate::{
    ending::Ending,
    sqs::{DepthError, SqsFailure},
    state::{Changed, StateError},
};

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

impl From<DepthError> for Problem {
    fn from(error: DepthError) -> Self {
        match error {
            DepthError::HasDeadLetters { .. } => Self::Usage(error.to_string()),
            DepthError::Sqs(failure) => Self::Sqs(failure),
        }
    }
}

impl Problem {
    pub(crate) fn ending(&self) -> Ending {
        match self {
            Self::Usage(_) | Self::Input { .. } | Self::Changed(_) | Self::State(_) => Ending::Usage,
            Self::Sqs(_) | Self::Output(_) | Self::Stopped(_) => Ending::Failed,
        }
    }
}
