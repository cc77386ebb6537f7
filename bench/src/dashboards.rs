//! Dashboards that count what they hear.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use futures_util::{StreamExt, TryStreamExt, stream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    sync::oneshot,
    time::{sleep, timeout},
};
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::{process::Group, target::Target};

/// The dashboards' path.
pub const WATCH: &str = "/ws/doctor-status/";

/// So many open their sockets at once, where how long that takes is not the question.
const AT_ONCE: usize = 50;

/// Who hears nothing for so long has heard everything.
const SILENCE: Duration = Duration::from_secs(2);

/// Who never falls silent is not waited for any longer.
const ENOUGH: Duration = Duration::from_secs(60);

/// A socket that is not open by then does not open.
const OPENS_WITHIN: Duration = Duration::from_secs(20);

/// What dashboards have heard, all together.
#[derive(Default)]
pub struct Heard {
    messages: AtomicU64,
    bytes: AtomicU64,
    /// What [`Heard::last_of`] waits for.
    goal: Mutex<Option<Goal>>,
}

struct Goal {
    messages: u64,
    reached: oneshot::Sender<Instant>,
}

impl Heard {
    /// How many messages so far.
    pub fn messages(&self) -> u64 {
        self.messages.load(Relaxed)
    }

    /// How many bytes so far, with all that the protocol adds, but without TCP's.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// When so many messages had been heard since the first one; `None` if that was not within the limit.
    pub async fn last_of(&self, messages: u64, limit: Duration) -> Option<Instant> {
        let (reached, reaches) = oneshot::channel();
        *self.goal() = Some(Goal { messages, reached });
        // They may all have been heard already.
        self.check(self.messages());
        timeout(limit, reaches).await.ok()?.ok()
    }

    /// Waits until nothing more comes. Some servers are quiet for seconds, but busy with what they will send.
    pub async fn silence(&self, server: Group) -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < ENOUGH {
            let (before, cpu) = (self.messages(), server.cpu()?);
            sleep(SILENCE).await;
            if self.messages() == before && server.cpu()? - cpu < SILENCE / 10 {
                break;
            }
        }
        Ok(())
    }

    fn hear(&self) {
        self.check(self.messages.fetch_add(1, Relaxed) + 1);
    }

    fn check(&self, messages: u64) {
        if let Some(goal) = self.goal().take_if(|goal| goal.messages <= messages) {
            let _ = goal.reached.send(Instant::now());
        }
    }

    fn goal(&self) -> std::sync::MutexGuard<'_, Option<Goal>> {
        self.goal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A WebSocket of a client.
pub type Socket = WebSocketStream<Counting>;

/// Opens a socket at `path`.
pub async fn open(target: &Target, path: &str, heard: &Arc<Heard>) -> Result<Socket> {
    let opening = async {
        let stream = TcpStream::connect(target.authority()?).await?;
        stream.set_nodelay(true)?;
        let counting = Counting { stream, heard: Arc::clone(heard) };
        Ok(client_async(format!("ws://{}{path}", target.authority()?), counting).await?.0)
    };
    timeout(OPENS_WITHIN, opening).await.context("a socket does not open")?
}

/// Opens so many dashboards, which then only count.
pub async fn watch(target: &Target, dashboards: usize) -> Result<Arc<Heard>> {
    let heard = Arc::new(Heard::default());
    let opening = (0..dashboards).map(|_| open(target, WATCH, &heard));
    let sockets: Vec<_> = stream::iter(opening).buffer_unordered(AT_ONCE).try_collect().await?;
    for mut socket in sockets {
        let heard = Arc::clone(&heard);
        tokio::spawn(async move {
            while let Some(Ok(message)) = socket.next().await {
                // Not the pings of those who send some.
                if message.is_text() {
                    heard.hear();
                }
            }
        });
    }
    // Some servers are not done with a join when they have answered it.
    heard.silence(target.server()).await?;
    Ok(heard)
}

/// A connection that counts what arrives.
pub struct Counting {
    stream: TcpStream,
    heard: Arc<Heard>,
}

impl AsyncRead for Counting {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        self.heard.bytes.fetch_add((buffer.filled().len() - before) as u64, Relaxed);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Counting {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
