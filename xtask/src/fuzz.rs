//! The API, fuzzed from its own schema: no answer may be a 5xx, or one that the schema does not have.

use std::{fs, process::Command};

use anyhow::Result;
use rollcall_core::token::{BYTES, Token};

use crate::{
    process::run,
    serve::{self, Server},
    setup,
};

/// One way to ask.
struct Asker {
    /// Who, if anybody.
    email: Option<&'static str>,
    /// Which of Schemathesis's phases.
    phases: &'static str,
    /// What they do not ask for: it would end their session.
    excluded: &'static [&'static str],
}

const ASKERS: [Asker; 3] = [
    Asker {
        email: Some("admin@example.com"),
        phases: "coverage,fuzzing,stateful",
        excluded: &["logout", "change_password", "revoke_session"],
    },
    Asker { email: Some("ann.lee@example.com"), phases: "coverage,fuzzing", excluded: &["logout", "revoke_session"] },
    Asker { email: None, phases: "coverage", excluded: &[] },
];

/// Where their sessions are numbered from, so that ids that are tried first are nobody's.
const FIRST_SESSION: usize = 100;

/// Fuzzes a Worker of its own, bounded by the number of examples: a slow machine tries the same ones.
pub fn fuzz() -> Result<()> {
    let program = setup::python()?.join("st");
    let state = tempfile::tempdir()?;
    let sql = state.path().join("sessions.sql");
    fs::write(&sql, ASKERS.iter().enumerate().filter_map(session).collect::<String>())?;
    let server = Server::start(&serve::Options { sql: Some(sql), ..serve::Options::new(state.path()) })?;
    for (at, Asker { phases, excluded, .. }) in ASKERS.iter().enumerate() {
        let mut command = Command::new(&program);
        // From there, because it writes down what it has seen.
        command.current_dir(state.path()).arg("--config-file").arg(fs::canonicalize("tests/schemathesis.toml")?);
        command.args(["run", "--no-color", "--warnings", "off"]);
        command.args(["--seed", "1", "--max-examples", "20", "--phases", phases]);
        command.args(excluded.iter().flat_map(|operation| ["--exclude-operation-id", operation]));
        command.arg("--header").arg(format!("Authorization: Token {}", token(at).reveal()));
        run(command.arg(format!("{}/api/schema/", server.address)))?;
    }
    Ok(())
}

/// The statement that opens the session of an asker who has one.
fn session((at, asker): (usize, &Asker)) -> Option<String> {
    let (id, digest, email) = (FIRST_SESSION + at, token(at).digest(), asker.email?);
    Some(format!(
        "INSERT INTO sessions (id, token_sha256, user_id, created_ms, expires_ms)
         SELECT {id}, '{digest}', id, unixepoch() * 1000, unixepoch() * 1000 + 3600000 FROM users WHERE email = '{email}';\n"
    ))
}

/// A token for each asker: of a server that nobody else can reach.
fn token(at: usize) -> Token {
    Token::new([u8::try_from(at).unwrap_or_default(); BYTES])
}
