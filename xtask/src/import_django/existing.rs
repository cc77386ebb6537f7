//! The contents of the database before an import.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use rollcall_core::{HospitalId, UserId};
use serde::Deserialize;
use serde_json::{Value, from_value};

use crate::wrangler::{self, Database};

/// The password is still as it was imported: nobody has signed in with it here, nor been given another one.
pub const HAS_IMPORTED_PASSWORD: &str = "(password_hash LIKE 'pbkdf2%' OR password_hash = '!')";

#[derive(Clone, Deserialize)]
pub struct Hospital {
    pub id: HospitalId,
    pub name: String,
}

#[derive(Clone, Default, Deserialize)]
pub struct User {
    pub id: UserId,
    pub hospital_id: HospitalId,
    pub email: String,
    pub username: String,
    pub first_name: String,
    pub last_name: String,
    pub role: String,
    pub is_active: u8,
    /// 1: as it was imported; 0: edited since; null: not imported.
    pub follows_import: Option<u8>,
    /// Null unless it is still as it was imported.
    pub imported_hash: Option<String>,
    pub consultation_hours: Option<String>,
    pub specialization: Option<String>,
    pub is_available_for_consultation: Option<u8>,
    pub is_live: Option<u8>,
    pub has_events: u8,
}

/// The rows that an import compares with.
#[derive(Default)]
pub struct Existing {
    pub hospitals: Vec<Hospital>,
    pub users: Vec<User>,
    /// The digests of all tokens that were imported, also of those that have ended.
    pub tokens: BTreeSet<String>,
}

impl Existing {
    /// Reads a database; one without tables, which was never migrated, is an empty one.
    pub fn read(database: &Database) -> Result<Self> {
        #[derive(Deserialize)]
        struct Token {
            token_sha256: String,
        }
        let queries = format!(
            "SELECT id, name FROM hospitals ORDER BY id;
             SELECT u.id, u.hospital_id, u.email, u.username, u.first_name, u.last_name, u.role, u.is_active,
                    u.follows_import, iif({HAS_IMPORTED_PASSWORD}, u.password_hash, NULL) AS imported_hash,
                    d.consultation_hours, d.specialization, d.is_available_for_consultation, d.is_live,
                    u.id IN (SELECT doctor_id FROM events) AS has_events
             FROM users u LEFT JOIN doctors d ON d.user_id = u.id ORDER BY u.id;
             SELECT token_sha256 FROM imported_tokens;"
        );
        let mut answers = match wrangler::query(database, &queries) {
            Err(error) if format!("{error:#}").contains("no such table: hospitals") => return Ok(Self::default()),
            // Only in a dry run, which migrates nothing.
            Err(error) if format!("{error:#}").contains("no such table: imported_tokens") => {
                bail!("the database is of an older version: `cargo xtask deploy` brings it up to date")
            }
            answers => answers?.into_iter(),
        };
        let mut rows = || Value::from(answers.next().unwrap_or_default());
        let (hospitals, users) = (from_value(rows())?, from_value(rows())?);
        let tokens: Vec<Token> = from_value(rows())?;
        Ok(Self { hospitals, users, tokens: tokens.into_iter().map(|token| token.token_sha256).collect() })
    }
}
