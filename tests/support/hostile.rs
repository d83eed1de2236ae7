//! A server on loopback that a test lets go wrong: it says raw bytes to each request, and remembers what it heard.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Ends with the test's process.
pub struct Hostile {
    pub port: u16,
    heard: Arc<Mutex<Vec<String>>>,
}

impl Hostile {
    /// `answer` sees the head of a request; the connection ends when it returns.
    pub fn start(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("an address").port();
        let heard = Arc::<Mutex<Vec<String>>>::default();
        let (all, answer) = (Arc::clone(&heard), Arc::new(answer));
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                let (Ok(mut socket), all, answer) = (socket, Arc::clone(&all), Arc::clone(&answer))
                else {
                    continue;
                };
                std::thread::spawn(move || {
                    if let Some(head) = hear(&mut socket) {
                        all.lock().expect("no panic").push(head.clone());
                        answer(&head, &mut socket);
                    }
                });
            }
        });
        Self { port, heard }
    }

    /// The same bytes to everybody.
    pub fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |_, socket| {
            let _ = socket.write_all(&bytes);
        })
    }

    /// The heads of all requests.
    pub fn heard(&self) -> Vec<String> {
        self.heard.lock().expect("no panic").clone()
    }
}

/// The head, in lower case but for its values; the body is read, so that nothing of the answer is lost.
fn hear(socket: &mut TcpStream) -> Option<String> {
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end + 4;
        }
        match socket.read(&mut piece) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&piece[..read]),
        }
    };
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let length = header(&head, "content-length").and_then(|length| length.parse().ok());
    let mut left = length.unwrap_or(0_usize).saturating_sub(bytes.len() - end);
    while left > 0 {
        match socket.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(read) => left = left.saturating_sub(read),
        }
    }
    Some(head)
}

pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut lines = head.lines().filter_map(|line| line.split_once(": "));
    let found = lines.find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(found.1)
}

/// An answer of a known length, after which the connection ends.
pub fn reply(status: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

/// What logged in, packed as it came and unpacked.
pub fn echo(head: &str) -> String {
    let names = ["authorization", "private-token", "x-registry-auth"];
    let logins = names.into_iter().filter_map(|name| header(head, name));
    let logins: Vec<_> = logins.map(unpacked).collect();
    let query = head.split("access_token=").nth(1);
    let query = query.and_then(|rest| rest.split([' ', '&']).next());
    format!("{} {}", logins.join(" "), query.unwrap_or_default())
}

fn unpacked(login: &str) -> String {
    let credential = login.rsplit(' ').next().unwrap_or(login);
    let inside = STANDARD.decode(credential).unwrap_or_default();
    format!("{login} {}", String::from_utf8_lossy(&inside))
}
