//! Looks at the settings file, and reads it again when somebody wrote it.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

use super::Shared;
use crate::app::event::Event;
use crate::config::load;

/// How often the file is looked at: one `stat`.
const LOOK: Duration = Duration::from_secs(2);

/// Never ends, unless there is no file to look at. One that is wrong leaves the last good one in force.
pub(super) async fn watch(shared: Arc<Shared>) {
    let Some(path) = shared.config().file.clone() else {
        return;
    };
    let mut seen = stamp(&path);
    loop {
        sleep(LOOK).await;
        let now = stamp(&path);
        if now == seen {
            continue;
        }
        seen = now;
        let overrides = shared.config().overrides.clone();
        let read = tokio::task::spawn_blocking(move || {
            let variable = |name: &str| std::env::var(name).ok();
            load(overrides, &variable).map_err(|error| error.failure())
        });
        let Ok(outcome) = read.await else {
            continue;
        };
        if let Ok(config) = &outcome {
            shared.configure(config.clone());
        }
        let outcome = outcome.map(Box::new);
        shared.send(Event::Configured { outcome }).await;
    }
}

/// When it was written and how long it is; `None` where there is none.
fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let file = std::fs::metadata(path).ok()?;
    Some((file.modified().ok()?, file.len()))
}
