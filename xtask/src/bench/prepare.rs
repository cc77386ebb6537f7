//! What a contestant finds when it starts: the same doctors, with a session each.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};
use chrono::Utc;
use rollcall_core::token::{self, Token};
use serde::Serialize;

use crate::{
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
pub struct Doctor {
    pub id: u32,
    email: String,
    username: String,
    first_name: &'static str,
    last_name: &'static str,
    pub token: String,
}

impl Doctor {
    fn new(id: u32) -> Result<Self> {
        let mut random = [0; token::BYTES];
        getrandom::fill(&mut random)?;
        Ok(Self {
            id,
            email: format!("d{id}@bench.example.com"),
            username: format!("d{id}"),
            // All called what the contestants without names call everybody, so that messages are as long.
            first_name: "Ann",
            last_name: "Lee",
            token: Token::new(random).reveal().into(),
        })
    }
}

/// Whose state it is. Contestants of one kind begin with copies of the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Rollcall,
    Bare,
    Django,
    /// Who keeps nothing needs nothing.
    Nothing,
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
        let place = Self { path, doctors };
        fs::write(place.doctors(), serde_json::to_vec(&place.doctors)?)?;
        Ok(place)
    }

    /// The doctor who calls where one is enough.
    pub fn doctor(&self) -> Result<&Doctor> {
        self.doctors.first().context("no doctor")
    }

    /// The file of the doctors, with their tokens.
    pub fn doctors(&self) -> PathBuf {
        self.path.join("doctors.json")
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

    /// Makes the state that copies are made of, unless it is there.
    pub fn prepare(&self, state: State) -> Result<()> {
        let prepared = self.prepared(state);
        if prepared.join(".prepared").is_file() {
            return Ok(());
        }
        fs::create_dir_all(&prepared)?;
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
            State::Nothing => {}
        }
        Ok(fs::write(prepared.join(".prepared"), "")?)
    }

    fn prepared(&self, state: State) -> PathBuf {
        self.path.join(format!("{state:?}").to_lowercase())
    }

    fn rollcall(&self) -> Result<String> {
        let now = Utc::now();
        let (created, expires) = (now.timestamp_millis(), (now + token::LIFETIME).timestamp_millis());
        let mut sql = String::from("INSERT INTO hospitals (id, name) VALUES (1, 'General Hospital');\n");
        for Doctor { id, email, username, first_name, last_name, token } in &self.doctors {
            let Ok(token) = Token::parse(token) else { bail!("that is no token") };
            let digest = token.digest();
            sql.push_str(&format!(
                "INSERT INTO users (id, hospital_id, email, username, first_name, last_name, role, password_hash)
                 VALUES ({id}, 1, '{email}', '{username}', '{first_name}', '{last_name}', 'doctor', 'none');
                 INSERT INTO doctors (user_id) VALUES ({id});
                 INSERT INTO sessions (token_sha256, user_id, created_ms, expires_ms)
                 VALUES ('{digest}', {id}, {created}, {expires});\n"
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
        for arguments in [&["manage.py", "migrate", "-v0"][..], &["prepare.py", &self.doctors().to_string_lossy()]] {
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
