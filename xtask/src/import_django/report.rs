//! The report of an import: a line for each row of the dump, and totals.

use std::fmt;

/// The result for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Imported,
    Changed,
    Unchanged,
    Refused,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Self::Imported => "imported",
            Self::Changed => "changed",
            Self::Unchanged => "unchanged",
            Self::Refused => "refused",
        }
    }
}

/// The subject of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    Hospital,
    User,
    Token,
}

/// The line about a row.
pub struct Line {
    pub kind: Kind,
    pub of: Of,
    /// Its key; of a token its user's.
    pub key: Option<i64>,
    pub note: String,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = match self.of {
            Of::Hospital => "hospital",
            Of::User => "user",
            Of::Token => "token of user",
        };
        let key = self.key.map_or("?".into(), |key| key.to_string());
        write!(f, "{:<9} {of} {key}: {}", self.kind.word(), self.note)
    }
}

/// All lines.
#[derive(Default)]
pub struct Report(pub Vec<Line>);

impl Report {
    /// Adds the result for a row. A key that is no number may be a name, or a token: it is not printed.
    pub fn say(&mut self, kind: Kind, of: Of, key: Option<i64>, note: impl fmt::Display) {
        self.0.push(Line { kind, of, key, note: note.to_string() });
    }

    /// How many rows were refused.
    pub fn refused(&self) -> usize {
        self.0.iter().filter(|line| line.kind == Kind::Refused).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.0 {
            writeln!(f, "{line}")?;
        }
        for (name, of) in [("users", Of::User), ("tokens", Of::Token)] {
            let count = |kind| self.0.iter().filter(|line| line.of == of && line.kind == kind).count();
            let kinds = [Kind::Imported, Kind::Changed, Kind::Unchanged, Kind::Refused];
            let counts = kinds.map(|kind| format!("{} {}", count(kind), kind.word()));
            writeln!(f, "{name}: {}", counts.join(", "))?;
        }
        Ok(())
    }
}
