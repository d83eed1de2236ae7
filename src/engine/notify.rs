//! The program of the user's own that is told when an action has ended.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use super::Shared;
use crate::app::event::Event;

/// It has so long, and is ended then.
const LIMIT: Duration = Duration::from_secs(15);

/// Runs it without a shell and without the terminal. `words` is harmless already.
pub async fn run(shared: Arc<Shared>, words: String, command: Vec<String>) {
    let [program, arguments @ ..] = command.as_slice() else {
        return;
    };
    let running = Command::new(program)
        .args(arguments)
        .arg(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status();
    let why = match timeout(LIMIT, running).await {
        Ok(Ok(status)) if status.success() => return,
        Ok(Ok(status)) => status.to_string(),
        Ok(Err(why)) => why.to_string(),
        Err(_) => format!("it was ended after {}s", LIMIT.as_secs()),
    };
    let why = format!("the command of notify, {program}, failed: {why}");
    shared.send(Event::Unnotified { why }).await;
}
