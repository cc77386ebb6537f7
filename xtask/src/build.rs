//! Building: the dashboard's pages, and the Worker's WebAssembly.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    time::SystemTime,
};

use anyhow::Result;
use flate2::{Compression, write::GzEncoder};
use walkdir::WalkDir;

use crate::{
    process::{run, say},
    setup,
};

/// The Worker as it is deployed.
const RELEASE: Variant = Variant { name: "the Worker", directory: "build", features: &[] };

/// The Worker with faults on demand, for `cargo xtask faults`.
const FAULTS: Variant =
    Variant { name: "the Worker with faults on demand", directory: "target/faults", features: &["--features=faults"] };

/// The entry point of the Worker with faults on demand.
pub const WITH_FAULTS: &str = "target/faults/entry.js";

/// How `wasm-opt` makes it small.
const WASM_OPT: [&str; 4] = [
    "-O",
    // Functions with one caller stay functions unless tiny: merged into large ones they compress worse, by a fourteenth
    // of the upload.
    "--one-caller-inline-max-function-size=15",
    "--strip-debug",
    // The one feature that wasm-bindgen uses but rustc does not declare.
    "--enable-exception-handling",
];

/// One way to build the Worker.
struct Variant {
    name: &'static str,
    directory: &'static str,
    features: &'static [&'static str],
}

impl Variant {
    fn wasm(&self) -> String {
        format!("{}/index_bg.wasm", self.directory)
    }

    /// Written when the build is done.
    fn built(&self) -> String {
        format!("{}/.built", self.directory)
    }
}

/// Builds what is not up to date.
pub fn build() -> Result<()> {
    let tools = setup::for_building()?;
    if !is_up_to_date("dashboard/dist/index.html", &["dashboard", "package-lock.json"]) {
        say("building the dashboard");
        let path = setup::path_with(&tools)?;
        // Standard output is for results.
        run(Command::new("npm").args(["run", "--silent", "build"]).env("PATH", &path).stdout(std::io::stderr()))?;
    }
    build_worker(&RELEASE, &tools)
}

/// Builds the Worker with faults on demand.
pub fn build_with_faults() -> Result<()> {
    build_worker(&FAULTS, &setup::for_building()?)
}

fn build_worker(variant: &Variant, tools: &[PathBuf]) -> Result<()> {
    if is_up_to_date(&variant.built(), &["src", "core", "Cargo.toml", "Cargo.lock", "rust-toolchain.toml", ".cargo"]) {
        return Ok(());
    }
    say(format_args!("building {}", variant.name));
    let bin = env::current_dir()?.join("node_modules/.bin");
    // Named, because worker-build would download them.
    run(Command::new("worker-build")
        .args(["--release", "--out-dir", variant.directory, "--quiet"])
        .args(variant.features)
        .env("PATH", setup::path_with(tools)?)
        .env("WASM_BINDGEN_BIN", which(tools, "wasm-bindgen"))
        .env("ESBUILD_BIN", bin.join("esbuild")))?;
    let wasm = variant.wasm();
    run(Command::new(bin.join("wasm-opt")).args(WASM_OPT).args([&wasm, "--output", &wasm]))?;
    fs::copy("src/entry.js", format!("{}/entry.js", variant.directory))?;
    fs::write(variant.built(), "")?;
    say(format_args!("its WebAssembly is {} bytes gzipped", size_of(variant)?));
    Ok(())
}

/// Makes one file of a module and what it imports, as wrangler does with a Worker in JavaScript.
pub fn bundle(module: &str, bundle: &str) -> Result<()> {
    let arguments = ["--bundle", "--format=esm", "--external:cloudflare:*", "--log-level=warning"];
    run(Command::new("node_modules/.bin/esbuild").arg(module).args(arguments).arg(format!("--outfile={bundle}")))
}

/// The size of the Worker's WebAssembly as it is uploaded, in bytes.
pub fn gzipped_size() -> Result<usize> {
    size_of(&RELEASE)
}

/// Whether the Worker to deploy has this text in it.
pub fn release_contains(text: &str) -> Result<bool> {
    Ok(fs::read(RELEASE.wasm())?.windows(text.len()).any(|window| window == text.as_bytes()))
}

fn size_of(variant: &Variant) -> Result<usize> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    io::copy(&mut fs::File::open(variant.wasm())?, &mut encoder)?;
    Ok(encoder.finish()?.len())
}

fn which(directories: &[PathBuf], program: &str) -> PathBuf {
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
