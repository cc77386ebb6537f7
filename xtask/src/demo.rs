//! The demo accounts of the local runtime. They exist nowhere else: neither in a migration nor in a deployment.

use anyhow::{Context, Result};
use rollcall_core::password;

use crate::{
    process::say,
    wrangler::{self, Database},
};

/// The password of every demo account.
pub const PASSWORD: &str = "rollcall-demo";

struct Account {
    hospital_id: u8,
    email: &'static str,
    first_name: &'static str,
    last_name: &'static str,
    role: &'static str,
    specialization: &'static str,
}

/// Id, name and time zone. The two are never at the same time of day, so that what is shown in the wrong zone is seen.
const HOSPITALS: [(u8, &str, &str); 2] = [(1, "General Hospital", "UTC"), (2, "North Clinic", "America/New_York")];

const fn account(
    hospital_id: u8,
    email: &'static str,
    (first_name, last_name): (&'static str, &'static str),
    role: &'static str,
    specialization: &'static str,
) -> Account {
    Account { hospital_id, email, first_name, last_name, role, specialization }
}

const ACCOUNTS: [Account; 7] = [
    account(1, "admin@example.com", ("Alex", "Admin"), "admin", ""),
    account(1, "ann.lee@example.com", ("Ann", "Lee"), "doctor", "Cardiology"),
    account(1, "bob.ray@example.com", ("Bob", "Ray"), "doctor", "Surgery"),
    account(1, "chen.wu@example.com", ("Chen", "Wu"), "doctor", "Pediatrics"),
    account(1, "user1@example.com", ("Una", "User"), "user", ""),
    account(2, "admin@north.example.com", ("Nora", "Admin"), "admin", ""),
    account(2, "dana.fox@north.example.com", ("Dana", "Fox"), "doctor", "Neurology"),
];

/// Creates the accounts that are not there yet.
pub fn create(database: &Database) -> Result<()> {
    say("creating the demo accounts");
    wrangler::execute_text(database, &sql()?)
}

/// Whom [`create`] creates.
pub fn emails() -> impl Iterator<Item = &'static str> {
    ACCOUNTS.iter().map(|account| account.email)
}

/// What a person needs to try it.
pub fn introduction(address: &str) -> String {
    let mut text = format!(
        "
  Dashboard      {address}/
  Doctor's page  {address}/doctor
  Socket test    {address}/websocket_test.html

  Demo accounts, all with the password {PASSWORD}:
"
    );
    for (id, name, _) in HOSPITALS {
        text.push_str(&format!("  {name}\n"));
        for account in ACCOUNTS.iter().filter(|account| account.hospital_id == id) {
            text.push_str(&format!("    {:<8}{}\n", account.role, account.email));
        }
    }
    text
}

/// A hash of [`PASSWORD`], for as many accounts as need one.
pub fn hash() -> Result<String> {
    let mut salt = [0; password::SALT_BYTES];
    getrandom::fill(&mut salt)?;
    password::hash(PASSWORD, salt).context("no memory to hash a password")
}

fn sql() -> Result<String> {
    let hash = hash()?;
    let mut sql = String::new();
    for (id, name, time_zone) in HOSPITALS {
        sql.push_str(&format!(
            "INSERT OR IGNORE INTO hospitals (id, name, time_zone) VALUES ({id}, '{name}', '{time_zone}');\n"
        ));
    }
    for Account { hospital_id, email, first_name, last_name, role, specialization } in ACCOUNTS {
        let username = email.split('@').next().unwrap_or_default();
        // Both hospitals have an `admin`, but login names are unique.
        let username = if hospital_id == 1 { username.to_string() } else { format!("north.{username}") };
        sql.push_str(&format!(
            "INSERT OR IGNORE INTO users (hospital_id, email, username, first_name, last_name, role, password_hash)
             VALUES ({hospital_id}, '{email}', '{username}', '{first_name}', '{last_name}', '{role}', '{hash}');\n"
        ));
        if role == "doctor" {
            sql.push_str(&format!(
                "INSERT OR IGNORE INTO doctors (user_id, consultation_hours, specialization, is_available_for_consultation)
                 SELECT id, '09:00-17:00', '{specialization}', 1 FROM users WHERE email = '{email}';\n"
            ));
        }
    }
    sql.extend(HOSPITALS.iter().map(|(id, ..)| wrangler::raise_revision(id)));
    Ok(sql)
}
