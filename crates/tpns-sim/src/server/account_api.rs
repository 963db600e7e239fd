//! TPNS's part of the server: reads a request, lets it be settled, waits, answers.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::{Response, StatusCode},
};
use tokio::time::{Instant, sleep_until};

use super::{connection, exchange::Exchange, intake::Arrival, reply::Reply, state::Shared};

/// No limit is documented (facts.md, section 3); this one only protects the machine.
const BODY_LIMIT: usize = 16 << 20;

pub(super) async fn receive(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response<Body>, StatusCode> {
    let connection = connection::of(&request).ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let (head, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.map_err(|_| StatusCode::PAYLOAD_TOO_LARGE)?;
    let arrived = Instant::now();
    let intake = shared.take_in(Arrival {
        method: &head.method,
        path: head.uri.path(),
        headers: &head.headers,
        body,
        connection: connection.number,
        at_ms: epoch_ms(),
    });
    let (call, delay, settled) = {
        let mut core = shared.core();
        let exchange = core.list(intake);
        let (delay, late) = exchange.delay().unwrap_or((Duration::ZERO, false));
        // Under the same lock as its place in the log: calls take effect in the order listed.
        let call = exchange.call;
        let settled = if late { Err(exchange) } else { Ok(core.settle(&exchange)) };
        (call, delay, settled)
    };
    let reply = match settled {
        Ok(reply) => reply,
        Err(exchange) => settle_at(arrived + delay, Arc::clone(&shared), exchange).await,
    };
    let wait = shared.latency + delay;
    // The timer rounds up to its next millisecond, so even no wait at all would be one.
    if !wait.is_zero() {
        sleep_until(arrived + wait).await;
    }
    // Only now: a client that gave up meanwhile was told nothing, and the log says so.
    if let Some(told) = reply.told() {
        shared.core().calls.answer(call, told);
    }
    Ok(reply.send(connection).await)
}

/// In a task of its own, which lives on when the client gives up and its request is dropped.
async fn settle_at(due: Instant, shared: Arc<Shared>, exchange: Exchange) -> Reply {
    let landing = tokio::spawn(async move {
        sleep_until(due).await;
        shared.core().settle(&exchange)
    });
    landing.await.unwrap_or(Reply::HangUp)
}

fn epoch_ms() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}
