//! Where the lines come from.

use std::{
    fs::{File, TryLockError},
    io::{BufRead, BufReader, stdin},
    path::{Path, PathBuf},
};

use crate::problem::Problem;

/// A file or standard input, opened.
#[derive(Debug)]
pub(crate) struct Input {
    path: PathBuf,
    file: Option<File>,
}

impl Input {
    pub(crate) fn open(path: &Path) -> Result<Self, Problem> {
        let file =
            if path == Path::new("-") { None } else { Some(File::open(path).map_err(|source| failed(path, source))?) };
        Ok(Self { path: path.to_owned(), file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn is_stdin(&self) -> bool {
        self.file.is_none()
    }

    /// Its length in bytes, if known.
    pub(crate) fn length(&self) -> Option<u64> {
        self.file.as_ref()?.metadata().ok().filter(std::fs::Metadata::is_file).map(|metadata| metadata.len())
    }

    /// Keeps another `replay` from using the same file at the same time, until the returned file is dropped.
    ///
    /// # Errors
    /// When another one is using it.
    pub(crate) fn claim(&self) -> Result<Option<File>, Problem> {
        let Some(Ok(file)) = self.file.as_ref().map(File::try_clone) else { return Ok(None) };
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => Err(Problem::Usage(format!(
                "{}: is in use by another replay; wait until that has ended",
                self.path.display()
            ))),
            // Some file systems have no locks: there the user has to take care.
            Ok(()) | Err(TryLockError::Error(_)) => Ok(Some(file)),
        }
    }

    pub(crate) fn reader(self) -> Box<dyn BufRead + Send> {
        match self.file {
            Some(file) => Box::new(BufReader::with_capacity(1 << 16, file)),
            None => Box::new(BufReader::new(stdin())),
        }
    }
}

pub(crate) fn failed(path: &Path, source: std::io::Error) -> Problem {
    Problem::Input { path: path.to_owned(), source }
}
