//! What the README says of requests and of the signature.

use serde_json::Value;
use tpns_sim::{
    model::{BatchOperate, Query, Settings, Tpns},
    signature,
};

const README: &str = include_str!("../../README.md");

/// The text from `start` to `end`.
fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let (_, rest) = text.split_once(start).expect("the start is in the README");
    rest.split_once(end).expect("the end is in the README").0
}

fn bodies(table: &str) -> Vec<Value> {
    let cells = table.lines().filter_map(|line| line.split('`').find(|cell| cell.starts_with("{\"operator_type\"")));
    cells.map(|cell| serde_json::from_str(cell).expect("a body in JSON")).collect()
}

#[test]
fn each_request_that_the_readme_shows_is_accepted_and_every_operator_type_is_shown() {
    let requests = between(README, "## The requests", "**The signature.**");
    let (operations, queries) = requests.split_once("`POST /v3/device/account/query`").expect("two tables");
    let mut tpns = Tpns::new(["android"], Settings::default());
    let mut shown = Vec::new();
    for body in bodies(operations) {
        let operation = BatchOperate::try_from(body).expect("a request");
        assert_eq!(tpns.batch_operate("android", &operation).ret_code, 0, "{operation:?}");
        shown.push(operation.operator_type());
    }
    assert_eq!(shown, [1, 2, 3, 4, 5]);
    let queries: Vec<u8> =
        bodies(queries).into_iter().map(|body| Query::try_from(body).expect("a query").operator_type()).collect();
    assert_eq!(queries, [1, 2]);
}

#[test]
fn the_signature_that_the_readme_gives_to_check_yours_is_right() {
    let check = between(README, "To check yours:", "Or send");
    let values: Vec<&str> = check.split('`').skip(1).step_by(2).collect();
    // The name of a header is before its value.
    let [key, _, access_id, _, time_stamp, body, hex, _, sign] = values[..] else { panic!("{values:?}") };
    assert_eq!(signature::sign(key, time_stamp, access_id, body.as_bytes()), sign);
    let decoded = data_encoding::BASE64.decode(sign.as_bytes()).expect("Base64");
    assert_eq!(decoded, hex.as_bytes());
}
