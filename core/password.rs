//! Passwords: Argon2id with 19 MiB, two passes, one lane, as OWASP recommends it; and PBKDF2, as Django stores them, until
//! their owners sign in.
//!
//! **Invariant:** a password is compared byte for byte as it was typed: never trimmed, folded or normalised.

mod imported;

pub use imported::{REFUSAL_TIME, is_imported};

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};
use sha2::{Digest, Sha256};

/// Bytes of salt that [`hash`] wants.
pub const SALT_BYTES: usize = 16;

/// Verified against where there is no account, so that an unknown email takes as long as a wrong password.
pub const DUMMY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

fn argon2id() -> Option<Argon2<'static>> {
    let params = Params::new(19 * 1024, 2, 1, None).ok()?;
    Some(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

/// The PHC string of `password`. `None` only where the memory for it is not to be had.
pub fn hash(password: &str, salt: [u8; SALT_BYTES]) -> Option<String> {
    let hash: PasswordHash = argon2id()?.hash_password_with_salt(password.as_bytes(), &salt).ok()?;
    Some(hash.to_string())
}

/// Whether `password` is the one that `stored` was made from. A stored text that is not a hash, or one that would cost
/// more than this machine has, verifies nothing, and takes as long as one that does.
pub fn verify(password: &str, stored: &str) -> bool {
    if let Some(imported) = imported::parse(stored) {
        return imported.verify(password);
    }
    let usable = is_affordable(stored);
    let stored = if usable { stored } else { DUMMY };
    usable & argon2id().is_some_and(|argon2id| argon2id.verify_password(password.as_bytes(), stored).is_ok())
}

/// What takes the place of `stored`, where that was imported, once `password` is known to be the one it was made from.
/// It is the same whoever makes it: of two sign-ins at once, the second finds what it would have stored itself.
pub fn rehash(password: &str, stored: &str) -> Option<String> {
    imported::parse(stored)?;
    // As unique as the salt that is part of it. Whoever does not know the old hash learns nothing from a digest of it.
    let [salt, _] = *Sha256::digest(stored).as_chunks::<SALT_BYTES>().0 else { return None };
    hash(password, salt)
}

/// The most that a stored hash may ask for: memory in KiB, passes, lanes.
const COST_LIMIT: (u32, u32, u32) = (64 * 1024, 10, 4);

fn is_affordable(stored: &str) -> bool {
    let params = PasswordHash::new(stored).ok().and_then(|hash| Params::try_from(&hash).ok());
    let (memory, passes, lanes) = COST_LIMIT;
    params.is_some_and(|cost| cost.m_cost() <= memory && cost.t_cost() <= passes && cost.p_cost() <= lanes)
}

/// How long a temporary password may be used to choose another one.
pub const TEMPORARY_LIFETIME: chrono::TimeDelta = chrono::TimeDelta::days(3);

/// The random bytes of a temporary password.
pub const TEMPORARY_BYTES: usize = 16;

/// A password to be read out or written on paper: 80 bits, in characters that are not mistaken for one another.
pub fn temporary(random: [u8; TEMPORARY_BYTES]) -> String {
    const ALPHABET: [char; 32] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'j', 'k', 'm', 'n',
        'p', 'q', 'r', 's', 't', 'v', 'w', 'x', 'y', 'z',
    ];
    let character = |byte: &u8| ALPHABET.get(usize::from(byte % 32)).copied().unwrap_or_default();
    let groups: Vec<String> = random.chunks(4).map(|group| group.iter().map(character).collect()).collect();
    groups.join("-")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_password_is_verified_exactly() {
        let password = format!("  {}  ", "pä☤🏥".repeat(63));
        let stored = hash(&password, [7; SALT_BYTES]).unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        assert!(verify(&password, &stored));
        assert!(!verify(password.trim(), &stored));
        assert!(!verify("", &stored));
    }

    #[test]
    fn the_dummy_costs_a_hash_and_accepts_nothing() {
        assert!(PasswordHash::new(DUMMY).is_ok());
        assert!(!verify("", DUMMY));
        assert!(!verify("rollcall-demo", "not a hash"));
    }

    #[test]
    fn a_stored_hash_that_costs_too_much_is_none() {
        let costly = |cost: &str| DUMMY.replace("m=19456,t=2,p=1", cost);
        assert!(is_affordable(&costly("m=65536,t=3,p=4")));
        for cost in ["m=4194304,t=2,p=1", "m=19456,t=4000000,p=1", "m=19456,t=2,p=200", "m=0,t=0,p=0", "m=x"] {
            assert!(!is_affordable(&costly(cost)), "{cost}");
            assert!(!verify("", &costly(cost)), "{cost}");
        }
    }

    #[test]
    fn a_temporary_password_can_be_read_out() {
        let password = temporary([0, 31, 32, 255, 9, 10, 17, 18, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(password, "0z0z-9ahj-1234-5678");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn any_stored_text_is_a_hash_or_none(text: String, cost in "\\PC{0,40}", salt in "[A-Za-z0-9+/]{0,90}") {
            let _ = is_affordable(&text);
            let _ = is_affordable(&format!("$argon2id$v=19${cost}${salt}${salt}"));
        }
    }
}
