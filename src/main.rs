//! Wiring only: configuration, clients, run.

use std::{
    env,
    process::{self, ExitCode},
};

use lambda_runtime::{LambdaEvent, service_fn};
use serde_json::value::RawValue;
use tpns_account_sync::{AccountSync, Invocation, InvocationError, config::Config, log, report::Answer};

const NOT_IN_LAMBDA: &str = "\
tpns-account-sync is an AWS Lambda function that keeps Tencent Push Notification Service (TPNS) account bindings true.
It was started outside a Lambda runtime (AWS_LAMBDA_RUNTIME_API is not set), so there is nothing to do.

  make run                      runs everything locally: bus, queue, function and a local TPNS
  make run EVENTS=my.jsonl      the same with your own events
  sam build && sam deploy       deploys it to your AWS account
";

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let variable = |name: &str| env::var(name).ok();
    if variable("AWS_LAMBDA_RUNTIME_API").is_none() {
        eprint!("{NOT_IN_LAMBDA}");
        return ExitCode::from(2);
    }
    log::init(variable);
    match start(variable).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            // At once: the runtime would wait for the look-up of a host name that is still under way.
            process::exit(1)
        }
    }
}

async fn start(variable: impl Fn(&str) -> Option<String>) -> Result<(), lambda_runtime::Error> {
    let function = AccountSync::start(Config::read(variable)?).await?;
    let handler = |event: LambdaEvent<Box<RawValue>>| handle(&function, event);
    lambda_runtime::run(service_fn(handler)).await
}

async fn handle(function: &AccountSync, event: LambdaEvent<Box<RawValue>>) -> Result<Answer, InvocationError> {
    let LambdaEvent { payload, context } = event;
    let (deadline, trace) = (context.deadline(), context.xray_trace_id.as_deref());
    function.handle(Invocation { request_id: &context.request_id, trace, payload: payload.get(), deadline }).await
}
