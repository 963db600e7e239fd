//! The URL of the queue that a record names by its ARN. Pure.

use aws_sdk_sqs::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use futures_util::FutureExt;

/// The URL of a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QueueUrl(String);

impl QueueUrl {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The URL of the queue with this ARN, `arn:<partition>:sqs:<region>:<account>:<name>`; `None` for anything else. The
/// SDK's own rules know the host of each partition.
///
/// Requests go to the client's endpoint, so also to a local one or to one in a VPC. SQS reads only account and name from
/// the URL. `GetQueueUrl` would return the same, for a request more and a permission that roles of today lack.
pub(super) fn queue_url(arn: &str) -> Option<QueueUrl> {
    let mut parts = arn.split(':');
    let mut part = || parts.next();
    let ["arn", partition, "sqs", region, account, name] = [part()?, part()?, part()?, part()?, part()?, part()?]
    else {
        return None;
    };
    let of = |text: &str, allowed: fn(char) -> bool| !text.is_empty() && text.chars().all(allowed);
    let label = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let stem = name.strip_suffix(".fifo").unwrap_or(name);
    let is_name = of(stem, |c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')) && name.len() <= 80;
    let is_account = account.len() == 12 && of(account, |c| c.is_ascii_digit());
    if parts.next().is_some() || !of(partition, label) || !of(region, label) || !is_account || !is_name {
        return None;
    }
    let params = Params::builder().region(region).build().ok()?;
    // Nothing in it waits.
    let endpoint = DefaultResolver::new().resolve_endpoint(&params).now_or_never()?.ok()?;
    Some(QueueUrl(format!("{}/{account}/{name}", endpoint.url())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_has_a_url_in_every_partition() {
        for (arn, expected) in [
            ("arn:aws:sqs:eu-west-1:123456789012:events", "https://sqs.eu-west-1.amazonaws.com/123456789012/events"),
            (
                "arn:aws:sqs:us-east-2:123456789012:auth-events_2.fifo",
                "https://sqs.us-east-2.amazonaws.com/123456789012/auth-events_2.fifo",
            ),
            ("arn:aws-cn:sqs:cn-north-1:123456789012:e", "https://sqs.cn-north-1.amazonaws.com.cn/123456789012/e"),
            (
                "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:e",
                "https://sqs.us-gov-west-1.amazonaws.com/123456789012/e",
            ),
            ("arn:aws-iso:sqs:us-iso-east-1:123456789012:e", "https://sqs.us-iso-east-1.c2s.ic.gov/123456789012/e"),
        ] {
            assert_eq!(queue_url(arn).as_ref().map(QueueUrl::as_str), Some(expected), "{arn}");
        }
    }

    #[test]
    fn anything_but_the_arn_of_a_queue_has_no_url() {
        let long = format!("arn:aws:sqs:eu-west-1:123456789012:{}", "n".repeat(81));
        for arn in [
            "",
            "events",
            "arn:aws:sns:eu-west-1:123456789012:events",
            "arn:aws:sqs:eu-west-1:12345678901:events",
            "arn:aws:sqs:eu-west-1:account:events",
            "arn:aws:sqs::123456789012:events",
            "arn:aws:sqs:eu.west:123456789012:events",
            "arn:aws:sqs:eu-west-1:123456789012:",
            "arn:aws:sqs:eu-west-1:123456789012:a/b",
            "arn:aws:sqs:eu-west-1:123456789012:.fifo",
            "arn:aws:sqs:eu-west-1:123456789012:events:more",
            "arn::sqs:eu-west-1:123456789012:events",
            &long,
        ] {
            assert_eq!(queue_url(arn), None, "{arn}");
        }
    }
}
