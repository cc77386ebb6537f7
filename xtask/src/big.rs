//! A hospital of five hundred doctors, for the browser tests and for whoever works on the pages: `cargo xtask serve
//! --persist-to DIR --big`. It is no part of the demo.

use anyhow::Result;

use crate::{
    demo,
    process::say,
    wrangler::{self, Database},
};

/// Creates it, unless it is there already: `admin@big.example.com`, and `d001@big.example.com` to `d500@…`, with the
/// password of the demo accounts.
pub fn create(database: &Database) -> Result<()> {
    say("creating the big hospital");
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("big.sql");
    std::fs::write(&file, sql(&demo::hash()?))?;
    wrangler::execute(database, &file)
}

/// Three statements, whatever the number of doctors. There are 32 first and 25 last names: no two are called the same.
fn sql(hash: &str) -> String {
    format!(
        r#"INSERT OR IGNORE INTO hospitals (id, name, time_zone) VALUES (3, 'Big Hospital', 'Asia/Kolkata');

WITH RECURSIVE
  numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 500),
  names (firsts, lasts) AS (VALUES (
    '["Aarav","Ada","Amina","Ana","Bo","Chen","Chidi","Diego","Elif","Émile","Fatima","Greta","Hana","Ines","Ivan","Jonas",
      "Kofi","Lena","Li","Maryam","Mateo","Mei","Nadia","Noor","Olga","Priya","Quinn","Ravi","Søren","Tomás","Yuki","Zainab"]',
    '["Abe","Adeyemi","Ahmed","Banerjee","Brown","Castillo","Dubois","Eriksen","Fischer","García","Haddad","Ivanova",
      "Jensen","Kim","Kowalski","Mensah","Müller","Nguyen","O''Neil","Papadopoulos","Rossi","Singh","Tanaka","Wolff",
      "van den Berg"]'))
INSERT OR IGNORE INTO users (hospital_id, email, username, first_name, last_name, role, password_hash)
SELECT 3, 'admin@big.example.com', 'big.admin', 'Bea', 'Admin', 'admin', '{hash}'
UNION ALL
SELECT 3, printf('d%03d@big.example.com', n), printf('big.d%03d', n),
       firsts ->> (n % 32), lasts ->> (n % 25), 'doctor', '{hash}'
FROM numbers, names;

INSERT OR IGNORE INTO doctors (user_id, consultation_hours, specialization, is_available_for_consultation)
SELECT id, printf('%02d:00-%02d:00', 6 + id % 5, 14 + id % 5),
       '["Anesthesiology","Cardiology","Dermatology","Emergency medicine","Gynecology","Neurology",
         "Oncology","Orthopedics","Pediatrics","Psychiatry","Radiology","Surgery"]' ->> (id % 12),
       id % 3 > 0
FROM users WHERE hospital_id = 3 AND role = 'doctor';
"#
    )
}
