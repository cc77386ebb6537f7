//! Passwords: Argon2id with 19 MiB, two passes, one lane, as OWASP recommends it.
//!
//! **Invariant:** a password is compared byte for byte as it was typed: never trimmed, folded or normalised.

use argon2::{Algorithm, Argon2, Params, PasswordHasher, PasswordVerifier, Version, password_hash::phc::PasswordHash};

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

/// Whether `password` is the one that `stored` was made from. A stored text that is not a hash verifies nothing.
pub fn verify(password: &str, stored: &str) -> bool {
    argon2id().is_some_and(|argon2id| argon2id.verify_password(password.as_bytes(), stored).is_ok())
}

#[cfg(test)]
mod tests {
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
}
