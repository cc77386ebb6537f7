//! How often somebody may try to sign in: a few times for one account from one address, then they have to wait.
//!
//! **Invariant:** tries from one address never hold up another, so nobody can lock somebody else out from elsewhere;
//! and a name counts in the same way whether anybody has it or not.

use std::net::IpAddr;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{Timestamp, account::LoginName};

/// So many tries without success, and the next one waits.
pub const TRIES: usize = 5;

/// For as long as this many of them are younger than this.
pub const WINDOW: TimeDelta = TimeDelta::minutes(5);

/// What the Worker asks of an address's counter. Internal: both sides are of one deployment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThrottleCall {
    /// May they try? It counts from now on. Answered with [`Admission`].
    Try {
        /// A [`key`].
        key: String,
    },
    /// It was the right password: forget the tries. Answered with `null`.
    Forget {
        /// A [`key`].
        key: String,
    },
}

/// Whether a try may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Admission {
    /// Yes.
    Admitted,
    /// Not before so many seconds.
    Wait {
        /// At least one.
        seconds: u32,
        /// It is the first to be refused since the last one that was admitted.
        first: bool,
    },
}

/// How many seconds the next try has to wait after `tries`, oldest first, none of which was followed by a success;
/// `None` where it has not to.
pub fn wait(tries: &[Timestamp], now: Timestamp) -> Option<u32> {
    let oldest = tries.get(tries.len().checked_sub(TRIES)?)?;
    // Tries from the future are those from before the clock was set back.
    let wait = (*oldest + WINDOW - now).min(WINDOW);
    (wait > TimeDelta::zero()).then(|| u32::try_from((wait.num_milliseconds() + 999) / 1000).unwrap_or(u32::MAX))
}

/// What tries for a name are counted under: a digest, so that no email is stored. It depends on the name alone, as the
/// database compares it; did it depend on whether there is such an account, the count would tell.
pub fn key(name: &LoginName<'_>) -> String {
    let name = match name {
        LoginName::Email(email) => format!("email:{}", email.trim().to_ascii_lowercase()),
        LoginName::Username(username) => format!("username:{username}"),
    };
    hex::encode(Sha256::digest(name.as_bytes()))
}

/// What addresses are counted as one: an IPv4 address, or the /64 of an IPv6 one, of which anybody has billions.
pub fn address_group(address: &str) -> String {
    match address.parse() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => "unknown".into(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{LoginName, Timestamp, address_group, key};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_timestamp(1_790_000_000 + seconds, 0).unwrap()
    }

    fn wait(tries: &[i64], now: i64) -> Option<u32> {
        let tries: Vec<_> = tries.iter().map(|seconds| at(*seconds)).collect();
        super::wait(&tries, at(now))
    }

    #[test]
    fn the_sixth_try_within_five_minutes_waits_until_the_first_is_old() {
        assert_eq!(wait(&[], 0), None);
        assert_eq!(wait(&[0, 1, 2, 3], 4), None);
        assert_eq!(wait(&[0, 1, 2, 3, 4], 5), Some(295));
        assert_eq!(wait(&[0, 1, 2, 3, 4], 299), Some(1));
        assert_eq!(wait(&[0, 1, 2, 3, 4], 300), None);
        assert_eq!(wait(&[0, 100, 200, 250, 260, 299], 300), Some(100), "the last five count");
    }

    #[test]
    fn a_clock_that_was_set_back_makes_nobody_wait_longer() {
        assert_eq!(wait(&[9000, 9000, 9000, 9000, 9000], 0), Some(300));
    }

    #[test]
    fn a_name_counts_as_the_database_compares_it() {
        let (email, username) = (|text| key(&LoginName::Email(text)), |text| key(&LoginName::Username(text)));
        assert_eq!(email(" Nobody@example.com"), email("nobody@EXAMPLE.com "));
        assert_ne!(email("nobody@example.com"), email("nobody2@example.com"));
        assert_ne!(username("ann"), username("Ann"));
        assert_ne!(username("ann"), email("ann"));
        assert!(!email("nobody@example.com").contains("nobody"));
    }

    #[test]
    fn the_addresses_of_one_household_are_one() {
        assert_eq!(address_group("203.0.113.5"), "203.0.113.5");
        assert_eq!(address_group("::ffff:203.0.113.5"), "203.0.113.5");
        assert_eq!(address_group("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
        assert_eq!(address_group("2001:db8:1:2::9"), "2001:db8:1:2::/64");
        assert_eq!(address_group(""), "unknown");
        assert_eq!(address_group("<script>"), "unknown");
    }

    proptest! {
        #[test]
        fn nobody_waits_longer_than_the_window(mut tries: Vec<i32>, now: i32) {
            tries.sort_unstable();
            let tries: Vec<_> = tries.into_iter().map(i64::from).collect();
            if let Some(seconds) = wait(&tries, i64::from(now)) {
                prop_assert!((1..=300).contains(&seconds));
            }
        }
    }
}
