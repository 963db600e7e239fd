//! Everything a function's processes print.

use std::{fs::File, io, os::unix::fs::FileExt, process::Stdio};

/// One unnamed file takes stdout and stderr of every process, so bytes are in the order in which they were written,
/// none is lost when a process is killed, and none is still on its way when an invocation is answered. A pipe could
/// promise none of that.
#[derive(Debug)]
pub(super) struct Output(File);

impl Output {
    pub(super) fn new() -> io::Result<Self> {
        tempfile::tempfile().map(Self)
    }

    /// A handle for a process to write to. All of them share one position in the file.
    pub(super) fn writer(&self) -> io::Result<Stdio> {
        self.0.try_clone().map(Stdio::from)
    }

    pub(super) fn len(&self) -> io::Result<u64> {
        self.0.metadata().map(|file| file.len())
    }

    /// From the byte `start` to the end.
    pub(super) fn since(&self, start: u64) -> io::Result<Vec<u8>> {
        let len = self.len()?.saturating_sub(start);
        let mut bytes = vec![0; usize::try_from(len).unwrap_or(usize::MAX)];
        // Reads at its own position: if the shared one moved, the process would overwrite its earlier output.
        self.0.read_exact_at(&mut bytes, start)?;
        Ok(bytes)
    }
}
