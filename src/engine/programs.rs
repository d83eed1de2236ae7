//! Programs that have the terminal for a while: which are there, and the line in the record.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use super::{Shared, clock};
use crate::actions::{Recorder, person};
use crate::app::effect::HandOver;
use crate::app::event::{Ended, Event, JobId};
use crate::domain::release_record::{HandedOver, Line};

pub(super) async fn find(shared: Arc<Shared>, job: JobId, programs: Vec<String>) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let looked = tokio::task::spawn_blocking(move || {
        let gone = |program: &String| !is_there(Path::new(program), &path);
        programs.into_iter().filter(gone).collect()
    });
    let missing = looked.await.unwrap_or_default();
    shared.send(Event::ProgramsMissing { job, missing }).await;
}

/// As a shell would find it.
fn is_there(program: &Path, path: &std::ffi::OsStr) -> bool {
    let runs = |file: &Path| {
        let found = std::fs::metadata(file);
        found.is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if program.components().count() > 1 {
        return runs(program);
    }
    std::env::split_paths(path).any(|folder| runs(&folder.join(program)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_as_a_shell_finds_them() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tool");
        std::fs::write(&file, "").unwrap();
        let path = folder.path().as_os_str();
        assert!(!is_there(Path::new("tool"), path), "it is no program yet");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(is_there(Path::new("tool"), path) && is_there(&file, "".as_ref()));
        assert!(!is_there(Path::new("tool"), "".as_ref()));
        assert!(!is_there(folder.path(), path), "a folder is no program");
    }
}
