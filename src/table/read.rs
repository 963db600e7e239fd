//! Consistent reads.

use std::{collections::HashMap, time::Duration};

use tokio::time::{Instant, sleep};

use super::{
    OpenTable,
    value::{Attributes, KEY},
};
use crate::ledger::RowError;

/// The most reads of one batch, while some of its keys are left unprocessed.
const MOST_READS: u32 = 6;

impl OpenTable<'_> {
    /// Reads one row; it is empty if it does not exist.
    pub(super) async fn read_row(&self, key: &str) -> Result<Attributes, RowError> {
        let rows = self.read_batch(&[key]).await;
        rows.into_iter().find(|(read, _)| read == key).map_or(Err(RowError::Unreachable), |(_, row)| row)
    }

    /// Reads up to a hundred rows; those that do not exist are empty.
    pub(super) async fn read_batch(&self, keys: &[&str]) -> Vec<(String, Result<Attributes, RowError>)> {
        let mut rows: HashMap<String, Result<Attributes, RowError>> = HashMap::with_capacity(keys.len());
        let mut open: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
        let mut row_error = RowError::Throttled;
        for attempt in 0..MOST_READS {
            if attempt > 0 {
                let pause = Duration::from_millis(20 << attempt).mul_f64(fastrand::f64());
                if Instant::now() + pause >= self.until {
                    break;
                }
                sleep(pause).await;
            }
            match self.read_some(&open).await {
                Ok((found, unread)) => {
                    rows.extend(found.into_iter().map(|(key, row)| (key, Ok(row))));
                    // Rows that are neither there nor unread do not exist.
                    for key in open.iter().filter(|key| !unread.contains(key)) {
                        rows.entry(key.clone()).or_insert_with(|| Ok(Attributes::new()));
                    }
                    open = unread;
                }
                Err(error) => {
                    row_error = error;
                    break;
                }
            }
            if open.is_empty() {
                break;
            }
        }
        rows.extend(open.into_iter().map(|key| (key, Err(row_error))));
        rows.into_iter().collect()
    }

    /// The rows found, and the keys that were not processed. A row in neither does not exist, so an answer with a
    /// missing part does not count.
    pub(super) async fn read_some(
        &self,
        keys: &[String],
    ) -> Result<(Vec<(String, Attributes)>, Vec<String>), RowError> {
        let answer = self.send(|| self.table.dynamo.batch_get(keys)).await.map_err(|error| self.row_error(&error))?;
        let key = |row: &Attributes| row.get(KEY).and_then(|key| key.as_s()).cloned();
        // One table was read, whatever name it has in the answer.
        let found = answer.responses.map(|tables| tables.into_values().flatten());
        let found = found.and_then(|rows| rows.map(|row| Some((key(&row)?, row))).collect());
        let unread = answer.unprocessed_keys.into_iter().flatten().flat_map(|(_, keys)| keys.keys);
        let unread = unread.map(|row| key(&row)).collect::<Option<_>>();
        found.zip(unread).ok_or_else(|| self.log(RowError::Unreachable, "an answer without the rows"))
    }
}
