//! The description of the API, made from the types and the handlers: `dashboard/public/openapi.json` and
//! `asyncapi.json`. `UPDATE=1 cargo test -p rollcall` writes them anew.

use std::collections::BTreeSet;

use rollcall_core::wire::{
    ConnectionCommand, ConnectionMessage, DoctorEvent, Refusal, SUBPROTOCOL, WatcherCommand, WatcherMessage,
};
use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi, PartialSchema, ToSchema,
    openapi::{
        RefOr, Required,
        path::{HttpMethod, Operation},
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};

/// The name of the security scheme.
const TOKEN: &str = "token";

/// The same, of what only `/metrics` takes; behind the other one on the page of the schema, where they are sorted.
const METRICS_TOKEN: &str = "token_of_metrics";

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rollcall",
        description = "The live duty board of a hospital. Paths work with and without the trailing slash. Every refusal \
            is a `Refusal`: `code` is a word for programs. The WebSockets are described in \
            [asyncapi.json](/asyncapi.json)."
    ),
    servers((url = "/")),
    paths(
        super::sessions::login,
        super::sessions::logout,
        super::sessions::me,
        super::sessions::list,
        super::sessions::revoke,
        super::passwords::change,
        super::users::list,
        super::users::create,
        super::users::edit,
        super::passwords::reset,
        super::status::login,
        super::status::logout,
        super::status::availability,
        super::status::online_doctors,
        super::connections::list,
        super::connections::disconnect,
        super::events::list,
        super::tickets::issue,
        super::healthz,
        super::metrics::list,
    ),
    security(("token" = [])),
    modifiers(&Common)
)]
struct Api;

/// What every operation of a kind has: its refusals, and how callers say who they are.
struct Common;

impl Modify for Common {
    fn modify(&self, openapi: &mut utoipa::openapi::OpenApi) {
        let value = "`Token <key>`, with the key that login answers. Pages of the same origin use the cookie it sets.";
        let scheme = ApiKey::Header(ApiKeyValue::with_description("Authorization", value));
        let components = openapi.components.get_or_insert_default();
        components.add_security_scheme(TOKEN, SecurityScheme::ApiKey(scheme));
        let bearer = Http::builder().scheme(HttpAuthScheme::Bearer).description(Some("`METRICS_TOKEN`")).build();
        components.add_security_scheme(METRICS_TOKEN, SecurityScheme::Http(bearer));
        components.schemas.insert(Refusal::name().into(), Refusal::schema());
        for item in openapi.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
            operations.into_iter().flatten().for_each(refusals);
        }
    }
}

fn refusals(operation: &mut Operation) {
    let mut statuses = vec!["503"];
    if operation.security.is_none() {
        statuses.extend(["401", "403"]);
    }
    if operation.request_body.is_some() {
        statuses.extend(["400", "413", "415"]);
    }
    if operation.parameters.is_some() {
        statuses.push("400");
    }
    let named: Vec<_> = operation.responses.responses.keys().cloned().collect();
    statuses.extend(named.iter().map(String::as_str).filter(|status| *status >= "400"));
    for status in statuses {
        let refusal = json!({
            "description": described(status),
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
        });
        operation.responses.responses.insert(status.into(), serde_json::from_value(refusal).unwrap());
    }
    // All of it may be left out, where a doctor speaks for themselves.
    if let Some(RefOr::T(body)) = &mut operation.request_body
        && serde_json::to_string(&body.content).unwrap().contains("schemas/StateChange")
    {
        body.required = Some(Required::False);
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && response.description.is_empty()
        {
            response.description = described(status).into();
        }
    }
}

fn described(status: &str) -> &'static str {
    match status {
        "200" => "Done.",
        "201" => "Created.",
        "400" => "`parse_error`, or `invalid_request` naming the field.",
        "401" => "`not_authenticated`, `invalid_token`, or `invalid_credentials` at login.",
        "403" => "`permission_denied`, `csrf`, or `password_change_required`.",
        "404" => "`not_found`: nothing there that the caller may know of.",
        "409" => "`conflict`: somebody has that email or username.",
        "413" => "`too_large`: more than 16 KiB.",
        "415" => "`unsupported_media_type`: not `application/json`.",
        "429" => "`throttled`, with `Retry-After`.",
        "503" => "`unavailable`, with `Retry-After`: try again.",
        other => panic!("what is {other}?"),
    }
}

/// AsyncAPI 3 of the two sockets.
fn sockets() -> Value {
    let mut schemas = Vec::new();
    let mut named = |name: &str, schema: RefOr<utoipa::openapi::Schema>| schemas.push((name.to_string(), schema));
    named(&WatcherMessage::name(), WatcherMessage::schema());
    named(&WatcherCommand::name(), WatcherCommand::schema());
    named(&DoctorEvent::name(), DoctorEvent::schema());
    named(&ConnectionMessage::name(), ConnectionMessage::schema());
    named(&ConnectionCommand::name(), ConnectionCommand::schema());
    WatcherMessage::schemas(&mut schemas);
    DoctorEvent::schemas(&mut schemas);
    let schemas: serde_json::Map<_, _> =
        schemas.into_iter().map(|(name, schema)| (name, serde_json::to_value(schema).unwrap())).collect();

    let message = |name: &str, summary: &str| {
        json!({
            "name": name, "summary": summary, "contentType": "application/json",
            "payload": {"$ref": format!("#/components/schemas/{name}")},
        })
    };
    let text = |name: &str, summary: &str| json!({"name": name, "summary": summary, "contentType": "text/plain", "payload": {"type": "string", "const": name}});
    let parameter = |description: &str| json!({"type": "string", "description": description});
    let channel = |address: &str, description: &str, query: Value, messages: &[&str]| {
        let messages: serde_json::Map<_, _> = messages
            .iter()
            .map(|name| (name.to_string(), json!({"$ref": format!("#/components/messages/{name}")})))
            .collect();
        json!({
            "address": address, "description": description, "messages": messages,
            "bindings": {"ws": {"query": {"type": "object", "properties": query}}},
        })
    };
    let operation = |action: &str, channel: &str, messages: &[&str]| {
        let messages: Vec<_> =
            messages.iter().map(|name| json!({"$ref": format!("#/channels/{channel}/messages/{name}")})).collect();
        json!({"action": action, "channel": {"$ref": format!("#/channels/{channel}")}, "messages": messages})
    };
    let ticket = parameter(
        "A ticket of `POST /api/ws-ticket/`, for who can set no header; or the subprotocol `ticket.<value>`.",
    );
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "Rollcall's WebSockets",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A refused join is accepted first, and then closed with its code: 1008 too many messages or \
                sockets, 1011 the server cannot now, 1013 too slow, 4000 no email, 4001 not accepted, 4002 the session \
                ended, 4003 not allowed, 4004 disconnected by an administrator, 4008 no heartbeat.",
            "license": {"name": env!("CARGO_PKG_LICENSE")},
        },
        "defaultContentType": "application/json",
        "channels": {
            "doctorStatus": channel(
                "/ws/doctor-status/",
                &format!("Every event of the hospital. Clients that offer the subprotocol `{SUBPROTOCOL}` first get a snapshot."),
                json!({
                    "since": parameter("The last `seq` that was heard: what came after it is sent."),
                    "connections": parameter(
                        "`1`: tell this `rollcall.v1` client how many people are connected, whenever that changes.",
                    ),
                    "ticket": ticket,
                }),
                &["DoctorEvent", "WatcherMessage", "WatcherCommand", "ping", "pong"],
            ),
            "connect": channel(
                "/ws/connect/",
                &format!("A person's own connection. A doctor who offers the subprotocol `{SUBPROTOCOL}` hears their own events too."),
                json!({"email": parameter("Whose."), "ticket": ticket}),
                &["ConnectionMessage", "DoctorEvent", "ConnectionCommand", "ping", "pong"],
            ),
        },
        "operations": {
            "hearEvents": operation("send", "doctorStatus", &["DoctorEvent", "WatcherMessage", "pong"]),
            "acknowledge": operation("receive", "doctorStatus", &["WatcherCommand", "ping"]),
            "hearEcho": operation("send", "connect", &["ConnectionMessage", "DoctorEvent", "pong"]),
            "say": operation("receive", "connect", &["ConnectionCommand", "ping"]),
        },
        "components": {
            "schemas": schemas,
            "messages": {
                "DoctorEvent": message("DoctorEvent", "A recorded event, in the order of `seq`."),
                "WatcherMessage": message("WatcherMessage", "What a dashboard is told besides events."),
                "WatcherCommand": message("WatcherCommand", "What a `rollcall.v1` dashboard acknowledges."),
                "ConnectionMessage": message("ConnectionMessage", "What a person's connection hears."),
                "ConnectionCommand": message("ConnectionCommand", "Any text; it is echoed."),
                "ping": text("ping", "Every 30 seconds; 90 seconds of silence after the first one close the socket."),
                "pong": text("pong", "The answer."),
            },
        },
    })
}

fn is_up_to_date(name: &str, document: &impl serde::Serialize) {
    let path = format!("{}/dashboard/public/{name}", env!("CARGO_MANIFEST_DIR"));
    let made = serde_json::to_string_pretty(document).unwrap() + "\n";
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(committed, made, "stale: run `UPDATE=1 cargo test -p rollcall`");
}

#[test]
fn the_schema_is_up_to_date() {
    let api = Api::openapi();
    assert!(serde_json::to_string(&api).unwrap().contains(r#""openapi":"3.1.0""#));
    is_up_to_date("openapi.json", &api);
}

#[test]
fn the_description_of_the_sockets_is_up_to_date() {
    is_up_to_date("asyncapi.json", &sockets());
}

/// The paths of the route table.
fn routes() -> impl Iterator<Item = &'static str> {
    TABLE.lines().filter_map(|line| line.trim().strip_prefix(".route(\"")?.split('"').next())
}

const TABLE: &str = include_str!("../http.rs");

#[test]
fn of_a_path_the_log_has_the_words_of_its_route() {
    let words: BTreeSet<_> = routes().flat_map(|path| path.split('/')).filter(|word| !word.starts_with('{')).collect();
    assert_eq!(words, super::WORDS.into_iter().collect());
}

#[test]
fn every_route_is_described() {
    let routes: BTreeSet<_> = routes()
        // Those that describe are not described.
        .filter(|path| !path.starts_with("/ws/") && !["/api/schema", "/api/docs"].contains(path))
        .collect();
    assert!(routes.len() > 10, "{routes:?}");
    let described: BTreeSet<_> =
        Api::openapi().paths.paths.keys().map(|path| path.trim_end_matches('/').to_string()).collect();
    assert_eq!(described.iter().map(String::as_str).collect::<BTreeSet<_>>(), routes);
    // One `get(…)`, `post(…)` and so on in the table for each operation.
    let operations = |method: HttpMethod| {
        let described = Api::openapi().paths.paths.into_values().filter(|item| match method {
            HttpMethod::Get => item.get.is_some(),
            HttpMethod::Post => item.post.is_some(),
            HttpMethod::Patch => item.patch.is_some(),
            _ => item.delete.is_some(),
        });
        described.count()
    };
    let handlers = |method: &str| {
        let lines = TABLE.lines().filter(|line| {
            line.trim().starts_with(".route(\"") && !line.contains("/ws/") && !line.contains("documents::")
        });
        lines.filter(|line| line.contains(&format!("{method}("))).count()
    };
    for (method, name) in [
        (HttpMethod::Get, "get"),
        (HttpMethod::Post, "post"),
        (HttpMethod::Patch, "patch"),
        (HttpMethod::Delete, "delete"),
    ] {
        assert_eq!(operations(method), handlers(name), "{name}");
    }
}
