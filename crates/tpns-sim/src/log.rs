//! The lines of `--log`: one a call, without tokens and accounts.

use std::{fmt::Write, io};

use tpns_sim::{Api, Call};

/// Writes the line of a call to standard error. Standard output belongs to the lines that scripts read.
pub(crate) fn write(call: &Call) {
    // Without a reader there is nothing to report.
    let _ = io::Write::write_all(&mut io::stderr(), format!("{}\n", line(call)).as_bytes());
}

fn line(call: &Call) -> String {
    let mut line = format!("{} call={}", time_of_day(call.at_ms), call.seq);
    let mut add = |name: &str, value: &dyn std::fmt::Display| {
        // Writing to a String does not fail.
        let _ = write!(line, " {name}={value}");
    };
    if let Some(app) = &call.app {
        add("app", app);
    }
    match Api::at(&call.path) {
        Some(api) => add("api", &api.name()),
        None => add("path", &call.path),
    }
    if let Some(operator_type) = call.operator_type {
        add("operator_type", &operator_type);
    }
    add("items", &call.items);
    match call.status {
        Some(status) => add("status", &status),
        None => add("status", &"none"),
    }
    if let Some(ret_code) = call.ret_code {
        add("ret_code", &ret_code);
    }
    if let Some(result) = call.result.as_deref().filter(|result| !result.is_empty()) {
        add("result", &counted(result));
    }
    add("applied", &call.applied);
    if let Some(fault) = call.fault {
        add("fault", &fault);
    }
    if let Some(hint) = &call.hint {
        // In quotes and escaped: it can quote the request.
        add("hint", &format_args!("{hint:?}"));
    }
    line
}

/// `18x0,2x1008006`, in the order of their first appearance.
fn counted(codes: &[String]) -> String {
    let mut counts: Vec<(&str, usize)> = Vec::new();
    for code in codes {
        match counts.iter_mut().find(|(known, _)| known == code) {
            Some((_, count)) => *count += 1,
            None => counts.push((code, 1)),
        }
    }
    let counts: Vec<String> = counts.iter().map(|(code, count)| format!("{count}x{code}")).collect();
    counts.join(",")
}

/// `08:15:30.123Z`
fn time_of_day(at_ms: u64) -> String {
    let (ms, seconds) = (at_ms % 1000, at_ms / 1000);
    format!("{:02}:{:02}:{:02}.{ms:03}Z", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_codes_are_counted_in_the_order_of_the_result() {
        let codes = ["0", "1008006", "0", "0"].map(ToOwned::to_owned);
        assert_eq!(counted(&codes), "3x0,1x1008006");
    }

    #[test]
    fn the_time_is_that_of_the_day_in_utc() {
        assert_eq!(time_of_day(1_795_401_055_413), "02:30:55.413Z");
    }
}
