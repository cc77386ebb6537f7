//! The hospitals of the browser tests, also for people who work on the pages: `cargo xtask serve --persist-to DIR
//! --test-hospitals`. They are no part of the demo. Everybody has the password of the demo accounts.

use anyhow::Result;

use crate::{
    demo,
    process::say,
    wrangler::{self, Database},
};

/// Creates those that are not there yet.
pub fn create(database: &Database) -> Result<()> {
    say("creating the hospitals of the browser tests");
    let hash = demo::hash()?;
    wrangler::execute_text(database, &[&small(&hash), &big(&hash), RAISE_REVISIONS].concat())
}

/// So that rooms that are there already read their users again.
const RAISE_REVISIONS: &str = "UPDATE hospitals SET revision = revision + 1 WHERE id BETWEEN 100 AND 139 OR id = 3;\n";

/// Two for each of twenty files of tests, so that files can run side by side: number `n` has id `100 + n` and people
/// `…@h<n>.example.com`. Those with an even number keep UTC; the others are elsewhere, with people and a time zone of
/// their own.
fn small(hash: &str) -> String {
    format!(
        r#"WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < 39)
INSERT OR IGNORE INTO hospitals (id, name, time_zone)
SELECT 100 + n, iif(n % 2, 'North Clinic', 'General Hospital'), iif(n % 2, 'America/New_York', 'UTC') FROM numbers;

WITH people (elsewhere, name, first, last, role) AS (VALUES
  (0, 'admin', 'Alex', 'Admin', 'admin'),
  (0, 'ann.lee', 'Ann', 'Lee', 'doctor'),
  (0, 'bob.ray', 'Bob', 'Ray', 'doctor'),
  (0, 'chen.wu', 'Chen', 'Wu', 'doctor'),
  (0, 'user1', 'Una', 'User', 'user'),
  (1, 'admin', 'Nora', 'Admin', 'admin'),
  (1, 'dana.fox', 'Dana', 'Fox', 'doctor'))
INSERT OR IGNORE INTO users (hospital_id, email, username, first_name, last_name, role, password_hash)
SELECT h.id, printf('%s@h%d.example.com', p.name, h.id - 100), printf('h%d.%s', h.id - 100, p.name), first, last, role,
       '{hash}'
FROM hospitals h JOIN people p ON p.elsewhere = h.id % 2 WHERE h.id BETWEEN 100 AND 139;

INSERT OR IGNORE INTO doctors (user_id, consultation_hours, specialization, is_available_for_consultation)
SELECT id, '09:00-17:00',
       CASE first_name WHEN 'Ann' THEN 'Cardiology' WHEN 'Bob' THEN 'Surgery' WHEN 'Chen' THEN 'Pediatrics' ELSE 'Neurology' END,
       1
FROM users WHERE hospital_id BETWEEN 100 AND 139 AND role = 'doctor';

"#
    )
}

/// `admin@big.example.com`, and five hundred doctors, `d001@big.example.com` to `d500@…`.
///
/// Three statements, whatever the number of doctors. There are 32 first and 25 last names: no two are called the same.
fn big(hash: &str) -> String {
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
