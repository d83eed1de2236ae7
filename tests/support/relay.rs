//! Passes connections on to a server and counts what goes through: requests by their first line, answers in bytes.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

pub struct Relay {
    port: u16,
    lines: Arc<Mutex<Vec<String>>>,
    bytes: Arc<AtomicUsize>,
}

impl Relay {
    pub fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let relay = Self {
            port: listener.local_addr().expect("an address").port(),
            lines: Arc::default(),
            bytes: Arc::default(),
        };
        let (lines, bytes) = (Arc::clone(&relay.lines), Arc::clone(&relay.bytes));
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else {
                    continue;
                };
                let (lines, bytes) = (Arc::clone(&lines), Arc::clone(&bytes));
                pass(&client, &server, move |piece| {
                    let text = String::from_utf8_lossy(piece).into_owned();
                    let line = text.lines().next().unwrap_or_default();
                    if line.ends_with(" HTTP/1.1") {
                        lines.lock().unwrap().push(line.to_owned());
                    }
                });
                pass(&server, &client, move |piece| {
                    bytes.fetch_add(piece.len(), Ordering::Relaxed);
                });
            }
        });
        relay
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap().clone()
    }

    pub fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

fn pass(from: &TcpStream, to: &TcpStream, mut seen: impl FnMut(&[u8]) + Send + 'static) {
    let mut from = from.try_clone().expect("a socket");
    let mut to = to.try_clone().expect("a socket");
    thread::spawn(move || {
        let mut buffer = [0; 16 << 10];
        while let Ok(read) = from.read(&mut buffer) {
            seen(&buffer[..read]);
            if read == 0 || to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
