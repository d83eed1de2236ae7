//! A git and a Subversion that answer byte by byte are read to the end; who says nothing is given so long, and told.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::thread;

use rolldeck::sources::source_repo::{Git, Svn};

use super::failures::one_sentence;
use super::{git, per_connection, repository, subjects, subversion};
use crate::support::hostile::Hostile;

/// In front of a server: each byte of its answers comes for itself.
fn slowly(server: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for near in listener.incoming() {
            let mut near = near.unwrap();
            let mut far = TcpStream::connect(("127.0.0.1", server)).unwrap();
            near.set_nodelay(true).unwrap();
            let (mut asked, mut on) = (near.try_clone().unwrap(), far.try_clone().unwrap());
            thread::spawn(move || {
                let _ = std::io::copy(&mut asked, &mut on);
                let _ = on.shutdown(std::net::Shutdown::Write);
            });
            thread::spawn(move || {
                let mut byte = [0];
                while matches!(far.read(&mut byte), Ok(1)) && near.write_all(&byte).is_ok() {
                    thread::yield_now();
                }
                let _ = near.shutdown(std::net::Shutdown::Both);
            });
        }
    });
    port
}

#[tokio::test]
async fn a_git_that_answers_byte_by_byte_is_read_to_the_end() {
    let world = git::World::new();
    let first = world.commit("First", "a.txt");
    let second = world.commit("Second", "b.txt");
    let root = world.path("");
    let port = per_connection(move || {
        let mut daemon = Command::new("git");
        daemon.args(["daemon", "--inetd", "--export-all"]);
        daemon.arg(format!("--base-path={}", root.display()));
        daemon
    });
    let asked = repository(&format!("git://127.0.0.1:{}/origin", slowly(port)), None);
    let found = world.ours().between(&asked, &first, &second).await.unwrap();
    assert_eq!(subjects(&found), ["Second"]);
}

#[tokio::test]
async fn a_subversion_that_answers_byte_by_byte_is_read_to_the_end() {
    let world = subversion::World::new();
    world.commit("First", "trunk/a.txt");
    world.commit("Second", "trunk/b.txt");
    let port = slowly(world.port);
    let asked = repository(&format!("svn://127.0.0.1:{port}/shop/trunk"), None);
    let found = Svn.between(&asked, "1", "2").await.unwrap();
    assert_eq!(subjects(&found), ["Second"]);
}

/// Takes the question, says the beginning of an answer, and no more.
fn silent() -> Hostile {
    Hostile::start(|_, socket| {
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n001e#");
        let _ = socket.read(&mut [0]);
    })
}

// The time that nobody does anything in passes at once.
#[tokio::test(start_paused = true)]
async fn who_falls_silent_is_told_by_name_and_by_how_long_it_was_given() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("http://127.0.0.1:{}/shop/cart", silent().port);
    let asked = repository(&url, None);
    let error = Git::new(folder.path()).heads(&asked.remote).await;
    one_sentence(&error.unwrap_err(), "/shop/cart: no answer within 20s");
    let url = format!("svn+http://127.0.0.1:{}/shop/trunk", silent().port);
    let asked = repository(&url, None);
    let error = Svn.newest(&asked).await.unwrap_err();
    one_sentence(&error, "/shop/trunk: no answer within 60s");
}
