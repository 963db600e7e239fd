//! A change of the bindings that is applied more than once: to what is bound, and to what queries show.

use crate::model::{Account, BatchOperate, ForcedCodes, Tpns};

#[derive(Debug)]
pub(super) enum Change {
    /// An accepted operation.
    Operation {
        app: String,
        operation: BatchOperate,
        /// Items that do not take effect, or not now.
        skipped: ForcedCodes,
    },
    /// A token's accounts, set by hand.
    Set { app: String, token: String, accounts: Vec<Account> },
}

impl Change {
    pub(super) fn apply(&self, tpns: &mut Tpns) {
        match self {
            Self::Operation { app, operation, skipped } => {
                // It was answered when it was accepted.
                tpns.batch_operate_with(app, operation, skipped);
            }
            Self::Set { app, token, accounts } => tpns.set_bindings(app, token, accounts),
        }
    }
}
