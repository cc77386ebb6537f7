//! What must not reach a log: written down while the tests run, so that `cargo xtask test` can look for it afterwards.

use std::{
    fs::File,
    io::Write,
    path::PathBuf,
    sync::{Mutex, OnceLock},
};

/// Where the logs of a whole run are kept, if anybody wants to read them.
pub(crate) fn directory() -> Option<PathBuf> {
    std::env::var_os("ROLLCALL_LOGS").map(PathBuf::from)
}

/// Notes a token, a ticket or a password.
pub fn keep_out_of_logs(secret: &str) {
    static FILE: OnceLock<Option<Mutex<File>>> = OnceLock::new();
    let file = FILE.get_or_init(|| {
        let path = directory()?.join(format!("{}.secrets", std::process::id()));
        Some(Mutex::new(File::create(path).unwrap()))
    });
    if let Some(file) = file {
        writeln!(file.lock().unwrap(), "{secret}").unwrap();
    }
}
