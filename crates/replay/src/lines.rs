//! Reads a file of events line by line, with a digest by which the file is recognised later.

use std::io::{self, BufRead};

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha256};

use crate::batch::MOST_BYTES;

/// A line that is not blank.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number in the file, used in messages to the user.
    pub(crate) number: u64,
    /// Its number among the lines that are not blank, used in the state.
    pub(crate) nth: u64,
    /// The body.
    pub(crate) text: Result<String, Flaw>,
    /// The offset in the file at which it ends.
    pub(crate) end: u64,
    /// SHA-256 of the file up to here.
    pub(crate) digest: Digest256,
}

/// A SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Digest256([u8; 32]);

/// Why a line can't be a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Flaw {
    #[error("line: is not UTF-8 text; export the events as UTF-8")]
    NotUtf8,
    #[error("line: is larger than 1 MiB, the most that SQS accepts; split the event")]
    TooLong,
    #[error("line: contains U+FFFE or U+FFFF, which SQS refuses; remove them")]
    Noncharacter,
}

impl Digest256 {
    pub(crate) fn hex(&self) -> String {
        HEXLOWER.encode(&self.0)
    }
}

impl std::fmt::Debug for Digest256 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.hex())
    }
}

/// The lines of a file that are not blank.
pub(crate) struct Lines<R> {
    reader: R,
    number: u64,
    nth: u64,
    end: u64,
    hasher: Sha256,
}

impl<R: BufRead> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader, number: 0, nth: 0, end: 0, hasher: Sha256::new() }
    }

    /// The next line, blank or not, without its line break, and whether it is too long, in which case only its
    /// beginning is returned; `None` at the end of the file.
    fn line(&mut self) -> io::Result<Option<(Vec<u8>, bool)>> {
        let (mut line, mut too_long, mut any) = (Vec::new(), false, false);
        loop {
            let chunk = match self.reader.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                chunk => chunk?,
            };
            if chunk.is_empty() {
                break;
            }
            any = true;
            let newline = chunk.iter().position(|&byte| byte == b'\n');
            let text = &chunk[..newline.unwrap_or(chunk.len())];
            self.hasher.update(text);
            too_long |= line.len() + text.len() > MOST_BYTES;
            if !too_long {
                line.extend_from_slice(text);
            }
            let used = text.len() + usize::from(newline.is_some());
            self.reader.consume(used);
            self.end += used as u64;
            if newline.is_some() {
                break;
            }
        }
        // As if the last line ended with a line break: the digest then stays the same when lines are appended.
        self.hasher.update(b"\n");
        Ok(any.then_some((line, too_long)))
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<Line>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let (bytes, too_long) = match self.line() {
                Ok(Some(line)) => line,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            self.number += 1;
            let text = if too_long { Err(Flaw::TooLong) } else { text(&bytes, self.number == 1) };
            if text.as_ref().is_ok_and(String::is_empty) {
                continue;
            }
            self.nth += 1;
            let digest = Digest256(self.hasher.clone().finalize().into());
            return Some(Ok(Line { number: self.number, nth: self.nth, text, end: self.end, digest }));
        }
    }
}

fn text(bytes: &[u8], first: bool) -> Result<String, Flaw> {
    let text = std::str::from_utf8(bytes).map_err(|_| Flaw::NotUtf8)?;
    // Some programs begin a file with a byte order mark, which is not JSON.
    let text = if first { text.trim_start_matches('\u{feff}') } else { text }.trim();
    if text.contains(['\u{fffe}', '\u{ffff}']) { Err(Flaw::Noncharacter) } else { Ok(text.to_owned()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(bytes: &[u8]) -> Vec<Line> {
        // A small buffer, so that lines come in pieces.
        Lines::new(io::BufReader::with_capacity(7, bytes)).map(Result::unwrap).collect()
    }

    fn seen(bytes: &[u8]) -> Vec<(u64, u64, Result<String, Flaw>)> {
        read(bytes).into_iter().map(|line| (line.number, line.nth, line.text)).collect()
    }

    #[test]
    fn blank_lines_are_skipped_and_counted() {
        let text = |text: &str| Ok(text.to_owned());
        let wanted = [(2, 1, text("one")), (5, 2, text("two and more"))];
        assert_eq!(seen(b"\n one\r\n\n  \t\ntwo and more"), wanted);
        assert_eq!(seen("\u{feff}one\n".as_bytes()), [(1, 1, text("one"))]);
        assert_eq!(seen(b""), []);
    }

    #[test]
    fn a_line_that_is_no_body_does_not_affect_others() {
        let long = "x".repeat(MOST_BYTES + 1);
        let file = [b"\xff\xfe\n".as_slice(), long.as_bytes(), b"\n\xef\xbf\xbf\nfine"].concat();
        let flaws: Vec<_> = read(&file).into_iter().map(|line| line.text.err()).collect();
        assert_eq!(flaws, [Some(Flaw::NotUtf8), Some(Flaw::TooLong), Some(Flaw::Noncharacter), None]);
        assert_eq!(read(&long.as_bytes()[1..])[0].text.as_ref().map(String::len), Ok(MOST_BYTES));
    }

    #[test]
    fn the_last_line_ends_at_the_end_of_the_file() {
        assert_eq!(read(b"one\ntwo").last().map(|line| line.end), Some(7));
        assert_eq!(read(b"one\ntwo\n").last().map(|line| line.end), Some(8));
    }

    proptest! {
        #[test]
        fn appended_lines_do_not_change_earlier_ones(
            lines in proptest::collection::vec("[a-c]{0,12}", 0..10),
            more in proptest::collection::vec("[a-c]{1,12}", 1..5),
        ) {
            let old = lines.join("\n");
            let before = read(old.as_bytes());
            let after = read(format!("{old}\n{}", more.join("\n")).as_bytes());
            let key = |line: &Line| (line.nth, line.text.clone(), line.digest);
            prop_assert_eq!(before.iter().map(key).collect::<Vec<_>>(), after.iter().take(before.len()).map(key).collect::<Vec<_>>());
        }

        #[test]
        fn a_changed_line_changes_its_digest_and_those_of_all_later_lines(
            mut lines in proptest::collection::vec("[a-c]{1,12}", 1..10), at in any::<prop::sample::Index>(),
        ) {
            let before = read(lines.join("\n").as_bytes());
            let at = at.index(lines.len());
            lines[at].push('d');
            let after = read(lines.join("\n").as_bytes());
            for (index, (before, after)) in before.iter().zip(&after).enumerate() {
                prop_assert_eq!(before.digest == after.digest, index < at);
            }
        }
    }
}
