use std::{fs, thread};

use super::*;

/// Where the settings that are deployed begin.
const PRODUCTION: &str = "[env.production]\n";

fn ours() -> String {
    env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
    fs::read_to_string("wrangler.toml").unwrap()
}

/// What is said to a `wrangler.toml` like this.
fn answer(toml: &str, environment: &str) -> Result<Configuration> {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("wrangler.toml");
    fs::write(&file, toml).unwrap();
    read(&file, environment)?.checked(environment)
}

#[test]
fn our_own_settings_may_be_deployed() {
    let deployed = answer(&ours(), "production").unwrap();
    assert_eq!((deployed.name.as_deref(), deployed.database_name()), (Some("rollcall-production"), Some("rollcall")));
}

#[test]
fn an_environment_that_there_is_not_is_refused() {
    for name in ["prodution", "", "local"] {
        let refusal = answer(&ours(), name).err().unwrap().to_string();
        assert!(refusal.contains(&format!("no [env.{name}]")), "{refusal}");
    }
}

#[test]
fn unsafe_settings_are_refused_each_with_what_to_do() {
    let ours = ours();
    let production = |from: &str, to: &str| {
        let (local, deployed) = ours.split_once(PRODUCTION).unwrap();
        assert!(deployed.contains(from), "{from}");
        format!("{local}{PRODUCTION}{}", deployed.replace(from, to))
    };
    let without_vars = ours.replace("[env.production.vars]", "[env.production.define]");
    let with = |lines: &str| format!("{ours}\n{lines}\n");
    let inherited = |from: &str, to: &str| {
        assert!(ours.contains(from), "{from}");
        ours.replace(from, to)
    };
    let origins = |origins: &str| production("ALLOWED_ORIGINS = \"\"", &format!("ALLOWED_ORIGINS = \"{origins}\""));
    let database = "[[env.production.d1_databases]]\nbinding = \"DB\"";
    let cases = [
        (production("\"strict\"", "\"open\""), "SOCKET_AUTH is \"open\": set it to \"strict\""),
        (production("\"strict\"", "\"stict\""), "SOCKET_AUTH is \"stict\""),
        (production("\"strict\"", "\"\""), "SOCKET_AUTH is \"\""),
        (production("SOCKET_AUTH", "SOCKET_AUHT"), "the variable SOCKET_AUHT is unknown"),
        (production("SOCKET_AUTH", "SOCKET_AUHT"), "the variable SOCKET_AUTH is missing"),
        (production("\"production\"", "\"prodution\""), "ENVIRONMENT is \"prodution\": set it to \"production\""),
        (production("\"production\"", "\"local\""), "ENVIRONMENT is \"local\""),
        (without_vars.clone(), "the variable ENVIRONMENT is missing"),
        (without_vars, "SOCKET_AUTH is \"\""),
        (production("SECONDS = \"45\"", "SECONDS = \"45s\""), "AUTO_LOGOUT_GRACE_SECONDS is \"45s\""),
        (production("ALLOWED", "METRICS_TOKEN = \"x\"\nALLOWED"), "the variable METRICS_TOKEN is unknown"),
        (
            production(database, "[[env.production.d1_databases]]\nbinding = \"DATA\""),
            "d1_databases binding DB is missing",
        ),
        (production("database_name = \"rollcall\"", ""), "DB has no database_name"),
        (production("migrations_dir = \"migrations\"", ""), "DB has another migrations_dir"),
        (production("\"ROOM\"", "\"ROOMS\""), "durable_objects binding ROOM is missing"),
        (production("\"LOGIN_THROTTLE\"", "\"THROTTLE\""), "durable_objects binding LOGIN_THROTTLE is missing"),
        (production("\"LOGIN_LIMIT\"", "\"LIMIT\""), "ratelimits binding LOGIN_LIMIT is missing"),
        (with("[[env.production.migrations]]\ntag = \"v1\""), "no [[migrations]] has Room"),
        (
            inherited("new_sqlite_classes = [\"LoginThrottle\"]", "new_classes = [\"LoginThrottle\"]"),
            "has LoginThrottle",
        ),
        (inherited("invocation_logs = false", "invocation_logs = true"), "set invocation_logs to false"),
        (inherited("invocation_logs = false", ""), "set invocation_logs to false"),
        (with("[env.production.observability]\nenabled = true"), "set invocation_logs to false"),
        (with("[observability.traces]\nenabled = true"), "switch observability.traces off"),
        (production("preview_urls", "logpush = true\npreview_urls"), "switch logpush off"),
        (with("[[env.production.tail_consumers]]\nservice = \"tail\""), "remove the tail consumers"),
        (production("preview_urls = false", "preview_urls = true"), "preview_urls is not false"),
        (
            production("preview_urls = false", "main = \"target/faults/entry.js\"\npreview_urls = false"),
            "main is another",
        ),
        (origins("*"), "ALLOWED_ORIGINS has \"*\""),
        (origins("https://*.hospital.example"), "ALLOWED_ORIGINS has \"https://*.hospital.example\""),
        (origins("https://a.example http://b.example"), "ALLOWED_ORIGINS has \"http://b.example\""),
        (origins("https://a.example/"), "ALLOWED_ORIGINS has \"https://a.example/\""),
        (origins("http://localhost.evil.example"), "ALLOWED_ORIGINS has \"http://localhost.evil.example\""),
    ];
    let answers = |(toml, what): &(String, &str)| match answer(toml, "production") {
        Ok(_) => panic!("deployed, though: {what}"),
        Err(refusal) => assert!(format!("{refusal:#}").contains(what), "{refusal:#}\nand not: {what}"),
    };
    thread::scope(|scope| {
        cases.chunks(cases.len().div_ceil(2)).for_each(|half| {
            scope.spawn(move || half.iter().for_each(answers));
        })
    });
    let allowed = origins("https://a.example https://b.example:8443 http://localhost:3000 http://127.0.0.1");
    assert!(answer(&allowed, "production").is_ok());
}
