//! Deploying, without an account: the dry run takes every step that a real one takes

use std::{fs, path::Path};

use rollcall_tests::{database_in, xtask};

const WRANGLER_TOML: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../wrangler.toml");

#[test]
fn a_deployment_in_production_migrates_before_its_code_and_refuses_demo_accounts() {
    let state = tempfile::tempdir().unwrap();
    let rehearse = || xtask(&["deploy", "--dry-run", "--persist-to", state.path().to_str().unwrap()]);

    let commands = rehearse().unwrap();
    let position = |command: &str| commands.find(command).unwrap_or_else(|| panic!("{command} not in {commands}"));
    let order = [
        position("npx wrangler d1 list"),
        position("npx wrangler d1 create rollcall\n"),
        position("npx wrangler d1 execute DB"),
        position("npx wrangler d1 migrations apply DB --env production --remote\n"),
        position("npx wrangler deploy --env production "),
        position("curl https://"),
    ];
    assert!(order.is_sorted(), "{commands}");

    let database = database_in(state.path());
    let migrations = fs::read_dir(Path::new(WRANGLER_TOML).with_file_name("migrations")).unwrap().count();
    let applied: i64 = database.query_row("SELECT COUNT(*) FROM d1_migrations", [], |row| row.get(0)).unwrap();
    assert_eq!(usize::try_from(applied), Ok(migrations));
    database
        .execute_batch(
            "INSERT INTO hospitals (id, name) VALUES (1, 'General Hospital');
             INSERT INTO users (hospital_id, email, username, role, password_hash)
             VALUES (1, 'ann.lee@example.com', 'ann.lee', 'doctor', 'whatever');",
        )
        .unwrap();
    let refusal = rehearse().unwrap_err();
    assert!(refusal.contains("demo accounts, whose password everybody knows (ann.lee@example.com)"), "{refusal}");
    assert!(!refusal.contains("deploying the code"), "{refusal}");

    // What it says helps.
    let (_, close) = refusal.split_once("--command \"").unwrap();
    database.execute_batch(close.trim().trim_end_matches('"')).unwrap();
    let sql = "SELECT COUNT(*) FROM users WHERE is_active = 1 OR password_hash <> ''";
    assert_eq!(database.query_row(sql, [], |row| row.get(0)), Ok(0));
}

#[test]
fn unsafe_settings_in_production_are_refused_before_anything_else() {
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("wrangler.toml");
    let rehearse = || xtask(&["deploy", "--dry-run", "--config", copy.to_str().unwrap()]);
    let ours = fs::read_to_string(WRANGLER_TOML).unwrap();
    fs::write(&copy, ours.replace("\"strict\"", "\"open\"")).unwrap();
    let refusal = rehearse().unwrap_err();
    assert!(refusal.contains("SOCKET_AUTH is \"open\": set it to \"strict\""), "{refusal}");
    assert!(!refusal.contains("building"), "{refusal}");

    let refusal = xtask(&["deploy", "--dry-run", "--env", "prodution"]).unwrap_err();
    assert!(refusal.contains("wrangler.toml has no [env.prodution]"), "{refusal}");
    let refusal = xtask(&["deploy", "--config", copy.to_str().unwrap()]).unwrap_err();
    assert!(refusal.contains("--dry-run"), "another configuration is not for real runs: {refusal}");
}
