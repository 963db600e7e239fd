//! Runs cases against the built binary and compares the results with the expected ones.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use lambda_sim::Outcome;
use serde_json::Value;
use tpns_account_sync::fingerprint;
use tpns_sim::model::Tpns;

use crate::{
    cases::Case,
    control::end_faults,
    delays,
    envelope::Envelope,
    expect::{EventOutcome, expected, expected_after_recovery},
    local_aws::LocalAws,
    scene::BatchEvent,
    secrets::{assert_no_secrets, secret_in},
    stage::Stage,
};

/// The longest acceptable invocation: the timeout is 20 s, and none needs more than a few call timeouts of a second.
const LONGEST_INVOCATION: Duration = Duration::from_secs(18);

/// Runs all cases, distributed to `processes` processes of the function, each with its own TPNS.
pub(crate) async fn run_all(cases: Vec<Case>, settings: &[(&str, &str)], processes: usize) {
    run_with(cases, settings, processes, false).await;
}

/// The same with a parking queue for each process.
pub(crate) async fn run_all_with_parking(cases: Vec<Case>, settings: &[(&str, &str)], processes: usize) {
    run_with(cases, settings, processes, true).await;
}

async fn run_with(cases: Vec<Case>, settings: &[(&str, &str)], processes: usize, parks: bool) {
    let count = cases.len();
    assert!(count > 0);
    let cases = Rc::new(RefCell::new(cases.into_iter()));
    // One call after the other, so that "the calls after it" is well defined.
    let settings = [settings, &[("TPNS_CONCURRENCY", "1")]].concat();
    let wrong = Rc::new(RefCell::new(Vec::new()));
    let process = async || {
        let aws = LocalAws::open(parks).await;
        let settings = [&settings[..], &aws.settings()].concat();
        let stage = Stage::with(&settings).await;
        loop {
            let Some(case) = cases.borrow_mut().next() else { break };
            if let Err(difference) = run(&stage, &aws, &case).await {
                wrong.borrow_mut().push(format!("{}: {difference}", case.name()));
            }
        }
        assert_no_secrets(&stage.function);
        assert_eq!(stage.function.cold_starts(), 1, "a single process handled all cases");
    };
    futures_util::future::join_all((0..processes).map(|_| process())).await;
    let wrong = wrong.borrow();
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    eprintln!("{count} cases");
}

async fn run(stage: &Stage, aws: &LocalAws, case: &Case) -> Result<(), String> {
    stage.tpns.reset();
    let scene = case.scene();
    if !scene.before.is_empty() {
        let before: Vec<_> = scene.before.iter().collect();
        deliver(stage, Envelope::Array, &before).await?;
    }
    let expected = expected(case, &scene, aws.parks);
    let events: Vec<_> = scene.events.iter().collect();

    stage.tpns.fault(case.fault(&scene));
    let requests_before = aws.requests().len();
    let outcomes = deliver(stage, case.envelope, &events).await?;
    same("outcomes", &outcomes, &expected.outcomes)?;
    aws.check_and_empty(&outcomes)?;
    delays::check(&aws.requests()[requests_before..], &outcomes, case.envelope)?;
    let is_parked = |event: &&BatchEvent| matches!(outcomes.get(&event.id), Some(EventOutcome::Parked(_)));
    let in_effect = |event: &&BatchEvent| expected.in_effect.contains(&event.id);
    if !case.row.takes_effect_late() || outcomes.values().all(|outcome| *outcome == EventOutcome::Acknowledged) {
        let emptied = scene.events.iter().filter(|event| expected.emptied.contains(&event.id));
        same_bindings(stage, &scene.emptied_after(scene.events.iter().filter(in_effect), emptied))?;
    }

    // The fault is over, and Lambda redelivers what was reported. The result must then be as if there had been no
    // fault.
    end_faults(&stage.tpns).await;
    let lasting: Vec<_> = scene.events.iter().filter(|event| in_effect(event) || !is_parked(event)).collect();
    let emptied = scene.events.iter().filter(|event| is_parked(event) && expected.emptied.contains(&event.id));
    let final_state = scene.emptied_after(lasting, emptied);
    let failed = |id: &str| matches!(outcomes.get(id), Some(EventOutcome::Reported(_)));
    let again: Vec<_> = match case.envelope.is_queue() {
        true => scene.events.iter().filter(|event| failed(&event.id)).collect(),
        false if outcomes.keys().any(|id| failed(id)) => events,
        // Lambda does not retry an acknowledged EventBridge invocation.
        false => return same_bindings(stage, &final_state),
    };
    let outcomes = deliver(stage, case.envelope, &again).await?;
    same("outcomes after redelivery", &outcomes, &expected_after_recovery(case, &again, aws.parks))?;
    aws.check_and_empty(&outcomes)?;
    same_bindings(stage, &final_state)
}

/// One invocation: the outcome of each event according to the response and to the log, which must agree.
pub(crate) async fn deliver(
    stage: &Stage,
    envelope: Envelope,
    events: &[&BatchEvent],
) -> Result<BTreeMap<String, EventOutcome>, String> {
    let mark = stage.function.output_len().unwrap();
    let invocation = stage.function.invoke(envelope.payload(events)).await.unwrap();
    if invocation.duration > LONGEST_INVOCATION {
        return Err(format!("took {:?}", invocation.duration));
    }
    if let Outcome::Response { body } | Outcome::FunctionError { body, .. } = &invocation.outcome
        && let Some(found) = secret_in(body)
    {
        return Err(format!("the response: {found}"));
    }
    let reported = envelope.reported(&invocation.outcome, events)?;
    let printed = stage.function.lines_since(mark).unwrap();
    let lines: Vec<Value> = printed.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();

    let mut outcomes: BTreeMap<_, _> =
        events.iter().map(|event| (event.id.clone(), EventOutcome::Acknowledged)).collect();
    for line in &lines {
        let outcome = match line["message"].as_str() {
            Some("event failed") => EventOutcome::Reported,
            Some("event parked") => EventOutcome::Parked,
            _ => continue,
        };
        let id = id_of(line, events);
        let outcome = outcome((word(&line["outcome"]), word(&line["reason"])));
        if let Some(EventOutcome::Reported(_) | EventOutcome::Parked(_)) = outcomes.insert(id.clone(), outcome) {
            return Err(format!("{id} has two lines in the log"));
        }
    }
    let in_log: Vec<_> =
        outcomes.iter().filter(|(_, outcome)| matches!(outcome, EventOutcome::Reported(_))).map(|(id, _)| id).collect();
    let mut reported: Vec<_> = reported.iter().collect();
    reported.sort();
    // EventBridge retries all of them or none, so only whether there are any can agree.
    let agree = if envelope.is_queue() { in_log == reported } else { in_log.is_empty() == reported.is_empty() };
    if !agree {
        return Err(format!("failed in the log: {in_log:?}, in the response: {reported:?}"));
    }
    check_error(&invocation.outcome, &outcomes)?;
    check_summary(&lines, &outcomes)?;
    Ok(outcomes)
}

/// The id of the message that a line is about. The ids of EventBridge invocations here are too short to be logged in
/// plain.
fn id_of(line: &Value, events: &[&BatchEvent]) -> String {
    if let Some(id) = line["message_id"].as_str() {
        return id.to_owned();
    }
    let is_logged = |event: &&&BatchEvent| {
        let device = event.change.token().map(|token| (event.app, token));
        line["message_id_hash"] == fingerprint::event_id(device, &event.id)
    };
    events.iter().find(is_logged).map(|event| event.id.clone()).unwrap_or_default()
}

/// The error returned to EventBridge must contain the right count and the first reason.
fn check_error(outcome: &Outcome, outcomes: &BTreeMap<String, EventOutcome>) -> Result<(), String> {
    let Outcome::FunctionError { message, .. } = outcome else { return Ok(()) };
    let reasons: Vec<_> = outcomes
        .values()
        .filter_map(|outcome| match outcome {
            EventOutcome::Reported((_, reason)) => Some(*reason),
            EventOutcome::Acknowledged | EventOutcome::Parked(_) => None,
        })
        .collect();
    let start = format!("{} of {} events not applied; the first: ", reasons.len(), outcomes.len());
    let rest = message.strip_prefix(&start).ok_or_else(|| format!("`{message}` does not begin with `{start}`"))?;
    let named = reasons.iter().any(|reason| rest.starts_with(reason));
    if named { Ok(()) } else { Err(format!("`{message}` names none of {reasons:?}")) }
}

/// The invocation's line must count the lines of its events, and each reason that only the operator can fix must be
/// logged once as an error.
fn check_summary(lines: &[Value], outcomes: &BTreeMap<String, EventOutcome>) -> Result<(), String> {
    let done: Vec<_> = lines.iter().filter(|line| line["message"] == "batch done").collect();
    let [done] = done[..] else { return Err(format!("{} summaries", done.len())) };
    let mut reasons = std::collections::BTreeSet::new();
    for outcome in ["retry", "rejected", "misconfigured", "parked"] {
        let with_outcome = outcomes.values().filter_map(|event| match event {
            EventOutcome::Reported((name, reason)) | EventOutcome::Parked((name, reason)) if *name == outcome => {
                Some(*reason)
            }
            _ => None,
        });
        let with_outcome: Vec<_> = with_outcome.collect();
        if done[outcome] != with_outcome.len() {
            return Err(format!("the summary counts {} {outcome}, the lines {}", done[outcome], with_outcome.len()));
        }
        if outcome == "misconfigured" {
            reasons.extend(with_outcome);
        }
    }
    let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").map(|line| &line["reason"]).collect();
    if errors == reasons.iter().collect::<Vec<_>>() {
        Ok(())
    } else {
        Err(format!("errors in the log: {errors:?}, misconfigured: {reasons:?}"))
    }
}

/// Leaked, since the log has only few different words.
fn word(value: &Value) -> &'static str {
    String::leak(value.as_str().unwrap_or("(no word)").to_owned())
}

fn same(
    what: &str,
    is: &BTreeMap<String, EventOutcome>,
    should: &BTreeMap<String, EventOutcome>,
) -> Result<(), String> {
    let different = |id: &&String| is.get(*id) != should.get(*id);
    let ids: std::collections::BTreeSet<_> = is.keys().chain(should.keys()).filter(different).collect();
    let differences = ids.iter().map(|id| format!("{id} is {:?}, not {:?}", is.get(*id), should.get(*id)));
    if ids.is_empty() { Ok(()) } else { Err(format!("{what}: {}", differences.collect::<Vec<_>>().join("; "))) }
}

pub(crate) fn same_bindings(stage: &Stage, model: &Tpns) -> Result<(), String> {
    let bound = stage.tpns.bindings();
    for (app, is) in &bound {
        let should = model.bindings(app);
        let different = |token: &&String| is.get(*token) != should.get(*token);
        if let Some(token) = is.keys().chain(should.keys()).find(different) {
            return Err(format!("{app} {token} is bound to {:?}, not {:?}", is.get(token), should.get(token)));
        }
    }
    Ok(())
}
