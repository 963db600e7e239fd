//! One call of a plan: whether it is worth making, with which keys, and what came back.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use bytes::Bytes;
use tokio::time::Instant;

use super::{CallMade, Deadline, LEAST_TIME, NOT_SENT, Run, Tpns};
use crate::{
    apps::AppId,
    outcome::{Cause, Failure, Reason},
    plan::{ItemIndex, Verdict},
    tpns::{
        App, HttpAnswer, Operation,
        answer::{Judged, Judgement, judge},
        calls::Call,
        codes::{Signal, classify, is_a_status_of_the_app},
        request,
    },
    transport::TransportError,
};

const NO_TIME: Verdict = Verdict::Retry(Failure::of(Reason::Deadline), None);
const UNWRITABLE: Verdict = Verdict::Retry(Failure::of(Reason::UnwritableRequest), None);

/// What earlier calls to an app predict for the next one.
#[derive(Debug, Default)]
pub(super) struct AppHealth {
    /// Transport failures since the last whole answer, one after the other: calls that fail side by side count once. A
    /// kept connection that was dead is no failure (`transport.rs`).
    failures: Cell<u32>,
    /// When the last one that counts was detected.
    counted: Cell<Option<Instant>>,
    /// The last of them.
    failure: Cell<Option<TransportError>>,
    /// Why TPNS refuses the app, if it does: it would refuse every call.
    refused: RefCell<Option<Failure>>,
}

impl AppHealth {
    /// A call that began then has failed.
    fn failed(&self, begun: Instant, failure: TransportError) {
        if self.counted.get().is_none_or(|counted| counted <= begun) {
            self.failures.set(self.failures.get() + 1);
            self.counted.set(Some(Instant::now()));
        }
        self.failure.set(Some(failure));
    }

    /// The verdict on what is not sent to an app that does not answer; the last call that was sent shows why.
    fn down(&self) -> Verdict {
        let detail = self.failure.get().map_or("", TransportError::text);
        Verdict::Retry(Failure::new(Reason::TpnsUnreachable, detail), None)
    }
}

/// A call as it is sent, and how its answer is read.
pub(super) struct Request<'a, Item> {
    pub(super) app: AppId,
    pub(super) operation: Operation,
    pub(super) items: usize,
    /// Written when it is its turn: a batch of ten thousand has hundreds of calls waiting.
    pub(super) body: &'a dyn Fn() -> serde_json::Result<Vec<u8>>,
    pub(super) judge: &'a dyn Fn(&HttpAnswer) -> Judgement<Item>,
    pub(super) deadline: Deadline,
}

impl Tpns<'_> {
    /// Sends these items of a call of a push.
    pub(super) async fn send(&self, run: &Run<'_>, call: &Call, items: &[ItemIndex]) -> Result<Judgement, Verdict> {
        let request = Request {
            app: call.app,
            operation: call.operator_type.into(),
            items: items.len(),
            body: &|| request::body(call.operator_type, items.iter().map(|&item| run.plan.item(item))),
            judge: &|answer| judge(answer, call.operator_type, items.len()),
            deadline: run.deadline,
        };
        self.carry_out(&request).await
    }

    /// One exchange, or the verdict on all items if it is not worth one. If TPNS refuses the key, the apps document is
    /// read again, and the exchange is repeated with a newer key.
    pub(super) async fn carry_out<Item: Judged>(
        &self,
        request: &Request<'_, Item>,
    ) -> Result<Judgement<Item>, Verdict> {
        let Request { app, deadline, .. } = *request;
        // What a call needs is made when it is its turn. So what waits for something else is boxed: hundreds of calls wait.
        let _slot = self.slots.take(app).await.ok_or(NOT_SENT)?;
        let health = self.health.get(usize::from(app.0)).ok_or(NOT_SENT)?;
        self.is_worth_it(health, deadline)?;
        let body = Bytes::from((request.body)().map_err(|_| UNWRITABLE)?);
        let renewed = self.renewed.initialized();
        let mut judgement = Box::pin(self.exchange(self.app(app)?, health, request, &body)).await?;
        // Newer keys may be accepted: the app itself is in order.
        let keys_at_fault = matches!(
            &judgement,
            Judgement::Whole(Verdict::Misconfigured(failure)) if failure.reason.cause() == Cause::Credentials
        );
        if keys_at_fault && !renewed && Box::pin(self.renew(app, deadline)).await {
            self.client.note(self.app(app)?, None);
            judgement = Box::pin(self.exchange(self.app(app)?, health, request, &body)).await?;
        }
        if let Judgement::Whole(Verdict::Misconfigured(failure)) = &judgement
            && !is_a_status_of_the_app(failure)
        {
            health.refused.replace(Some(failure.clone()));
        }
        Ok(judgement)
    }

    /// Whether a call to the app should be made now.
    fn is_worth_it(&self, health: &AppHealth, deadline: Deadline) -> Result<(), Verdict> {
        if let Some(failure) = &*health.refused.borrow() {
            return Err(Verdict::Misconfigured(failure.clone()));
        }
        // One call that never gets an answer must not stop its neighbours, however often it is tried.
        if health.failures.get() >= self.settings.max_attempts + 2 {
            return Err(health.down());
        }
        if deadline.remaining() < LEAST_TIME { Err(NO_TIME) } else { Ok(()) }
    }

    async fn exchange<Item: Judged>(
        &self,
        app: &App,
        health: &AppHealth,
        request: &Request<'_, Item>,
        body: &Bytes,
    ) -> Result<Judgement<Item>, Verdict> {
        let Request { operation, deadline, judge, .. } = *request;
        self.is_worth_it(health, deadline)?;
        let remaining = deadline.remaining();
        self.client.permit(app)?;
        let begun = Instant::now();
        let exchange = self.client.post(app, operation, body.clone(), self.settings.timeout, remaining).await;
        let took = begun.elapsed();
        let (status, judgement) = match exchange {
            Ok(exchange) => {
                health.failures.set(0);
                (Some(exchange.status), judge(&exchange))
            }
            Err(transport) => {
                health.failed(begun, transport);
                (None, Judgement::Whole(classify(Signal::Transport(transport), operation)))
            }
        };
        // Without an answer within less time than a call has, it may not be TPNS that is slow.
        if status.is_some() || remaining >= self.settings.timeout {
            let whole = if let Judgement::Whole(verdict) = &judgement { Some(verdict) } else { None };
            self.client.note(app, whole);
        }
        self.note(request, status, took, judgement.failures());
        Ok(judgement)
    }

    /// The app with its keys in force: by its name, since a newer document may have its apps in another order. One that
    /// has moved stays as it was (see [`Tpns::moved`]).
    fn app(&self, id: AppId) -> Result<&App, Verdict> {
        let own = self.apps.list.get(usize::from(id.0)).ok_or(NOT_SENT)?;
        let renewed = self.renewed.get().and_then(Option::as_ref);
        let renewed = renewed.and_then(|apps| apps.by_name(self.apps.names.name(id)));
        Ok(renewed.filter(|renewed| renewed.is(own)).unwrap_or(own))
    }

    /// Reads newer keys, once an invocation. All calls that were refused meanwhile wait for the one result. `true` if
    /// there is a newer document that has this app at the same access point.
    async fn renew(&self, id: AppId, deadline: Deadline) -> bool {
        let limit = deadline.remaining().min(self.settings.timeout);
        let renewed = self.renewed.get_or_init(|| self.source.renewed(limit)).await;
        let renewed = renewed.as_ref().and_then(|apps| apps.by_name(self.apps.names.name(id)));
        renewed.zip(self.apps.list.get(usize::from(id.0))).is_some_and(|(renewed, own)| renewed.is(own))
    }

    fn note<Item>(&self, request: &Request<'_, Item>, status: Option<u16>, took: Duration, failures: Vec<Reason>) {
        let Request { app, items, .. } = *request;
        let (operator_type, query) = match request.operation {
            Operation::Change(operator_type) => (Some(operator_type as u8), None),
            Operation::Query(by) => (None, Some(by as u8)),
        };
        tracing::debug!(
            app = self.apps.names.name(app),
            operator_type,
            query,
            items,
            status,
            accepted = failures.is_empty(),
            ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            "call"
        );
        self.made.borrow_mut().push(CallMade { app, items, took, failures });
    }
}
