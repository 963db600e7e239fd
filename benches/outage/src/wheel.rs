//! Messages by the time at which they become visible. A heap would take half of the simulation's time.

use crate::{Ms, messages::Message};

/// Times are rounded up to a multiple of it, in milliseconds.
const STEP: Ms = 64;
/// More than the longest delay, in steps.
const SLOTS: usize = 1 << 15;

#[derive(Debug)]
pub(crate) struct Wheel {
    slots: Vec<Vec<Message>>,
    len: usize,
    /// The first step that may hold messages; no earlier one does.
    first: Ms,
}

impl Wheel {
    pub(crate) fn new() -> Self {
        Self { slots: vec![Vec::new(); SLOTS], len: 0, first: Ms::MAX / STEP }
    }

    /// # Panics
    /// If the time is further away from the others than the wheel reaches, which would be an error of this program.
    pub(crate) fn push(&mut self, at: Ms, message: Message) {
        let step = at.div_ceil(STEP);
        if self.len == 0 {
            self.first = step;
        }
        assert!(step.abs_diff(self.first) < SLOTS as Ms / 2, "no delay is that long");
        self.first = self.first.min(step);
        self.slots[step as usize % SLOTS].push(message);
        self.len += 1;
    }

    /// When the next message becomes visible.
    pub(crate) fn next(&self) -> Option<Ms> {
        (self.len > 0).then_some(self.first * STEP)
    }

    /// Removes the messages whose time has come, and adds them to the others.
    pub(crate) fn release(&mut self, now: Ms, visible: &mut impl Extend<Message>) {
        while self.len > 0 && self.first * STEP <= now {
            let slot = &mut self.slots[self.first as usize % SLOTS];
            self.len -= slot.len();
            visible.extend(slot.drain(..));
            while self.len > 0 && self.slots[self.first as usize % SLOTS].is_empty() {
                self.first += 1;
            }
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }
}

#[cfg(test)]
mod tests;
