//! The connections a simulator has accepted. On request each of them dies at its next use, as after a machine was
//! frozen for minutes: until then it looks alive to the client.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU8, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};

/// How a connection dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// The next bytes are answered with RST.
    Reset,
    /// The next bytes and all later ones are never answered. The connection stays open.
    Silence,
}

/// Alive, or the [`Death`] that comes with the next bytes.
#[derive(Debug, Default)]
struct Liveness(AtomicU8);

const RESET: u8 = 1;
const SILENCE: u8 = 2;

/// The open connections of one simulator.
#[derive(Clone, Debug, Default)]
pub struct Connections(Arc<Mutex<Vec<Weak<Liveness>>>>);

impl Connections {
    /// Adds a connection.
    #[must_use]
    pub fn accept(&self, stream: TcpStream) -> Connection {
        let liveness = Arc::default();
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|liveness| liveness.strong_count() > 0);
        open.push(Arc::downgrade(&liveness));
        Connection { stream, liveness }
    }

    /// The number of open connections.
    #[must_use]
    pub fn open(&self) -> usize {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().filter(|liveness| liveness.strong_count() > 0).count()
    }

    /// Every connection open now dies in this way when the client next sends something; later ones live. The answer to
    /// a request that has already arrived is still sent. Returns the number of these connections.
    pub fn kill(&self, death: Death) -> usize {
        let death = match death {
            Death::Reset => RESET,
            Death::Silence => SILENCE,
        };
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.iter().filter_map(Weak::upgrade).map(|liveness| liveness.0.store(death, Ordering::Release)).count()
    }
}

/// A connection that may be dead.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    liveness: Arc<Liveness>,
}

impl Connection {
    /// Makes the connection end with a RST.
    ///
    /// # Errors
    /// The error of the operating system.
    pub fn reset_at_the_end(&self) -> io::Result<()> {
        self.stream.set_zero_linger()
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Self { stream, liveness } = self.get_mut();
        loop {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut *stream).poll_read(context, buffer))?;
            if buffer.filled().len() == before {
                return Poll::Ready(Ok(()));
            }
            match liveness.0.load(Ordering::Acquire) {
                RESET => {
                    buffer.set_filled(before);
                    stream.set_zero_linger()?;
                    return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
                }
                // Read and discarded, so that the client's kernel notices nothing.
                SILENCE => buffer.set_filled(before),
                _ => return Poll::Ready(Ok(())),
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        time::timeout,
    };

    use super::{Connections, Death};

    /// How long to wait for an answer that must come.
    const LONG: Duration = Duration::from_secs(30);
    /// How long to wait for one that must not.
    const SHORT: Duration = Duration::from_millis(100);

    /// A server that echoes bytes, and clients whose connections have already been used.
    async fn echo(connections: &Connections, clients: usize) -> (TcpListener, Vec<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut open = Vec::new();
        for _ in 0..clients {
            let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let mut server = connections.accept(listener.accept().await.unwrap().0);
            tokio::spawn(async move {
                let mut bytes = [0; 16];
                while let Ok(1..) = server.read(&mut bytes).await {
                    server.write_all(&bytes[..1]).await.unwrap();
                }
            });
            open.push(client);
        }
        for client in &mut open {
            assert!(matches!(exchange(client, LONG).await, Some(Ok(1))));
        }
        (listener, open)
    }

    /// Sends a byte and waits this long: `None` when no answer comes.
    async fn exchange(client: &mut TcpStream, patience: Duration) -> Option<std::io::Result<usize>> {
        if let Err(error) = client.write_all(b"x").await {
            return Some(Err(error));
        }
        timeout(patience, client.read(&mut [0])).await.ok()
    }

    #[tokio::test]
    async fn open_connections_die_at_their_next_use_and_later_ones_live() {
        for death in [Death::Reset, Death::Silence] {
            let connections = Connections::default();
            let (_listener, clients) = echo(&connections, 3).await;
            assert_eq!((connections.open(), connections.kill(death)), (3, 3));
            let (_other, later) = echo(&connections, 1).await;
            for mut client in clients {
                assert!(timeout(SHORT, client.read(&mut [0])).await.is_err(), "looks alive");
                let patience = if death == Death::Silence { SHORT } else { LONG };
                match (death, exchange(&mut client, patience).await) {
                    (Death::Reset, Some(Err(error))) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
                    (Death::Silence, None) => {}
                    (death, other) => panic!("{death:?}: {other:?}"),
                }
            }
            for mut client in later {
                assert!(matches!(exchange(&mut client, LONG).await, Some(Ok(1))));
            }
        }
    }

    #[tokio::test]
    async fn closed_connections_are_not_counted() {
        let connections = Connections::default();
        let (listener, clients) = echo(&connections, 2).await;
        drop((listener, clients));
        timeout(LONG, async {
            while connections.open() > 0 {
                tokio::task::yield_now().await;
            }
        })
        .await
        .unwrap();
    }
}
