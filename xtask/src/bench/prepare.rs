//! What a contestant finds when it starts: the same doctors, with a session each.
//!
//! A contestant that gives tokens itself keeps its sessions as it likes: doctors sign in to it, once, and what it has
//! then is the state that is copied.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use rollcall_core::{
    HospitalId,
    token::{self, Token, TokenKind},
};
use serde::{Deserialize, Serialize};

use crate::{
    demo,
    process::{output, say},
    setup,
    wrangler::{self, Database},
};

/// How many doctors there are: as many as call at once, at most.
const DOCTORS: u32 = 64;

/// The schema of the bare object.
const BARE_SCHEMA: &str = "bench/contestants/bare/schema.sql";

/// Where the Django application is.
pub const DJANGO: &str = "bench/contestants/django";

/// Everything that a benchmark keeps while it runs.
pub struct Place {
    path: PathBuf,
    doctors: Vec<Doctor>,
}

/// A doctor, as the load and the Django application read them.
#[derive(Serialize)]
struct Doctor {
    id: u32,
    email: String,
    username: String,
    first_name: &'static str,
    last_name: &'static str,
    token: String,
}

/// A doctor who has a session, or needs none.
#[derive(Deserialize)]
pub struct Caller {
    pub id: u32,
    pub token: String,
}

impl Doctor {
    fn new(id: u32) -> Result<Self> {
        let mut random = [0; token::RANDOM_BYTES];
        getrandom::fill(&mut random)?;
        Ok(Self {
            id,
            email: format!("d{id}@bench.example.com"),
            username: format!("d{id}"),
            // All called what the contestants without names call everybody, so that messages are as long.
            first_name: "Ann",
            last_name: "Lee",
            token: Token::issue(TokenKind::Session, HospitalId::new(1), random, "").reveal().into(),
        })
    }
}

/// Whose state it is. Contestants of one kind begin with copies of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Rollcall,
    Bare,
    /// The bare object's, which keeps everything in its own SQLite.
    BareWithSessions,
    Django,
    /// For a contestant that keeps nothing.
    Nothing,
}

impl State {
    /// Whether doctors get their tokens by signing in.
    pub fn signs_in(self) -> bool {
        matches!(self, Self::Rollcall | Self::BareWithSessions)
    }
}

impl Place {
    /// An empty one, with the doctors.
    pub fn new() -> Result<Self> {
        let path = std::env::current_dir()?.join("target/bench");
        if path.exists() {
            fs::remove_dir_all(&path)?;
        }
        fs::create_dir_all(&path)?;
        let doctors = (0..DOCTORS).map(|number| Doctor::new(1000 + number)).collect::<Result<_>>()?;
        Ok(Self { path, doctors })
    }

    /// The doctor who calls if one is enough.
    pub fn caller(&self, state: State) -> Result<Caller> {
        let callers: Vec<Caller> = serde_json::from_slice(&fs::read(self.doctors(state))?)?;
        callers.into_iter().next().context("no doctor")
    }

    /// The file of the doctors, with their tokens.
    pub fn doctors(&self, state: State) -> PathBuf {
        self.prepared(state).join("doctors.json")
    }

    /// What the contestant that runs writes on standard error.
    pub fn log(&self) -> PathBuf {
        self.path.join("log")
    }

    /// A new copy of a state, for the next contestant.
    pub fn copy(&self, state: State) -> Result<PathBuf> {
        let (prepared, copy) = (self.prepared(state), self.path.join("running"));
        if copy.exists() {
            fs::remove_dir_all(&copy)?;
        }
        output(Command::new("cp").arg("-r").arg(prepared).arg(&copy))?;
        Ok(copy)
    }

    /// Makes the state that copies are made of, unless it is there; `sign_in` rewrites the file of the doctors, with the
    /// tokens that a server with this state gives them.
    pub fn prepare(&self, state: State, sign_in: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
        let prepared = self.prepared(state);
        if prepared.join(".prepared").is_file() {
            return Ok(());
        }
        fs::create_dir_all(&prepared)?;
        fs::write(self.doctors(state), serde_json::to_vec(&self.doctors)?)?;
        match state {
            State::Rollcall => {
                say("preparing Rollcall's database");
                let database = Database::Local(prepared.clone());
                wrangler::migrate(&database)?;
                wrangler::execute_text(&database, &self.rollcall()?)?;
            }
            State::Bare => {
                say("preparing the bare object's database");
                wrangler::execute_text(&Database::Bare(prepared.clone()), &self.bare()?)?;
            }
            State::Django => self.django(&prepared)?,
            // The object creates its tables and its doctors itself.
            State::BareWithSessions | State::Nothing => {}
        }
        if state.signs_in() {
            say("signing the doctors in");
            sign_in(&prepared)?;
        }
        Ok(fs::write(prepared.join(".prepared"), "")?)
    }

    fn prepared(&self, state: State) -> PathBuf {
        self.path.join(format!("{state:?}").to_lowercase())
    }

    fn rollcall(&self) -> Result<String> {
        let hash = demo::hash()?;
        let mut sql = String::from("INSERT INTO hospitals (id, name) VALUES (1, 'General Hospital');\n");
        for Doctor { id, email, username, first_name, last_name, .. } in &self.doctors {
            sql.push_str(&format!(
                "INSERT INTO users (id, hospital_id, email, username, first_name, last_name, role, password_hash)
                 VALUES ({id}, 1, '{email}', '{username}', '{first_name}', '{last_name}', 'doctor', '{hash}');
                 INSERT INTO doctors (user_id) VALUES ({id});\n"
            ));
        }
        Ok(sql)
    }

    fn bare(&self) -> Result<String> {
        let mut sql = fs::read_to_string(BARE_SCHEMA).context(BARE_SCHEMA)?;
        for Doctor { id, .. } in &self.doctors {
            sql.push_str(&format!("INSERT INTO doctors (id, is_live) VALUES ({id}, 0);\n"));
        }
        Ok(sql)
    }

    fn django(&self, prepared: &Path) -> Result<()> {
        let python = setup::python_for_django()?.join("python");
        say("preparing Django's database");
        for arguments in
            [&["manage.py", "migrate", "-v0"][..], &["prepare.py", &self.doctors(State::Django).to_string_lossy()]]
        {
            let mut command = Command::new(&python);
            command.args(arguments).current_dir(DJANGO).env("DATABASE_PATH", django_database(prepared));
            output(&mut command)?;
        }
        Ok(())
    }
}

/// Django's database in its state.
pub fn django_database(state: &Path) -> PathBuf {
    state.join("db.sqlite3")
}
