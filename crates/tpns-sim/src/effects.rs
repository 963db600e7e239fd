//! When accepted operations take effect, and how many did.

use std::{collections::BTreeSet, time::Duration};

use serde::Serialize;

/// The longest possible wait. With longer ones the clock could overflow.
pub(crate) const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How far behind its acceptances the service is.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// Time from acceptance to effect, the same for every call: effects keep the order of acceptance.
    pub(crate) delay: Duration,
    /// A random part on top of it, drawn for each call, from zero up to this: calls overtake each other.
    pub(crate) within: Duration,
    /// The seed of those draws.
    pub(crate) seed: u64,
    /// Time from an effect until queries show it.
    pub(crate) query_lag: Duration,
}

/// What an `effect` fault does to some accepted items of a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ItemEffects {
    /// Positions in the request.
    pub(crate) items: BTreeSet<usize>,
    pub(crate) change: EffectChange,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EffectChange {
    /// They take effect this much later than the rest of the call.
    Late(Duration),
    /// They never take effect.
    Lost,
}

/// The answer of `GET /_sim/effects`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Effects {
    /// Whether everything received has taken effect and queries show it.
    pub settled: bool,
    /// Operations received and not yet accepted: those of a `delay` fault with `late`.
    pub expected: usize,
    /// Operations accepted that have not taken effect yet.
    pub pending: usize,
    /// Operations in effect that queries do not show yet.
    pub hidden: usize,
    /// Operations that took effect after one that was accepted later.
    pub overtaken: u64,
    /// Items whose effect a fault made late.
    pub late: u64,
    /// Items whose effect a fault lost.
    pub lost: u64,
    /// The seed of the random part of the time to an effect.
    pub seed: u64,
}
