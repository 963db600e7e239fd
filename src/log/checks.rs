//! The lines of a batch of the check queue.

use contract::check::CheckKey;

use super::millis;
use crate::{
    check::{Agreement, Drift},
    fingerprint,
    finished::{FinishedChecks, Found},
    outcome::{Failure, OutcomeKind},
};

/// A line for each drift and for each check that failed (WARN), one for each app that is not repaired (ERROR), and one for
/// the invocation.
pub fn checks_finished(finished: &FinishedChecks<'_>) {
    let FinishedChecks { batch, outcomes, findings, calls, .. } = *finished;
    for found in finished.repaired() {
        drift(finished, &found);
    }
    for (message, outcome) in batch.messages.iter().zip(outcomes) {
        // What differed has its own line.
        let is_repeated = outcome.failure().is_some_and(|failure| failure.reason.is_of_a_check());
        if let Some(failure) = outcome.failure()
            && !is_repeated
        {
            tracing::warn!(
                message_id = &*message.id,
                outcome = outcome.name(),
                reason = failure.reason.as_str(),
                detail = &*Failure::detail(failure),
                receive_count = message.deliveries(),
                "check failed"
            );
        }
    }
    for app in &findings.foreign {
        tracing::error!(
            app = finished.apps.name(*app),
            "most devices of the app have accounts that no event named: TPNS writes its accounts in another way than the \
             events do, so nothing is repaired; compare spelling and account_type of both"
        );
    }
    let count = |is: fn(&Agreement) -> bool| findings.each.iter().filter(|each| is(&each.agreement)).count();
    let completed = outcomes.iter().filter(|outcome| outcome.kind() == OutcomeKind::Applied).count();
    tracing::info!(
        received = outcomes.len(),
        completed,
        checked = findings.each.len(),
        agree = count(|agreement| matches!(agreement, Agreement::Agrees)),
        repaired = count(|agreement| matches!(agreement, Agreement::Repaired(_))),
        refused = count(|agreement| matches!(agreement, Agreement::Refused(_))),
        failed = count(|agreement| matches!(agreement, Agreement::Failed(_))),
        unknown = findings.each.iter().map(|each| each.unknown).sum::<usize>(),
        calls = calls.len(),
        calls_failed = calls.iter().filter(|call| !call.failures.is_empty()).count(),
        took_ms = millis(finished.took),
        "checks done"
    );
}

fn drift(finished: &FinishedChecks<'_>, found: &Found<'_>) {
    let app = finished.apps.name(*found.key.app());
    let device = match found.key {
        CheckKey::Device { token, .. } => Some(fingerprint::device(app, token.as_str())),
        // A deleted account has no fingerprint: it could be tried against lists of accounts.
        CheckKey::Account { .. } => None,
    };
    let kind = match found.drift {
        Drift { shown: true, missing: true } => "both",
        Drift { shown: true, missing: false } => "shown",
        Drift { .. } => "missing",
    };
    macro_rules! line {
        ($level:ident, $words:literal) => {
            tracing::$level!(
                message_id = &*found.message.id,
                app,
                device,
                kind,
                age_ms = found.age,
                receive_count = found.message.deliveries(),
                $words
            )
        };
    }
    if found.is_settled {
        line!(warn, "drift repaired");
    } else {
        // TPNS may still be about to apply what the row says.
        line!(debug, "repaired ahead of a newer check");
    }
}
