//! The whole table, part by part. The function's role may not do this: it is for `replay audit`.

use super::{
    OpenTable,
    app_keys::APPS,
    keys,
    value::{Attributes, KEY},
};
use crate::{
    aws::{self, AwsError, RequestError},
    event::Device,
    ledger::RowError,
};

/// The most rows in a page; DynamoDB also ends a page at 1 MB.
const ROWS_A_PAGE: u16 = 1000;

/// A part of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its number, from 0.
    pub number: u16,
    /// The number of segments.
    pub of: u16,
}

/// Where a page of a segment ends. It holds the key of a row.
#[derive(Clone)]
pub struct Position(Attributes);

/// The rows of a page, by their keys.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The devices.
    pub devices: Vec<Device>,
    /// The number of rows of deleted accounts.
    pub accounts: u64,
    /// The number of rows of apps that are not in the apps document.
    pub others: u64,
    /// Where the next page begins; `None` at the end of the segment.
    pub next: Option<Position>,
}

/// A page was not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScanError {
    /// By the scan's own request.
    #[error("{0}")]
    Aws(#[source] AwsError),
    /// It is not known which rows belong to which app.
    #[error("the row of the apps could not be read")]
    Apps(RowError),
}

impl std::fmt::Debug for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Position(…)")
    }
}

impl OpenTable<'_> {
    /// Reads the keys of a page of rows. They are not read consistently: a row that was written a moment ago may be
    /// missing.
    ///
    /// # Errors
    /// [`ScanError`].
    pub async fn scan(&self, segment: Segment, after: Option<&Position>) -> Result<Page, ScanError> {
        let after = after.map(|Position(key)| key);
        let request = || self.table.dynamo.scan(segment.number, segment.of, ROWS_A_PAGE, after);
        let failed = |error: RequestError| ScanError::Aws(aws::failure(&error));
        let answer = self.send(request).await.map_err(failed)?;
        let apps = self.app_keys().await.map_err(ScanError::Apps)?;
        let mut page = Page { next: answer.last_evaluated_key.map(Position), ..Page::default() };
        for key in answer.items.iter().filter_map(|row| row.get(KEY)).filter_map(|key| key.as_s()) {
            match keys::device_of(key, &apps.names) {
                Some(device) => page.devices.push(device),
                None if keys::is_of_an_account(key) => page.accounts += 1,
                None if key == APPS => {}
                None => page.others += 1,
            }
        }
        Ok(page)
    }
}
