//! Whom the load is for.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use reqwest::{Client, header::AUTHORIZATION};
use serde::Deserialize;

use crate::process::Group;

/// Who has no answer by then has failed. Rollcall answers within ten seconds whatever happens; others take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, and who may call it.
#[derive(clap::Args)]
pub struct Target {
    /// `http://127.0.0.1:<port>`
    #[arg(long)]
    address: String,
    /// The process group of the server.
    #[arg(long)]
    group: i32,
    /// The doctors: a JSON list of their `id`, `email` and `token`.
    #[arg(long)]
    doctors: PathBuf,
}

/// A doctor with a session.
#[derive(Clone, Debug, Deserialize)]
pub struct Doctor {
    id: u32,
    /// Whose connection it is.
    pub email: String,
    token: String,
}

impl Target {
    /// The server's processes.
    pub fn server(&self) -> Group {
        Group(self.group)
    }

    /// Everybody who may call.
    pub fn doctors(&self) -> Result<Vec<Doctor>> {
        Ok(serde_json::from_str(&std::fs::read_to_string(&self.doctors)?)?)
    }

    /// Host and port.
    pub fn authority(&self) -> Result<&str> {
        self.address.strip_prefix("http://").context("an address begins with http://")
    }

    /// What calls it, and gives up on an answer in the end.
    pub fn client() -> Result<Client> {
        Ok(Client::builder().timeout(PATIENCE).build()?)
    }

    /// A doctor comes on duty, or leaves.
    ///
    /// # Errors
    /// For every answer but 200.
    pub async fn call(&self, client: &Client, doctor: &Doctor, comes: bool) -> Result<()> {
        self.answer(client, doctor, comes).await.map(drop)
    }

    /// The same, with the answer.
    pub async fn answer(&self, client: &Client, doctor: &Doctor, comes: bool) -> Result<String> {
        let path = if comes { "login-status" } else { "logout-status" };
        // Who checks no session is told who calls.
        let url = format!("{}/api/users/{path}/?doctor={}", self.address, doctor.id);
        let token = format!("Token {}", doctor.token);
        let answer = client.post(url).header(AUTHORIZATION, token).send().await?;
        let status = answer.status();
        let body = answer.text().await?;
        ensure!(status.is_success(), "{status}: {body}");
        Ok(body)
    }
}
