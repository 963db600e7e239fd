//! What TPNS has for a device, compared with what the ledger wants it to have. Pure.

use crate::{
    event::{Account, Device, ListedAccount},
    ledger::{DeviceState, State},
    plan::{Item, Work, desired},
    tpns::BoundAccount,
};

/// What differs at a device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// The accounts that it is to have, if it does not have all of them.
    pub missing: Option<Vec<Account>>,
    /// Accounts that it has, and that are out.
    pub over: Vec<Account>,
    /// Whether all that it has is to go: it is to have none; or it has accounts that are out, and the answer does not say
    /// under which types. In the second case the next look finds the others missing.
    pub clear: bool,
    /// Accounts that it has, of types that nothing known of it names: bound by a client SDK, say.
    pub unknown: Vec<Account>,
    /// Whether it has an account that it never had by its row, in place of one that it is to have.
    pub is_strange: bool,
}

/// Compares a device's row, in its state, with what TPNS has.
///
/// A binding without its type in the answer is compared by its name.
#[must_use]
pub fn compare(device: &Device, known: &DeviceState, state: &State, bound: &[BoundAccount]) -> Comparison {
    let is_bound = |account: &Account| {
        bound.iter().any(|other| {
            other.account == account.account && other.account_type.is_none_or(|is| is == account.account_type)
        })
    };
    let Some(owner) = known.owner() else {
        // What else the device has is not known, so only these are out, and only under their types.
        let out = known.unbound().keys().cloned().map(ListedAccount::with_default_type);
        let is_typed = |account: &Account| {
            bound.iter().any(|is| is.account == account.account && is.account_type == Some(account.account_type))
        };
        return Comparison { over: out.filter(is_typed).collect(), ..Comparison::default() };
    };
    let desired = desired(device.app, known, owner, state);
    if desired.is_empty() {
        return Comparison { clear: !bound.is_empty(), ..Comparison::default() };
    }
    let mut comparison = Comparison::default();
    for binding in bound {
        let is = |account: &Account| {
            account.account == binding.account && binding.account_type.is_none_or(|is| is == account.account_type)
        };
        if desired.iter().any(is) {
            continue;
        }
        let out = known.may_have().iter().cloned().chain(owner.accounts());
        let signed_out = known.unbound().keys().cloned().map(ListedAccount::with_default_type);
        let mut over: Vec<_> = out.chain(signed_out).filter(is).collect();
        let account =
            Account { account: binding.account.clone(), account_type: binding.account_type.unwrap_or_default() };
        let replaces = binding.account_type.is_some_and(|is| desired.iter().any(|other| other.account_type == is));
        if over.is_empty() && replaces {
            comparison.is_strange = true;
            over.push(account);
        } else if over.is_empty() {
            comparison.unknown.push(account);
        }
        comparison.clear |= binding.account_type.is_none() && !over.is_empty();
        over.retain(|account| !comparison.over.contains(account));
        comparison.over.append(&mut over);
    }
    if !desired.iter().all(is_bound) {
        comparison.missing = Some(desired);
    }
    comparison.is_strange &= comparison.missing.is_some();
    comparison
}

impl Comparison {
    /// Whether TPNS has what it should.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.missing.is_none() && !self.is_shown()
    }

    /// Whether someone is bound who is out.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.clear || !self.over.is_empty()
    }

    /// Counts what is unknown as out.
    pub fn remove_unknown(&mut self) {
        self.over.append(&mut self.unknown);
    }

    /// What makes TPNS agree. The items are right in either order, also where TPNS refuses one of them.
    #[must_use]
    pub fn repair(&self, device: &Device) -> Vec<Item> {
        let item = |work| Item { app: device.app, work, after: Vec::new(), alone: None };
        let token = || device.token.clone();
        if self.clear {
            return vec![item(Work::UnbindAll(token()))];
        }
        let over = (!self.over.is_empty()).then(|| item(Work::Unbind(token(), self.over.clone())));
        let missing = self.missing.clone().map(|accounts| item(Work::Bind(token(), accounts)));
        over.into_iter().chain(missing).collect()
    }
}

#[cfg(test)]
mod tests;
