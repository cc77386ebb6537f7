//! The description of the API, made from the types and the handlers: `dashboard/public/openapi.json` and
//! `asyncapi.json`. `UPDATE=1 cargo test -p rollcall` writes them again.

use std::collections::BTreeSet;

use rollcall_core::wire::{
    ConnectionCommand, ConnectionMessage, DoctorEvent, ErrorBody, SUBPROTOCOL, WatcherCommand, WatcherMessage,
};
use serde_json::{Value, json};
use utoipa::{
    Modify, OpenApi, PartialSchema, ToSchema,
    openapi::{
        RefOr, Required,
        path::Operation,
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
        description = "The live duty board of a hospital. Paths work with and without the trailing slash. Every error \
            is an `ErrorBody`: `code` is a word for programs. The WebSockets are described in \
            [asyncapi.json](/asyncapi.json)."
    ),
    servers((url = "/")),
    paths(
        crate::edge::sign_in::login,
        crate::room::api::sessions::logout,
        crate::room::api::users::me,
        crate::room::api::sessions::list,
        crate::room::api::sessions::revoke,
        crate::edge::accounts::change_password,
        crate::room::api::users::list,
        crate::edge::accounts::create,
        crate::edge::accounts::edit,
        crate::edge::accounts::reset_password,
        crate::room::api::duty::login,
        crate::room::api::duty::logout,
        crate::room::api::duty::availability,
        crate::room::api::duty::online_doctors,
        crate::room::api::connections::list,
        crate::room::api::connections::disconnect,
        crate::room::api::events::list,
        crate::room::api::tickets::issue,
        crate::edge::router::healthz,
        crate::room::api::metrics::list,
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
        components.schemas.insert(ErrorBody::name().into(), ErrorBody::schema());
        for item in openapi.paths.paths.values_mut() {
            let operations = [&mut item.get, &mut item.post, &mut item.patch, &mut item.delete];
            operations.into_iter().flatten().for_each(errors);
        }
    }
}

fn errors(operation: &mut Operation) {
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
        let error = json!({
            "description": described(status),
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
        });
        operation.responses.responses.insert(status.into(), serde_json::from_value(error).unwrap());
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
        "A ticket of `POST /api/ws-ticket/`, for a client that can set no header; or the subprotocol `ticket.<value>`.",
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

/// Method and path of every route that is described: sockets, and what describes, are not.
fn routes() -> BTreeSet<(String, String)> {
    let of_worker = crate::edge::router::ROUTES.iter().map(|(method, path, _)| (method, *path));
    let of_rooms = crate::room::router::ROUTES.iter().map(|(method, path, _)| (method, *path));
    let is_described = |path: &str| !path.starts_with("/ws/") && !["/api/schema", "/api/docs"].contains(&path);
    let described = of_worker.chain(of_rooms).filter(|(_, path)| is_described(path));
    described.map(|(method, path)| (method.to_string(), path.to_string())).collect()
}

#[test]
fn every_route_is_described() {
    let mut described = BTreeSet::new();
    for (path, item) in Api::openapi().paths.paths {
        let path = path.trim_end_matches('/');
        let operations = [
            ("GET", item.get.is_some()),
            ("POST", item.post.is_some()),
            ("PATCH", item.patch.is_some()),
            ("DELETE", item.delete.is_some()),
        ];
        let operations = operations.into_iter().filter(|(_, is_there)| *is_there);
        described.extend(operations.map(|(method, _)| (method.to_string(), path.to_string())));
    }
    assert!(described.len() > 10, "{described:?}");
    assert_eq!(described, routes());
}
