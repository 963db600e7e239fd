//! The outcomes of the lines so far.

/// The outcomes of the lines so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) refused: u64,
    /// Of those sent: parked by the function because of their time.
    pub(crate) out_of_time: u64,
    /// Of those sent: given the time of sending.
    pub(crate) stamped: u64,
}

impl Tally {
    /// What the progress shows, at this number of messages per second.
    pub(crate) fn message(self, rate: u64) -> String {
        let refused = if self.refused > 0 { format!(", {} refused", self.refused) } else { String::new() };
        format!("{} sent{refused}, {rate}/s", self.sent)
    }
}
