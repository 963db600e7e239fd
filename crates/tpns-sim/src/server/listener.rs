//! What is called with each call: see `SimBuilder::on_call`.

use std::{fmt, sync::Arc};

use crate::calls::Call;

#[derive(Clone)]
pub(super) struct Listener(Arc<dyn Fn(&Call) + Send + Sync>);

impl Listener {
    pub(super) fn new(listener: impl Fn(&Call) + Send + Sync + 'static) -> Self {
        Self(Arc::new(listener))
    }

    pub(super) fn hear(&self, call: &Call) {
        (self.0)(call);
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}
