//! Decides which lines of a file are still to be sent, once the file is recognised as the same.

use super::State;
use crate::lines::Line;

/// A gate for lines. Until the file is recognised as that of the state, unsent lines wait. They are few: those that
/// were in flight when the last run ended, and those that were refused.
#[derive(Debug)]
pub(crate) struct Resume<'a> {
    state: &'a State,
    recognised: bool,
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
        Self { state, recognised: state.count() == 0, waiting: Vec::new() }
    }

    /// Takes the file's next line, and returns those that are to be sent now.
    ///
    /// # Errors
    /// [`Changed`].
    pub(crate) fn pass(&mut self, line: Line) -> Result<Vec<Line>, Changed> {
        let (last, sent) = (self.state.sent.last().unwrap_or(0), self.state.has(line.nth));
        if self.recognised && line.nth > last {
            return Ok(vec![line]);
        }
        if line.nth == last && line.digest.hex() != self.state.sha256 {
            return Err(self.changed());
        }
        self.recognised |= line.nth == last;
        if !sent {
            self.waiting.push(line);
        }
        Ok(if self.recognised { std::mem::take(&mut self.waiting) } else { Vec::new() })
    }

    /// The file is at its end.
    ///
    /// # Errors
    /// [`Changed`] when it is shorter than it was.
    pub(crate) fn end(&self) -> Result<(), Changed> {
        if self.recognised { Ok(()) } else { Err(self.changed()) }
    }

    fn changed(&self) -> Changed {
        Changed { sent: self.state.count() }
    }
}

#[cfg(test)]
mod tests;
