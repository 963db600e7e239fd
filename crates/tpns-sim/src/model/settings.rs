//! What TPNS's documents leave open, as switches.

use std::{collections::HashSet, sync::Arc};

use clap::ValueEnum;

/// What `operator_type` 2 does to accounts of types the request does not name.
///
/// The server's page does not say (facts.md, section 3); a client must be right under both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OverrideMode {
    /// The token's whole set of accounts becomes the one in the request.
    Replace,
    /// Only the types named in the request are overridden; the newest texts read like this.
    #[default]
    PerType,
}

/// What happens when a 101st token is bound to an account (facts.md, section 3: not documented).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TokenCap {
    /// The binding made longest ago gives way. Binding anew counts as made now.
    #[default]
    Evict,
    /// The new entry fails with 1008007.
    Reject,
    /// No cap.
    Off,
}

/// The rules a [`Tpns`](super::Tpns) is set up with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Default: [`OverrideMode::PerType`].
    pub override_mode: OverrideMode,
    /// Default: [`TokenCap::Evict`].
    pub token_cap: TokenCap,
    /// Longest token in characters. TPNS documents 36 for other APIs and real tokens have 36; its
    /// predecessor allowed 64, which is what the function's contract allows and the default here.
    pub max_token_length: usize,
    /// Shortest account in characters. TPNS's uploads want 2, the page of this API names no
    /// limit; the function's contract allows 1, the default here.
    pub min_account_length: usize,
    /// The tokens registered by the SDK; any other is item code 1008006. Default: every token.
    pub known_tokens: Option<Arc<HashSet<String>>>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            override_mode: OverrideMode::default(),
            token_cap: TokenCap::default(),
            max_token_length: 64,
            min_account_length: 1,
            known_tokens: None,
        }
    }
}
