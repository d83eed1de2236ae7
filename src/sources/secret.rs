//! Reads a secret from the place that the configuration names.

use std::fmt;
use std::time::Duration;

use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

use super::program;
use crate::config::secret::{Place, SecretFrom};

/// The longest that a command or a file may take.
const PATIENCE: Duration = Duration::from_secs(15);
const LONGEST: u64 = 64 << 10;

/// A secret in memory. Only [`Secret::reveal`] shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}

/// Its first line, without blanks at the ends. A command runs without the terminal and without input, and is
/// killed after 15 s.
///
/// # Errors
/// What is wrong with the place, in words that never hold what stood there.
pub async fn read(from: &SecretFrom) -> Result<Secret, String> {
    let text = match from.place() {
        Place::Env { env } => std::env::var(env).map_err(|_| format!("{from} is not set"))?,
        Place::File { file } => {
            let open = async {
                let (file, mut text) = (File::open(file).await?, String::new());
                file.take(LONGEST).read_to_string(&mut text).await?;
                Ok(text)
            };
            within(from, open).await?
        }
        Place::Command { command } => within(from, run(command)).await?,
    };
    match text.lines().next().unwrap_or_default().trim() {
        "" => Err(format!("{from} gives nothing")),
        secret => Ok(Secret::from(secret)),
    }
}

async fn within(
    from: &SecretFrom,
    read: impl Future<Output = std::io::Result<String>>,
) -> Result<String, String> {
    let read = timeout(PATIENCE, read).await;
    read.map_err(|_| format!("{from} gave no answer in {}s", PATIENCE.as_secs()))?
        .map_err(|why| format!("{from} failed: {}", said(&why)))
}

fn said(why: &std::io::Error) -> String {
    match why.get_ref() {
        Some(own) => own.to_string(),
        None => why.kind().to_string(),
    }
}

async fn run(command: &[String]) -> std::io::Result<String> {
    let (name, arguments) = command.split_first().ok_or_else(|| wrong("no program"))?;
    let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
    // Who waits for it gives up first, which kills it.
    let said = program::run(name, &arguments, "", 2 * PATIENCE).await?;
    let said = said.ok_or_else(|| wrong("no answer in time"))?;
    match said.status.code() {
        Some(0) => String::from_utf8(said.out).map_err(|_| wrong("no text")),
        Some(code) => Err(wrong(&format!("exit {code}"))),
        None => Err(wrong("it was killed")),
    }
}

fn wrong(what: &str) -> std::io::Error {
    std::io::Error::other(what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str]) -> SecretFrom {
        let command = words.iter().map(|word| (*word).to_owned()).collect();
        Place::Command { command }.into()
    }

    #[tokio::test]
    async fn from_each_place() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "hunter2\nmore\n").unwrap();
        let secret = read(&Place::File { file }.into()).await.unwrap();
        assert_eq!(secret.reveal(), "hunter2");
        assert_eq!(format!("{secret:?}"), "Secret");
        let secret = read(&command(&["printf", " a b \n"])).await.unwrap();
        assert_eq!(secret.reveal(), "a b");
    }

    #[tokio::test]
    async fn what_is_wrong_is_said_without_the_secret() {
        for (from, want) in [
            (
                Place::Env {
                    env: "ROLLDECK_TEST_NOT_SET".into(),
                }
                .into(),
                "the variable ROLLDECK_TEST_NOT_SET is not set",
            ),
            (
                Place::File {
                    file: "/nonexistent".into(),
                }
                .into(),
                "the file /nonexistent failed: entity not found",
            ),
            (
                command(&["sh", "-c", "echo hunter2; exit 3"]),
                "the command sh failed: exit 3",
            ),
            (command(&["true"]), "the command true gives nothing"),
            (
                command(&["/nonexistent/p"]),
                "the command /nonexistent/p failed: entity not found",
            ),
        ] {
            assert_eq!(read(&from).await.unwrap_err(), want);
        }
    }
}
