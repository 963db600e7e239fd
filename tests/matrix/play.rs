//! Plays cases against the real binary and compares what happens with what must.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc, time::Duration};

use lambda_sim::Outcome;
use serde_json::Value;
use tpns_account_sync::fingerprint;
use tpns_sim::model::Tpns;

use crate::{
    cases::Case,
    control::end_faults,
    envelope::Envelope,
    expect::{Ending, expected, expected_in_peace},
    parked::Parking,
    scene::Happening,
    secrets::{assert_discreet, told_by},
    stage::Stage,
};

/// An invocation of these tests has 20 s, and none needs more than a few timeouts of a quarter of a second.
const LONG: Duration = Duration::from_secs(10);

/// Plays all cases, dealt out to so many processes of the function, each with a TPNS of its own.
pub(crate) async fn play_all(cases: Vec<Case>, settings: &[(&str, &str)], processes: usize) {
    play_with(cases, settings, processes, false).await;
}

/// The same with a parking queue behind each process.
pub(crate) async fn play_all_parking(cases: Vec<Case>, settings: &[(&str, &str)], processes: usize) {
    play_with(cases, settings, processes, true).await;
}

async fn play_with(cases: Vec<Case>, settings: &[(&str, &str)], processes: usize, parks: bool) {
    let count = cases.len();
    assert!(count > 0);
    let cases = Rc::new(RefCell::new(cases.into_iter()));
    // One call after the other: so "the calls after it" is a question with an answer.
    let settings = [settings, &[("TPNS_CONCURRENCY", "1")]].concat();
    let wrong = Rc::new(RefCell::new(Vec::new()));
    let process = async || {
        let parking = if parks { Some(Parking::open().await) } else { None };
        let settings: Vec<_> = settings.iter().copied().chain(parking.iter().flat_map(Parking::settings)).collect();
        let stage = Stage::with(&settings).await;
        loop {
            let Some(case) = cases.borrow_mut().next() else { break };
            if let Err(difference) = play(&stage, parking.as_ref(), &case).await {
                wrong.borrow_mut().push(format!("{}: {difference}", case.name()));
            }
        }
        assert_discreet(&stage.function);
        assert_eq!(stage.function.cold_starts(), 1, "one process went through all of it");
    };
    futures_util::future::join_all((0..processes).map(|_| process())).await;
    let wrong = wrong.borrow();
    assert!(wrong.is_empty(), "{} of {count} cases:\n{}", wrong.len(), wrong[..wrong.len().min(20)].join("\n"));
    eprintln!("{count} cases");
}

async fn play(stage: &Stage, parking: Option<&Parking>, case: &Case) -> Result<(), String> {
    stage.tpns.reset();
    let scene = case.scene();
    if !scene.before.is_empty() {
        let before: Vec<_> = scene.before.iter().collect();
        deliver(stage, Envelope::Array, &before).await?;
    }
    let expected = expected(case, &scene, parking.is_some());
    let events: Vec<_> = scene.events.iter().collect();

    stage.tpns.fault(case.fault(&scene));
    let endings = deliver(stage, case.envelope, &events).await?;
    same("endings", &endings, &expected.endings)?;
    if let Some(parking) = parking {
        parking.holds(&endings)?;
    }
    let is_parked = |event: &&Happening| matches!(endings.get(&event.id), Some(Ending::Parked(_)));
    let in_effect = |event: &&Happening| expected.in_effect.contains(&event.id);
    if !case.row.lands_late() || endings.values().all(|ending| *ending == Ending::Acknowledged) {
        let emptied = scene.events.iter().filter(|event| expected.emptied.contains(&event.id));
        same_bindings(stage, &scene.emptied_after(scene.events.iter().filter(in_effect), emptied))?;
    }

    // The trouble is over, and Lambda brings again what was reported. All of it must then be as if nothing had been.
    end_faults(&stage.tpns).await;
    let lasting: Vec<_> = scene.events.iter().filter(|event| in_effect(event) || !is_parked(event)).collect();
    let emptied = scene.events.iter().filter(|event| is_parked(event) && expected.emptied.contains(&event.id));
    let in_the_end = scene.emptied_after(lasting, emptied);
    let failed = |id: &str| matches!(endings.get(id), Some(Ending::Reported(_)));
    let again: Vec<_> = match case.envelope.is_queue() {
        true => scene.events.iter().filter(|event| failed(&event.id)).collect(),
        false if endings.keys().any(|id| failed(id)) => events,
        // EventBridge does not bring again what was acknowledged.
        false => return same_bindings(stage, &in_the_end),
    };
    let endings = deliver(stage, case.envelope, &again).await?;
    same("endings after redelivery", &endings, &expected_in_peace(case, &again, parking.is_some()))?;
    if let Some(parking) = parking {
        parking.holds(&endings)?;
    }
    same_bindings(stage, &in_the_end)
}

/// One invocation: what became of each event, by the answer and by the log, which must agree.
pub(crate) async fn deliver(
    stage: &Stage,
    envelope: Envelope,
    events: &[&Happening],
) -> Result<BTreeMap<String, Ending>, String> {
    let mark = stage.function.output_len().unwrap();
    let invocation = stage.function.invoke(envelope.payload(events)).await.unwrap();
    if invocation.duration > LONG {
        return Err(format!("took {:?}", invocation.duration));
    }
    if let Outcome::Response { body } | Outcome::FunctionError { body, .. } = &invocation.outcome
        && let Some(told) = told_by(body)
    {
        return Err(format!("the answer: {told}"));
    }
    let reported = envelope.reported(&invocation.outcome, events)?;
    let printed = stage.function.lines_since(mark).unwrap();
    let lines: Vec<Value> = printed.iter().filter_map(|line| serde_json::from_str(line).ok()).collect();

    let mut endings: BTreeMap<_, _> = events.iter().map(|event| (event.id.clone(), Ending::Acknowledged)).collect();
    for line in &lines {
        let ending = match line["message"].as_str() {
            Some("event failed") => Ending::Reported,
            Some("event parked") => Ending::Parked,
            _ => continue,
        };
        let id = id_of(line, events);
        let ending = ending((word(&line["outcome"]), word(&line["reason"])));
        if let Some(Ending::Reported(_) | Ending::Parked(_)) = endings.insert(id.clone(), ending) {
            return Err(format!("{id} has two lines in the log"));
        }
    }
    let in_log: Vec<_> =
        endings.iter().filter(|(_, ending)| matches!(ending, Ending::Reported(_))).map(|(id, _)| id).collect();
    let mut reported: Vec<_> = reported.iter().collect();
    reported.sort();
    // EventBridge brings all of them again or none, so only whether there are any can agree.
    let agree = if envelope.is_queue() { in_log == reported } else { in_log.is_empty() == reported.is_empty() };
    if !agree {
        return Err(format!("the log tells of {in_log:?}, the answer of {reported:?}"));
    }
    check_error(&invocation.outcome, &endings)?;
    check_summary(&lines, &endings)?;
    Ok(endings)
}

/// The id of the message that a line is about. Those of EventBridge invocations are too short here to be shown.
fn id_of(line: &Value, events: &[&Happening]) -> String {
    if let Some(id) = line["message_id"].as_str() {
        return id.to_owned();
    }
    let is_it = |event: &&&Happening| {
        let device = event.what.token().map(|token| (event.app, token));
        line["message_id_hash"] == fingerprint::event_id(device, &event.id)
    };
    events.iter().find(is_it).map(|event| event.id.clone()).unwrap_or_default()
}

/// The error that EventBridge gets must count right and name the first reason.
fn check_error(outcome: &Outcome, endings: &BTreeMap<String, Ending>) -> Result<(), String> {
    let Outcome::FunctionError { message, .. } = outcome else { return Ok(()) };
    let reasons: Vec<_> = endings
        .values()
        .filter_map(|ending| match ending {
            Ending::Reported((_, reason)) => Some(*reason),
            Ending::Acknowledged | Ending::Parked(_) => None,
        })
        .collect();
    let start = format!("{} of {} events not applied; the first: ", reasons.len(), endings.len());
    let rest = message.strip_prefix(&start).ok_or_else(|| format!("`{message}` does not begin with `{start}`"))?;
    let named = reasons.iter().any(|reason| rest.starts_with(reason));
    if named { Ok(()) } else { Err(format!("`{message}` names none of {reasons:?}")) }
}

/// The line of the invocation must count what the lines of its events say, and what only the operator can mend must
/// stand there once as an error.
fn check_summary(lines: &[Value], endings: &BTreeMap<String, Ending>) -> Result<(), String> {
    let done: Vec<_> = lines.iter().filter(|line| line["message"] == "batch done").collect();
    let [done] = done[..] else { return Err(format!("{} summaries", done.len())) };
    let mut reasons = std::collections::BTreeSet::new();
    for outcome in ["retry", "rejected", "misconfigured", "parked"] {
        let of_it = endings.values().filter_map(|ending| match ending {
            Ending::Reported((name, reason)) | Ending::Parked((name, reason)) if *name == outcome => Some(*reason),
            _ => None,
        });
        let of_it: Vec<_> = of_it.collect();
        if done[outcome] != of_it.len() {
            return Err(format!("the summary counts {} {outcome}, the lines {}", done[outcome], of_it.len()));
        }
        if outcome == "misconfigured" {
            reasons.extend(of_it);
        }
    }
    let errors: Vec<_> = lines.iter().filter(|line| line["level"] == "ERROR").map(|line| &line["reason"]).collect();
    if errors == reasons.iter().collect::<Vec<_>>() {
        Ok(())
    } else {
        Err(format!("errors in the log: {errors:?}, misconfigured: {reasons:?}"))
    }
}

/// Words of the log live as long as the tests: there are few of them.
fn word(value: &Value) -> &'static str {
    String::leak(value.as_str().unwrap_or("(no word)").to_owned())
}

fn same(what: &str, is: &BTreeMap<String, Ending>, should: &BTreeMap<String, Ending>) -> Result<(), String> {
    let different = |id: &&String| is.get(*id) != should.get(*id);
    let ids: std::collections::BTreeSet<_> = is.keys().chain(should.keys()).filter(different).collect();
    let told = ids.iter().map(|id| format!("{id} is {:?}, not {:?}", is.get(*id), should.get(*id)));
    if ids.is_empty() { Ok(()) } else { Err(format!("{what}: {}", told.collect::<Vec<_>>().join("; "))) }
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
