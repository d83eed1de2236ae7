//! `rolldeck delete-pod POD`: evicted, or deleted, and followed until another took its place.

use crate::config::Config;
use crate::domain::{Failure, FailureKind, Workload};
use crate::plan::{OfferId, Target, Verb};

use super::Outcome;
use super::args::{DeletePod, READS};
use super::release::{self, Asked};
use super::session::Session;

pub async fn run(config: &Config, args: DeletePod) -> Outcome {
    let mut session = Session::connect(config, READS).await?;
    session.workloads(config).await?;
    let (workload, target) = find(&mut session, &args.pod).await?;
    let delete = args.delete.then_some(OfferId::Delete);
    let asked = Asked {
        offers: delete.into_iter().collect(),
        ..Asked::new(Verb::DeletePod, target)
    };
    release::one(config, &mut session, &workload, (&asked, &args.how)).await
}

/// The pods of those whose names it may come from are read: they say whose it is.
async fn find(session: &mut Session, name: &str) -> Result<(Workload, Target), Failure> {
    let fits = |workload: &&Workload| {
        let rest = name.strip_prefix(&*workload.id.name);
        rest.is_some_and(|rest| rest.starts_with('-'))
    };
    let owners: Vec<Workload> = session.fleet.workloads().filter(fits).cloned().collect();
    session.details(&owners.iter().collect::<Vec<_>>()).await?;
    let found: Vec<_> = owners
        .iter()
        .filter_map(|workload| {
            let pods = session.fleet.pods(workload);
            let pod = pods.into_iter().find(|pod| *pod.name == *name)?;
            let target = Target::Pod {
                name: pod.name.clone(),
                uid: pod.uid.clone(),
            };
            Some((workload.clone(), target))
        })
        .collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => {
            let sentence = format!("no service in this scope has a pod named {name}");
            Err(Failure::new(FailureKind::NotFound, sentence).hint("-n and -A choose namespaces"))
        }
        several => {
            let sentence = format!("{name} is the name of {} pods", several.len());
            let failure = Failure::new(FailureKind::Usage, sentence);
            let places = several
                .iter()
                .map(|(w, _)| format!("-n {}", w.id.namespace));
            Err(places.fold(failure, Failure::hint))
        }
    }
}
