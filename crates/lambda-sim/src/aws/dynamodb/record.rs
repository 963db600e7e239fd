//! A record of writes and reads with the items before and after them, to compare this DynamoDB with another one
//! (`tests/dynalite`). The variable `LAMBDA_SIM_DYNAMODB_RECORD` names the file, to which every API appends.

use std::{
    fs::{File, OpenOptions},
    io::Write,
};

use serde_json::Value;

#[derive(Debug)]
pub(super) struct Record(Option<File>);

impl Default for Record {
    fn default() -> Self {
        let path = std::env::var_os("LAMBDA_SIM_DYNAMODB_RECORD");
        #[expect(clippy::expect_used, reason = "a test run that should be recorded and is not proves nothing")]
        let open = |path| OpenOptions::new().create(true).append(true).open(path).expect("a file for the record");
        Self(path.map(open))
    }
}

impl Record {
    pub(super) fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Adds a line if there is a record.
    pub(super) fn add(&mut self, line: impl FnOnce() -> Value) {
        if let Some(file) = &mut self.0 {
            // One write for each line, since other processes append, too.
            let _ = file.write_all(format!("{}\n", line()).as_bytes());
        }
    }
}
