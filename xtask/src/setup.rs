//! What the project needs beyond cargo and npm: installed once, into a cache outside the checkout.

use std::{
    env,
    ffi::OsString,
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail};

use crate::process::{output, run, say};

/// A tool from crates.io.
struct Tool {
    package: &'static str,
    version: String,
}

/// What is used of PyPI: what fuzzes the API, and what the client in Python speaks WebSocket with.
const PYTHON_PACKAGES: [&str; 2] = ["schemathesis==4.32.5", "websockets==16.1"];

/// What the Django application of the benchmark needs.
pub const DJANGO_PACKAGES: &str = "bench/contestants/django/requirements.txt";

/// The packages of the Django application that a test imports.
const IMPORTED_DJANGO_PACKAGES: &str = "tests/django/requirements.txt";

/// Debian's Redis: the first is a link into the second, and the others are the libraries that few machines have.
const REDIS_PACKAGES: [&str; 4] = ["redis-server", "redis-tools", "libjemalloc2", "liblzf1"];

/// What builds the Worker. Both versions are those of the libraries in `Cargo.lock`: they must be equal.
fn build_tools() -> Result<[Tool; 2]> {
    Ok([
        Tool { package: "wasm-bindgen-cli", version: locked_version("wasm-bindgen")? },
        Tool { package: "worker-build", version: locked_version("worker")? },
    ])
}

/// What runs the tests of code that only runs as WebAssembly.
fn test_tool() -> Tool {
    Tool { package: "wasm-pack", version: "0.15.1".into() }
}

/// What looks at the dependencies.
fn audit_tool() -> Tool {
    Tool { package: "cargo-deny", version: "0.20.2".into() }
}

/// Sets up what building and serving need, and returns the directories of the tools.
pub fn for_building() -> Result<Vec<PathBuf>> {
    wasm_target()?;
    npm_packages()?;
    build_tools()?.iter().map(install).collect()
}

/// Sets up what the tests need beyond that.
pub fn for_testing() -> Result<Vec<PathBuf>> {
    let mut directories = for_building()?;
    directories.push(install(&test_tool())?);
    for_auditing()?;
    Ok(directories)
}

/// Sets up what looks at the dependencies, and returns its directory.
pub fn for_auditing() -> Result<PathBuf> {
    install(&audit_tool())
}

/// The first program on `PATH` with one of these names.
pub fn on_path(names: &[&str]) -> Option<PathBuf> {
    env::split_paths(&env::var_os("PATH").unwrap_or_default())
        .flat_map(|directory| names.iter().map(move |name| directory.join(name)))
        .find(|path| path.is_file())
}

/// `PATH` with `directories` and npm's before it.
pub fn path_with(directories: &[PathBuf]) -> Result<OsString> {
    let npm = env::current_dir()?.join("node_modules/.bin");
    let path = env::var_os("PATH").unwrap_or_default();
    Ok(env::join_paths(directories.iter().cloned().chain([npm]).chain(env::split_paths(&path)))?)
}

/// A browser for the browser tests: `CHROMIUM`, an installed one, or Debian's.
pub fn chromium() -> Result<PathBuf> {
    if let Some(path) = env::var_os("CHROMIUM") {
        return Ok(path.into());
    }
    let found = || on_path(&["chromium", "chromium-browser", "google-chrome"]);
    if let Some(path) = found() {
        return Ok(path);
    }
    say("installing Chromium for the browser tests (apt-get install chromium)");
    let apt =
        |arguments: &[&str]| run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(arguments));
    let installed =
        apt(&["-qq", "update"]).and_then(|()| apt(&["-qq", "install", "--yes", "--no-install-recommends", "chromium"]));
    match (installed, found()) {
        (Ok(()), Some(path)) => Ok(path),
        _ => bail!("the browser tests need Chromium: install it, or name it with CHROMIUM=/path/to/chromium"),
    }
}

/// The programs of a Python environment of our own, with [`PYTHON_PACKAGES`] and nothing else.
pub fn python() -> Result<PathBuf> {
    let packages = PYTHON_PACKAGES.map(|package| package.replace("==", "-")).join("-");
    python_environment(&packages, &PYTHON_PACKAGES)
}

/// Another one, for the Django application of `cargo xtask bench`.
pub fn python_for_django() -> Result<PathBuf> {
    python_with(DJANGO_PACKAGES)
}

/// Another one, for the Django application that is imported in a test.
pub fn python_for_imported_django() -> Result<PathBuf> {
    python_with(IMPORTED_DJANGO_PACKAGES)
}

/// One for a Django application, with what that file names.
fn python_with(requirements: &str) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    fs::read(requirements).context(requirements.to_string())?.hash(&mut hasher);
    python_environment(&format!("django-{:016x}", hasher.finish()), &["--requirement", requirements])
}

/// The programs of the Python environment of that name, with what `pip install` is given.
fn python_environment(name: &str, packages: &[&str]) -> Result<PathBuf> {
    let environment = cache()?.join(format!("python-{name}"));
    let programs = environment.join("bin");
    if !environment.join(".installed").is_file() {
        say(format_args!("installing {} into {} (once)", packages.join(" "), environment.display()));
        let python = run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&environment));
        python.context("this needs Python 3.10 or newer, with its venv module")?;
        run(Command::new(programs.join("pip")).args(["install", "--quiet"]).args(packages).stdout(io::stderr()))?;
        fs::write(environment.join(".installed"), "")?;
    }
    Ok(programs)
}

/// A Redis server for `cargo xtask bench`: the program, and where it finds its libraries.
pub struct Redis {
    pub program: PathBuf,
    pub libraries: Option<OsString>,
}

/// `REDIS_SERVER`, an installed one, or Debian's.
pub fn redis() -> Result<Redis> {
    let installed = env::var_os("REDIS_SERVER").map(PathBuf::from).or_else(|| on_path(&["redis-server"]));
    if let Some(program) = installed {
        return Ok(Redis { program, libraries: None });
    }
    let root = cache()?.join("redis");
    if !root.join(".installed").is_file() {
        unpack_redis(&root).context("name a Redis server with REDIS_SERVER=/path/to/redis-server, or install one")?;
    }
    let libraries: Vec<_> = fs::read_dir(root.join("usr/lib"))?.flatten().map(|entry| entry.path()).collect();
    Ok(Redis { program: root.join("usr/bin/redis-server"), libraries: Some(env::join_paths(libraries)?) })
}

/// Unpacked and not installed: installing it would start a service.
fn unpack_redis(root: &Path) -> Result<()> {
    say(format_args!("unpacking Debian's Redis into {} (once)", root.display()));
    let packages = root.join("packages");
    fs::create_dir_all(&packages)?;
    run(Command::new("apt-get").args(["-qq", "update"]))?;
    let mut download = Command::new("apt-get");
    download.args(["-qq", "download"]).args(REDIS_PACKAGES).current_dir(&packages);
    run(download.stdout(io::stderr()))?;
    for package in fs::read_dir(&packages)? {
        run(Command::new("dpkg").arg("-x").arg(package?.path()).arg(root))?;
    }
    Ok(fs::write(root.join(".installed"), "")?)
}

fn wasm_target() -> Result<()> {
    let library =
        output(Command::new("rustc").args(["--print", "target-libdir", "--target", "wasm32-unknown-unknown"]))?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    say("adding the wasm32-unknown-unknown target");
    run(Command::new("rustup").args(["target", "add", "wasm32-unknown-unknown"]))
}

/// `npm ci`, unless `node_modules` is as new as the lock file.
fn npm_packages() -> Result<()> {
    let modified = |path: &str| fs::metadata(path).and_then(|file| file.modified()).ok();
    let installed = modified("node_modules/.package-lock.json");
    if installed.is_some() && installed >= modified("package-lock.json") {
        return Ok(());
    }
    say("installing the npm packages (npm ci)");
    // An older system Node is good enough for npm; what needs a newer one runs on the `node` package. Its complaints
    // about that would only worry people.
    let arguments = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
    // Standard output is for results.
    run(Command::new("npm").args(arguments).stdout(io::stderr()))
}

/// The version of `package` in `Cargo.lock`.
fn locked_version(package: &str) -> Result<String> {
    let id = output(Command::new(cargo()).args(["pkgid", package]))?;
    let (_, version) = id.trim().rsplit_once(['@', '#']).with_context(|| format!("no version in {id}"))?;
    Ok(version.to_string())
}

/// Installs `tool` unless it is there, and returns the directory of its programs.
fn install(tool: &Tool) -> Result<PathBuf> {
    let Tool { package, version } = tool;
    let cache = cache()?;
    let root = cache.join(format!("{package}-{version}"));
    let programs = root.join("bin");
    if programs.is_dir() {
        return Ok(programs);
    }
    say(format_args!("building {package} {version} into {} (once, a minute or two)", root.display()));
    // Built without optimization they are ready in half the time, and fast enough.
    run(Command::new(cargo())
        .args(["install", "--quiet", "--root"])
        .arg(&root)
        .arg(format!("{package}@{version}"))
        .env("CARGO_TARGET_DIR", cache.join("target"))
        .env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "0")
        .env("CARGO_PROFILE_RELEASE_LTO", "off"))?;
    Ok(programs)
}

fn cache() -> Result<PathBuf> {
    if let Some(path) = env::var_os("ROLLCALL_CACHE") {
        return Ok(path.into());
    }
    let base = match env::var_os("XDG_CACHE_HOME") {
        Some(path) => PathBuf::from(path),
        None => PathBuf::from(env::var_os("HOME").context("neither ROLLCALL_CACHE nor HOME is set")?).join(".cache"),
    };
    Ok(base.join("rollcall"))
}

/// The cargo that runs this program.
pub fn cargo() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn miniflare_is_the_one_that_wrangler_brings() {
        let lock = fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../package-lock.json")).unwrap();
        let lock: Value = serde_json::from_slice(&lock).unwrap();
        let package = |path: &str| lock.get("packages").unwrap().get(path).unwrap();
        let ours = package("").pointer("/devDependencies/miniflare").unwrap();
        assert_eq!(Some(ours), package("node_modules/wrangler").pointer("/dependencies/miniflare"));
    }
}
