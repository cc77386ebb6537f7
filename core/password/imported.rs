//! Hashes of Django: `pbkdf2_sha256$<iterations>$<salt>$<hash in base64>`.
//!
//! **Invariant:** none costs more than [`ITERATIONS_LIMIT`] says.

use argon2::password_hash::phc::Output;
use chrono::TimeDelta;
use pbkdf2::pbkdf2_hmac_array;
use sha2::Sha256;

/// The most iterations that are made. Django 6.0 makes 1,200,000, and some more with each version.
const ITERATIONS_LIMIT: u32 = 2_000_000;

/// Bytes of a hash.
const BYTES: usize = 32;

/// Where there are such hashes, a refused sign-in is answered no sooner than so long after it was asked: whoever is
/// named, and however their password is stored. The costliest one takes 1.7 seconds on a busy machine, that of Django 5.2
/// half of it.
pub const REFUSAL_TIME: TimeDelta = TimeDelta::seconds(3);

/// A hash to verify against.
pub(super) struct Imported<'a> {
    iterations: u32,
    salt: &'a str,
    hash: Output,
}

/// Whether `stored` is such a hash, and one that can be verified.
pub fn is_imported(stored: &str) -> bool {
    parse(stored).is_some()
}

/// The hash in `stored`. `None` where it is another text, or would take too long.
pub(super) fn parse(stored: &str) -> Option<Imported<'_>> {
    let mut parts = stored.strip_prefix("pbkdf2_sha256$")?.split('$');
    let (iterations, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
    let iterations = iterations.parse().ok().filter(|iterations| (1..=ITERATIONS_LIMIT).contains(iterations))?;
    // One `=`: 32 bytes in base64, without what a PHC string leaves out too.
    let hash = Output::decode(hash.strip_suffix('=')?).ok().filter(|hash| hash.len() == BYTES)?;
    parts.next().is_none().then_some(Imported { iterations, salt, hash })
}

impl Imported<'_> {
    pub(super) fn verify(&self, password: &str) -> bool {
        let hash: [u8; BYTES] =
            pbkdf2_hmac_array::<Sha256, BYTES>(password.as_bytes(), self.salt.as_bytes(), self.iterations);
        // Compared in constant time.
        Output::new(&hash).is_ok_and(|hash| hash == self.hash)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::password::{rehash, verify};

    /// Made by Django 5.2: `PBKDF2PasswordHasher().encode(" pä☤ ", "LxFZxKbOUMBvnvFGn3Iytz", 1000)`.
    const OF_DJANGO: &str = "pbkdf2_sha256$1000$LxFZxKbOUMBvnvFGn3Iytz$n8yIohp+VvKqmrX2W2o0zhsXMeQqf337m/KmhRBCOx0=";

    fn with(from: &str, to: &str) -> String {
        let changed = OF_DJANGO.replace(from, to);
        assert_ne!(changed, OF_DJANGO);
        changed
    }

    #[test]
    fn a_password_that_django_stored_is_verified_exactly() {
        assert!(verify(" pä☤ ", OF_DJANGO));
        for wrong in ["pä☤", " pä☤", "", " pa\u{308}☤ "] {
            assert!(!verify(wrong, OF_DJANGO), "{wrong}");
        }
        assert!(!verify(" pä☤ ", &with("$LxF", "$lxF")), "another salt");
        assert!(!verify(" pä☤ ", &with("$1000$", "$1001$")), "another cost");
    }

    #[test]
    fn what_replaces_it_is_the_same_whoever_makes_it() {
        let ours = rehash(" pä☤ ", OF_DJANGO).unwrap();
        assert!(ours.starts_with("$argon2id$") && verify(" pä☤ ", &ours), "{ours}");
        assert_eq!(rehash(" pä☤ ", OF_DJANGO), Some(ours.clone()));
        assert_ne!(rehash(" pä☤ ", &with("$LxF", "$lxF")), Some(ours.clone()), "its salt is as unique");
        assert_eq!(rehash(" pä☤ ", &ours), None);
    }

    #[test]
    fn a_hash_that_costs_too_much_or_is_malformed_is_none() {
        assert!(is_imported(&with("$1000$", "$2000000$")));
        for other in [
            with("$1000$", "$2000001$"),
            with("$1000$", "$0$"),
            with("$1000$", "$-1$"),
            with("$1000$", "$99999999999$"),
            with("$1000$", "$$"),
            with("pbkdf2_sha256", "pbkdf2_sha1"),
            with("pbkdf2_sha256", "PBKDF2_SHA256"),
            with("=", ""),
            with("=", "=="),
            with("=", "=$"),
            with("$LxFZxKbOUMBvnvFGn3Iytz", ""),
            format!("pbkdf2_sha256$1000$salt${}=", "A".repeat(42)),
            format!("pbkdf2_sha256$1000$salt${}=", "A".repeat(86)),
            "pbkdf2_sha256$".into(),
            crate::password::DUMMY.into(),
        ] {
            assert!(!is_imported(&other), "{other}");
            assert!(!verify(" pä☤ ", &other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_stored_text_is_a_hash_or_none(iterations in "[0-9+-]{0,12}", salt: String, hash in "[A-Za-z0-9+/]{0,90}={0,2}") {
            let _ = is_imported(&salt);
            let _ = is_imported(&format!("pbkdf2_sha256${iterations}${salt}${hash}"));
        }
    }
}
