//! For any answer of TPNS: no panic, a verdict for each item, and no item is accepted without a success.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tpns_account_sync::{
    plan::Verdict,
    tpns::{HttpAnswer, Judgement, OperatorType, judge},
};

fuzz_target!(|input: (u16, u8, u8, &[u8])| {
    let (status, operator_type, items, body) = input;
    let operator_types = [OperatorType::Bind, OperatorType::Unbind, OperatorType::UnbindAll, OperatorType::UnbindEverywhere];
    let operator_type = operator_types[usize::from(operator_type) % operator_types.len()];
    let items = usize::from(items % 20) + 1;
    let status = [200, status][usize::from(status % 2)];
    let verdicts = match judge(&HttpAnswer { status, retry_after: None, body: body.to_vec() }, operator_type, items) {
        Judgement::Whole(verdict) => vec![verdict],
        Judgement::Each(verdicts) => {
            assert_eq!(verdicts.len(), items);
            verdicts
        }
    };
    assert!((200..300).contains(&status) || !verdicts.contains(&Verdict::Accepted), "accepted without a success");
});
