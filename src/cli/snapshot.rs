//! `rolldeck snapshot`: what runs in the scope, as a file from which it can be made again.

use std::fs::{OpenOptions, Permissions};
use std::io::{IsTerminal, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use crate::actions;
use crate::config::Config;
use crate::domain::snapshot::{self, FORMAT, Place, Snapshot};
use crate::domain::{Failure, FailureKind};
use crate::engine::{clock, doctor};
use crate::sources::kube::Cluster;

use super::Outcome;
use super::args::{READS, Snapshot as Args};
use super::output;
use super::session::Session;

/// Only the file of its owner: it may hold what a ConfigMap should not.
const OWNER_ALONE: u32 = 0o600;

pub async fn run(config: &Config, args: &Args) -> Outcome {
    let session = Session::connect(config, READS).await?;
    let (mut places, mut notes) = (Vec::new(), Vec::new());
    for cluster in session.clusters() {
        places.extend(places_of(config, cluster, &mut notes).await?);
    }
    let end = places.iter().flat_map(Place::manifests).count();
    if end == 0 {
        let failure = Failure::new(FailureKind::NotFound, "no service runs in this scope");
        return Err(failure.hint("-n, -A and --context choose what a snapshot speaks of"));
    }
    let taken = Snapshot {
        format: FORMAT.into(),
        rolldeck: env!("CARGO_PKG_VERSION").into(),
        taken: clock::now(),
        places,
        end,
    };
    let text = snapshot::text(&taken)
        .map_err(|why| Failure::new(FailureKind::Internal, why.to_string()))?;
    for note in notes {
        output::aside(&note);
    }
    match &args.output {
        Some(file) => {
            write(file, &text)?;
            let services: usize = taken.places.iter().map(|place| place.workloads.len()).sum();
            let words = format!(
                "{services} services of {} namespaces are in {}",
                taken.places.len(),
                file.display()
            );
            output::line(&words)?;
        }
        // Nothing from a cluster reaches a terminal as it is; a file gets every byte.
        None if std::io::stdout().is_terminal() => {
            let lines: Vec<_> = text.lines().map(str::to_owned).collect();
            output::lines(&lines)?;
        }
        None => output::verbatim(text.as_bytes())?,
    }
    Ok(0)
}

async fn places_of(
    config: &Config,
    cluster: &Cluster,
    notes: &mut Vec<String>,
) -> Result<Vec<Place>, Failure> {
    let mut places = Vec::new();
    for namespace in doctor::namespaces(config, cluster) {
        let read = actions::inventories(cluster, namespace.as_deref()).await;
        let (found, left_out) = read.map_err(|error| error.failure())?;
        notes.extend(left_out);
        for (namespace, inventory) in found {
            let (mut place, said) = inventory.place(&cluster.id().0, &namespace);
            notes.extend(said);
            let mut environments = config.environments.iter();
            let here = environments.find(|e| e.covers(cluster.id(), &namespace));
            place.environment = here.map(|e| e.name.as_str().into());
            if !place.workloads.is_empty() {
                places.push(place);
            }
        }
    }
    Ok(places)
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let opened = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(OWNER_ALONE)
        .open(file);
    let written = opened.and_then(|mut opened| {
        // One that was there keeps its mode.
        opened.set_permissions(Permissions::from_mode(OWNER_ALONE))?;
        opened.write_all(text.as_bytes())?;
        opened.sync_all()
    });
    written.map_err(|why| {
        let sentence = format!("{} cannot be written: {why}", file.display());
        Failure::new(FailureKind::Failed, sentence)
    })
}
