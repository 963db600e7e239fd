//! One call of a plan: whether it is worth making, with which keys, and what came back.

use std::{cell::Cell, time::Duration};

use bytes::Bytes;
use tokio::time::Instant;

use super::{CallMade, LEAST_TIME, NOT_SENT, Tpns};
use crate::{
    config::{App, AppId},
    plan::{Call, Plan},
    tpns::{
        Verdict, Why,
        answer::{Judgement, judge},
        codes::{Signal, classify},
        request,
    },
    transport::TransportError,
};

const NO_TIME: Verdict = Verdict::Retry(Why::of("deadline"), None);
const UNWRITABLE: Verdict = Verdict::Retry(Why::of("unwritable_request"), None);

/// What earlier calls to an app say of the next one.
#[derive(Debug, Default)]
pub(super) struct Standing {
    /// Transport failures since the last whole answer. A kept connection that was dead is none (`transport.rs`).
    failures: Cell<u32>,
    /// The last of them.
    failure: Cell<Option<TransportError>>,
    /// Why TPNS refuses the app, if it does: it would refuse every call.
    refused: Cell<Option<Why>>,
}

impl Standing {
    /// The verdict on what is not sent to an app that does not answer: why, the last call that was sent found out.
    fn down(&self) -> Verdict {
        Verdict::Retry(Why { transport: self.failure.get(), ..Why::of("tpns_unreachable") }, None)
    }
}

impl Tpns<'_> {
    /// One exchange, or the verdict on all items when it is not worth one. A key that TPNS refuses is looked up anew,
    /// and the exchange repeated with the new one.
    pub(super) async fn send(&self, plan: &Plan, call: &Call, items: &[usize]) -> Result<Judgement, Verdict> {
        // A batch of ten thousand has hundreds of calls waiting here: what a call needs is made when it is its turn, the
        // exchange's own state included, which is boxed for that.
        let _permit = self.permits.acquire().await.map_err(|_| NOT_SENT)?;
        let body = request::body(call.operator_type, items.iter().map(|&item| &plan.items[item]));
        let body = Bytes::from(body.map_err(|_| UNWRITABLE)?);
        let standing = self.standing.get(usize::from(call.app.0)).ok_or(NOT_SENT)?;
        let renewed = self.renewed.initialized();
        let mut judgement = Box::pin(self.exchange(self.app(call.app)?, standing, call, items.len(), &body)).await?;
        let keys_at_fault =
            matches!(judgement, Judgement::Whole(Verdict::Misconfigured(why)) if why.is_of_the_apps_document());
        if keys_at_fault && !renewed && self.renew(call.app).await {
            judgement = Box::pin(self.exchange(self.app(call.app)?, standing, call, items.len(), &body)).await?;
        }
        if let Judgement::Whole(Verdict::Misconfigured(why)) = judgement {
            standing.refused.set(Some(why));
        }
        Ok(judgement)
    }

    async fn exchange(
        &self,
        app: &App,
        standing: &Standing,
        call: &Call,
        items: usize,
        body: &Bytes,
    ) -> Result<Judgement, Verdict> {
        if let Some(why) = standing.refused.get() {
            return Err(Verdict::Misconfigured(why));
        }
        // One call that never gets an answer must not stop its neighbours, however often it is tried.
        if standing.failures.get() >= self.settings.max_attempts + 2 {
            return Err(standing.down());
        }
        let remaining = self.deadline.remaining();
        if remaining < LEAST_TIME {
            return Err(NO_TIME);
        }
        let begun = Instant::now();
        let exchange = self.client.post(app, body.clone(), self.settings.timeout, remaining).await;
        let took = begun.elapsed();
        let (status, judgement) = match exchange {
            Ok(exchange) => {
                standing.failures.set(0);
                (Some(exchange.status), judge(&exchange, call.operator_type, items))
            }
            Err(transport) => {
                standing.failures.set(standing.failures.get() + 1);
                standing.failure.set(Some(transport));
                (None, Judgement::Whole(classify(Signal::Transport(transport), call.operator_type)))
            }
        };
        self.note(call, items, status, took, &judgement);
        Ok(judgement)
    }

    /// The app with its keys in force: by its name, since a newer document may order its apps otherwise. One that has
    /// moved stays as it was (see [`Tpns::moved`]).
    fn app(&self, id: AppId) -> Result<&App, Verdict> {
        let own = self.apps.list.get(usize::from(id.0)).ok_or(NOT_SENT)?;
        let renewed = self.renewed.get().and_then(Option::as_ref);
        let renewed = renewed.and_then(|apps| apps.by_name(self.apps.names.name(id)));
        Ok(renewed.filter(|renewed| renewed.is(own)).unwrap_or(own))
    }

    /// Looks for newer keys, once an invocation. All calls that were refused meanwhile wait for the one answer. `true`
    /// if there is a newer document that has this app, and where it was.
    async fn renew(&self, id: AppId) -> bool {
        let limit = self.deadline.remaining().min(self.settings.timeout);
        let renewed = self.renewed.get_or_init(|| self.source.renewed(limit)).await;
        let renewed = renewed.as_ref().and_then(|apps| apps.by_name(self.apps.names.name(id)));
        renewed.zip(self.apps.list.get(usize::from(id.0))).is_some_and(|(renewed, own)| renewed.is(own))
    }

    fn note(&self, call: &Call, items: usize, status: Option<u16>, took: Duration, judgement: &Judgement) {
        let failures = judgement.failures();
        tracing::debug!(
            app = self.apps.names.name(call.app),
            operator_type = call.operator_type as u8,
            items,
            status,
            accepted = failures.is_empty(),
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "call"
        );
        self.made.borrow_mut().push(CallMade { app: call.app, items, took, failures });
    }
}
