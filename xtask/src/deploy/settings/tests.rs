use std::fs;

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
    // Replaces in what is deployed or, if it stands only above that, in what is inherited.
    let with = |changes: &[(&str, &str)], more: &str| {
        let (mut inherited, mut deployed) =
            ours.split_once(PRODUCTION).map(|(one, other)| (one.to_string(), other.to_string())).unwrap();
        for (from, to) in changes {
            let place = if deployed.contains(from) { &mut deployed } else { &mut inherited };
            assert!(place.contains(from), "{from}");
            *place = place.replace(from, to);
        }
        format!("{inherited}{PRODUCTION}{deployed}\n{more}\n")
    };
    let origins = "* https://*.a.example http://b.example https://c.example/ http://localhost.d.example e.example";
    let cases = [
        (
            with(
                &[
                    ("\"strict\"", "\"open\""),
                    ("\"production\"", "\"prodution\""),
                    ("SECONDS = \"45\"", "SECONDS = \"45s\""),
                    ("JURISDICTION = \"\"", "JURISDICTION = \"EU\"\nTOKEN_KEY = \"x\""),
                    ("ALLOWED_ORIGINS = \"\"", &format!("METRICS_TOKEN = \"x\"\nALLOWED_ORIGINS = \"{origins}\"")),
                    ("preview_urls = false", "main = \"target/faults/entry.js\"\nlogpush = true\npreview_urls = true"),
                ],
                "[[env.production.tail_consumers]]\nservice = \"tail\"",
            ),
            vec![
                "SOCKET_AUTH is \"open\": set it to \"strict\"",
                "ENVIRONMENT is \"prodution\": set it to \"production\"",
                "AUTO_LOGOUT_GRACE_SECONDS is \"45s\": write a whole number",
                "the variable METRICS_TOKEN is unknown",
                "JURISDICTION is \"EU\": set it to one of \"\", \"eu\", \"us\", \"fedramp\"",
                "TOKEN_KEY is a variable: remove it",
                "ALLOWED_ORIGINS has \"*\"",
                "ALLOWED_ORIGINS has \"https://*.a.example\"",
                "ALLOWED_ORIGINS has \"http://b.example\"",
                "ALLOWED_ORIGINS has \"https://c.example/\"",
                "ALLOWED_ORIGINS has \"http://localhost.d.example\"",
                "ALLOWED_ORIGINS has \"e.example\"",
                "preview_urls is not false",
                "main is another one",
                "switch logpush off",
                "remove the tail consumers",
            ],
        ),
        (
            with(
                &[
                    ("SOCKET_AUTH", "SOCKET_AUHT"),
                    ("JURISDICTION = \"\"", ""),
                    ("\"DB\"", "\"DATA\""),
                    ("\"ROOM\"", "\"ROOMS\""),
                    ("\"LOGIN_THROTTLE\"", "\"THROTTLE\""),
                    ("\"LOGIN_LIMIT\"", "\"LIMIT\""),
                ],
                "",
            ),
            vec![
                "the variable SOCKET_AUTH is missing",
                "the variable JURISDICTION is missing",
                "the variable SOCKET_AUHT is unknown",
                "SOCKET_AUTH is \"\": set it to \"strict\"",
                "the d1_databases binding DB is missing",
                "the durable_objects binding ROOM is missing",
                "the durable_objects binding LOGIN_THROTTLE is missing",
                "the ratelimits binding LOGIN_LIMIT is missing",
                "the d1_databases binding DATA is unknown",
                "the durable_objects binding ROOMS is unknown",
                "the durable_objects binding THROTTLE is unknown",
                "the ratelimits binding LIMIT is unknown",
            ],
        ),
        (
            with(&[("[env.production.vars]", "[env.production.define]"), ("invocation_logs = false", "")], ""),
            vec!["the variable ENVIRONMENT is missing", "SOCKET_AUTH is \"\"", "set invocation_logs to false"],
        ),
        (
            with(
                &[("\"strict\"", "\"stict\""), ("\"production\"", "\"local\""), ("database_name = \"rollcall\"", "")],
                "[env.production.observability]\nenabled = true\n[[env.production.migrations]]\ntag = \"v1\"",
            ),
            vec![
                "SOCKET_AUTH is \"stict\"",
                "ENVIRONMENT is \"local\"",
                "DB has no database_name",
                "set invocation_logs to false",
                "no [[migrations]] has Room",
            ],
        ),
        (
            with(
                &[
                    ("migrations_dir = \"migrations\"", ""),
                    ("mode = \"immediate\"", "mode = \"deferred\""),
                    ("new_sqlite_classes = [\"LoginThrottle\"]", "new_classes = [\"LoginThrottle\"]"),
                    ("invocation_logs = false", "invocation_logs = true"),
                ],
                "[observability.traces]\nenabled = true
                 [env.staging]\nname = \"rollcall-production\"
                 [[env.staging.d1_databases]]\nbinding = \"DB\"\ndatabase_name = \"rollcall\"",
            ),
            vec![
                "DB has another migrations_dir",
                "code_update_strategy is not \"immediate\"",
                "no [[migrations]] has LoginThrottle",
                "set invocation_logs to false",
                "switch observability.traces off",
                "[env.staging] has the same name",
                "[env.staging] has the same database_name",
            ],
        ),
    ];
    for (toml, whats) in cases {
        let Err(refusal) = answer(&toml, "production") else { panic!("deployed, though {whats:?}") };
        let refusal = format!("{refusal:#}");
        assert!(whats.iter().all(|what| refusal.contains(what)), "{refusal}\nis not all of {whats:#?}");
    }
    let safe = "ALLOWED_ORIGINS = \"https://a.example https://b.example:8443 http://localhost:3000 http://127.0.0.1\"";
    answer(&with(&[("ALLOWED_ORIGINS = \"\"", safe)], ""), "production").unwrap();
    for jurisdiction in ["eu", "us", "fedramp"] {
        let chosen = with(&[("JURISDICTION = \"\"", &format!("JURISDICTION = {jurisdiction:?}"))], "");
        assert_eq!(answer(&chosen, "production").unwrap().jurisdiction(), jurisdiction);
    }
}
