//! Answers of AWS that can't be read, for what uses an SDK of AWS.

use lambda_sim::Garbling;

/// A device's token, which could be the code of an error by its form.
pub const TOKEN: &str = "tokenvkxjqz0123456789";
/// An account, which could be one, too.
pub const ACCOUNT: &str = "Zqjxkv";

/// Each way to garble an answer, and what is then logged or printed; `None` if the SDK can read it and finds it empty.
pub const GARBLED: [(Garbling, Option<&str>); 11] = [
    (Garbling::CutShort, Some("an answer that could not be read, HTTP 200")),
    (Garbling::BrokenOff, Some("the connection broke before the answer was complete")),
    (Garbling::WrongType, Some("an answer that could not be read, HTTP 200")),
    (Garbling::NoFields, None),
    (Garbling::NoCode, Some("an error without a code, HTTP 400")),
    (Garbling::Code(TOKEN), Some("an error whose code is not an AWS code, HTTP 400")),
    (Garbling::Code(ACCOUNT), Some("an error whose code is not an AWS code, HTTP 400")),
    (Garbling::Page(200), Some("an answer that could not be read, HTTP 200")),
    (Garbling::Page(302), Some("an error without a code, HTTP 302")),
    (Garbling::Page(403), Some("an error without a code, HTTP 403")),
    (Garbling::Page(502), Some("an error without a code, HTTP 502")),
];
