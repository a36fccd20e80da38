//! Serves HTTP: every connection has a limit on how long a request may take to arrive, and an end in order.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Addr, Endpoint};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long nothing is accepted after it failed: what is missing then, such as file descriptors, does not come back at
/// once.
const REST: Duration = Duration::from_millis(100);
/// How much of a request's head, its address and headers, is kept until it is whole: of twice as much, nothing is taken
/// (431). Browsers and proxies stay below 16 KiB.
const HEAD_MAX: usize = 32 * 1024;

/// How a server treats its connections.
#[derive(Clone, Debug)]
pub(crate) struct Manners {
    /// How long the head of a request may take to arrive, and how long a connection may be idle.
    pub(crate) head: Duration,
    /// When no more connections are taken, and the open ones end with the answer that they wait for.
    pub(crate) stop: CancellationToken,
    /// How long they may take to end before they are cut.
    pub(crate) grace: Duration,
}

/// Serves until it is told to stop and every connection has ended.
///
/// # Errors
/// When the listener has no address.
pub(crate) async fn serve<E: Endpoint + 'static>(
    listener: TcpListener,
    endpoint: E,
    manners: Manners,
) -> io::Result<()> {
    let endpoint = Arc::new(endpoint);
    let here = listener.local_addr()?;
    let (connections, cut) = (TaskTracker::new(), CancellationToken::new());
    while let Some(accepted) = manners.stop.run_until_cancelled(listener.accept()).await {
        match accepted {
            Ok((socket, there)) => {
                let served = connection(socket, [here, there], Arc::clone(&endpoint), manners.clone());
                connections.spawn(cut.clone().run_until_cancelled_owned(served));
            }
            Err(error) => {
                tracing::warn!(error = error.to_string(), "A connection could not be accepted.");
                tokio::time::sleep(REST).await;
            }
        }
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(manners.grace, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!(
            connections = connections.len(),
            "Connections are cut that did not end in time."
        );
        cut.cancel();
    }
    Ok(())
}

/// Serves one connection to its end.
async fn connection<E: Endpoint>(
    socket: TcpStream,
    [here, there]: [SocketAddr; 2],
    endpoint: Arc<E>,
    manners: Manners,
) {
    // An answer goes out when it is written, not when more of it may follow.
    let _ = socket.set_nodelay(true);
    let service = service_fn(|request| {
        let (local, remote) = (
            LocalAddr(Addr::SocketAddr(here)),
            RemoteAddr(Addr::SocketAddr(there)),
        );
        let endpoint = Arc::clone(&endpoint);
        async move {
            let response = endpoint
                .get_response((request, local, remote, Scheme::HTTP).into())
                .await;
            Ok::<hyper::Response<_>, Infallible>(response.into())
        }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(manners.head)
        .max_buf_size(HEAD_MAX)
        .serve_connection(TokioIo::new(socket), service)
        .with_upgrades();
    let mut served = pin!(served);
    // What goes wrong on the wire is the client's loss; what goes wrong behind it is told where it happens.
    tokio::select! {
        _ = &mut served => {}
        () = manners.stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            let _ = served.await;
        }
    }
}
