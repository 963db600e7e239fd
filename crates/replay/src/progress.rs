//! Progress: a bar on a terminal, otherwise a line every few seconds.

use std::{
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

const EVERY: Duration = Duration::from_secs(5);

/// Shown on standard error, since standard output has the result.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    length: Option<u64>,
    began: Instant,
    /// When the next line is due, if there is no bar.
    due: Option<Instant>,
    position: u64,
}

impl Progress {
    pub(crate) fn new(length: Option<u64>) -> Self {
        let terminal = io::stderr().is_terminal();
        let target = if terminal { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(length, target);
        let template =
            if length.is_some() { "{wide_bar} {percent:>3} %  {msg}  {eta} left" } else { "{spinner} {msg}" };
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        let now = Instant::now();
        Self { bar, length, began: now, due: (!terminal).then_some(now + EVERY), position: 0 }
    }

    /// Everything before this position was done by an earlier run.
    pub(crate) fn begin_at(&mut self, position: u64) {
        self.position = position;
        self.bar.set_position(position);
        self.bar.reset_eta();
    }

    /// Everything before this position is done, which `message` describes.
    pub(crate) fn show(&mut self, position: u64, message: String) {
        self.position = self.position.max(position);
        let now = Instant::now();
        if self.due.is_some_and(|due| now >= due) {
            let part = self.length.filter(|length| *length > 0);
            let part = part.map_or_else(String::new, |length| format!("{} %, ", self.position * 100 / length));
            let _ = writeln!(io::stderr(), "{part}{message}");
            self.due = Some(now + EVERY);
        }
        self.bar.set_message(message);
        self.bar.set_position(self.position);
    }

    /// Prints a line above the bar.
    pub(crate) fn print(&self, line: &str) {
        self.bar.suspend(|| {
            let _ = writeln!(io::stderr(), "{line}");
        });
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }

    /// How many of this number there were per second since the start.
    pub(crate) fn rate(&self, number: u64) -> u64 {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        number.saturating_mul(1000) / millis
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }
}
