//! The clients of `docs/clients.md`, which are the files in `tests/clients`

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::{Duration, Instant},
};

use rollcall_tests::{Hospital, Server, Session};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::sleep;

const CHECKOUT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Their languages, as a block of code in Markdown says it, and their files.
const CLIENTS: [(&str, &str); 3] =
    [("js", "tests/clients/watch.mjs"), ("python", "tests/clients/watch.py"), ("rust", "tests/clients/watch.rs")];

/// A seq that the hospital never reaches.
const LOST: &str = "999999";

/// Longer than a client waits that has tried for as long as the server needs to start.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client that runs; ends when dropped.
struct Client {
    name: &'static str,
    process: Child,
    /// The events it has printed.
    events: Arc<Mutex<Vec<Value>>>,
}

impl Client {
    fn start(
        name: &'static str,
        command: &mut Command,
        session: &Session,
        server: &Server,
        since: Option<&str>,
    ) -> Self {
        let mut process = command
            .envs(since.map(|since| ("ROLLCALL_SINCE", since)))
            .env("ROLLCALL_URL", &server.address)
            .env("ROLLCALL_TOKEN", session.authorization().trim_start_matches("Token "))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{name}: {command:?}: {error}"));
        let events = Arc::<Mutex<Vec<Value>>>::default();
        let (lines, written) = (BufReader::new(process.stdout.take().unwrap()).lines(), Arc::clone(&events));
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let event = serde_json::from_str(&line).unwrap_or_else(|_| json!(line));
                written.lock().unwrap().push(event);
            }
        });
        Self { name, process, events }
    }

    fn events(&self) -> Vec<Value> {
        self.events.lock().unwrap().clone()
    }

    /// Waits until it has printed the event `seq`.
    async fn prints(&mut self, seq: &Value) {
        let since = Instant::now();
        while self.events().last().is_none_or(|event| event["seq"] != *seq) {
            if since.elapsed() > PATIENCE || self.process.try_wait().unwrap().is_some() {
                self.process.kill().unwrap();
                let said = self.said();
                panic!("{}: {seq} is not printed: {:?}\n{said}", self.name, self.events());
            }
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until it fails by itself, and returns what it said.
    async fn fails(&mut self) -> String {
        let since = Instant::now();
        loop {
            if let Some(status) = self.process.try_wait().unwrap() {
                assert!(!status.success(), "{} ends as if all were well", self.name);
                return self.said();
            }
            assert!(since.elapsed() < PATIENCE, "{} does not end", self.name);
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// What it has said beside the events, once it has ended.
    fn said(&mut self) -> String {
        let mut said = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
        said
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Starts the client in JavaScript as its reader would: in a directory with a copy of the library, and nothing else.
fn javascript(directory: &Path) -> Command {
    fs::write(directory.join("package.json"), r#"{"type": "module"}"#).unwrap();
    for file in ["tests/clients/watch.mjs", "dashboard/src/socket.ts"] {
        let from = Path::new(CHECKOUT).join(file);
        fs::copy(&from, directory.join(from.file_name().unwrap())).unwrap();
    }
    let mut node = Command::new(Path::new(CHECKOUT).join("node_modules/.bin/node"));
    node.arg(directory.join("watch.mjs"));
    node
}

fn python() -> Command {
    let Some(python) = std::env::var_os("ROLLCALL_PYTHON") else {
        panic!("ROLLCALL_PYTHON must name a Python that has the package websockets; `cargo xtask test` does");
    };
    let mut python = Command::new(python);
    python.arg(Path::new(CHECKOUT).join("tests/clients/watch.py"));
    python
}

/// A doctor comes and goes; returns the latest seq.
async fn two_events(doctor: &Session) -> Value {
    doctor.go_live().await;
    doctor.leave().await["seq"].clone()
}

#[tokio::test]
async fn each_client_prints_every_event_once_across_a_crash_and_ends_with_its_session() {
    static SERVER: OnceLock<Server> = OnceLock::new();
    let python = python();
    let server = SERVER.get_or_init(|| Server::start(&["--var", "SOCKET_AUTH:strict"]));
    let hospital = Hospital::fresh(server);
    let directory = TempDir::new().unwrap();
    let mut commands = [
        ("watch.mjs", javascript(directory.path())),
        ("watch.py", python),
        ("watch.rs", Command::new(env!("CARGO_BIN_EXE_watch"))),
    ];
    let (admin, watcher, ann) =
        (hospital.sign_in("admin").await, hospital.sign_in("admin").await, hospital.sign_in("ann").await);
    // From now on; and from where there is nothing to go on from.
    let mut clients: Vec<_> = [None, Some(LOST)]
        .into_iter()
        .flat_map(|since| {
            commands.each_mut().map(|(name, command)| Client::start(name, command, &watcher, server, since))
        })
        .collect();

    // Nobody says when a client has joined, but what it prints first.
    let began = Instant::now();
    while clients.iter().any(|client| client.events().is_empty()) {
        assert!(began.elapsed() < PATIENCE, "one of them prints nothing");
        two_events(&ann).await;
    }
    let latest = two_events(&ann).await;
    for client in &mut clients {
        client.prints(&latest).await;
    }

    server.kill();
    server.restart();
    two_events(&ann).await;
    let latest = two_events(&ann).await;
    for client in &mut clients {
        client.prints(&latest).await;
    }
    let latest = two_events(&ann).await;
    for client in &mut clients {
        client.prints(&latest).await;
    }
    let page = admin.get("/api/events/?limit=1000").await.json();
    let mut history = page["events"].as_array().unwrap().clone();
    for event in &mut history {
        event.as_object_mut().unwrap().remove("actor_id");
    }
    for client in &clients {
        let printed = client.events();
        let expected = history.iter().skip_while(|event| event["seq"] != printed[0]["seq"]);
        assert!(printed.iter().eq(expected), "{}: {printed:?}\ninstead of {history:?}", client.name);
    }

    let sessions = admin.get("/api/users/sessions/").await.json();
    for session in sessions["sessions"].as_array().unwrap().iter().filter(|session| session["current"] == false) {
        admin.delete(&format!("/api/users/sessions/{}/", session["id"])).await;
    }
    for (at, client) in clients.iter_mut().enumerate() {
        let said = client.fails().await;
        assert!(said.contains("stopped: 4002 The session ended"), "{}: {said}", client.name);
        assert_eq!(
            said.contains(&format!("missed some: /api/events/?since={LOST}")),
            at >= 3,
            "{}: {said}",
            client.name
        );
    }
}

/// `UPDATE=1 cargo test -p rollcall-tests --test e2e clients` puts them there anew.
#[test]
fn the_document_shows_the_clients_as_they_are_tested() {
    let path = PathBuf::from(CHECKOUT).join("docs/clients.md");
    let written = fs::read_to_string(&path).unwrap();
    let mut shown = written.clone();
    for (language, file) in CLIENTS {
        let code = fs::read_to_string(Path::new(CHECKOUT).join(file)).unwrap();
        let (before, block) = shown.split_once(&format!("```{language}\n")).unwrap_or_else(|| panic!("no {language}"));
        let (_, after) = block.split_once("```\n").unwrap();
        let anew = format!("{before}```{language}\n{code}```\n{after}");
        shown = anew;
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &shown).unwrap();
        return;
    }
    assert_eq!(written, shown, "stale: run `UPDATE=1 cargo test -p rollcall-tests --test e2e clients`");
}
