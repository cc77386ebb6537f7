//! The numbers that name things, each a type of its own: a user's id is no hospital's id.

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Serialize};

macro_rules! number {
    ($(#[$docs:meta])* $name:ident($raw:ty)) => {
        $(#[$docs])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name($raw);

        impl $name {
            /// The number as one of these.
            pub const fn new(raw: $raw) -> Self {
                Self(raw)
            }

            /// The bare number.
            pub const fn get(self) -> $raw {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

number! {
    /// A user's row id. Signed, like SQLite's integers and JSON's numbers. A doctor is named by their user's id.
    UserId(i64)
}

number! {
    /// A hospital's row id.
    HospitalId(i64)
}

number! {
    /// A session's row id.
    SessionId(i64)
}

number! {
    /// An event's position in its hospital's sequence: 1, 2, 3, … 0 stands before the first event.
    Seq(u64)
}

impl Seq {
    /// The position after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_written_and_read_as_its_bare_number() {
        assert_eq!(serde_json::to_string(&(UserId::new(-7), Seq::new(42))).unwrap(), "[-7,42]");
        assert_eq!(serde_json::from_str::<HospitalId>("3").unwrap(), HospitalId::new(3));
        assert_eq!((SessionId::new(5).to_string().as_str(), "5".parse()), ("5", Ok(SessionId::new(5))));
        assert!("-1".parse::<Seq>().is_err() && "".parse::<UserId>().is_err());
    }

    #[test]
    fn a_seq_is_followed_by_the_next_number() {
        assert_eq!(Seq::default().next(), Seq::new(1));
        assert_eq!(Seq::new(u64::MAX).next(), Seq::new(u64::MAX));
    }
}
