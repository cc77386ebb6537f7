//! `cargo xtask backup` and `restore`: the database in a file, and back from it.
//!
//! **Invariant:** after a restoration nobody is signed in by what the copy still knew, and no `seq` is given twice.

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

/// What to write, and from where.
#[derive(clap::Args)]
pub struct Backup {
    /// The file to write.
    file: PathBuf,
    #[command(flatten)]
    which: Which,
}

/// What to read, and to where.
#[derive(clap::Args)]
pub struct Restore {
    /// A file that `cargo xtask backup` wrote, for an empty database. Without it the database is there already, put back
    /// in place by `wrangler d1 time-travel restore`.
    file: Option<PathBuf>,
    #[command(flatten)]
    which: Which,
}

/// Nobody was that far ahead: a `seq` beyond it has never been given.
const FLOOR_ABOVE: u32 = 1_000_000;

/// Writes the whole database into a file that only its owner may read.
pub fn backup(Backup { file, which }: Backup) -> Result<()> {
    setup::for_building()?;
    ensure!(!file.exists(), "{} is there already", file.display());
    // Made before anything is in it.
    fs::write(&file, "")?;
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600))?;
    let path = absolute(&file)?;
    say(format_args!("writing the database to {}", path.display()));
    let export = ["d1", "export", "DB", "--skip-confirmation", "--output", path.to_str().context("its name")?];
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

/// `wrangler d1 export` knows no `--persist-to`: it is given a place of its own, where the state is a link.
fn export_local(export: &[&str], state: &Path, env: &[&str]) -> Result<String> {
    let place = tempfile::tempdir()?;
    let configuration = place.path().join("wrangler.toml");
    fs::copy("wrangler.toml", &configuration)?;
    fs::create_dir(place.path().join(".wrangler"))?;
    symlink(absolute(state)?, place.path().join(".wrangler/state"))?;
    let configuration = configuration.to_str().context("the name of a temporary file")?;
    wrangler::quietly(&[export, &["--config", configuration, "--local"], env].concat())
}

/// Puts a database back, ends every session, and lets every hospital's sequence go on above all that was ever given.
pub fn restore(Restore { file, which }: Restore) -> Result<()> {
    setup::for_building()?;
    let database = which.database();
    if let Some(file) = file {
        ensure!(
            is_empty(&database)?,
            "the database is not empty. Name a new one in wrangler.toml; or put this one back in place with \
             `npx wrangler d1 time-travel restore`, and run this without a file"
        );
        say(format_args!("reading {}", file.display()));
        wrangler::execute(&database, &file)?;
    }
    wrangler::migrate(&database)?;
    wrangler::execute_text(
        &database,
        &format!(
            "DELETE FROM tickets;
             DELETE FROM sessions;
             UPDATE hospitals SET seq_floor =
               MAX(seq_floor, (SELECT COALESCE(MAX(seq), 0) FROM events WHERE hospital_id = id)) + {FLOOR_ABOVE};\n"
        ),
    )?;
    println!("The database is restored. Everybody has to sign in again.");
    Ok(())
}

fn is_empty(database: &Database) -> Result<bool> {
    let found = wrangler::query(database, "SELECT name FROM sqlite_master WHERE name = 'users'")?;
    Ok(found.iter().all(Vec::is_empty))
}
