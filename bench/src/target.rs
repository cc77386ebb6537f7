//! The server that bears the load.

use std::{path::PathBuf, time::Duration};

use anyhow::{Context, Result, ensure};
use reqwest::{
    Client, RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::process::Group;

/// A call without an answer by then has failed. Rollcall answers within ten seconds whatever happens; others take longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server, and the doctors who may call it.
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
#[derive(Clone, Debug, Deserialize, Serialize)]
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
        let token = format!("Token {}", doctor.token);
        Self::send(client.post(self.url(path, doctor)).header(AUTHORIZATION, token)).await
    }

    /// Every doctor, with the token that signing in gives them.
    pub async fn sign_in(&self, password: &str) -> Result<Vec<Doctor>> {
        #[derive(Deserialize)]
        struct Session {
            token: String,
        }
        let (client, mut doctors) = (Self::client()?, self.doctors()?);
        for doctor in &mut doctors {
            let body = json!({"email": doctor.email, "password": password}).to_string();
            let request = client.post(self.url("login", doctor)).header(CONTENT_TYPE, "application/json").body(body);
            doctor.token = serde_json::from_str::<Session>(&Self::send(request).await?)?.token;
        }
        Ok(doctors)
    }

    /// A contestant that checks no session is told who calls.
    fn url(&self, path: &str, doctor: &Doctor) -> String {
        format!("{}/api/users/{path}/?doctor={}", self.address, doctor.id)
    }

    async fn send(request: RequestBuilder) -> Result<String> {
        let answer = request.send().await?;
        let status = answer.status();
        let body = answer.text().await?;
        ensure!(status.is_success(), "{status}: {body}");
        Ok(body)
    }
}
