//! TPNS's part of the server: reads a request, has it executed, waits, answers.

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
    let intake = shared.admit_request(Arrival {
        method: &head.method,
        path: head.uri.path(),
        headers: &head.headers,
        body,
        connection: connection.number,
        at_ms: epoch_ms(),
    });
    let (call, delay, executed) = {
        let mut core = shared.core();
        let exchange = core.register(intake);
        let (delay, late) = exchange.delay().unwrap_or((Duration::ZERO, false));
        // Under the same lock as its entry in the log: calls take effect in the order of the log.
        let call = exchange.call;
        let executed = if late {
            core.expect(&exchange, arrived + delay);
            Err(exchange)
        } else {
            Ok(core.execute(&exchange))
        };
        (call, delay, executed)
    };
    let reply = match executed {
        Ok(reply) => {
            shared.report(call, &reply);
            reply
        }
        Err(exchange) => execute_at(arrived + delay, Arc::clone(&shared), exchange).await,
    };
    let wait = shared.latency + delay;
    // The timer rounds up to the next millisecond, so that even a wait of zero would take time.
    if !wait.is_zero() {
        sleep_until(arrived + wait).await;
    }
    // Recorded only now: a client that has given up has received nothing, and the log shows that.
    if let Some(received) = reply.received() {
        shared.core().calls.answer(call, received);
    }
    Ok(reply.send(connection).await)
}

/// Runs in a task of its own, which continues when the client gives up and its request is dropped.
async fn execute_at(due: Instant, shared: Arc<Shared>, exchange: Exchange) -> Reply {
    let late = tokio::spawn(async move {
        sleep_until(due).await;
        let reply = shared.core().execute_expected(&exchange, due);
        shared.report(exchange.call, &reply);
        reply
    });
    late.await.unwrap_or(Reply::HangUp)
}

fn epoch_ms() -> u64 {
    SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok()
        .and_then(|since| u64::try_from(since.as_millis()).ok())
        .unwrap_or(0)
}
