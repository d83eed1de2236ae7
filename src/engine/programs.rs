//! Programs that have the terminal for a while: which are there, and the line in the record.

use std::path::Path;
use std::sync::Arc;

use super::{Shared, clock};
use crate::actions::{Recorder, person};
use crate::app::effect::HandOver;
use crate::app::event::{Ended, Event, JobId};
use crate::domain::release_record::{HandedOver, Line};
use crate::sources::programs::find as on_path;

pub(super) async fn find(shared: Arc<Shared>, job: JobId, programs: Vec<String>) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let looked = tokio::task::spawn_blocking(move || {
        let gone = |program: &String| on_path(Path::new(program), &path).is_none();
        programs.into_iter().filter(gone).collect()
    });
    let missing = looked.await.unwrap_or_default();
    shared.send(Event::ProgramsMissing { job, missing }).await;
}

pub(super) async fn record(shared: Arc<Shared>, handed: HandOver, ended: Ended) {
    let user = shared
        .client(&handed.cluster)
        .ok()
        .and_then(|client| client.user);
    let line = Line::HandedOver(Box::new(HandedOver {
        at: clock::now(),
        by: person(),
        server_user: user.map(Into::into),
        cluster: handed.cluster.to_string(),
        namespace: handed.namespace.map(Into::into),
        object: handed.object,
        command: handed.arguments,
        outcome: match ended {
            Ended::Exit(code) => format!("exit {code}"),
            Ended::Killed(signal) => format!("killed by {signal}"),
            Ended::Failed(why) => why,
        },
    }));
    if let Err(failure) = Recorder::new(&shared.config().state_dir).append(line).await {
        tracing::error!(why = failure.sentence, "a hand-over is not in the record");
    }
}
