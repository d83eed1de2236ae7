//! The log: a file in the state folder, filtered by `ROLLDECK_LOG`. Never the terminal.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Mutex;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::layer;
use tracing_subscriber::layer::SubscriberExt as _;

const NAME: &str = "rolldeck.log";
/// A log that is longer starts anew; the former one is kept beside it.
const LONGEST: u64 = 8 << 20;

/// Without a place to write to there is no log; nothing else depends on it.
pub fn start(state_dir: &Path) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(state_dir)?;
    let path = state_dir.join(NAME);
    if path.metadata().is_ok_and(|file| file.len() > LONGEST) {
        std::fs::rename(&path, state_dir.join(format!("{NAME}.old")))?;
    }
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    let asked = std::env::var("ROLLDECK_LOG");
    let asked = asked.ok().and_then(|text| text.parse::<Targets>().ok());
    let filter = asked.unwrap_or_else(|| {
        let others = Targets::new().with_default(Level::WARN);
        others.with_target("rolldeck", Level::INFO)
    });
    let lines = layer().with_ansi(false).with_writer(Mutex::new(file));
    let subscriber = tracing_subscriber::registry().with(lines).with(filter);
    // A second one in this process, in tests, keeps the first.
    let _ = tracing::subscriber::set_global_default(subscriber);
    Ok(())
}
