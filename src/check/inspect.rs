//! What TPNS has for some devices, compared with their rows. Nothing is repaired: it is for `replay audit`.

use super::{Comparison, compare};
use crate::{
    apply::Push,
    config::UnknownBindings,
    event::{Device, Millis},
    ledger::{Ledger, RowError, Rows},
    outcome::{Failure, Reason},
    plan::Verdict,
    tpns::Deadline,
};

const NOT_ASKED: Verdict = Verdict::Retry(Failure::of(Reason::NotAttempted), None);

/// What was seen of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// How TPNS differs from the row.
    pub comparison: Comparison,
    /// When the row last changed, in milliseconds since 1970; `None` if there is no row.
    pub changed: Option<Millis>,
    /// The number of accounts that TPNS has for the device.
    pub bound: usize,
}

/// A device could not be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotInspected {
    /// TPNS did not say what it has.
    Tpns(Verdict),
    /// The row can't be relied on.
    Row(RowError),
}

/// Compares these devices, in their order. As in a check, TPNS is queried before the rows are read.
pub async fn inspect<R: Rows>(
    ledger: &Ledger<R>,
    tpns: &impl Push,
    devices: &[Device],
    unknown: UnknownBindings,
    deadline: Option<Deadline>,
) -> Vec<Result<Inspection, NotInspected>> {
    let bound = tpns.accounts_of(devices, deadline).await;
    let (known, changed) = ledger.look(devices, &[]).await;
    let inspect = |device: &Device| {
        let bound = match bound.get(device) {
            Some(Ok(bound)) => bound,
            Some(Err(verdict)) => return Err(NotInspected::Tpns(verdict.clone())),
            None => return Err(NotInspected::Tpns(NOT_ASKED)),
        };
        let Some(row) = known.state.devices.get(device) else {
            let row_error = known.failed.device(device).copied();
            return Err(NotInspected::Row(row_error.unwrap_or(RowError::Unreachable)));
        };
        let mut comparison = compare(device, row, &known.state, bound);
        if unknown == UnknownBindings::Remove {
            comparison.remove_unknown();
        }
        Ok(Inspection { comparison, changed: changed.get(device).copied(), bound: bound.len() })
    };
    devices.iter().map(inspect).collect()
}
