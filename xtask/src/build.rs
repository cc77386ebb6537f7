//! Building: the dashboard's pages, and the Worker's WebAssembly.

use std::{env, fs, io, path::Path, process::Command, time::SystemTime};

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};
use walkdir::WalkDir;

use crate::{
    process::{run, say},
    setup,
};

const WASM: &str = "build/index_bg.wasm";

/// Written when the Worker's build is done.
const BUILT: &str = "build/.built";

/// Builds what is not up to date.
pub fn build() -> Result<()> {
    let tools = setup::for_building()?;
    let path = setup::path_with(&tools)?;
    if !is_up_to_date("dashboard/dist/index.html", &["dashboard", "package-lock.json"]) {
        say("building the dashboard");
        run(Command::new("npm").args(["run", "--silent", "build"]).env("PATH", &path))?;
    }
    if !is_up_to_date(BUILT, &["src", "core", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo"]) {
        say("building the Worker");
        let bin = env::current_dir()?.join("node_modules/.bin");
        // Named, because worker-build would download them.
        run(Command::new("worker-build")
            .args(["--release", "--quiet"])
            .env("PATH", &path)
            .env("WASM_BINDGEN_BIN", which(&tools, "wasm-bindgen"))
            .env("ESBUILD_BIN", bin.join("esbuild")))?;
        // The one feature that wasm-bindgen uses but rustc does not declare.
        let exceptions = "--enable-exception-handling";
        run(Command::new(bin.join("wasm-opt")).args(["-O", "--strip-debug", exceptions, WASM, "--output", WASM]))?;
        fs::write(BUILT, "")?;
        say(format_args!("the Worker's WebAssembly is {} bytes gzipped", gzipped_size()?));
    }
    Ok(())
}

/// The size of the Worker's WebAssembly as it is uploaded, in bytes.
pub fn gzipped_size() -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    io::copy(&mut fs::File::open(WASM)?, &mut encoder)?;
    Ok(encoder.finish()?.len())
}

fn which(directories: &[std::path::PathBuf], program: &str) -> std::path::PathBuf {
    let found = directories.iter().map(|directory| directory.join(program)).find(|path| path.is_file());
    found.unwrap_or_else(|| program.into())
}

/// Whether `output` is newer than every file of `inputs`.
fn is_up_to_date(output: &str, inputs: &[&str]) -> bool {
    let Some(built) = modified(Path::new(output)) else { return false };
    let mut files = inputs.iter().flat_map(|input| {
        WalkDir::new(input).into_iter().filter_entry(|entry| entry.path() != Path::new("dashboard/dist"))
    });
    files.all(|file| file.is_ok_and(|file| modified(file.path()).is_some_and(|changed| changed < built)))
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|file| file.modified()).ok()
}
