//! The SQLite files of D1 and of the rooms, opened past the Worker.
//!
//! **Invariant:** the runtime waits for nobody who writes to one of its files: a write of its own that meets another one
//! fails. While it runs, a room's file is opened for reading only; D1's file is written to, or locked, by tests that have
//! the server to themselves.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rusqlite::{Connection, OpenFlags, types::Value};
use tokio::time::sleep;

use crate::Server;

/// A row, column by column.
pub type Row = Vec<Value>;

/// How long a test waits for another connection to a file.
const PATIENCE: Duration = Duration::from_secs(3);

/// The columns that an event has in both places.
const EVENT: &str = "seq, at_ms, utc_offset_s, action, reason, actor_id, doctor_id, username, first_name, last_name,
    is_available_for_consultation, is_live, consultation_hours, specialization, hospital";

impl Server {
    /// The file of D1.
    pub fn database(&self) -> Connection {
        let database = database_in(&self.kept_in());
        database.busy_timeout(PATIENCE).unwrap();
        database
    }

    /// The storage of a hospital's room. While the runtime works, it can only be read.
    ///
    /// # Panics
    /// If no room has taken the hospital over.
    pub fn room_storage(&self, hospital_id: i64) -> Connection {
        let flags = if self.runs() { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
        let storage = Connection::open_with_flags(self.room_file(hospital_id), flags).unwrap();
        storage.busy_timeout(PATIENCE).unwrap();
        storage
    }

    /// Deletes the storage of a hospital's room, as if the platform had lost it. Its alarm stays, as the platform keeps it.
    ///
    /// # Panics
    /// While the runtime works, or if no room has taken the hospital over.
    pub fn delete_room_storage(&self, hospital_id: i64) {
        assert!(!self.runs(), "the runtime has the file open");
        let file = self.room_file(hospital_id);
        for suffix in ["-wal", "-shm"] {
            let mut beside = file.clone().into_os_string();
            beside.push(suffix);
            if Path::new(&beside).exists() {
                fs::remove_file(beside).unwrap();
            }
        }
        fs::remove_file(file).unwrap();
    }

    /// Whether a room has taken a hospital over.
    pub fn has_room(&self, hospital_id: i64) -> bool {
        !self.room_files(hospital_id).is_empty()
    }

    fn room_file(&self, hospital_id: i64) -> PathBuf {
        let files = self.room_files(hospital_id);
        let [file] = &files[..] else { panic!("{} rooms have taken hospital {hospital_id} over", files.len()) };
        file.clone()
    }

    /// The files of the rooms whose table `room` names the hospital.
    fn room_files(&self, hospital_id: i64) -> Vec<PathBuf> {
        let is_its = |path: &PathBuf| {
            let storage = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
            storage.busy_timeout(PATIENCE).unwrap();
            storage.query_row("SELECT 1 FROM room WHERE hospital_id = ?1", [hospital_id], |_| Ok(())).is_ok()
        };
        let objects = self.kept_in().join("v3/do");
        let classes = fs::read_dir(objects).unwrap().map(|entry| entry.unwrap().path());
        // `rollcall-Room`, and in the production settings `rollcall-production-Room`.
        let rooms = classes.filter(|path| path.to_str().unwrap().ends_with("-Room"));
        rooms.flat_map(|directory| databases(&directory)).filter(is_its).collect()
    }

    /// The events of a hospital that D1 has, by `seq`.
    pub fn archived_events(&self, hospital_id: i64) -> Vec<Row> {
        rows(&self.database(), &format!("SELECT {EVENT} FROM events WHERE hospital_id = {hospital_id} ORDER BY seq"))
    }

    /// The events in a room's storage, by `seq`.
    pub fn logged_events(&self, hospital_id: i64) -> Vec<Row> {
        rows(&self.room_storage(hospital_id), &format!("SELECT {EVENT} FROM events ORDER BY seq"))
    }

    /// The state of a hospital's doctors that D1 has, by their id.
    pub fn archived_states(&self, hospital_id: i64) -> Vec<Row> {
        let sql = format!(
            "SELECT id, d.is_live, d.is_available_for_consultation, d.live_changed_ms
             FROM users JOIN doctors d ON d.user_id = id WHERE hospital_id = {hospital_id} AND role = 'doctor' ORDER BY id"
        );
        rows(&self.database(), &sql)
    }

    /// The state of the doctors in a room's storage, by their id.
    pub fn room_states(&self, hospital_id: i64) -> Vec<Row> {
        let sql = "SELECT user_id, is_live, is_available_for_consultation, live_changed_ms
             FROM users WHERE role = 'doctor' ORDER BY user_id";
        rows(&self.room_storage(hospital_id), sql)
    }

    /// Waits until D1 has the latest event of a hospital's room and its doctors' states, and says how long that took.
    ///
    /// # Panics
    /// When it takes longer than `patience`.
    pub async fn archive_catches_up(&self, hospital_id: i64, patience: Duration) -> Duration {
        let began = Instant::now();
        let latest = |database: &Connection, condition: &str| {
            rows(database, &format!("SELECT COALESCE(MAX(seq), 0) FROM events {condition}"))
        };
        loop {
            let archived = latest(&self.database(), &format!("WHERE hospital_id = {hospital_id}"));
            let logged = latest(&self.room_storage(hospital_id), "");
            let states = [self.archived_states(hospital_id), self.room_states(hospital_id)];
            if archived == logged && states[0] == states[1] {
                return began.elapsed();
            }
            let elapsed = began.elapsed();
            assert!(elapsed < patience, "D1 has {archived:?} of {logged:?} after {elapsed:?}: {states:?}");
            sleep(Duration::from_millis(50)).await;
        }
    }

    /// Stops the runtime, compares D1's copy of a room's log and states with the room's own, and leaves it stopped.
    pub fn stop_and_compare_archive(&self, hospital_id: i64) {
        self.stop();
        let (archived, logged) = (self.archived_events(hospital_id), self.logged_events(hospital_id));
        assert_eq!(archived.len(), logged.len(), "as many events in D1 as in the room's log");
        for (archived, logged) in archived.iter().zip(&logged) {
            assert_eq!(archived, logged, "D1 has another event than the room's log");
        }
        assert_eq!(self.archived_states(hospital_id), self.room_states(hospital_id), "the state of the doctors");
    }
}

/// The rows that a query finds.
pub fn rows(database: &Connection, sql: &str) -> Vec<Row> {
    let mut statement = database.prepare(sql).unwrap_or_else(|error| panic!("{error}: {sql}"));
    let columns = statement.column_count();
    let found = statement.query_map([], |row| (0..columns).map(|at| row.get(at)).collect());
    found.unwrap().map(Result::unwrap).collect()
}

/// The file of the database that is kept in `state`.
pub fn database_in(state: &Path) -> Connection {
    let found = databases(&state.join("v3/d1/miniflare-D1DatabaseObject"));
    let [file] = &found[..] else { panic!("{} databases", found.len()) };
    Connection::open(file).unwrap()
}

/// The databases of the objects of one class.
fn databases(directory: &Path) -> Vec<PathBuf> {
    let files = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let databases = files.filter(|path| path.extension().is_some_and(|extension| extension == "sqlite"));
    databases.filter(|path| path.file_stem().unwrap() != "metadata").collect()
}

/// The last migration of version 1.0.
const LAST_OF_1_0: &str = "0005";

/// Makes a database as version 1.0 left it: its migrations, and nothing in its tables.
pub(crate) fn go_back_to_1_0(database: &Connection) {
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table'
        AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*' AND name <> 'd1_migrations'";
    let mut statement = database.prepare(tables).unwrap();
    let tables: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    drop(statement);
    let drop_tables: String = tables.iter().map(|table| format!("DROP TABLE {table};\n")).collect();
    let (forget, kept) = ("DELETE FROM sqlite_sequence WHERE name <> 'd1_migrations'", format!("{LAST_OF_1_0}~"));
    database.execute_batch(&format!("PRAGMA foreign_keys = OFF;\n{drop_tables}{forget};")).unwrap();
    database.execute("DELETE FROM d1_migrations WHERE name > ?1", [&kept]).unwrap();
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let mut migrations: Vec<_> = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path()).collect();
    migrations.sort();
    for migration in migrations.iter().filter(|path| path.file_name().unwrap().to_str().unwrap() < kept.as_str()) {
        database.execute_batch(&fs::read_to_string(migration).unwrap()).unwrap();
    }
}
