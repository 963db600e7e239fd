//! The state on disk: a new file is written and then renamed over the old one, so that there is always a complete one.

use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use super::State;

/// The state's file.
#[derive(Clone, Debug)]
pub(crate) struct StateFile(PathBuf);

/// A state from which a run can't resume.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    #[error("{}: {source}; name a readable and writable file with --state", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error(
        "{}: is not a state file of this version of replay; name another with --state, or start again with \
         --restart",
        .0.display()
    )]
    Unreadable(PathBuf),
    #[error(
        "{}: belongs to another queue or table ({queue_url}); name another state file with --state, or start again with \
         --restart",
        path.display()
    )]
    OtherQueue { path: PathBuf, queue_url: String },
}

impl StateFile {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The file next to the input, with this extension added.
    pub(crate) fn beside(input: &Path, extension: &str) -> Self {
        Self(with_suffix(input, &format!(".{extension}")))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// What has been sent to that queue or table; `None` if nothing has.
    ///
    /// # Errors
    /// [`StateError`], which says what to do.
    pub(crate) fn load(&self, queue_url: &str) -> Result<Option<State>, StateError> {
        let Some(state) = self.read::<State>()? else { return Ok(None) };
        if state.format != State::FORMAT {
            return Err(self.unreadable());
        }
        if state.count() == 0 {
            return Ok(None);
        }
        if state.queue_url != queue_url {
            return Err(StateError::OtherQueue { path: self.0.clone(), queue_url: state.queue_url });
        }
        Ok(Some(state))
    }

    /// What the file holds, if it exists.
    ///
    /// # Errors
    /// [`StateError`].
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        let text = match fs::read_to_string(&self.0) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => return Err(self.unreadable()),
            Err(error) => return Err(self.failed(error)),
        };
        serde_json::from_str(&text).map(Some).map_err(|_| self.unreadable())
    }

    /// Removes the file.
    ///
    /// # Errors
    /// [`StateError::File`].
    pub(crate) fn remove(&self) -> Result<(), StateError> {
        match fs::remove_file(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(self.failed(error)),
            _ => Ok(()),
        }
    }

    /// Replaces the previous state.
    ///
    /// # Errors
    /// [`StateError::File`].
    pub(crate) fn save<T: Serialize>(&self, state: &T) -> Result<(), StateError> {
        let new = with_suffix(&self.0, ".new");
        let write = || {
            let mut file = File::create(&new)?;
            serde_json::to_writer(&mut file, state)?;
            file.write_all(b"\n")?;
            // Otherwise, after a power failure, the renamed file could lack its content.
            file.sync_data()?;
            fs::rename(&new, &self.0)
        };
        write().map_err(|error| self.failed(error))
    }

    fn failed(&self, source: io::Error) -> StateError {
        StateError::File { path: self.0.clone(), source }
    }

    pub(crate) fn unreadable(&self) -> StateError {
        StateError::Unreadable(self.0.clone())
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::Lines;

    #[test]
    fn a_state_is_read_as_it_was_written_and_only_for_its_queue() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::beside(&folder.path().join("events.jsonl"), "replay");
        assert_eq!(file.path().file_name().unwrap(), "events.jsonl.replay");
        assert_eq!(file.load("q").unwrap(), None);
        let mut state = State::new("q");
        let line = Lines::new(b"one".as_slice()).next().unwrap().unwrap();
        state.confirm(1, line.digest);
        file.save(&State::new("q")).unwrap();
        assert_eq!(file.load("other").unwrap(), None, "an empty state fits any queue");
        file.save(&state).unwrap();
        assert_eq!(file.load("q").unwrap(), Some(state));
        assert!(file.load("other").unwrap_err().to_string().contains("belongs to another queue or table (q)"));
        let names: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(names, ["events.jsonl.replay"], "something was left behind");
    }

    #[test]
    fn a_file_that_is_no_state_is_refused_and_so_not_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = StateFile::new(folder.path().join("state"));
        for text in [b"".as_slice(), b"{}", b"\xff", br#"{"format":2,"queue_url":"q","run":"r","sent":[],"sha256":""}"#]
        {
            fs::write(file.path(), text).unwrap();
            assert!(matches!(file.load("q"), Err(StateError::Unreadable(_))), "{text:?}");
        }
        assert!(StateFile::new(folder.path().into()).load("q").is_err());
    }
}
