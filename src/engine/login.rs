//! A login by hand: the kubeconfig's login command with the terminal, and what it printed as the cluster's new login.

use std::io::{PipeReader, Read, pipe};
use std::process::Command;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{Engine, clock};
use crate::domain::{ClusterId, Failure, FailureKind};
use crate::sources::kube::ByHand;

/// How long reading the kubeconfig may take, and what was printed once the command has ended.
const PATIENCE: Duration = Duration::from_secs(2);
const LONGEST_OUTPUT: u64 = 1 << 20;

/// One that a person is about to make.
pub struct Login {
    cluster: ClusterId,
    by_hand: ByHand,
    printed: Option<JoinHandle<Vec<u8>>>,
}

impl Login {
    /// `aws`.
    pub fn name(&self) -> &str {
        &self.by_hand.name
    }

    pub fn cluster(&self) -> &ClusterId {
        &self.cluster
    }

    /// To be started with the terminal for its input and its complaints. What it prints is secret: it is read here and
    /// shown nowhere.
    ///
    /// # Errors
    /// No pipe is to be had.
    pub fn command(&mut self) -> Result<Command, String> {
        let (reader, writer) = pipe().map_err(|why| why.kind().to_string())?;
        let command = self.by_hand.command();
        let mut command = command.ok_or("it was started already")?;
        command.stdout(writer);
        self.printed = Some(tokio::task::spawn_blocking(move || read(reader)));
        Ok(command)
    }
}

fn read(reader: PipeReader) -> Vec<u8> {
    let mut printed = Vec::new();
    let _ = reader.take(LONGEST_OUTPUT).read_to_end(&mut printed);
    printed
}

impl Engine {
    /// What to run to log in; nothing is run yet.
    ///
    /// # Errors
    /// There is no login command: the hint says what to do instead.
    pub async fn login(&self, cluster: &ClusterId) -> Result<Login, Failure> {
        let link = self.shared.links.find(cluster);
        let link = link.ok_or_else(|| late(&format!("{cluster} is not on the board")))?;
        let connection = link.connection();
        let prepared = timeout(PATIENCE, ByHand::prepare(&connection)).await;
        let prepared = prepared.map_err(|_| late("the kubeconfig cannot be read in time"))?;
        Ok(Login {
            cluster: cluster.clone(),
            by_hand: prepared.map_err(|error| error.failure())?,
            printed: None,
        })
    }

    /// Goes on with what the command printed: every feed of that cluster, and of no other.
    ///
    /// # Errors
    /// It printed no login.
    pub async fn logged_in(&self, login: Login) -> Result<(), Failure> {
        let printed = match login.printed {
            Some(reading) => timeout(PATIENCE, reading).await,
            None => return Err(late("the login command was not started")),
        };
        let Ok(Ok(printed)) = printed else {
            return Err(late("the login command left its output open"));
        };
        let cluster = login.by_hand.finish(&printed, clock::now).await;
        let cluster = cluster.map_err(|error| error.failure())?;
        match self.shared.links.find(&login.cluster) {
            Some(link) => link.give(cluster),
            None => {
                return Err(late(&format!(
                    "{} is no longer on the board",
                    login.cluster
                )));
            }
        }
        Ok(())
    }
}

fn late(sentence: &str) -> Failure {
    Failure::new(FailureKind::Denied, sentence)
}
