//! Which characters an account may hold. TPNS compares accounts character by character, so an account with one that
//! can't be seen never matches the one its sender means.

/// A range of characters, both ends included.
pub(super) type Range = (char, char);

/// Not seen: format characters, default ignorable ones, line separators, and the byte-order mark in either order.
#[rustfmt::skip]
pub(super) const UNSEEN: [Range; 19] = [
    ('\u{ad}', '\u{ad}'), ('\u{34f}', '\u{34f}'), ('\u{61c}', '\u{61c}'), ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'), ('\u{180b}', '\u{180f}'), ('\u{200b}', '\u{200f}'), ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'), ('\u{3164}', '\u{3164}'), ('\u{fe00}', '\u{fe0f}'), ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'), ('\u{fff0}', '\u{fffb}'), ('\u{fffe}', '\u{ffff}'), ('\u{13430}', '\u{13440}'),
    ('\u{1bca0}', '\u{1bca3}'), ('\u{1d173}', '\u{1d17a}'), ('\u{e0000}', '\u{e0fff}'),
];

/// Those of them that join two characters into one, as in an emoji of a family, in Persian or in Hindi.
pub(super) const JOINERS: [Range; 1] = [('\u{200c}', '\u{200d}')];

/// Those of them that choose the shape of the character before them: a coloured heart, a flag.
pub(super) const SELECTORS: [Range; 5] = [
    ('\u{180b}', '\u{180d}'),
    ('\u{180f}', '\u{180f}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{e0020}', '\u{e007f}'),
    ('\u{e0100}', '\u{e01ef}'),
];

/// The first character of the scripts and symbols that joiners are for: Latin, Greek, Cyrillic and Hebrew precede it.
pub(super) const JOINING: char = '\u{600}';

/// The selector behind a digit in an emoji of a key.
pub(super) const KEY: char = '\u{fe0f}';

/// What follows it.
pub(super) const KEYCAP: char = '\u{20e3}';

pub(super) fn within(ranges: &[Range], c: char) -> bool {
    ranges.iter().any(|&(first, last)| (first..=last).contains(&c))
}

/// Whether it is a character that neither prints nor takes any space.
pub(super) fn is_unseen(c: char) -> bool {
    c.is_control() || within(&UNSEEN, c)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Printable ASCII.
    Plain,
    /// Printable, and never joined.
    Mark,
    /// Printable, and may be joined to another.
    Joining,
    Blank,
    Joiner,
    Selector,
    Unseen,
}

impl Class {
    fn of(c: char) -> Self {
        match c {
            '!'..='~' => Self::Plain,
            _ if within(&JOINERS, c) => Self::Joiner,
            _ if within(&SELECTORS, c) => Self::Selector,
            _ if is_unseen(c) => Self::Unseen,
            _ if c.is_whitespace() => Self::Blank,
            JOINING.. => Self::Joining,
            _ => Self::Mark,
        }
    }
}

/// Whether all of it can be seen: no control or invisible character but joiners and selectors where they belong, and
/// white space only between other characters.
pub(super) fn can_be_seen(text: &str) -> bool {
    let mut previous: Option<(char, Class)> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let class = Class::of(c);
        let before = previous.map(|(_, class)| class);
        let fits = match class {
            Class::Plain | Class::Mark => before != Some(Class::Joiner),
            Class::Joining => true,
            Class::Blank => before.is_some_and(|before| before != Class::Joiner),
            Class::Joiner => matches!(before, Some(Class::Joining | Class::Selector)),
            Class::Selector => match previous {
                Some((_, Class::Mark | Class::Joining | Class::Selector)) => true,
                Some(('0'..='9' | '#' | '*', _)) => c == KEY && chars.peek() == Some(&KEYCAP),
                _ => false,
            },
            Class::Unseen => false,
        };
        if !fits {
            return false;
        }
        previous = Some((c, class));
    }
    previous.is_some_and(|(_, class)| !matches!(class, Class::Blank | Class::Joiner))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_can_be_seen() {
        for text in [
            "a",
            "a b",
            "user+tag@example.com",
            "Zoë",
            "张 三",
            "张\u{3000}三",
            "👩‍👩‍👧‍👦",
            "❤️",
            "❤️‍🔥",
            "👍🏽",
            "1️⃣",
            "#️⃣",
            "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
            "©️",
            "می‌خواهم",
            "क्‍ष",
            "辻\u{e0100}",
            "ᠠ\u{180b}",
            "a\u{a0}b",
            "é",
            "e\u{301}",
            "٪",
            "\u{600}1",
        ] {
            assert!(can_be_seen(text), "{text:?}");
        }
    }

    #[test]
    fn what_hides_a_character_can_not() {
        for hidden in [
            '\u{0}',
            '\u{7f}',
            '\u{85}',
            '\u{ad}',
            '\u{34f}',
            '\u{61c}',
            '\u{115f}',
            '\u{180e}',
            '\u{200b}',
            '\u{200e}',
            '\u{200f}',
            '\u{2028}',
            '\u{2029}',
            '\u{202a}',
            '\u{202e}',
            '\u{2060}',
            '\u{2066}',
            '\u{2069}',
            '\u{206f}',
            '\u{3164}',
            '\u{feff}',
            '\u{fffe}',
            '\u{fff9}',
            '\u{1d173}',
            '\u{e0001}',
            '\u{e0061}',
            '\u{200c}',
            '\u{200d}',
            '\u{fe0f}',
            '\u{e0100}',
        ] {
            for text in [
                format!("{hidden}ab"),
                format!("a{hidden}b"),
                format!("ab{hidden}"),
                format!("{hidden}😀"),
                hidden.into(),
            ] {
                assert!(!can_be_seen(&text), "{text:?}");
            }
        }
        for blank in [' ', '\u{a0}', '\u{1680}', '\u{2003}', '\u{202f}', '\u{205f}', '\u{3000}', '\t', '\n'] {
            for text in [format!("{blank}a"), format!("a{blank}"), blank.into()] {
                assert!(!can_be_seen(&text), "{text:?}");
            }
        }
    }

    #[test]
    fn a_joiner_or_selector_that_has_nothing_to_join_or_select_can_not() {
        for text in [
            "",
            "😀\u{200d}",
            "\u{200d}😀",
            "😀\u{200d}\u{200d}😀",
            "😀\u{200d}a",
            "a\u{200d}😀",
            "é\u{200d}é",
            "1\u{fe0f}",
            "1\u{fe0f}2",
            "a\u{fe0f}\u{20e3}",
            " \u{fe0f}",
            "😀 \u{200d}😀",
            "😀\u{200d} 😀",
            "😀\u{200d}\u{fe0f}",
        ] {
            assert!(!can_be_seen(text), "{text:?}");
        }
    }
}
