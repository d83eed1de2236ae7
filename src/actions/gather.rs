//! The fresh reads that a plan is made from: the object raw, its revisions, its pods.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::analyses::analyses;
use super::origin::{OriginContext, origin};
use super::pages::every;
use super::record::{Limit, Recorder};
use super::{fresh, keeper, pair, pin, presence, release};
use crate::domain::build::JobId;
use crate::domain::canary::Analysis;
use crate::domain::measured::Rule;
use crate::domain::release_record::Action;
use crate::domain::standing::{Evidence as Seen, standing};
use crate::domain::{
    Autoscaler, Failure, FailureKind, Hold, Kind, Level, Pod, Repository, Verbatim, Workload,
    WorkloadId, action_note,
};
use crate::plan::expected::Took;
use crate::plan::patch;
use crate::plan::{Autoscaling, Evidence, FreshRevision, Presence, Request, Stamp, Target, Verb};
use crate::sources::Clock;
use crate::sources::jenkins::Servers;
use crate::sources::kube::path::{self, Resource};
use crate::sources::kube::{Cluster, Error, convert};
use crate::sources::registry::Registries;
use crate::sources::source_repo::Repositories;

/// What the reads do not tell.
#[derive(Clone)]
pub struct GatherContext {
    pub level: Level,
    /// Those about the environment, at any time and of any service.
    pub holds: Vec<Hold>,
    /// The label that says what a service is called.
    pub service_label: Option<String>,
    /// What the settings say about where the source of a service lies.
    pub repositories: Repositories,
    /// Which job builds a service.
    pub servers: Servers,
    /// Seconds that a hold of the job lasts.
    pub hold_for: u32,
    /// Where the release record is, which tells how long earlier actions took.
    pub state_dir: PathBuf,
    /// Seconds that every pod must be ready for in the end.
    pub ready_for: u32,
    /// The file that `--kubeconfig` named, for programs that are called.
    pub kubeconfig: Option<PathBuf>,
    /// It is looked who else is at it.
    pub presence: bool,
    /// How a canary is judged by its metrics, where somebody measures them.
    pub measured: Option<Rule>,
    /// Asked for the digest of an image, where the environment wants it written.
    pub pinned_by: Option<Registries>,
    /// Where an image is promoted from, when that is what is asked for.
    pub origin: Option<OriginContext>,
    pub clock: Clock,
}

/// The pods of a Deployment are only evidence: who may not list them can still plan.
pub async fn gather(
    cluster: &Cluster,
    request: &Request,
    context: GatherContext,
) -> Result<Evidence, Failure> {
    let at = (context.clock)();
    let stamp = stamp(at)?;
    let from = context.origin.clone();
    let here = async {
        let read = Box::pin(read(cluster, request, context, stamp)).await;
        read.map_err(|error| error.failure())
    };
    let there = async {
        match (&request.target, from) {
            (Target::Promoted { from, environments }, Some(context)) => {
                let read = Box::pin(origin(&context, from, &environments.0)).await;
                read.map(|origin| Some(Box::new(origin)))
            }
            _ => Ok(None),
        }
    };
    let (evidence, origin) = tokio::try_join!(here, there)?;
    Ok(Evidence { origin, ..evidence })
}

async fn read(
    cluster: &Cluster,
    request: &Request,
    context: GatherContext,
    stamp: Stamp,
) -> Result<Evidence, Error> {
    let id = &request.workload;
    let answer = cluster
        .get(&path::object(id.kind, &id.namespace, &id.name))
        .await?;
    let raw = fresh::text(&answer.body, id)?;
    let unusable = |error: serde_json::Error| fresh::unusable(id, &error);
    let mut workload = convert::workload(cluster.id(), id.kind, raw).map_err(unusable)?;
    let template = template_of(&workload, raw).map_err(unusable)?;
    let annotations = annotations(raw).map_err(unusable)?;
    let read_at = answer.server_date.unwrap_or(stamp.at);
    let (told, revisions, pods, autoscaling, pinned, keeper, helm, presence, judged) = tokio::join!(
        pair::told(cluster, &workload, request.verb),
        revisions(cluster, &workload),
        pods(cluster, &workload),
        autoscaling(cluster, id, scales(request)),
        pin::pinned(cluster, request, (template, context.pinned_by)),
        keeper::keeper(cluster, &workload),
        release::helm(cluster, request.verb, (&workload, context.kubeconfig)),
        others(cluster, id, (context.presence, read_at)),
        analyses(cluster, request.verb, &workload),
    );
    let told = told?;
    workload.canary = workload.canary.or(told.canary.map(Box::new));
    let (revisions, pods) = match id.kind {
        Kind::Deployment | Kind::Rollout if request.verb != Verb::DeletePod => {
            (revisions?, pods.unwrap_or_default())
        }
        // Which of them serve, and which follow by themselves, only their pods tell.
        Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Rollout => {
            (revisions?, pods?)
        }
    };
    let chain = Chain::of(&context, &workload, read_at);
    let raw_note = |key: &str| {
        let found = annotations.as_ref().and_then(|map| map.get(key));
        found.map(|value| value.get().into())
    };
    Ok(Evidence {
        request: request.clone(),
        level: context.level,
        holds: chain.holds,
        template: Verbatim(template.into()),
        has_annotations: annotations.is_some(),
        noted: raw_note(action_note::ANNOTATION),
        turned: raw_note(action_note::TURN),
        phase: phase(
            (&workload, told.serving.as_ref()),
            &revisions,
            &pods,
            read_at,
        ),
        serving: told.serving,
        stable_of: told.stable_of,
        beside: told.beside,
        has_beside: told.has_beside,
        revisions,
        pods,
        autoscaling,
        pinned,
        origin: None,
        keeper,
        helm,
        presence,
        unjudged: judge(&mut workload, judged),
        measured: context.measured,
        repository: chain.repository,
        job: chain.job,
        hold_for: context.hold_for,
        past: past(&context.state_dir, id).await,
        ready_for: context.ready_for,
        workload,
        stamp,
        read_at,
    })
}

/// What the settings say of what stands before the cluster.
struct Chain {
    holds: Vec<Hold>,
    job: Option<JobId>,
    repository: Option<Repository>,
}

impl Chain {
    fn of(context: &GatherContext, workload: &Workload, now: Timestamp) -> Self {
        let service = workload.service(context.service_label.as_deref());
        let stands = |hold: &&Hold| hold.holds(service) && hold.stands(now);
        let of = (service, &*workload.id.namespace);
        let named = workload.repository.as_deref();
        Self {
            holds: context.holds.iter().filter(stands).cloned().collect(),
            job: context.servers.job_of(workload.job.as_deref(), of),
            repository: context.repositories.of(service, named),
        }
    }
}

/// Its canary is told with what was measured; why not, where that cannot be had.
fn judge(
    workload: &mut Workload,
    judged: Option<Result<Box<[Analysis]>, String>>,
) -> Option<String> {
    match (judged?, &mut workload.canary) {
        (Ok(runs), Some(canary)) => {
            canary.analyses = runs;
            None
        }
        (Ok(_), None) => None,
        (Err(why), _) => Some(why),
    }
}

/// Who else is at it, where that is looked at.
async fn others(
    cluster: &Cluster,
    id: &WorkloadId,
    (looked_at, now): (bool, Timestamp),
) -> Option<Presence> {
    if !looked_at {
        return None;
    }
    presence::other(cluster, id, now).await
}

/// Of a Rollout that has it from a Deployment there is none.
pub fn template_of<'a>(workload: &Workload, raw: &'a str) -> Result<&'a str, serde_json::Error> {
    let canary = workload.canary.as_ref();
    if canary.is_some_and(|canary| canary.template_of.is_some()) {
        return Ok("{}");
    }
    convert::raw_template(raw)
}

/// Another number of replicas is what is to be written.
fn scales(request: &Request) -> bool {
    match request.verb {
        Verb::Scale | Verb::SetWeight => true,
        // The canary of a pair is scaled to nothing by them.
        Verb::Promote | Verb::Abort => request.workload.kind == Kind::Deployment,
        _ => false,
    }
}

/// Who else sets the number of replicas; only asked where that `matters`.
pub async fn autoscaling(cluster: &Cluster, id: &WorkloadId, matters: bool) -> Autoscaling {
    if !matters {
        return Autoscaling::None;
    }
    let list = path::collection(Resource::Autoscalers, Some(&id.namespace), &[]);
    let items: Vec<Box<RawValue>> = match every(cluster, &list).await {
        Ok(items) => items,
        Err(error) => return Autoscaling::Unknown(error.to_string()),
    };
    let mut read = items.iter().map(|item| convert::autoscaler(item.get()));
    let scales = |found: &Result<Autoscaler, _>| match found {
        Ok(autoscaler) => autoscaler.scales(id),
        // It may be the one.
        Err(_) => true,
    };
    match read.find(scales) {
        Some(Ok(autoscaler)) => Autoscaling::By(autoscaler),
        Some(Err(error)) => Autoscaling::Unknown(error.to_string()),
        None => Autoscaling::None,
    }
}

/// How far back the record is read for what is only an expectation.
const RECENT: Limit = Limit {
    actions: 500,
    bytes: 4 << 20,
    since: None,
};

/// What the record tells of actions on this workload that ended verified, oldest first. One that cannot be read
/// tells nothing: the write itself will say so.
async fn past(state_dir: &Path, id: &WorkloadId) -> Vec<Took> {
    let Ok(page) = Recorder::new(state_dir).read(RECENT).await else {
        return Vec::new();
    };
    let took = |action: &Action| {
        let accepted = action.answered.as_ref()?.at;
        let ended = action.ended.as_ref().filter(|ended| ended.verified)?;
        Some(Took {
            verb: Verb::named(&action.sending.verb)?,
            seconds: u32::try_from(ended.at.duration_since(accepted).as_secs()).ok()?,
        })
    };
    let own = page.actions.iter().rev();
    own.filter(|action| action.sending.workload == *id)
        .filter_map(took)
        .collect()
}

pub fn phase(
    (workload, serving): (&Workload, Option<&Workload>),
    revisions: &[FreshRevision],
    pods: &[Pod],
    now: Timestamp,
) -> crate::domain::Phase {
    let mut revisions: Vec<_> = revisions.iter().map(|f| f.revision.clone()).collect();
    revisions.sort_by_key(|revision| std::cmp::Reverse(revision.number));
    let pods: Vec<_> = pods
        .iter()
        .filter(|pod| {
            let mut owners = revisions.iter().map(|r| &r.uid).chain([&workload.uid]);
            owners.any(|uid| *uid == pod.owner)
        })
        .collect();
    let seen = Seen {
        workload,
        serving,
        revisions: &revisions,
        pods: &pods,
        warnings: &[],
    };
    standing(seen, now).phase
}

pub async fn revisions(
    cluster: &Cluster,
    workload: &Workload,
) -> Result<Vec<FreshRevision>, Error> {
    let mut found = Vec::new();
    let kind = workload.id.kind;
    let resource = match kind {
        Kind::Deployment | Kind::Rollout => Resource::ReplicaSets,
        Kind::StatefulSet | Kind::DaemonSet => Resource::ControllerRevisions,
    };
    for item in selected(cluster, resource, workload).await? {
        let raw = item.get();
        // One that cannot be read costs itself: it is no target.
        let Ok(Some(revision)) = convert::revision(&workload.id, raw) else {
            continue;
        };
        if revision.owner != workload.uid {
            continue;
        }
        if let Ok(template) = revision_template(kind, raw) {
            found.push(FreshRevision {
                revision,
                template: Verbatim(template.into()),
            });
        }
    }
    Ok(found)
}

/// As its workload has it, but for the hash label.
fn revision_template(kind: Kind, raw: &str) -> Result<String, serde_json::Error> {
    let template = convert::revision_template(kind, raw)?;
    if kind != Kind::Rollout {
        return Ok(template.to_owned());
    }
    let annotations = annotations(raw)?.unwrap_or_default();
    let injected = annotations.get("rollout.argoproj.io/ephemeral-metadata");
    let injected = injected.and_then(|note| serde_json::from_str::<String>(note.get()).ok());
    patch::without_injected(template, injected.as_deref())
}

/// Those that it controls; of a Deployment all that its selector finds, whose owners are its ReplicaSets.
pub async fn pods(cluster: &Cluster, workload: &Workload) -> Result<Vec<Pod>, Error> {
    let items = selected(cluster, Resource::Pods, workload).await?;
    let read = items
        .iter()
        .filter_map(|item| convert::pod(&workload.id, item.get()).ok());
    let mut found: Vec<Pod> = read.collect();
    if !workload.id.kind.has_replica_sets() {
        found.retain(|pod| pod.owner == workload.uid);
    }
    Ok(found)
}

/// What its selector finds.
async fn selected(
    cluster: &Cluster,
    resource: Resource,
    workload: &Workload,
) -> Result<Vec<Box<RawValue>>, Error> {
    let query = [("labelSelector", &*workload.selector)];
    let list = path::collection(resource, Some(&workload.id.namespace), &query);
    every(cluster, &list).await
}

/// `None` when there is no map to add to.
pub(super) fn annotations(
    raw: &str,
) -> Result<Option<HashMap<String, &RawValue>>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Object<'a> {
        #[serde(borrow)]
        metadata: Meta<'a>,
    }
    #[derive(Deserialize)]
    struct Meta<'a> {
        #[serde(borrow)]
        annotations: Option<HashMap<String, &'a RawValue>>,
    }
    Ok(serde_json::from_str::<Object<'_>>(raw)?
        .metadata
        .annotations)
}

/// An id that ties record, annotation and follow together, and the name of who acts.
pub fn stamp(at: Timestamp) -> Result<Stamp, Failure> {
    let mut bytes = [0; 8];
    ring::rand::SecureRandom::fill(&ring::rand::SystemRandom::new(), &mut bytes).map_err(|_| {
        Failure::new(
            FailureKind::Internal,
            "The operating system gives no random numbers for the id of the record.",
        )
    })?;
    Ok(Stamp {
        id: format!("{:016x}", u64::from_be_bytes(bytes)),
        by: person(),
        at,
    })
}

/// `user@host` of the operating system.
pub fn person() -> String {
    let user = whoami::username().unwrap_or_else(|_| "unknown".into());
    let host = whoami::hostname().unwrap_or_else(|_| "unknown".into());
    format!("{user}@{host}")
}
