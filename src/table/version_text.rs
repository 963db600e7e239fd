//! Versions as the table keeps them.

use crate::event::{Kind, Version};

/// A version as text that compares as the version does: `11763799330123.0.<id>`, with the time in 19 digits.
pub(super) fn text(version: &Version) -> String {
    let Version { at, rank, tie_breaker } = version;
    let rank = match rank {
        Kind::Login => 0,
        Kind::Logout => 1,
        Kind::Deletion => 2,
    };
    // Times before 1970 come first, and grow like the others.
    let (sign, digits) = if *at < 0 { (0, at.wrapping_sub(i64::MIN)) } else { (1, *at) };
    format!("{sign}{digits:019}.{rank}.{tie_breaker}")
}

/// The version that is written so.
pub(super) fn version(text: &str) -> Option<Version> {
    let (at, rest) = (text.get(..20)?, text.get(20..)?);
    let digits: i64 = at.get(1..)?.parse().ok().filter(|number| *number >= 0)?;
    let at = match at.as_bytes().first()? {
        b'0' => digits.wrapping_add(i64::MIN),
        b'1' => digits,
        _ => return None,
    };
    let (rank, tie_breaker) = rest.strip_prefix('.')?.split_once('.')?;
    let rank = match rank {
        "0" => Kind::Login,
        "1" => Kind::Logout,
        "2" => Kind::Deletion,
        _ => return None,
    };
    Some(Version { at, rank, tie_breaker: tie_breaker.into() })
}
