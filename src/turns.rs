//! A batch, handled in one turn or in two (`redelivery/turns.rs`).

use std::{
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use futures_util::FutureExt;

use crate::{
    AccountSync,
    apply::Ends,
    event::Event,
    in_force::{Opened, Times},
    ingress::{Batch, MessageIndex},
    outcome::Outcome,
    redelivery::Turns,
    report,
    tpns::{Apps, CallMade, Tpns},
};

/// The time of an invocation.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    /// How long it took to recognise its messages.
    pub(crate) opening: Duration,
    /// When it began, by the clock.
    pub(crate) now: SystemTime,
    /// When Lambda gives up on it.
    pub(crate) end: tokio::time::Instant,
    /// Kept free before that.
    pub(crate) reserve: Duration,
}

/// What was done with a batch, beside the outcomes.
pub(crate) struct Handled {
    /// The events that could be read, in the messages' order.
    pub(crate) events: Vec<(MessageIndex, Event)>,
    /// The apps that they name by their places.
    pub(crate) apps: Arc<Apps>,
    /// The calls to TPNS.
    pub(crate) calls: Vec<CallMade>,
    /// How many messages have a redelivery delay of their own.
    pub(crate) delayed: usize,
}

impl Span {
    /// The times of a turn that ends with it, whose messages took this long to read.
    pub(crate) fn times(self, reading: Duration) -> Times {
        Times { now: self.now, ends: ends(self, reading) }
    }

    pub(crate) fn remaining(self) -> Duration {
        self.end.saturating_duration_since(tokio::time::Instant::now())
    }

    /// The first half of what is left.
    fn first_half(self) -> Self {
        Self { end: tokio::time::Instant::now() + self.remaining() / 2, reserve: self.reserve / 2, ..self }
    }
}

impl AccountSync {
    /// Handles a batch, and writes the outcomes of its messages.
    pub(crate) async fn turns(&self, batch: &Batch<'_>, span: Span, outcomes: &mut [Outcome]) -> Handled {
        let Turns { first, last, often } = Turns::of(batch, self.table.is_some() && self.source_queue.is_used());
        // Before anything of it is read.
        self.source_queue.hide_while_handled(batch, &often, span.remaining()).await;
        if last.is_empty() {
            return self.turn(batch, &first, span, outcomes).await;
        }
        let mut handled = self.turn(batch, &first, span.first_half(), outcomes).await;
        self.source_queue.delete_acknowledged(batch, &first, outcomes, span.remaining() / 8).await;
        let then = self.turn(batch, &last, span, outcomes).await;
        handled.delayed += then.delayed;
        // If the apps document has changed in between, the places of the apps have, too.
        if then.apps.names_the_same(&handled.apps) {
            handled.events.extend(then.events);
            handled.events.sort_by_key(|(index, _)| *index);
            handled.calls.extend(then.calls);
        }
        handled
    }

    /// Settles these of a batch's messages, parks those that are rejected, and gives those that failed their delay.
    async fn turn(
        &self,
        batch: &Batch<'_>,
        messages: &[MessageIndex],
        span: Span,
        outcomes: &mut [Outcome],
    ) -> Handled {
        let (begun, apps) = (Instant::now(), self.apps.current());
        let events = self.read(batch, messages, &apps, span.now, outcomes);
        let mut opened = Opened { messages, events, apps };
        let times = span.times(span.opening + begun.elapsed());
        // If anything in it panics, the events that are not settled stay failed.
        let merged = AssertUnwindSafe(self.merge(batch, times, &mut opened, outcomes)).catch_unwind().await;
        let calls = merged.as_ref().map(|merged| merged.merged.calls(opened.apps.list.len())).unwrap_or_default();
        let tpns = Tpns::new(&self.client, &self.apps, opened.apps.clone(), self.calls, &calls);
        let settled = match merged {
            Ok(merged) => {
                let settled = self.settle(merged, &tpns, times, &opened.events, outcomes);
                AssertUnwindSafe(settled).catch_unwind().await
            }
            Err(panic) => Err(panic),
        };
        report::hold_groups(batch, outcomes);
        if let (Some(parking), Ok(())) = (&self.parking, settled) {
            parking.park(batch, outcomes, span.remaining() / 2).await;
        }
        let delayed = self.source_queue.delay_failed(batch, messages, outcomes, span.remaining() / 2).await;
        Handled { events: opened.events, apps: opened.apps, calls: tpns.into_calls(), delayed }
    }
}

/// When the phases of a turn that ends with its span must be over. Verifying after the last call takes a moment: half
/// of the reserve is for it. A log line for each message takes a few times as long as reading it took, on a fast
/// machine and on a slow one.
fn ends(span: Span, reading: Duration) -> Ends {
    const TIMES: u32 = 6;
    let Span { end, reserve, .. } = span;
    let most = span.remaining() / 4;
    let answering = (TIMES * reading).min(most);
    let before = |kept: Duration| end.checked_sub(kept + answering).unwrap_or(end);
    Ends { calls: before(reserve), table: before(reserve / 2) }
}
