//! No account, no token and no key in anything that the binary prints or returns, at any log level.

use serde_json::json;
use tpns_sim::Fault;

use crate::stage::{SECRETS, Stage, deletion, login, logout, logout_of};

const ACCOUNT: &str = "zqjxkv@example.com";
const TOKEN: &str = "tokenvkxjqz0123456789";

#[tokio::test]
async fn no_output_identifies_a_person() {
    for format in ["JSON", "Text"] {
        let stage = Stage::with(&[
            ("AWS_LAMBDA_LOG_LEVEL", "TRACE"),
            ("RUST_LOG", "trace"),
            ("AWS_LAMBDA_LOG_FORMAT", format),
            ("TPNS_TIMEOUT_MS", "200"),
            ("TPNS_MAX_ATTEMPTS", "1"),
        ])
        .await;
        let secret = |id: &str| {
            json!({"type": "user.login", "id": id, "app": "android", "token": TOKEN, "account_list": [{"account": ACCOUNT}]}).to_string()
        };
        let bodies = [
            login(1, TOKEN, &[ACCOUNT]),
            logout(2, TOKEN),
            logout_of(3, TOKEN, ACCOUNT),
            deletion(4, ACCOUNT),
            secret(&format!("login-{TOKEN}")),
            secret(&format!("login-of-{}", ACCOUNT.replace('@', "-"))),
            secret(ACCOUNT),
            format!("{ACCOUNT} {TOKEN}"),
            login(1, TOKEN, &[ACCOUNT]).replace(&format!("\"{ACCOUNT}\""), &format!("[\"{ACCOUNT}\"]")),
            login(1, TOKEN, &[ACCOUNT]).replace("\"android\"", &format!("\"{ACCOUNT}\"")),
            login(1, TOKEN, &[ACCOUNT]).replace("user.login", ACCOUNT),
            login(1, TOKEN, &[ACCOUNT]).replace("2026", TOKEN),
            login(1, &format!("{TOKEN} "), &[ACCOUNT]),
            login(1, TOKEN, &[ACCOUNT]).replace("\"token\"", &format!("\"{ACCOUNT}\"")),
        ];
        for fault in [
            None,
            Some(Fault::status(503)),
            Some(Fault::status(400)),
            Some(Fault::ret_code(1_008_003)),
            Some(Fault::ret_code(1_008_007)),
            Some(Fault::hang()),
            Some(Fault::malformed()),
            Some(Fault::reset()),
            Some(Fault::item_code(1_008_006).token(TOKEN)),
            Some(Fault::status(400).body(format!("bad token {TOKEN} of {ACCOUNT}"))),
        ] {
            if let Some(fault) = fault {
                stage.tpns.fault(fault.times(3));
            }
            stage.batch(&bodies).await;
            for body in &bodies {
                let event =
                    json!({"id": ACCOUNT, "detail-type": "user.login", "time": "2026-11-22T08:00:00Z", "detail": body});
                let answer = stage.outcome(event.to_string()).await;
                assert!(
                    !format!("{answer:?}").contains(ACCOUNT) && !format!("{answer:?}").contains(TOKEN),
                    "{answer:?}"
                );
            }
            stage.outcome(json!({"unknown": ACCOUNT}).to_string()).await;
            stage.tpns.reset();
        }
        let printed = stage.printed();
        assert!(printed.lines().count() > 100, "the log was on");
        for secret in [ACCOUNT, TOKEN, SECRETS[0], SECRETS[1], "zqjxkv"] {
            let line = printed.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{secret} in {format}");
        }
    }
}
