//! `cargo xtask backup` and `restore`: the database in a file, and back from it.
//!
//! **Invariant:** after a restoration nobody is signed in by what the copy still knew, and no `seq` and no id of a user is
//! given twice.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf, absolute},
};

use anyhow::{Context, Result, ensure};

use crate::{
    process::say,
    setup,
    wrangler::{self, Database, Which},
};

/// The file to write, and the database.
#[derive(clap::Args)]
pub struct Backup {
    /// The file to write.
    file: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// The copy to read, and the database.
#[derive(clap::Args)]
pub struct Restore {
    /// A file that `cargo xtask backup` wrote, for an empty database.
    #[arg(required_unless_present = "timestamp")]
    file: Option<PathBuf>,
    /// Puts the deployed database back in place, to this moment of the last thirty days: RFC 3339.
    #[arg(long, conflicts_with = "file", requires = "remote")]
    timestamp: Option<String>,
    #[command(flatten)]
    which: Which,
}

/// Completes a copy, which knows nothing of what came after it.
///
/// A new epoch for each hospital, by which its room notices that the database was put back, and for a room that has lost
/// its storage a sequence that begins at a number that was never given: no hospital has had a thousand events in each
/// second since 1970. Ids of users go on further up, because those given after the copy are in the log of the room. None
/// of it is reckoned from the copy alone, because the same copy may be restored twice.
///
/// Tokens keep their rows, so that an import finds out which of them it took over. `sessions` and `tickets` are version
/// 1.0's.
const AFTERWARDS: &str = "DELETE FROM tickets;
    DELETE FROM sessions;
    UPDATE imported_tokens SET ended_ms = COALESCE(ended_ms, unixepoch() * 1000);
    UPDATE sqlite_sequence SET seq = seq + 100000 WHERE name = 'users';
    UPDATE hospitals SET epoch = lower(hex(randomblob(16))), revision = revision + 1,
      room_seq = MAX(room_seq, unixepoch() * 1000);\n";

/// Writes the whole database into a file that only its owner may read.
pub fn backup(Backup { file, which }: Backup) -> Result<()> {
    setup::for_building()?;
    ensure!(!file.exists(), "{} is there already", file.display());
    // Made before anything is in it.
    fs::write(&file, "")?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    let path = absolute(&file)?;
    say(format_args!("writing the database to {}", path.display()));
    let export =
        ["d1", "export", Database::NAME, "--skip-confirmation", "--output", path.to_str().context("its name")?];
    let exported = match which.database() {
        Database::Local(state) => export_local(&export, &state, &[]),
        Database::LocalOf { env, path } => export_local(&export, &path, &["--env", &env]),
        remote => wrangler::quietly(&[&export[..], &remote.arguments()].concat()),
    };
    if let Err(error) = exported {
        fs::remove_file(&file)?;
        return Err(error);
    }
    println!("{} has the database: {} bytes", file.display(), fs::metadata(&file)?.len());
    Ok(())
}

/// `wrangler d1 export` knows no `--persist-to`: it is given a directory of its own, in which the state is a link.
fn export_local(export: &[&str], state: &Path, env: &[&str]) -> Result<String> {
    let place = tempfile::tempdir()?;
    let configuration = place.path().join("wrangler.toml");
    fs::copy("wrangler.toml", &configuration)?;
    fs::create_dir(place.path().join(".wrangler"))?;
    symlink(absolute(state)?, place.path().join(".wrangler/state"))?;
    let configuration = configuration.to_str().context("the name of a temporary file")?;
    wrangler::quietly(&[export, &["--config", configuration, "--local"], env].concat())
}

/// Puts a database back.
pub fn restore(Restore { file, timestamp, which }: Restore) -> Result<()> {
    setup::for_building()?;
    let database = which.database();
    if let Some(file) = &file {
        ensure!(
            is_empty(&database)?,
            "the database is not empty. Name a new one in wrangler.toml, or delete it if an earlier try to restore was \
             interrupted; `--timestamp` puts a database back in place"
        );
        say(format_args!("reading {}", file.display()));
        wrangler::execute(&database, file)?;
    }
    if let (Some(timestamp), Database::Remote { env }) = (timestamp, &database) {
        say(format_args!("putting the database back to {timestamp}"));
        wrangler::quietly(&["d1", "time-travel", "restore", Database::NAME, "--env", env, "--timestamp", &timestamp])?;
    }
    wrangler::migrate(&database)?;
    wrangler::execute_text(&database, AFTERWARDS)?;
    println!("{DONE}\n{}", if file.is_some() { OF_A_FILE } else { IN_PLACE });
    Ok(())
}

/// What is true of every restoration.
const DONE: &str = "The database is restored, and every session ends: everybody has to sign in again.
A room notices with its next alarm or sign-in, and a second after it records something. It keeps its log and its doctors'
state, and writes what the database lacks.";

/// Of a file, which is in a new database.
const OF_A_FILE: &str = "What is deployed uses this database once it is named in wrangler.toml: cargo xtask deploy";

/// Of Time Travel.
const IN_PLACE: &str = "Nothing has to be deployed.";

fn is_empty(database: &Database) -> Result<bool> {
    let found = wrangler::query(database, "SELECT name FROM sqlite_master WHERE name = 'users'")?;
    Ok(found.iter().all(Vec::is_empty))
}
