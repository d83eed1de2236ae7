//! What the real git and the real svn say when the other side refuses, fails, breaks off or is silent: one sentence that
//! says what to do about it, and no login in it.

use rolldeck::sources::source_repo::{Error, Git, Svn};

use super::repository;
use crate::support::hostile::Hostile;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

pub fn one_sentence(error: &Error, want: &str) {
    let words = error.to_string();
    assert!(words.contains(want), "{want}: {words}");
    assert!(
        !words.contains('\n') && !words.contains("hunter2"),
        "{words}"
    );
}

pub const UNAUTHORIZED: &str = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const FORBIDDEN: &str = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
pub const MISSING: &str =
    "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
const CUT: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/x-git-upload-pack-advertisement\r\nContent-Length: 900\r\nConnection: close\r\n\r\n001e# service=git-upload-pack\n";
/// Answers, and what git and svn say of them.
const TOLD: [(&str, &str); 5] = [
    (
        UNAUTHORIZED,
        "it wants a login, and there is none or a wrong one",
    ),
    (FORBIDDEN, "the login may not read it"),
    (
        MISSING,
        "there is no such repository or path, or the login may not see it",
    ),
    (BROKEN, "the server failed"),
    ("", "the answer broke off"),
];

#[tokio::test]
async fn git_says_in_one_sentence_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Git::new(folder.path());
    for (answer, want) in TOLD.into_iter().chain([(CUT, "the answer broke off")]) {
        let url = format!(
            "http://127.0.0.1:{}/shop/cart",
            Hostile::saying(answer).port
        );
        let asked = repository(&url, None);
        let error = ours.between(&asked, COMMIT, COMMIT).await.unwrap_err();
        one_sentence(&error, want);
        let error = ours.heads(&asked.remote).await.unwrap_err();
        one_sentence(&error, want);
    }
}

#[tokio::test]
async fn a_login_that_the_settings_of_git_add_is_never_said() {
    let folder = tempfile::tempdir().unwrap();
    let ours = Git::new(&folder.path().join("cache"));
    for answer in [UNAUTHORIZED, FORBIDDEN, MISSING, BROKEN, CUT] {
        let port = Hostile::saying(answer).port;
        // As `url.*.insteadOf` in the settings of git makes it: the settings of rolldeck take no login.
        let url = format!("http://oauth2:hunter2@127.0.0.1:{port}/shop/cart");
        let mut asked = repository(&url, None);
        assert!(!asked.remote.url.contains("hunter2"));
        asked.remote.url = url.into();
        let error = ours.heads(&asked.remote).await.unwrap_err();
        one_sentence(&error, "127.0.0.1");
    }
}

#[tokio::test]
async fn svn_says_in_one_sentence_what_is_wrong() {
    for (answer, want) in TOLD {
        let port = Hostile::saying(answer).port;
        let url = format!("svn+http://ann:hunter2@127.0.0.1:{port}/shop/trunk");
        let asked = repository(&url, None);
        let error = Svn.between(&asked, "1", "2").await.unwrap_err();
        one_sentence(&error, want);
        let error = Svn.newest(&asked).await.unwrap_err();
        one_sentence(&error, want);
    }
}
