//! Settings for what TPNS's documents leave open.

use std::{collections::HashSet, sync::Arc};

use clap::ValueEnum;

/// What `operator_type` 2 does to accounts of types the request does not name.
///
/// The server's page does not say (facts.md, section 3); a client must be correct under both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OverrideMode {
    /// The token's whole set of accounts becomes the one in the request.
    Replace,
    /// Only the types named in the request are overridden; the newest documents suggest this.
    #[default]
    PerType,
}

/// What happens when a 101st token is bound to an account (facts.md, section 3: not documented).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum TokenCap {
    /// The oldest binding is removed. Binding a token again makes its binding the newest.
    #[default]
    Evict,
    /// The new entry fails with 1008007.
    Reject,
    /// No cap.
    Off,
}

/// The configurable rules of a [`Tpns`](super::Tpns).
#[derive(Clone, Debug)]
pub struct Settings {
    /// Default: [`OverrideMode::PerType`].
    pub override_mode: OverrideMode,
    /// Default: [`TokenCap::Evict`].
    pub token_cap: TokenCap,
    /// Longest token in characters. TPNS documents 36 for other APIs and real tokens have 36; its
    /// predecessor allowed 64, which is what the function's contract allows and the default here.
    pub max_token_length: usize,
    /// Shortest account in characters. TPNS's uploads require 2, the page of this API names no
    /// limit; the function's contract allows 1, the default here.
    pub min_account_length: usize,
    /// The tokens registered by the SDK; any other is item code 1008006. Default: every token.
    pub known_tokens: Option<Arc<HashSet<String>>>,
    /// Whether the answers of queries have no `account_type`, as in the provider's older samples (facts.md, section
    /// 5). Default: they have it.
    pub omit_account_type: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            override_mode: OverrideMode::default(),
            token_cap: TokenCap::default(),
            max_token_length: 64,
            min_account_length: 1,
            known_tokens: None,
            omit_account_type: false,
        }
    }
}
