//! What of it all is measured.

use anyhow::bail;

use crate::contenders::Contender;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selection {
    Everything,
    /// What checks add to events.
    Checks,
    /// The function, the Rust peers and the floor: nothing that needs Python packages or Node.js.
    Rust,
}

impl Selection {
    /// Of the command line's argument.
    pub(crate) fn named(name: Option<&str>) -> anyhow::Result<Self> {
        match name {
            None => Ok(Self::Everything),
            Some("checks") => Ok(Self::Checks),
            Some("rust") => Ok(Self::Rust),
            Some(other) => bail!("{other}: is not measured alone; give `checks` or `rust`, or nothing for everything"),
        }
    }

    /// The columns of the table.
    pub(crate) fn contenders(self) -> &'static [Contender] {
        match self {
            Self::Everything => Contender::EVERYTHING,
            Self::Checks => &[],
            Self::Rust => Contender::RUST,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_selection_is_refused() {
        assert_eq!(Selection::named(None).unwrap(), Selection::Everything);
        assert_eq!(Selection::named(Some("rust")).unwrap(), Selection::Rust);
        assert!(Selection::named(Some("Rust")).unwrap_err().to_string().starts_with("Rust: "));
    }
}
