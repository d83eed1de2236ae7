//! A small HTTP server on loopback for sources that answer at once.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Collected, Full, Limited};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

/// A free port.
///
/// # Errors
/// When there is none to be had.
pub async fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

/// Longer bodies are taken for none.
const LONGEST: usize = 1 << 20;

/// Ends, with its connections, when the task is aborted.
pub fn serve<F>(listener: TcpListener, answer: F) -> JoinHandle<()>
where
    F: Fn(&Request<Bytes>) -> Response<Bytes> + Send + Sync + 'static,
{
    let answer = Arc::new(answer);
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((socket, _)) = listener.accept().await {
            while connections.try_join_next().is_some() {}
            let answer = Arc::clone(&answer);
            let service = hyper::service::service_fn(move |request: Request<Incoming>| {
                let answer = Arc::clone(&answer);
                async move {
                    let (head, body) = request.into_parts();
                    let body = Limited::new(body, LONGEST).collect().await;
                    let body = body.map(Collected::to_bytes).unwrap_or_default();
                    let response = answer(&Request::from_parts(head, body));
                    Ok::<_, Infallible>(response.map(Full::new))
                }
            });
            let exchange = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(socket), service);
            connections.spawn(async move {
                // What ends a connection is the client's affair.
                let _ = exchange.await;
            });
        }
    })
}
