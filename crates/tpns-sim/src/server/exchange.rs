//! From an admitted request to its reply: faults, model, log. All of it happens under one lock and
//! without waiting; [`account_api`](super::account_api) does the waiting.

use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::Instant;

use super::{
    api_answer::ApiAnswer,
    intake::{AccountRequest, Admission, Admitted, Intake},
    reply::Reply,
    state::Core,
};
use crate::{
    calls::CallId,
    effects::{DAY, ItemEffects},
    fault::{Api, CallView, FaultKind, Fired},
    model::{Answer, ForcedCodes, QueryAnswer},
};

/// A call in the log that has no answer yet.
pub(super) struct Exchange {
    pub(super) call: CallId,
    admission: Admission,
    fired: Option<Fired>,
    /// Codes of an `item_code` fault, by position.
    forced: ForcedCodes,
    /// What an `effect` fault does to its items.
    effects: Option<ItemEffects>,
    /// The era of the timeline in which it arrived; a late operation may outlive it.
    era: u64,
}

impl Exchange {
    /// How much later than usual the answer is, and whether the operation is late, too.
    pub(super) fn delay(&self) -> Option<(Duration, bool)> {
        match self.fired.as_ref()?.kind {
            FaultKind::Delay { ms, late } => Some((Duration::from_millis(ms).min(DAY), late)),
            _ => None,
        }
    }

    fn is_operation(&self) -> bool {
        matches!(&self.admission, Admission::Admitted(Admitted { request: Ok(AccountRequest::Operate(_)), .. }))
    }
}

impl Core {
    /// Adds a call to the log and decides which fault hits it.
    pub(super) fn register(&mut self, intake: Intake) -> Exchange {
        let Intake { mut call, body, admission } = intake;
        let (fired, forced, effects) = match &admission {
            Admission::Admitted(admitted) => self.fire(admitted, call.operator_type),
            _ => (None, ForcedCodes::new(), None),
        };
        call.fault = fired.as_ref().map(|fired| fired.kind.name());
        let call = self.calls.arrive(call, body);
        Exchange { call, admission, fired, forced, effects, era: self.timeline.era() }
    }

    /// Notes that a call is executed only at `due`.
    pub(super) fn expect(&mut self, exchange: &Exchange, due: Instant) {
        if exchange.is_operation() {
            self.timeline.expect(due);
        }
    }

    /// Executes a call noted by [`expect`](Self::expect) and returns its reply.
    pub(super) fn execute_expected(&mut self, exchange: &Exchange, due: Instant) -> Reply {
        if exchange.is_operation() {
            self.timeline.arrived(due, exchange.era);
        }
        self.execute(exchange)
    }

    /// Executes the call and returns its reply.
    pub(super) fn execute(&mut self, exchange: &Exchange) -> Reply {
        let (answer, status) = match &exchange.admission {
            Admission::NotServed(status) => return not_served(*status),
            Admission::NotAdmitted(api, error, status) => {
                let answer = Answer::refused(error.ret_code(), error.to_string());
                (refused(*api, answer), *status)
            }
            Admission::Admitted(admitted) => (self.perform(admitted, exchange), StatusCode::OK),
        };
        self.calls.explain(exchange.call, answer.answer().hint.clone());
        match &exchange.fired {
            None => answer.into_reply(status),
            Some(fired) => answer.with_fault(&fired.kind),
        }
    }

    fn fire(
        &mut self,
        admitted: &Admitted,
        operator_type: Option<i64>,
    ) -> (Option<Fired>, ForcedCodes, Option<ItemEffects>) {
        let view = CallView {
            api: admitted.api,
            app: &admitted.app,
            operator_type,
            items: admitted.request.as_ref().map_or_else(|_| Vec::new(), AccountRequest::items),
        };
        let fired = self.faults.fire(&view);
        let forced = match &fired {
            Some(fired) => fired.forced_codes(&view),
            None => ForcedCodes::new(),
        };
        let effects = fired.as_ref().and_then(|fired| fired.effects(&view));
        (fired, forced, effects)
    }

    /// The answer before the fault changes it.
    fn perform(&mut self, admitted: &Admitted, exchange: &Exchange) -> ApiAnswer {
        // Taken under the lock, so that acceptance and due times are in the same order.
        let now = Instant::now();
        let Admitted { app, api, request } = admitted;
        let forced = &exchange.forced;
        match request {
            Err(error) => refused(*api, Answer::refused(error.ret_code(), error.to_string())),
            Ok(AccountRequest::Query(query)) => ApiAnswer::Query(self.timeline.query(app, query, forced, now)),
            Ok(AccountRequest::Operate(operation)) => {
                let effects = exchange.effects.as_ref();
                // An effect is lost after its operation was accepted.
                let apply = effects.is_some() || exchange.fired.as_ref().is_none_or(|fired| fired.apply);
                if !apply || exchange.era != self.timeline.era() {
                    return ApiAnswer::Operate(self.timeline.rehearse(app, operation, forced));
                }
                let accepted = self.timeline.accept(app, operation, forced, effects, now);
                if accepted.takes_effect {
                    self.calls.applied(exchange.call);
                }
                ApiAnswer::Operate(accepted.answer)
            }
        }
    }
}

fn refused(api: Api, answer: Answer) -> ApiAnswer {
    match api {
        Api::BatchOperate => ApiAnswer::Operate(answer),
        Api::Query => ApiAnswer::Query(QueryAnswer::of(answer, None)),
    }
}

fn not_served(status: StatusCode) -> Reply {
    let text = format!(
        "this is tpns-sim; it serves POST {} and POST {}, /_sim, and a page at GET /\n",
        Api::BatchOperate.path(),
        Api::Query.path()
    );
    Reply::text(status, text)
}
