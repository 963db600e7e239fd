//! Identifiers shaped as AWS shapes them.

use data_encoding::{BASE64, HEXLOWER};
use md5::{Digest, Md5};

/// `xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx` (RFC 9562, version 4) out of sixteen bytes.
pub(crate) fn uuid(mut bytes: [u8; 16]) -> String {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = HEXLOWER.encode(&bytes);
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

/// A new id for an invocation or a request.
pub(crate) fn request_id() -> String {
    uuid(fastrand::u128(..).to_be_bytes())
}

/// `Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1`, with `epoch_seconds` in the root as in
/// X-Ray.
pub(crate) fn trace_id(epoch_seconds: u64) -> String {
    let root = HEXLOWER.encode(&fastrand::u128(..).to_be_bytes()[..12]);
    format!("Root=1-{epoch_seconds:08x}-{root};Parent={:016x};Sampled=1", fastrand::u64(..))
}

/// The id of the `serial`-th message of a queue; the same for the same arguments, so that runs can be repeated.
pub(crate) fn message_id(queue: &str, seed: u64, serial: u64) -> String {
    uuid(digest(&[queue.as_bytes(), &seed.to_be_bytes(), &serial.to_be_bytes()]))
}

/// Lower-case hex MD5, as in `md5OfBody`.
pub(crate) fn md5_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(&digest(&[bytes]))
}

/// The delivery of an entry that a receipt handle identifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Receipt {
    pub(crate) entry: u64,
    pub(crate) delivery: u32,
}

impl Receipt {
    /// 172 characters of base64, the length of the handles in the SQS API reference: payload sizes near the 6 MB limit
    /// depend on it.
    pub(crate) fn handle(self, queue: &str) -> String {
        let mut bytes = [0_u8; 128];
        bytes[..8].copy_from_slice(&self.entry.to_be_bytes());
        bytes[8..12].copy_from_slice(&self.delivery.to_be_bytes());
        for chunk in 1..8_usize {
            let (before, rest) = bytes.split_at_mut(chunk * 16);
            rest[..16].copy_from_slice(&digest(&[queue.as_bytes(), before]));
        }
        BASE64.encode(&bytes)
    }

    /// The receipt behind `handle`; `None` when this queue never issued such a handle.
    pub(crate) fn of(handle: &str, queue: &str) -> Option<Self> {
        let bytes = BASE64.decode(handle.as_bytes()).ok()?;
        let receipt = Self {
            entry: u64::from_be_bytes(*bytes.first_chunk()?),
            delivery: u32::from_be_bytes(*bytes.get(8..)?.first_chunk()?),
        };
        // The filler is a digest of the rest, so recomputing it distinguishes a real handle from an invented one.
        (receipt.handle(queue) == handle).then_some(receipt)
    }
}

fn digest(parts: &[&[u8]]) -> [u8; 16] {
    let mut md5 = Md5::new();
    for part in parts {
        md5.update(part);
    }
    md5.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_md5_is_the_one_of_the_aws_example() {
        // "Test message." and its md5OfBody are in the Lambda developer guide's example event.
        assert_eq!(md5_hex(b"Test message."), "e4e68fb7bd0e697a0ae8f1bb342846b3");
    }

    #[test]
    fn a_receipt_handle_is_recognised_by_its_own_queue_only() {
        let receipt = Receipt { entry: 7, delivery: 3 };
        let handle = receipt.handle("a");
        assert_eq!(handle.len(), 172);
        assert_eq!(Receipt::of(&handle, "a"), Some(receipt));
        assert_eq!(Receipt::of(&handle, "b"), None);
        assert_eq!(Receipt::of("nonsense", "a"), None);
    }

    #[test]
    fn ids_have_the_shape_of_a_version_4_uuid() {
        let id = request_id();
        let lengths: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12]);
        assert_eq!(&id[14..15], "4");
        assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"));
        assert_ne!(message_id("q", 0, 1), message_id("q", 0, 2));
        assert_ne!(message_id("q", 0, 1), message_id("q", 1, 1));
    }
}
