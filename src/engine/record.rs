//! The release record for a screen.

use std::sync::Arc;

use super::Shared;
use crate::actions::Recorder;
use crate::actions::record::Limit;
use crate::app::event::{Event, JobId};

/// So far back a screen looks: it opens at once, however long the record is.
const LIMIT: Limit = Limit {
    actions: 1_000,
    bytes: 8 << 20,
    since: None,
};

pub(super) async fn read(shared: Arc<Shared>, job: JobId) {
    let recorder = Recorder::new(&shared.config().state_dir);
    let outcome = recorder.read(LIMIT).await;
    shared.send(Event::RecordRead { job, outcome }).await;
}
