//! Gates that hold a request, so that a test can act while a function is at an exact place.

use tokio::sync::{oneshot, watch};

use super::operation::Operation;

/// Where a request is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Before,
    After,
}

/// A gate that holds one request until it is released or dropped.
#[derive(Debug)]
pub struct Gate {
    reached: watch::Receiver<bool>,
    /// Dropped with the gate, which lets the request go on.
    released: oneshot::Sender<()>,
}

impl Gate {
    /// Returns when the request is held here; never when it never comes.
    pub async fn reached(&self) {
        if self.reached.clone().wait_for(|reached| *reached).await.is_err() {
            // The API has stopped, so no request can come any more.
            std::future::pending().await
        }
    }

    /// Whether the request is here, or was.
    pub fn is_reached(&self) -> bool {
        *self.reached.borrow()
    }

    /// Lets the request go on, or through if it comes later.
    pub fn release(self) {
        // Fails when the request never came.
        let _ = self.released.send(());
    }
}

/// The API's side of a [`Gate`].
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) stage: Stage,
    operation: Operation,
    /// How many requests are still to come, the held one included.
    left: usize,
    reached: watch::Sender<bool>,
    released: oneshot::Receiver<()>,
}

pub(super) fn new(stage: Stage, operation: Operation, nth: usize) -> (Gate, Hold) {
    let (reached_sender, reached) = watch::channel(false);
    let (released, released_receiver) = oneshot::channel();
    let hold = Hold { stage, operation, left: nth.max(1), reached: reached_sender, released: released_receiver };
    (Gate { reached, released }, hold)
}

impl Hold {
    /// Counts a request: `Ok` when it is the one to be held.
    pub(super) fn count(mut self, operation: Option<Operation>) -> Result<Self, Self> {
        if operation != Some(self.operation) {
            return Err(self);
        }
        self.left -= 1;
        if self.left == 0 { Ok(self) } else { Err(self) }
    }

    /// Signals that the request is here and waits until it may go on.
    pub(super) async fn pass(self) {
        self.reached.send_replace(true);
        // A dropped gate holds nothing.
        let _ = self.released.await;
    }
}
