//! A TCP proxy that can freeze: what a network does that dies without telling anybody.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp::OwnedReadHalf, tcp::OwnedWriteHalf},
    task::JoinHandle,
};

use crate::Server;

/// A proxy before a server; ends when dropped.
pub struct Proxy {
    /// `http://127.0.0.1:<port>`
    pub address: String,
    frozen: Arc<AtomicBool>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// Starts it.
    pub async fn start(server: &Server) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let target = server.address.strip_prefix("http://").unwrap().to_string();
        let frozen = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&frozen);
        let task = tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                let far = TcpStream::connect(&target).await.unwrap();
                let (near, far) = (near.into_split(), far.into_split());
                tokio::spawn(forward(near.0, far.1, Arc::clone(&flag)));
                tokio::spawn(forward(far.0, near.1, Arc::clone(&flag)));
            }
        });
        Self { address, frozen, task }
    }

    /// From now on nothing gets through, and nobody is told: every connection stays open.
    pub fn freeze(&self) {
        self.frozen.store(true, Ordering::Relaxed);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn forward(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, frozen: Arc<AtomicBool>) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        if frozen.load(Ordering::Relaxed) {
            // Swallowed; and both ends are held open until the test is over.
            std::future::pending::<()>().await;
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
    if frozen.load(Ordering::Relaxed) {
        std::future::pending::<()>().await;
    }
}
