//! Which lines of a file are still to be sent, once it is known to be the same file.

use super::State;
use crate::lines::Line;

/// The gate that lines go through. Until the file is known to be the one that the state tells of, lines wait: those that
/// were on their way when the run before ended, and those that were refused, so they are few.
#[derive(Debug)]
pub(crate) struct Resume<'a> {
    state: &'a State,
    known: bool,
    waiting: Vec<Line>,
}

/// The file does not begin as it did when it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the file has changed since {sent} lines of it were sent")]
pub(crate) struct Changed {
    sent: u64,
}

impl<'a> Resume<'a> {
    pub(crate) fn new(state: &'a State) -> Self {
        Self { state, known: state.count() == 0, waiting: Vec::new() }
    }

    /// Takes the file's next line, and gives those that are to be sent now.
    ///
    /// # Errors
    /// [`Changed`].
    pub(crate) fn pass(&mut self, line: Line) -> Result<Vec<Line>, Changed> {
        let (last, sent) = (self.state.sent.last().unwrap_or(0), self.state.has(line.nth));
        if self.known && line.nth > last {
            return Ok(vec![line]);
        }
        if line.nth == last && line.digest.hex() != self.state.sha256 {
            return Err(self.changed());
        }
        self.known |= line.nth == last;
        if !sent {
            self.waiting.push(line);
        }
        Ok(if self.known { std::mem::take(&mut self.waiting) } else { Vec::new() })
    }

    /// The file is at its end.
    ///
    /// # Errors
    /// [`Changed`] when it was longer before.
    pub(crate) fn end(&self) -> Result<(), Changed> {
        if self.known { Ok(()) } else { Err(self.changed()) }
    }

    fn changed(&self) -> Changed {
        Changed { sent: self.state.count() }
    }
}

#[cfg(test)]
mod tests;
