//! What keeps the service as git has it: how it stands, where that comes from, and who suspended it.

use crate::app::intent::Intent;
use crate::app::model::SourceState;
use crate::app::words::key;
use crate::domain::{Automatic, Feed, Health, SourceId, Sync, SyncRef, SyncState};
use crate::text;

use super::super::super::theme::Role;
use super::View;

/// At most so many lines: the history has to stay in sight.
const LINES: usize = 2;

/// Nothing for a service that no tool keeps.
pub fn lines(view: &View<'_>, width: u16) -> Vec<(String, Role)> {
    let Some(named) = view.workload.kept_by() else {
        return Vec::new();
    };
    let (words, role) = match view.model.fleet.sync(view.workload) {
        Some(sync) => known(view, sync),
        None => (unknown(view, named), Role::Dim),
    };
    let lines = text::wrap(&words, usize::from(width))
        .into_iter()
        .take(LINES);
    lines.map(|line| (line, role)).collect()
}

fn known(view: &View<'_>, sync: &Sync) -> (String, Role) {
    if sync.keeps == Some(false) {
        let words = format!("its mark names {}, which does not list it", sync.id);
        return (words, Role::Dim);
    }
    let how = match sync.suspension.as_deref() {
        None => sync.how(),
        Some(note) => {
            let ago = text::age(note.at, view.model.now);
            let key = key(view.model, Intent::ResumeSync);
            format!("suspended by {}, {ago} ago ({key} resumes)", note.by)
        }
    };
    let trouble = match &*sync.message {
        "" => String::new(),
        message => format!(": {message}"),
    };
    let applied = match (&*sync.target, &*sync.applied) {
        (one, "") | ("", one) => one.to_owned(),
        (target, applied) => format!("{target} ({applied})"),
    };
    let parts = [
        format!("{}: {}{trouble}", sync.id, sync.state.word()),
        how,
        sync.health.to_string(),
        applied,
        sync.source.to_string(),
    ];
    let said: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    let role = match (sync.state, &sync.automatic) {
        _ if sync.suspension.is_some() => Role::Warn,
        (SyncState::OutOfSync | SyncState::Failing, _) => Role::Warn,
        (SyncState::InSync | SyncState::Unknown, Automatic::Off) => Role::Plain,
        (SyncState::InSync | SyncState::Unknown, _) => Role::Dim,
    };
    (said.join(" · "), role)
}

/// Why nothing is known of it.
fn unknown(view: &View<'_>, named: &SyncRef) -> String {
    let source = SourceId {
        cluster: view.workload.id.cluster.clone(),
        namespace: named.namespace.clone(),
        feed: Feed::SyncOf {
            workload: view.workload.id.clone(),
            sync: named.clone(),
        },
    };
    let why = match view.model.sources.get(&source) {
        Some(state) if state.synced => "not on this cluster; whether it syncs by itself is unknown",
        Some(SourceState {
            health: Health::Denied(why) | Health::AuthExpired(why) | Health::Retrying { why, .. },
            ..
        }) => why,
        Some(_) | None => "being read …",
    };
    format!("{named}: {why}")
}
