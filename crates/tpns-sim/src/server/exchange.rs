//! From a request taken in to what is to be said: faults, model, log. All of it happens under one
//! lock and without waiting, which is up to [`account_api`](super::account_api).

use std::time::Duration;

use axum::http::StatusCode;
use tokio::time::Instant;

use super::{
    bend::Spoken,
    intake::{AccountRequest, Admitted, Intake, Standing},
    reply::Reply,
    state::{Core, DAY},
};
use crate::{
    calls::CallId,
    fault::{Api, CallView, FaultKind, Fired},
    model::{Answer, ForcedCodes, QueryAnswer},
};

/// A call in the log, on its way to an answer.
pub(super) struct Exchange {
    pub(super) call: CallId,
    standing: Standing,
    fired: Option<Fired>,
    /// Codes of an `item_code` fault, by position.
    forced: ForcedCodes,
    /// Of the timeline it arrived in; a late operation may outlive that.
    era: u64,
}

impl Exchange {
    /// How much later than usual the answer is, and whether the operation is late with it.
    pub(super) fn delay(&self) -> Option<(Duration, bool)> {
        match self.fired.as_ref()?.kind {
            FaultKind::Delay { ms, late } => Some((Duration::from_millis(ms).min(DAY), late)),
            _ => None,
        }
    }
}

impl Core {
    /// Lists a call and decides which fault hits it.
    pub(super) fn list(&mut self, intake: Intake) -> Exchange {
        let Intake { mut call, body, standing } = intake;
        let (fired, forced) = match &standing {
            Standing::Admitted(admitted) => self.fire(admitted, call.operator_type),
            _ => (None, ForcedCodes::new()),
        };
        call.fault = fired.as_ref().map(|fired| fired.kind.name());
        Exchange { call: self.calls.arrive(call, body), standing, fired, forced, era: self.timeline.era() }
    }

    /// Lets the call take effect, and says what there is to say.
    pub(super) fn settle(&mut self, exchange: &Exchange) -> Reply {
        let (spoken, status) = match &exchange.standing {
            Standing::NotServed(status) => return not_served(*status),
            Standing::NotAdmitted(api, error, status) => {
                let answer = Answer::refused(error.ret_code(), error.to_string());
                (refused(*api, answer), *status)
            }
            Standing::Admitted(admitted) => (self.perform(admitted, exchange), StatusCode::OK),
        };
        self.calls.explain(exchange.call, spoken.answer().hint.clone());
        match &exchange.fired {
            None => spoken.into_reply(status),
            Some(fired) => spoken.bend(&fired.kind),
        }
    }

    fn fire(&mut self, admitted: &Admitted, operator_type: Option<i64>) -> (Option<Fired>, ForcedCodes) {
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
        (fired, forced)
    }

    /// The answer before the fault bends it.
    fn perform(&mut self, admitted: &Admitted, exchange: &Exchange) -> Spoken {
        // Taken under the lock, so that acceptance and due times are in the same order.
        let now = Instant::now();
        let Admitted { app, api, request } = admitted;
        let forced = &exchange.forced;
        match request {
            Err(error) => refused(*api, Answer::refused(error.ret_code(), error.to_string())),
            Ok(AccountRequest::Query(query)) => Spoken::Query(self.timeline.query(app, query, forced, now)),
            Ok(AccountRequest::Operate(operation)) => {
                let apply = exchange.fired.as_ref().is_none_or(|fired| fired.apply);
                if !apply || exchange.era != self.timeline.era() {
                    return Spoken::Operate(self.timeline.rehearse(app, operation, forced));
                }
                let answer = self.timeline.accept(app, operation, forced, now);
                if answer.took_effect() {
                    self.calls.applied(exchange.call);
                }
                Spoken::Operate(answer)
            }
        }
    }
}

fn refused(api: Api, answer: Answer) -> Spoken {
    match api {
        Api::BatchOperate => Spoken::Operate(answer),
        Api::Query => Spoken::Query(QueryAnswer { answer, found: None }),
    }
}

fn not_served(status: StatusCode) -> Reply {
    let text = format!(
        "this is tpns-sim; it serves POST {} and POST {}, and /_sim\n",
        Api::BatchOperate.path(),
        Api::Query.path()
    );
    Reply::text(status, text)
}
