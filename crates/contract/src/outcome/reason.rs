//! Why something failed, as one stable word for logs, metrics and message attributes. All words are in the table below,
//! and nothing is decided by their spelling: what a reason leads to is decided by the reason or its [`Cause`].

use std::fmt;

/// What is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// The event, or how its producer sends it.
    Event,
    /// What triggers the function: it sends something that is no batch of events.
    Trigger,
    /// TPNS, the network in between, or the account with Tencent.
    Provider,
    /// The app's keys, region or endpoint: a newer apps document may correct them.
    Credentials,
    /// The secret with the apps document, or the network in between.
    AppsDocument,
    /// The ledger's table.
    Ledger,
    /// The check queue.
    Checks,
    /// There was no time left.
    Time,
    /// Another event or another call, which this one waits for.
    Neighbour,
    /// This program.
    Bug,
}

/// Makes the enum and its tables of one list: none can lack a reason.
macro_rules! reasons {
    ($($(#[$doc:meta])* $reason:ident: $cause:ident, $word:literal;)*) => {
        /// Why something failed, or what is odd about an event that was applied.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $($(#[$doc])* $reason,)*
        }

        impl Reason {
            /// Every reason.
            pub const ALL: &[Self] = &[$(Self::$reason),*];

            /// Its stable word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$reason => $word,)*
                }
            }

            /// What is at fault.
            #[must_use]
            pub const fn cause(self) -> Cause {
                match self {
                    $(Self::$reason => Cause::$cause,)*
                }
            }
        }
    };
}

reasons! {
    /// A field that the event must have is absent.
    MissingField: Event, "missing_field";
    /// The event names no app, and more than one is configured. Producers read the same word as for any other absent
    /// field.
    MissingApp: Event, "missing_field";
    /// A field holds what it must not hold.
    InvalidField: Event, "invalid_field";
    /// The event's type is none of the contract's.
    UnknownType: Event, "unknown_type";
    /// The event names an app that is not configured.
    UnknownApp: Event, "unknown_app";
    /// The body has none of the envelopes, or several.
    UnknownEnvelope: Event, "unknown_envelope";
    /// The body is not JSON, or not the JSON of an event.
    MalformedJson: Event, "malformed_json";
    /// The event is older than `MAX_EVENT_AGE`.
    TooOld: Event, "too_old";
    /// The event is further ahead than `MAX_CLOCK_SKEW`.
    InTheFuture: Event, "in_the_future";
    /// A logout was applied that names an account which the device's known login does not have.
    AccountNotBound: Event, "account_not_bound";
    /// An event was applied whose `occurred_at` is later than the time at which it was sent.
    ClockAhead: Event, "clock_ahead";
    /// An event was applied that SQS would drop if it were sent again within five minutes.
    DeduplicatedByContent: Event, "deduplicated_by_content";

    /// The invocation is no batch of events.
    UnrecognisedInvocation: Trigger, "unrecognised_invocation";

    /// There is no connection to TPNS.
    TpnsUnreachable: Provider, "tpns_unreachable";
    /// TPNS did not answer in time.
    TpnsTimeout: Provider, "tpns_timeout";
    /// The answer was cut short, or says nothing that can be read.
    TpnsBrokenAnswer: Provider, "tpns_broken_answer";
    /// TPNS reports a failure of its own.
    TpnsInternal: Provider, "tpns_internal";
    /// TPNS takes no more calls at the moment.
    TpnsThrottled: Provider, "tpns_throttled";
    /// The HTTP status says that TPNS is not available.
    TpnsUnavailable: Provider, "tpns_unavailable";
    /// TPNS does not take what the call or the item holds.
    TpnsBadInput: Provider, "tpns_bad_input";
    /// TPNS does not know the token.
    TpnsInvalidToken: Provider, "tpns_invalid_token";
    /// Some items of a call failed, and the answer does not say which.
    TpnsBatchError: Provider, "tpns_batch_error";
    /// TPNS knows neither the token nor the account.
    TpnsNoToken: Provider, "tpns_no_token";
    /// TPNS rejects every call of the app, so the event may not be at fault.
    TpnsRejectsEveryCall: Provider, "tpns_rejects_every_call";
    /// TPNS does not know the token, and the login is so recent that it soon may.
    TpnsTokenNotYetKnown: Provider, "tpns_token_not_yet_known";
    /// The account with Tencent does not pay for the app, or no longer does.
    TpnsNotPaid: Provider, "tpns_not_paid";
    /// A code that TPNS documents for other calls.
    TpnsUnexpectedCode: Provider, "tpns_unexpected_code";
    /// A code that TPNS does not document.
    TpnsUnknownCode: Provider, "tpns_unknown_code";

    /// TPNS accepted the call after a try of it had no answer: that try may still take effect, after newer calls.
    TpnsInDoubt: Provider, "tpns_in_doubt";
    /// A check: TPNS did not have what the ledger wants, and was sent it; the check is repeated.
    CheckDiffers: Provider, "check_differs";
    /// A check that was delivered earlier than the calls it checks can be seen.
    CheckYoung: Time, "check_young";
    /// The check queue did not take the event's check.
    CheckNotSent: Checks, "check_not_sent";
    /// The body of a check can't be read.
    MalformedCheck: Event, "malformed_check";

    /// TPNS refuses the app's keys.
    TpnsAuthFailed: Credentials, "tpns_auth_failed";
    /// TPNS does not know the app at this access point.
    TpnsWrongRegionOrAccessId: Credentials, "tpns_wrong_region_or_access_id";
    /// The app's endpoint is not TPNS's.
    TpnsWrongEndpoint: Credentials, "tpns_wrong_endpoint";

    /// The apps document could not be read again, and the event reaches every app.
    AppsDocumentUnread: AppsDocument, "apps_document_unread";

    /// DynamoDB throttles the table.
    LedgerThrottled: Ledger, "ledger_throttled";
    /// DynamoDB did not answer in time, or refused the request.
    LedgerUnreachable: Ledger, "ledger_unreachable";
    /// A row is not in the format that this program writes.
    LedgerUnreadable: Ledger, "ledger_unreadable";
    /// Other invocations keep changing the row.
    LedgerKeepsChanging: Ledger, "ledger_keeps_changing";
    /// The row is as large as a DynamoDB item may be.
    LedgerRowFull: Ledger, "ledger_row_full";

    /// The deadline came before the call or the row.
    Deadline: Time, "deadline";
    /// It was not attempted in this invocation.
    NotAttempted: Time, "not_attempted";

    /// The item waits for another one, which was not accepted.
    WaitsForAnotherCall: Neighbour, "waits_for_another_call";
    /// In a FIFO queue: an earlier message of its group is redelivered.
    BehindAFailedMessage: Neighbour, "behind_a_failed_message";

    /// The request could not be written as JSON.
    UnwritableRequest: Bug, "unwritable_request";
    /// The function panicked.
    Panic: Bug, "panic";
}

impl Reason {
    /// Whether a check is only to be repeated: nothing failed.
    #[must_use]
    pub const fn is_of_a_check(self) -> bool {
        matches!(self, Self::CheckDiffers | Self::CheckYoung)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
