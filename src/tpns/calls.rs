//! From a plan's items to calls: up to twenty items of one app and operator_type in each.

use indexmap::IndexMap;

use crate::{
    apps::AppId,
    event::EventIndex,
    plan::{Item, ItemIndex, Work},
};

/// Items in a call. TPNS caps operator_type 2 and 3 at 20 tokens; for 4 and 5 no cap is documented, so the same number
/// is our choice (facts.md, section 3).
pub const ITEMS_PER_CALL: usize = 20;

/// What TPNS calls `operator_type`. There is no 1: TPNS no longer uses it, and no event needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum OperatorType {
    /// 2: the token has these accounts.
    Bind = 2,
    /// 3: the token has none of these accounts.
    Unbind = 3,
    /// 4: the token has no account.
    UnbindAll = 4,
    /// 5: no token has this account.
    UnbindEverywhere = 5,
}

/// What a query of TPNS names: its own `operator_type` (facts.md, section 5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum QueryBy {
    /// 1: the devices of these accounts.
    Account = 1,
    /// 2: the accounts of these tokens.
    Token = 2,
}

/// The operation of TPNS's account API that a call is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `batchoperate`: changes bindings.
    Change(OperatorType),
    /// `query`: reads bindings.
    Query(QueryBy),
}

impl From<OperatorType> for Operation {
    fn from(operator_type: OperatorType) -> Self {
        Self::Change(operator_type)
    }
}

impl From<QueryBy> for Operation {
    fn from(by: QueryBy) -> Self {
        Self::Query(by)
    }
}

/// One call to TPNS: up to [`ITEMS_PER_CALL`] items of one app and operator_type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The app.
    pub app: AppId,
    /// What all its items have in common.
    pub operator_type: OperatorType,
    /// At most [`ITEMS_PER_CALL`], never none.
    pub items: Vec<ItemIndex>,
}

impl OperatorType {
    /// The operator_type that an item travels under.
    #[must_use]
    pub fn of(work: &Work) -> Self {
        match work {
            Work::Bind(..) => Self::Bind,
            Work::Unbind(..) => Self::Unbind,
            Work::UnbindAll(..) => Self::UnbindAll,
            Work::UnbindEverywhere(..) => Self::UnbindEverywhere,
        }
    }
}

/// As few calls as the items allow: one for each twenty of an app and operator_type. After them the calls of items that
/// travel alone, by the event they share.
#[must_use]
pub fn calls(items: &[Item]) -> Vec<Call> {
    let mut together: IndexMap<(AppId, OperatorType), Vec<ItemIndex>> = IndexMap::new();
    let mut apart: IndexMap<(EventIndex, AppId, OperatorType), Vec<ItemIndex>> = IndexMap::new();
    for (index, item) in items.iter().enumerate() {
        let (index, app, operator_type) = (ItemIndex(index), item.app, OperatorType::of(&item.work));
        match item.alone {
            None => together.entry((app, operator_type)).or_default().push(index),
            Some(number) => apart.entry((number, app, operator_type)).or_default().push(index),
        }
    }
    let apart = apart.into_iter().map(|((_, app, operator_type), members)| ((app, operator_type), members));
    let mut calls = Vec::new();
    for ((app, operator_type), mut members) in together.into_iter().chain(apart) {
        // Items that wait are at the end, so that they delay as few others as possible.
        members.sort_by_key(|&index| !items[index.0].after.is_empty());
        calls.extend(members.chunks(ITEMS_PER_CALL).map(|chunk| Call { app, operator_type, items: chunk.to_vec() }));
    }
    calls
}
