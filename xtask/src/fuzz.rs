//! The API, fuzzed from its own schema: no answer may be a 5xx, or one that the schema does not have.

use std::{fs, process::Command};

use anyhow::Result;
use serde_json::json;

use crate::{
    demo,
    process::{output, run},
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

/// The token of an asker without an email: it has the form of one.
const NOBODYS: &str = "00000000000000000000000000000000000000000000000000000000000000ff";

/// Signs in, on the Node that is there anyway, and prints the token.
const SIGN_IN: &str = "
    const [address, body] = process.argv.slice(1);
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`${address}/api/users/login/`, { method: 'POST', headers, body });
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`);
    console.log((await answer.json()).token);";

/// Fuzzes a Worker of its own, bounded by the number of examples: a slow machine tries the same ones.
pub fn fuzz() -> Result<()> {
    let program = setup::python()?.join("st");
    let state = tempfile::tempdir()?;
    let server = Server::start(&serve::Options::new(state.path()))?;
    // Before anybody is changed.
    let tokens = ASKERS.iter().map(|asker| asker.email.map_or(Ok(NOBODYS.into()), |email| sign_in(&server, email)));
    let tokens = tokens.collect::<Result<Vec<String>>>()?;
    for (Asker { phases, excluded, .. }, token) in ASKERS.iter().zip(tokens) {
        let mut command = Command::new(&program);
        // From there, because it writes down what it has seen.
        command.current_dir(state.path()).arg("--config-file").arg(fs::canonicalize("tests/schemathesis.toml")?);
        command.args(["run", "--no-color", "--warnings", "off"]);
        command.args(["--seed", "1", "--max-examples", "20", "--phases", phases]);
        command.args(excluded.iter().flat_map(|operation| ["--exclude-operation-id", operation]));
        command.arg("--header").arg(format!("Authorization: Token {token}"));
        run(command.arg(format!("{}/api/schema/", server.address)))?;
    }
    Ok(())
}

fn sign_in(server: &Server, email: &str) -> Result<String> {
    let body = json!({"email": email, "password": demo::PASSWORD}).to_string();
    let mut node = Command::new("node_modules/.bin/node");
    node.args(["--input-type=module", "--eval", SIGN_IN, &server.address, &body]);
    Ok(output(node.env("PATH", setup::path_with(&[])?))?.trim().into())
}
