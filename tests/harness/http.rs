//! HTTP, as any client speaks it.

use std::time::Duration;

use reqwest::{Client, Method, header::HeaderMap};
use rollcall_core::wire::{Login, User};
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{Server, Socket, keep_out_of_logs};

/// No answer takes longer (promise 7).
const PATIENCE: Duration = Duration::from_secs(10);

/// An HTTP answer.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, as it came.
    pub text: String,
}

impl Answer {
    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// A header's text, empty where it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The status and code of a refusal.
    pub fn refusal(&self) -> (u16, String) {
        (self.status, self.json()["code"].as_str().unwrap_or_else(|| panic!("no code in {self:?}")).to_string())
    }
}

/// Sends a request with an optional JSON body.
pub async fn request(
    server: &Server,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: Option<Value>,
) -> Answer {
    let mut request = Client::new()
        .request(Method::from_bytes(method.as_bytes()).unwrap(), format!("{}{path}", server.address))
        .timeout(PATIENCE);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    if let Some(body) = body {
        request = request.json(&body);
    }
    Answer::of(request).await
}

/// Sends a request with an optional JSON body, as if from another address: where the platform does not say where a
/// request comes from, as on this machine, the header that it would set may be sent.
pub async fn request_from(server: &Server, address: &str, method: &str, path: &str, body: Option<Value>) -> Answer {
    request(server, method, path, &[("cf-connecting-ip", address)], body).await
}

impl Answer {
    /// Sends `request`.
    pub async fn of(request: reqwest::RequestBuilder) -> Self {
        Self::try_of(request).await.unwrap()
    }

    /// Sends `request` to a server that may die meanwhile.
    pub async fn try_of(request: reqwest::RequestBuilder) -> reqwest::Result<Self> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Self { status, headers, text: response.text().await? })
    }
}

/// Somebody who is signed in.
#[derive(Clone)]
pub struct Session {
    server: &'static Server,
    /// The token.
    pub token: String,
    /// Who.
    pub user: User,
}

impl Session {
    /// Signs in.
    pub async fn open(server: &'static Server, email: &str, password: &str) -> Self {
        // Hashing is slow on purpose, and the local runtime does one at a time: on a machine with many cores the tests
        // would make each other wait beyond their patience.
        static HASHING: Semaphore = Semaphore::const_new(4);
        let _turn = HASHING.acquire().await;
        let body = json!({"email": email, "password": password});
        let answer = request(server, "POST", "/api/users/login/", &[], Some(body)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        Self::of(server, &answer)
    }

    /// The session that a login, or a change of password, was answered with.
    pub fn of(server: &'static Server, answer: &Answer) -> Self {
        let Login { token, user, .. } = serde_json::from_str(&answer.text).unwrap_or_else(|_| panic!("{answer:?}"));
        keep_out_of_logs(&token);
        Self { server, token, user }
    }

    /// Their user's id.
    pub fn id(&self) -> i64 {
        self.user.id.get()
    }

    /// The `Authorization` header.
    pub fn authorization(&self) -> String {
        format!("Token {}", self.token)
    }

    /// GETs a path.
    pub async fn get(&self, path: &str) -> Answer {
        request(self.server, "GET", path, &[("authorization", &self.authorization())], None).await
    }

    /// GETs a path as CSV.
    pub async fn get_csv(&self, path: &str) -> Answer {
        request(self.server, "GET", path, &[("authorization", &self.authorization()), ("accept", "text/csv")], None)
            .await
    }

    /// Opens a socket, offering `rollcall.v1` if `v1`.
    pub async fn socket(&self, path: &str, v1: bool) -> Socket {
        Socket::open(self.server, path, &[("authorization", &self.authorization())], v1).await
    }

    /// POSTs nothing at all to a path.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        request(self.server, "POST", path, &[("authorization", &self.authorization())], None).await
    }

    /// POSTs JSON to a path.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        request(self.server, "POST", path, &[("authorization", &self.authorization())], Some(body)).await
    }

    /// PATCHes a path with JSON.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        request(self.server, "PATCH", path, &[("authorization", &self.authorization())], Some(body)).await
    }

    /// DELETEs a path.
    pub async fn delete(&self, path: &str) -> Answer {
        request(self.server, "DELETE", path, &[("authorization", &self.authorization())], None).await
    }

    /// A ticket for a socket path.
    pub async fn ticket(&self, path: &str) -> String {
        let ticket = self.done("/api/ws-ticket/", json!({"path": path})).await["ticket"].as_str().unwrap().to_string();
        keep_out_of_logs(&ticket);
        ticket
    }

    /// POSTs nothing to a path of a server that may die meanwhile.
    pub async fn try_post(&self, client: &Client, path: &str) -> reqwest::Result<Answer> {
        let request = client.post(format!("{}{path}", self.server.address)).timeout(PATIENCE);
        Answer::try_of(request.header("authorization", self.authorization())).await
    }

    /// POSTs to a path and returns the JSON of its success.
    pub async fn done(&self, path: &str, body: Value) -> Value {
        let answer = self.post(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.json()
    }

    /// Comes on duty.
    pub async fn go_live(&self) -> Value {
        self.done("/api/users/login-status/", json!({})).await
    }

    /// Goes off duty.
    pub async fn leave(&self) -> Value {
        self.done("/api/users/logout-status/", json!({})).await
    }

    /// Becomes free, or busy.
    pub async fn be_available(&self, available: bool) -> Value {
        self.done("/api/users/availability-status/", json!({"is_available_for_consultation": available})).await
    }
}
