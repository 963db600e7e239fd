//! Where the devices come from: the table, segment by segment, or a file of tokens, some lines at a time.

use std::{collections::HashSet, fs::File, io::BufReader, path::Path};

use contract::{
    apps::AppId,
    event::{Device, Token},
};
use tpns_account_sync::table::Segment;

use super::parts::PartNumber;
use crate::{lines::Lines, problem::Problem};

/// As many as an audit of some hours is worth being resumed at.
const SEGMENTS: u16 = 64;
const TOKENS_A_PART: usize = 1000;

/// Where the devices come from.
#[derive(Debug)]
pub(crate) enum Source {
    Table,
    Tokens(Tokens),
}

/// The tokens of a file, each once.
#[derive(Debug)]
pub(crate) struct Tokens {
    app: AppId,
    tokens: Vec<Token>,
    /// SHA-256 of the file.
    digest: String,
    /// The numbers of lines that hold no token.
    pub(crate) refused: Vec<u64>,
}

impl Tokens {
    /// Reads a file of tokens of an app, one per line.
    ///
    /// # Errors
    /// A file that can't be read.
    pub(crate) fn read(path: &Path, app: AppId) -> Result<Self, Problem> {
        let usage = |error: &dyn std::fmt::Display| {
            Problem::Usage(format!("--tokens {}: {error}; name a readable file, one token per line", path.display()))
        };
        let file = File::open(path).map_err(|error| usage(&error))?;
        let (mut tokens, mut known, mut refused) = (Vec::new(), HashSet::new(), Vec::new());
        let mut digest = String::new();
        for line in Lines::new(BufReader::new(file)) {
            let line = line.map_err(|error| usage(&error))?;
            digest = line.digest.hex();
            match line.text.ok().and_then(|text| Token::new(text.trim())) {
                Some(token) if known.insert(token.clone()) => tokens.push(token),
                Some(_) => {}
                None => refused.push(line.number),
            }
        }
        Ok(Self { app, tokens, digest, refused })
    }
}

impl Source {
    /// The number of parts.
    pub(crate) fn parts(&self) -> PartNumber {
        match self {
            Self::Table => SEGMENTS.into(),
            Self::Tokens(of) => {
                PartNumber::try_from(of.tokens.len().div_ceil(TOKENS_A_PART)).unwrap_or(PartNumber::MAX)
            }
        }
    }

    /// What distinguishes it from other sources of the same table. Holds no token.
    pub(crate) fn name(&self, app: impl FnOnce(AppId) -> String) -> String {
        match self {
            Self::Table => "table".into(),
            Self::Tokens(of) => format!("{} {}", app(of.app), of.digest),
        }
    }

    /// A part of the table, to be scanned; `None` if the source is a file.
    pub(crate) fn segment(&self, part: PartNumber) -> Option<Segment> {
        let number = u16::try_from(part).ok().filter(|number| *number < SEGMENTS);
        matches!(self, Self::Table).then_some(Segment { number: number?, of: SEGMENTS })
    }

    /// The devices of a part of a file.
    pub(crate) fn devices(&self, part: PartNumber) -> Vec<Device> {
        let Self::Tokens(Tokens { app, tokens, .. }) = self else { return Vec::new() };
        let own = usize::try_from(part).ok().and_then(|part| tokens.chunks(TOKENS_A_PART).nth(part));
        own.into_iter().flatten().map(|token| Device { app: *app, token: token.clone() }).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn tokens(text: &str) -> Tokens {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.txt");
        fs::write(&path, text).unwrap();
        Tokens::read(&path, AppId(1)).unwrap()
    }

    #[test]
    fn a_file_holds_one_token_a_line_and_each_counts_once() {
        let read = tokens("one\r\n\n two \none\na\u{1}b\nthree");
        assert_eq!(read.tokens.iter().map(Token::as_str).collect::<Vec<_>>(), ["one", "two", "three"]);
        assert_eq!(read.refused, [5], "by the number of the line");
        let source = Source::Tokens(read);
        assert_eq!((source.parts(), source.segment(0)), (1, None));
        assert!(source.devices(0).iter().all(|device| device.app == AppId(1)));
        let name = source.name(|_| "ios".into());
        assert!(name.starts_with("ios ") && !name.contains("one"), "{name}");
    }

    #[test]
    fn the_parts_of_a_file_hold_all_of_it() {
        let lines: Vec<String> = (0..2001).map(|n| format!("t{n}")).collect();
        let source = Source::Tokens(tokens(&lines.join("\n")));
        let parts: Vec<usize> = (0..source.parts()).map(|part| source.devices(part).len()).collect();
        assert_eq!(parts, [1000, 1000, 1]);
        assert!(source.devices(3).is_empty());
    }

    #[test]
    fn the_table_is_scanned_in_segments() {
        let segments: Vec<_> = (0..=Source::Table.parts()).filter_map(|part| Source::Table.segment(part)).collect();
        assert_eq!(segments.len(), 64);
        assert_eq!(segments[63], Segment { number: 63, of: 64 });
        assert!(Source::Table.devices(0).is_empty());
    }
}
