//! The release record for a screen, and what it says was interrupted.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::sleep;

use super::{Shared, clock};
use crate::actions::record::Limit;
use crate::actions::{Recorder, interrupted};
use crate::app::event::{Event, JobId};
use crate::domain::ClusterId;

/// So far back a screen looks: it opens at once, however long the record is.
const LIMIT: Limit = Limit {
    actions: 1_000,
    bytes: 8 << 20,
    since: None,
};
/// What is not settled at once is by then; a cluster that cannot be read is asked a few times.
const AGAIN: Duration = Duration::from_secs(75);
const LOOKS: u32 = 4;

pub(super) async fn read(shared: Arc<Shared>, job: JobId) {
    let recorder = Recorder::new(&shared.config().state_dir);
    let outcome = recorder.read(LIMIT).await;
    shared.send(Event::RecordRead { job, outcome }).await;
}

/// Without any request when nothing was interrupted.
pub(super) async fn look_back(shared: Arc<Shared>, cluster: ClusterId) {
    let recorder = Recorder::new(&shared.config().state_dir);
    for _ in 0..LOOKS {
        let Ok(connection) = shared.connected(&cluster) else {
            return;
        };
        let found = match interrupted::settle(&connection, &recorder, clock::now).await {
            Ok(found) => found,
            Err(failure) => {
                let why = failure.sentence;
                tracing::error!(why, "what was interrupted is not settled");
                return;
            }
        };
        let settled = found
            .iter()
            .all(crate::plan::aftermath::Interrupted::settled);
        if !found.is_empty() {
            let event = Event::LookedBack {
                cluster: cluster.clone(),
                interrupted: found,
            };
            shared.send(event).await;
        }
        if settled {
            return;
        }
        sleep(AGAIN).await;
    }
}
