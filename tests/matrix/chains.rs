//! Events whose calls hang together: a deletion and the logins it must not undo or let slip, a login less an account
//! that signed out since. Here one item's failure rightly fails another event; the rows say which.

use serde_json::Value;
use tpns_sim::{Fault, model::Account};

use crate::{
    control::end_faults,
    secrets::{account, assert_discreet, token},
    stage::Stage,
    what::{Saying, What},
};

/// What is reported, as `id outcome reason`, and what the device is bound to afterwards.
type Comes = (&'static [&'static str], &'static [&'static str]);

struct Row {
    batch: Batch,
    fault: Fault,
    comes: Comes,
}

/// `m2` is always a login of another device, which shares nothing with the others but the call of `operator_type` 2.
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
    fn events(self) -> [What; 3] {
        let device = || token("device");
        let deletion = What::Deletion(vec![alice()]);
        let login = What::Login(device(), vec![alice()]);
        let neighbour = What::Login(token("neighbour"), vec![Account::new(account("carol"), 0)]);
        match self {
            Self::DeletedThenLogin => [deletion, login, neighbour],
            Self::LoginThenDeleted => [login, deletion, neighbour],
            Self::LoginThenLogout => {
                [What::Login(device(), vec![alice(), bob()]), What::Logout(device(), vec![bob()]), neighbour]
            }
        }
    }

    /// A type that the batch's logins name, but where somebody signed out not the one that is left to bind: where TPNS
    /// overrides per type, only a clearing takes that account away.
    fn former_type(self) -> u32 {
        u32::from(self == Self::LoginThenLogout)
    }

    /// What the device is bound to when all is well.
    fn in_peace(self) -> &'static [&'static str] {
        if self == Self::LoginThenDeleted { &[] } else { &["alice"] }
    }
}

fn alice() -> Account {
    Account::new(account("alice"), 0)
}

fn bob() -> Account {
    Account::new(account("bob"), 1)
}

/// Whose device it was.
const FORMER: &str = "former";

#[rustfmt::skip]
fn rows() -> Vec<Row> {
    use Batch::{DeletedThenLogin, LoginThenDeleted, LoginThenLogout};
    let row = |batch, operator_type, fault: Fault, comes| {
        Row { batch, fault: fault.operator_type(operator_type).app("android").forever(), comes }
    };
    let down = || Fault::status(503);
    let applied = || Fault::status(503).apply(true);
    let refused = || Fault::item_code(1_008_007).token(token("device"));
    let auth = || Fault::ret_code(1_008_003);
    vec![
        // The login waits, or the deletion that comes again would take it away.
        row(DeletedThenLogin, 5, down(),    (&["m0 retry tpns_unavailable", "m1 retry waits_for_another_call"], &[FORMER])),
        row(DeletedThenLogin, 5, applied(), (&["m0 retry tpns_unavailable", "m1 retry waits_for_another_call"], &[FORMER])),
        // A deletion that TPNS never takes can't take anything away.
        row(DeletedThenLogin, 5, Fault::ret_code(1_008_007), (&["m0 rejected tpns_bad_input"], &["alice"])),
        row(DeletedThenLogin, 5, auth(),    (&["m0 misconfigured tpns_auth_failed", "m1 misconfigured tpns_auth_failed", "m2 misconfigured tpns_auth_failed"], &[FORMER])),
        // The deletion is done with, and the login, being newer, is none of its business.
        row(DeletedThenLogin, 2, down(),    (&["m1 retry tpns_unavailable", "m2 retry tpns_unavailable"], &[FORMER])),
        // The account that was signed in before is signed out, whatever is wrong with the login.
        row(DeletedThenLogin, 2, refused(), (&["m1 rejected tpns_bad_input"], &[])),
        // The device is nobody's by its own call.
        row(LoginThenDeleted, 5, down(),    (&["m1 retry tpns_unavailable"], &[])),
        row(LoginThenDeleted, 5, applied(), (&["m1 retry tpns_unavailable"], &[])),
        // The deletion waits for the device: alone, the login that comes again would bind the account anew.
        row(LoginThenDeleted, 4, down(),    (&["m0 retry tpns_unavailable", "m1 retry tpns_unavailable"], &[FORMER])),
        row(LoginThenDeleted, 4, applied(), (&["m0 retry tpns_unavailable", "m1 retry tpns_unavailable"], &[])),
        // A token that TPNS does not know can't be bound to anything later.
        row(LoginThenDeleted, 4, refused(), (&["m0 rejected tpns_bad_input"], &[FORMER])),
        // First the device is cleared, then bound: one without the other is neither event's truth.
        row(LoginThenLogout,  4, down(),    (&["m0 retry waits_for_another_call", "m1 retry waits_for_another_call"], &[FORMER])),
        row(LoginThenLogout,  4, applied(), (&["m0 retry waits_for_another_call", "m1 retry waits_for_another_call"], &[])),
        row(LoginThenLogout,  2, down(),    (&["m0 retry tpns_unavailable", "m1 retry tpns_unavailable", "m2 retry tpns_unavailable"], &[])),
        row(LoginThenLogout,  2, applied(), (&["m0 retry tpns_unavailable", "m1 retry tpns_unavailable", "m2 retry tpns_unavailable"], &["alice"])),
        // The login is at fault; the logout goes its own way, as an operator_type 3.
        row(LoginThenLogout,  2, refused(), (&["m0 rejected tpns_bad_input"], &[])),
    ]
}

#[tokio::test]
async fn one_items_failure_fails_the_events_that_hang_on_it_and_no_others() {
    let settings = [("TPNS_MAX_ATTEMPTS", "1"), ("TPNS_CONCURRENCY", "1")];
    let stage = Stage::with(&settings).await;
    for Row { batch, fault, comes: (reported, bound) } in rows() {
        let row = format!("{batch:?}, {fault:?}");
        stage.tpns.reset();
        let former = What::Login(token("device"), vec![Account::new(account(FORMER), batch.former_type())]);
        stage.batch(&[body(0, &former)]).await;

        stage.tpns.fault(fault);
        let mark = stage.function.output_len().unwrap();
        let bodies: Vec<_> = batch.events().iter().zip(1..).map(|(what, second)| body(second, what)).collect();
        let failed = stage.batch(&bodies).await;
        assert_eq!(signs(&stage, mark), reported, "{row}");
        assert_eq!(failed, reported.iter().map(|sign| &sign[..2]).collect::<Vec<_>>(), "{row}");
        assert_eq!(bound_now(&stage), bound, "{row}");

        // What was rejected comes again only by somebody's hand; the rest by itself.
        end_faults(&stage.tpns).await;
        if reported.iter().all(|sign| !sign.contains("rejected")) {
            let again: Vec<_> = failed.iter().map(|id| bodies[id[1..].parse::<usize>().unwrap()].clone()).collect();
            assert_eq!(stage.batch(&again).await, [""; 0], "{row}");
            assert_eq!(bound_now(&stage), batch.in_peace(), "{row}");
        }
    }
    assert_discreet(&stage.function);
}

fn body(second: u8, what: &What) -> String {
    let occurred_at = format!("2026-11-22T08:00:0{second}Z");
    Saying { id: &format!("e{second}"), occurred_at: &occurred_at, app: Some("android"), what }.bare().to_string()
}

fn signs(stage: &Stage, mark: u64) -> Vec<String> {
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
