//! A forward proxy: the `CONNECT` method of HTTP and nothing else, with a list of who asked for what.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use super::api::RUNTIME;

pub struct Tunnel {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Connect>>>,
    task: tokio::task::JoinHandle<()>,
}

/// One request: `kube.test:6443`, and the proxy login that came with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connect {
    pub to: String,
    pub login: Option<String>,
}

impl Tunnel {
    /// Leads every name to this port of the loopback address.
    pub fn to(port: u16) -> Self {
        Self::start(Ok(port))
    }

    /// Answers every request with this status line: `403 Forbidden`.
    pub fn refusing(status: &'static str) -> Self {
        Self::start(Err(status))
    }

    fn start(way: Result<u16, &'static str>) -> Self {
        let listener = RUNTIME
            .block_on(TcpListener::bind("127.0.0.1:0"))
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        let seen = Arc::<Mutex<Vec<Connect>>>::default();
        let list = Arc::clone(&seen);
        let task = RUNTIME.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let list = Arc::clone(&list);
                tokio::spawn(async move {
                    // Whoever hangs up is done.
                    let _ = serve(socket, way, &list).await;
                });
            }
        });
        Self {
            address,
            seen,
            task,
        }
    }

    /// `http://127.0.0.1:PORT`.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Everything that was asked so far.
    pub fn seen(&self) -> Vec<Connect> {
        self.seen.lock().expect("no panic").clone()
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    socket: TcpStream,
    way: Result<u16, &str>,
    list: &Mutex<Vec<Connect>>,
) -> std::io::Result<()> {
    let mut socket = BufReader::new(socket);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if (&mut socket).take(8192).read_line(&mut line).await? == 0 {
            return Ok(());
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let mut request = lines
        .first()
        .map(|line| line.split(' '))
        .into_iter()
        .flatten();
    let (method, to) = (request.next(), request.next().unwrap_or_default());
    let login = lines.iter().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization")
            .then(|| value.trim().to_owned())
    });
    list.lock().expect("no panic").push(Connect {
        to: to.to_owned(),
        login,
    });
    let port = match way {
        Ok(port) if method == Some("CONNECT") => port,
        Ok(_) => return refuse(&mut socket, "405 Method Not Allowed").await,
        Err(status) => return refuse(&mut socket, status).await,
    };
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    socket
        .write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        .await?;
    copy_bidirectional(&mut socket, &mut server).await?;
    Ok(())
}

async fn refuse(socket: &mut BufReader<TcpStream>, status: &str) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    socket.write_all(head.as_bytes()).await
}
