//! Waiting until what was deployed answers.

use std::{
    process::Command,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use rollcall_core::wire::Health;

use crate::{process::output, setup};

/// How long a new address may take: its certificate is issued after the deployment.
pub const LIMIT: Duration = Duration::from_secs(300);

/// Between two questions.
const PAUSE: Duration = Duration::from_secs(3);

/// Fetches a page, on the Node that is there anyway.
const FETCH: &str = "
    try {
        const answer = await fetch(process.argv[1], { signal: AbortSignal.timeout(5000) });
        console.log(answer.status, await answer.text());
    } catch (error) {
        console.log(error.cause?.message ?? error.message);
    }";

/// Asks `address` until that version answers.
///
/// # Errors
/// Where it does not within the limit; with the last answer.
pub fn wait_for(version: &str, address: &str, limit: Duration) -> Result<()> {
    let start = Instant::now();
    loop {
        let answer = fetch(&format!("{address}/healthz"))?;
        let health = answer.strip_prefix("200 ").and_then(|body| serde_json::from_str::<Health>(body).ok());
        if health.is_some_and(|health| health.version == version) {
            return Ok(());
        }
        if start.elapsed() + PAUSE > limit {
            bail!(
                "the code is deployed, but for {} seconds {address}/healthz has not answered with version {version}. A \
                 new domain may take longer: ask again, or run this again. The last answer: {}",
                limit.as_secs(),
                answer.trim(),
            );
        }
        thread::sleep(PAUSE);
    }
}

fn fetch(address: &str) -> Result<String> {
    let mut node = Command::new("node_modules/.bin/node");
    node.args(["--input-type=module", "--eval", FETCH, address]);
    output(node.env("PATH", setup::path_with(&[])?).env("NODE_USE_ENV_PROXY", "1"))
}

#[cfg(test)]
mod tests {
    use std::{
        env,
        io::{BufRead, BufReader, Write},
        net::TcpListener,
    };

    use super::*;

    /// A server with one answer after the other, and then none.
    fn server(bodies: [&'static str; 2]) -> String {
        env::set_current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/..")).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        thread::spawn(move || {
            for (body, stream) in bodies.iter().zip(listener.incoming()) {
                let mut stream = stream.unwrap();
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                assert_eq!(lines.next().unwrap(), "GET /healthz HTTP/1.1");
                lines.find(String::is_empty).unwrap();
                let length = body.len();
                write!(stream, "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}")
                    .unwrap();
            }
        });
        address
    }

    #[test]
    fn the_old_version_s_answer_is_not_the_new_one_s() {
        let old = r#"{"status":"ok","version":"1.0.0"}"#;
        let new = r#"{"status":"ok","version":"1.1.0"}"#;
        wait_for("1.1.0", &server([old, new]), LIMIT).unwrap();
        let never = wait_for("1.1.0", &server([old, "not found"]), PAUSE * 2).unwrap_err().to_string();
        assert!(never.contains("has not answered with version 1.1.0") && never.ends_with("200 not found"), "{never}");
    }
}
