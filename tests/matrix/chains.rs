//! Events whose calls depend on each other: a deletion and the logins that it must neither undo nor miss, a login
//! without an account that has signed out since. Here the failure of one item rightly fails another event; the rows say
//! which.

use serde_json::Value;
use tpns_sim::{Fault, model::Account};

use crate::{
    contract_event::{Change, ContractEvent},
    control::end_faults,
    secrets::{account, assert_no_secrets, token},
    stage::Stage,
};

/// Change is reported, as `id outcome reason`, and what the device is bound to afterwards.
type Expected = (&'static [&'static str], &'static [&'static str]);

struct Row {
    batch: Batch,
    fault: Fault,
    expected: Expected,
}

/// `m2` is always a login of another device, which shares only the call of `operator_type` 2 with the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Batch {
    /// `m0` deletes alice; `m1` is her login afterwards.
    DeletedThenLogin,
    /// `m0` is alice's login; `m1` deletes her.
    LoginThenDeleted,
    /// `m0` signs alice and bob in; `m1` signs bob out.
    LoginThenLogout,
}

impl Batch {
    fn events(self) -> [Change; 3] {
        let device = || token("device");
        let deletion = Change::Deletion(vec![alice()]);
        let login = Change::Login(device(), vec![alice()]);
        let neighbour = Change::Login(token("neighbour"), vec![Account::new(account("carol"), 0)]);
        match self {
            Self::DeletedThenLogin => [deletion, login, neighbour],
            Self::LoginThenDeleted => [login, deletion, neighbour],
            Self::LoginThenLogout => {
                [Change::Login(device(), vec![alice(), bob()]), Change::Logout(device(), vec![bob()]), neighbour]
            }
        }
    }

    /// A type that the batch's logins name, but, where an account signed out, not the type that is still to be bound:
    /// if TPNS overrides per type, only clearing the device removes that account.
    fn former_type(self) -> u32 {
        u32::from(self == Self::LoginThenLogout)
    }

    /// Change the device is bound to without faults.
    fn bound_without_faults(self) -> &'static [&'static str] {
        if self == Self::LoginThenDeleted { &[] } else { &["alice"] }
    }
}

fn alice() -> Account {
    Account::new(account("alice"), 0)
}

fn bob() -> Account {
    Account::new(account("bob"), 1)
}

/// The account that was bound before.
const FORMER: &str = "former";

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    use Batch::{DeletedThenLogin, LoginThenDeleted, LoginThenLogout};
    let row = |batch, operator_type, fault: Fault, expected| {
        Row { batch, fault: fault.operator_type(operator_type).app("android").forever(), expected }
    };
    let down = || Fault::status(503);
    let applied = || Fault::status(503).apply(true);
    let refused = || Fault::item_code(1_008_007).token(token("device"));
    let auth = || Fault::ret_code(1_008_003);
    vec![
        // The login waits, or the redelivered deletion would remove it.
        row(DeletedThenLogin, 5, down(),    (&["m0 retry tpns_unavailable", "m1 retry waits_for_another_call"], &[FORMER])),
        row(DeletedThenLogin, 5, applied(), (&["m0 retry tpns_unavailable", "m1 retry waits_for_another_call"], &[FORMER])),
        // A deletion that TPNS never accepts can't remove anything.
        row(DeletedThenLogin, 5, Fault::ret_code(1_008_007), (&["m0 rejected tpns_bad_input"], &["alice"])),
        row(DeletedThenLogin, 5, auth(),    (&["m0 misconfigured tpns_auth_failed", "m1 misconfigured tpns_auth_failed", "m2 misconfigured tpns_auth_failed"], &[FORMER])),
        // The deletion is completed, and does not concern the newer login.
        row(DeletedThenLogin, 2, down(),    (&["m1 retry tpns_unavailable", "m2 retry tpns_unavailable"], &[FORMER])),
        // The account that was signed in before is signed out, even if the login fails.
        row(DeletedThenLogin, 2, refused(), (&["m1 rejected tpns_bad_input"], &[])),
        // The device is unbound by its own call.
        row(LoginThenDeleted, 5, down(),    (&["m1 retry tpns_unavailable"], &[])),
        row(LoginThenDeleted, 5, applied(), (&["m1 retry tpns_unavailable"], &[])),
        // The deletion waits for the device: otherwise the redelivered login would bind the account again.
        row(LoginThenDeleted, 4, down(),    (&["m0 retry tpns_unavailable", "m1 retry tpns_unavailable"], &[FORMER])),
        row(LoginThenDeleted, 4, applied(), (&["m0 retry tpns_unavailable", "m1 retry tpns_unavailable"], &[])),
        // A token that TPNS does not know can't be bound later.
        row(LoginThenDeleted, 4, refused(), (&["m0 rejected tpns_bad_input"], &[FORMER])),
        // The device is first cleared, then bound: one without the other would be right for neither event.
        row(LoginThenLogout,  4, down(),    (&["m0 retry waits_for_another_call", "m1 retry waits_for_another_call"], &[FORMER])),
        row(LoginThenLogout,  4, applied(), (&["m0 retry waits_for_another_call", "m1 retry waits_for_another_call"], &[])),
        row(LoginThenLogout,  2, down(),    (&["m0 retry tpns_unavailable", "m1 retry tpns_unavailable", "m2 retry tpns_unavailable"], &[])),
        row(LoginThenLogout,  2, applied(), (&["m0 retry tpns_unavailable", "m1 retry tpns_unavailable", "m2 retry tpns_unavailable"], &["alice"])),
        // The login is rejected; the logout is sent separately, as operator_type 3.
        row(LoginThenLogout,  2, refused(), (&["m0 rejected tpns_bad_input"], &[])),
    ]
}

#[tokio::test]
async fn the_failure_of_an_item_fails_the_events_that_depend_on_it_and_no_others() {
    let settings = [("TPNS_MAX_ATTEMPTS", "1"), ("TPNS_CONCURRENCY", "1")];
    let stage = Stage::with(&settings).await;
    for Row { batch, fault, expected: (reported, bound) } in rows() {
        let row = format!("{batch:?}, {fault:?}");
        stage.tpns.reset();
        let former = Change::Login(token("device"), vec![Account::new(account(FORMER), batch.former_type())]);
        stage.batch(&[body(0, &former)]).await;

        stage.tpns.fault(fault);
        let mark = stage.function.output_len().unwrap();
        let bodies: Vec<_> = batch.events().iter().zip(1..).map(|(change, second)| body(second, change)).collect();
        let failed = stage.batch(&bodies).await;
        assert_eq!(failures_in_log(&stage, mark), reported, "{row}");
        assert_eq!(failed, reported.iter().map(|failure| &failure[..2]).collect::<Vec<_>>(), "{row}");
        assert_eq!(bound_now(&stage), bound, "{row}");

        // Rejected events return only if an operator redrives them; the others are redelivered.
        end_faults(&stage.tpns).await;
        if reported.iter().all(|failure| !failure.contains("rejected")) {
            let again: Vec<_> = failed.iter().map(|id| bodies[id[1..].parse::<usize>().unwrap()].clone()).collect();
            assert_eq!(stage.batch(&again).await, [""; 0], "{row}");
            assert_eq!(bound_now(&stage), batch.bound_without_faults(), "{row}");
        }
    }
    assert_no_secrets(&stage.function);
}

fn body(second: u8, change: &Change) -> String {
    let occurred_at = format!("2026-11-22T08:00:0{second}Z");
    ContractEvent { id: &format!("e{second}"), occurred_at: &occurred_at, app: Some("android"), change }
        .bare()
        .to_string()
}

fn failures_in_log(stage: &Stage, mark: u64) -> Vec<String> {
    let lines = stage.function.lines_since(mark).unwrap();
    let lines = lines.iter().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let failed = lines.filter(|line| line["message"] == "event failed");
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    failed.map(|line| ["message_id", "outcome", "reason"].map(|name| word(&line[name])).join(" ")).collect()
}

/// The first names of the accounts of the device.
fn bound_now(stage: &Stage) -> Vec<String> {
    let names = stage.bound("android", &token("device"));
    names.iter().map(|name| name.split(['.', '@']).nth(1).unwrap().to_owned()).collect()
}
