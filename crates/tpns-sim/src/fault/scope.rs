//! Which calls a fault can hit.

use crate::model::ItemView;

/// The two APIs of the sim.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Api {
    /// `/v3/device/account/batchoperate`
    #[default]
    BatchOperate,
    /// `/v3/device/account/query`
    Query,
}

impl Api {
    /// The API's path.
    #[must_use]
    pub fn path(self) -> &'static str {
        match self {
            Self::BatchOperate => "/v3/device/account/batchoperate",
            Self::Query => "/v3/device/account/query",
        }
    }

    /// The name of the API: the last part of its path.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::BatchOperate => "batchoperate",
            Self::Query => "query",
        }
    }

    /// The API at a path.
    #[must_use]
    pub fn at(path: &str) -> Option<Self> {
        [Self::BatchOperate, Self::Query].into_iter().find(|api| api.path() == path)
    }
}

/// A filter of calls; a field that is not set matches everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Default: batchoperate, so that a test that reads through the query API uses up no fault.
    pub api: Api,
    /// Name of the app.
    pub app: Option<String>,
    /// The call's `operator_type`.
    pub operator_type: Option<i64>,
    /// The call has an item with this token.
    pub token: Option<String>,
    /// The call has an item with this account.
    pub account: Option<String>,
    /// Restricts `account` to one type.
    pub account_type: Option<u32>,
}

/// A call as faults see it: authenticated, but its body may still be refused.
#[derive(Debug)]
pub(crate) struct CallView<'a> {
    pub(crate) api: Api,
    pub(crate) app: &'a str,
    pub(crate) operator_type: Option<i64>,
    /// Empty when the body is no valid request.
    pub(crate) items: Vec<ItemView<'a>>,
}

impl Scope {
    pub(super) fn matches(&self, call: &CallView<'_>) -> bool {
        self.api == call.api
            && self.app.as_deref().is_none_or(|app| app == call.app)
            && (self.operator_type.is_none() || self.operator_type == call.operator_type)
            && (!self.selects_items() || call.items.iter().any(|item| self.selects(item)))
    }

    /// The positions of the items that the token and account given select; all without either.
    pub(super) fn selected(&self, call: &CallView<'_>) -> impl Iterator<Item = usize> {
        let items = call.items.iter().enumerate();
        items.filter(|(_, item)| self.selects(item)).map(|(index, _)| index)
    }

    fn selects_items(&self) -> bool {
        self.token.is_some() || self.account.is_some()
    }

    fn selects(&self, item: &ItemView<'_>) -> bool {
        let token = self.token.as_deref().is_none_or(|token| item.token == Some(token));
        let account = self.account.as_deref().is_none_or(|account| {
            item.accounts.iter().any(|candidate| {
                candidate.account == account && self.account_type.is_none_or(|wanted| wanted == candidate.account_type)
            })
        });
        token && account
    }
}
