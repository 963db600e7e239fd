//! Asks on the terminal before something is sent.

use std::{
    io::{self, IsTerminal, stdin},
    thread,
};

use tokio::sync::oneshot;

use crate::{interrupt::Interrupt, problem::Problem};

/// That there is a terminal to ask on.
///
/// # Errors
/// [`Problem::Usage`]; `instead` is what to do without a terminal besides `--yes`.
pub(crate) fn possible(instead: &str) -> Result<(), Problem> {
    if stdin().is_terminal() {
        return Ok(());
    }
    Err(Problem::Usage(format!("--yes: is missing, and there is no terminal to confirm on; add it, or {instead}")))
}

/// Asks; `None` when interrupted.
pub(crate) async fn ask(question: &str, interrupt: &Interrupt) -> Option<bool> {
    eprint!("{question} [y/N] ");
    let (sender, receiver) = oneshot::channel();
    // On a thread of its own, so that Ctrl-C is noticed.
    thread::spawn(move || {
        let mut line = String::new();
        let read: io::Result<usize> = stdin().read_line(&mut line);
        let _ = sender.send(read.is_ok() && matches!(line.trim(), "y" | "Y" | "yes"));
    });
    tokio::select! {
        yes = receiver => Some(yes.unwrap_or(false)),
        () = interrupt.wait() => {
            eprintln!();
            None
        }
    }
}
