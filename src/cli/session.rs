//! What the headless verbs share: connect, open feeds, fold a fleet until it is complete.

use std::collections::{BTreeMap, BTreeSet};
use std::pin::{Pin, pin};
use std::time::Duration;

use futures::StreamExt;
use futures::future::join_all;
use futures::stream::{BoxStream, SelectAll};
use tokio::time::{Sleep, sleep};

use crate::actions::Sources;
use crate::config::Config;
use crate::domain::pair::route::RouteKind;
use crate::domain::{
    Change, ClusterId, Environment, Failure, FailureKind, Feed, Fleet, Health, Kind, SourceId,
    Update, Workload, WorkloadId,
};
use crate::engine::{clock, doctor};
use crate::plan::Request;
use crate::sources::jenkins::Servers;
use crate::sources::kube::{self, Cluster};
use crate::sources::prometheus::Prometheus;
use crate::sources::registry::Registries;
use crate::sources::source_repo::Repositories;

use super::output;

pub struct Session {
    /// That of the service that was found last; until then the first that was asked for.
    pub cluster: Cluster,
    /// All that were asked for and answer, in that order.
    clusters: Vec<Cluster>,
    /// Those that do not, and why.
    lost: Vec<(ClusterId, Failure)>,
    pub registries: Registries,
    pub servers: Servers,
    pub fleet: Fleet,
    news: SelectAll<BoxStream<'static, (SourceId, Vec<Update>)>>,
    troubles: BTreeMap<SourceId, Failure>,
    /// How long one set of listings may take, blips included.
    patience: Duration,
    /// Why something is asked again, as said last.
    retrying: Option<String>,
    /// How often in a row a source could not even connect, or was denied.
    vain: BTreeMap<SourceId, u32>,
    /// Outages are ridden out, and whoever asks sets the limit in time.
    lasting: bool,
    /// The label that says what a service is called.
    service_label: Option<String>,
}

/// After so many attempts in a row, seconds apart, to connect, nobody is there.
const ATTEMPTS: u32 = 3;

impl Session {
    /// # Errors
    /// One of the clusters cannot be logged in to: what is only in a part of them would be taken for all there is.
    pub async fn connect(config: &Config, seconds: u64) -> Result<Self, Failure> {
        let session = Self::connect_to_any(config, seconds).await?;
        session.whole()?;
        Ok(session)
    }

    /// The same, with those that can be logged in to; the others are [`Session::lost`].
    ///
    /// # Errors
    /// There is none.
    pub async fn connect_to_any(config: &Config, seconds: u64) -> Result<Self, Failure> {
        let connect = async |id: ClusterId| {
            let connection = config.connection.to(&id.0);
            let connected = kube::connect(&connection, clock::now, |_| {}).await;
            connected.map_err(|error| (id, error.failure()))
        };
        let (mut clusters, mut lost) = (Vec::new(), Vec::new());
        for outcome in join_all(config.clusters().into_iter().map(connect)).await {
            match outcome {
                Ok(cluster) => clusters.push(cluster),
                Err(why) => lost.push(why),
            }
        }
        let Some(first) = clusters.first() else {
            return Err(lost.remove(0).1);
        };
        Ok(Self {
            cluster: first.clone(),
            clusters,
            lost,
            registries: Registries::new(&config.registries, clock::now),
            servers: Servers::new(config),
            fleet: Fleet::default(),
            news: SelectAll::new(),
            troubles: BTreeMap::new(),
            patience: Duration::from_secs(seconds),
            retrying: None,
            vain: BTreeMap::new(),
            lasting: false,
            service_label: config.service_label.clone(),
        })
    }

    /// All workloads of the scope. A namespace or a cluster that may not be listed is an error: half a list would be
    /// a lie.
    pub async fn workloads(&mut self, config: &Config) -> Result<(), Failure> {
        self.workloads_of_any(config).await?;
        self.whole()
    }

    /// Those of the clusters that answer; the others are [`Session::lost`].
    ///
    /// # Errors
    /// None answers.
    pub async fn workloads_of_any(&mut self, config: &Config) -> Result<(), Failure> {
        let mut of_clusters = Vec::new();
        for cluster in &self.clusters {
            let mut wanted = Vec::new();
            for namespace in doctor::namespaces(config, cluster) {
                for kind in Kind::ALL {
                    let feed = Feed::Workloads(kind);
                    wanted.push(source(cluster.id(), namespace.as_deref(), feed));
                }
                wanted.push(source(cluster.id(), namespace.as_deref(), Feed::Canaries));
            }
            of_clusters.push((cluster.id().clone(), wanted));
        }
        for (_, wanted) in &of_clusters {
            self.begin(wanted);
        }
        let mut late = pin!(sleep(self.patience));
        for (id, wanted) in of_clusters {
            if let Err(why) = self.wait(&wanted, late.as_mut()).await {
                self.clusters.retain(|cluster| *cluster.id() != id);
                self.lost.push((id, why));
            }
        }
        if self.clusters.is_empty() {
            return Err(self.lost.remove(0).1);
        }
        Ok(())
    }

    /// Those that answer.
    pub fn clusters(&self) -> &[Cluster] {
        &self.clusters
    }

    /// The clusters that did not answer, each with its reason in words.
    pub fn lost(&self) -> impl Iterator<Item = Failure> {
        self.lost.iter().map(|(id, why)| Failure {
            sentence: format!("{id}: {}", why.sentence),
            ..why.clone()
        })
    }

    fn whole(&self) -> Result<(), Failure> {
        let Some(why) = self.lost().next() else {
            return Ok(());
        };
        let others: Vec<_> = self.clusters.iter().map(|c| &*c.id().0).collect();
        Err(why.hint(format!("--context {} leaves it out", others.join(","))))
    }

    /// Revisions and pods of workloads, and the warnings of their namespaces, which may be denied.
    pub async fn details(&mut self, workloads: &[&Workload]) -> Result<(), Failure> {
        let (mut wanted, mut warnings) = (Vec::new(), BTreeSet::new());
        for workload in workloads {
            let namespace = Some(&*workload.id.namespace);
            let pods = Feed::PodsOf {
                workload: workload.id.clone(),
                selector: workload.selector.clone(),
            };
            let of = &workload.id.cluster;
            wanted.push(source(of, namespace, revisions_of(workload)));
            wanted.push(source(of, namespace, pods));
            warnings.insert(source(of, namespace, Feed::Warnings));
        }
        self.open(&wanted).await?;
        let warnings: Vec<_> = warnings.into_iter().collect();
        // Reasons get poorer without them, and nothing gets wrong.
        let _ = self.open(&warnings).await;
        let places = self.fleet.pair_places().into_iter();
        let feeds = || {
            let routes = RouteKind::ALL.map(Feed::Routes).into_iter();
            [Feed::Services].into_iter().chain(routes)
        };
        let told = places
            .flat_map(|(of, namespace)| feeds().map(move |feed| source(of, Some(namespace), feed)));
        let told: Vec<_> = told.collect();
        for of in told {
            self.perhaps(&[of]).await;
        }
        let shared = self.fleet.shared_services().map(|(id, service)| {
            let (workload, service) = (id.clone(), service.into());
            let feed = Feed::EndpointsOf { workload, service };
            source(&id.cluster, Some(&id.namespace), feed)
        });
        let shared: Vec<_> = shared.collect();
        for of in shared {
            self.perhaps(&[of]).await;
        }
        let kept = workloads.iter().filter_map(|workload| {
            let sync = workload.kept_by()?.clone();
            let (workload, namespace) = (workload.id.clone(), sync.namespace.clone());
            let of = workload.cluster.clone();
            let feed = Feed::SyncOf { workload, sync };
            Some(source(&of, namespace.as_deref(), feed))
        });
        let kept: Vec<_> = kept.collect();
        self.perhaps(&kept).await;
        Ok(())
    }

    /// What a rolldeck suspended, of the kinds that keep something here; who may not list them is not told.
    pub async fn suspended(&mut self) {
        let keeping = |workload: &Workload| {
            let kind = workload.kept_by()?.kind;
            Some(source(&workload.id.cluster, None, Feed::Suspended(kind)))
        };
        let wanted: BTreeSet<_> = self.fleet.workloads().filter_map(keeping).collect();
        for source in wanted {
            self.perhaps(&[source]).await;
        }
    }

    /// What may be missing or denied. While something is followed, nothing waits for it.
    async fn perhaps(&mut self, wanted: &[SourceId]) {
        if self.lasting {
            self.begin(wanted);
        } else {
            let _ = self.open(wanted).await;
        }
    }

    pub async fn revisions(&mut self, workload: &Workload) -> Result<(), Failure> {
        let (of, namespace) = (&workload.id.cluster, &workload.id.namespace);
        let source = source(of, Some(namespace), revisions_of(workload));
        self.open(&[source]).await
    }

    /// From here on something is followed that goes on whether we can see it or not.
    pub fn last(&mut self) {
        self.lasting = true;
    }

    async fn open(&mut self, wanted: &[SourceId]) -> Result<(), Failure> {
        self.begin(wanted);
        let late = pin!(sleep(self.patience));
        self.wait(wanted, late).await
    }

    /// Each in its own cluster.
    fn begin(&mut self, wanted: &[SourceId]) {
        for source in wanted {
            let of = self.clusters.iter().find(|c| *c.id() == source.cluster);
            let Some(cluster) = of else { continue };
            let news = kube::feed::feed(cluster.clone(), source.clone(), clock::now);
            let name = source.clone();
            self.news
                .push(news.map(move |updates| (name.clone(), updates)).boxed());
        }
    }

    async fn wait(&mut self, wanted: &[SourceId], late: Pin<&mut Sleep>) -> Result<(), Failure> {
        if self.lasting {
            return self.complete(wanted).await;
        }
        let complete = tokio::select! {
            complete = self.complete(wanted) => Some(complete),
            () = late => None,
        };
        complete.unwrap_or_else(|| Err(self.late()))
    }

    fn late(&self) -> Failure {
        let seconds = self.patience.as_secs();
        let sentence = match &self.retrying {
            Some(why) => format!("no usable answer within {seconds}s: {why}"),
            None => format!("the listings were not complete after {seconds}s"),
        };
        Failure::new(FailureKind::TimedOut, sentence)
            .hint("--timeout waits longer; rolldeck doctor says what answers")
    }

    async fn complete(&mut self, wanted: &[SourceId]) -> Result<(), Failure> {
        while !wanted.iter().all(|source| self.fleet.synced(source)) {
            self.step().await;
            if let Some(failure) = wanted.iter().find_map(|source| self.troubles.get(source)) {
                return Err(failure.clone());
            }
        }
        Ok(())
    }

    /// Folds the next news in. Never ends when nothing is open.
    pub async fn step(&mut self) {
        let Some((source, updates)) = self.news.next().await else {
            return std::future::pending().await;
        };
        for update in updates {
            match update {
                Update::Change(change) => drop(self.fleet.apply(&source, change)),
                Update::Health(health) => self.note(&source, health),
                Update::Skew(_) => {}
            }
        }
    }

    fn note(&mut self, source: &SourceId, health: Health) {
        let of_sync = matches!(
            source.feed,
            Feed::SyncOf { .. }
                | Feed::Suspended(_)
                | Feed::Services
                | Feed::Routes(_)
                | Feed::EndpointsOf { .. }
        );
        if of_sync && self.lasting {
            return;
        }
        let failure = match health {
            // A server that just started denies everything until it has read who may do what.
            Health::Denied(why) if self.lasting && self.attempts(source) < ATTEMPTS => {
                return self.say_once(why);
            }
            // Without Argo Rollouts they would not be there either: what is missing is told, and the rest goes on.
            Health::Denied(why) if optional(&source.feed).is_some() => {
                if !self.fleet.synced(source) {
                    let what = optional(&source.feed).unwrap_or_default();
                    output::aside(&format!("{what} are left out: {why}"));
                    drop(self.fleet.apply(source, Change::Synced(source.clone())));
                }
                return;
            }
            Health::Denied(why) => {
                Failure::new(FailureKind::Denied, why).hint("-n picks namespaces that you may read")
            }
            Health::AuthExpired(why) => {
                Failure::new(FailureKind::Denied, why).hint("log in again, then repeat this")
            }
            // A blip: it is asked again until the time is up, unless nobody is there.
            Health::Retrying { why, unreached, .. } => {
                if !unreached || self.lasting {
                    self.vain.remove(source);
                } else if self.attempts(source) >= ATTEMPTS {
                    let failure = nobody_there(why);
                    self.troubles.insert(source.clone(), failure);
                    return;
                }
                return self.say_once(why);
            }
            Health::Live
            | Health::Absent
            | Health::Listing(_)
            | Health::Quiet { .. }
            | Health::Undecodable(_) => {
                self.troubles.remove(source);
                self.vain.remove(source);
                return;
            }
        };
        self.troubles.insert(source.clone(), failure);
    }

    fn attempts(&mut self, source: &SourceId) -> u32 {
        let attempts = self.vain.entry(source.clone()).or_default();
        *attempts += 1;
        *attempts
    }

    fn say_once(&mut self, why: String) {
        if self.retrying.is_none() {
            output::aside(&format!("{why}; trying again"));
        }
        self.retrying = Some(why);
    }

    /// Who is asked about a plan on what was found last.
    pub fn sources(&self, config: &Config, request: &Request) -> Sources {
        Sources {
            origin: request.origin().and_then(|from| self.cluster_of(from)),
            cluster: self.cluster.clone(),
            registries: self.registries.clone(),
            repositories: Repositories::new(config),
            servers: self.servers.clone(),
            prometheus: Prometheus::new(config, clock::now),
        }
    }

    /// `checkout` or `deploy/checkout`.
    ///
    /// # Errors
    /// There is none, or more than one: then all are named.
    pub fn find(&mut self, service: &str) -> Result<Workload, Failure> {
        let found = self.alone(service, &self.all(service)?)?;
        self.act_on(&found.id);
        Ok(found)
    }

    /// The same among those of one environment.
    ///
    /// # Errors
    /// It has none, or more than one: then all are named.
    pub fn find_in(&mut self, service: &str, of: &Environment) -> Result<Workload, Failure> {
        let found = self.alone_in(service, of)?;
        self.act_on(&found.id);
        Ok(found)
    }

    /// The same, to look at it alone.
    pub fn alone_in(&self, service: &str, of: &Environment) -> Result<Workload, Failure> {
        let mut found = self.all(service)?;
        found.retain(|workload| of.holds(&workload.id));
        if found.is_empty() {
            let sentence = format!("{} does not run {service}", of.name);
            return Err(Failure::new(FailureKind::NotFound, sentence));
        }
        self.alone(service, &found)
    }

    pub fn runs_in(&self, service: &str, of: &Environment) -> bool {
        let found = self.all(service).unwrap_or_default();
        found.iter().any(|workload| of.holds(&workload.id))
    }

    fn alone(&self, service: &str, found: &[&Workload]) -> Result<Workload, Failure> {
        if let [one] = found {
            return Ok((*one).clone());
        }
        let sentence = format!("{service} is the name of {} workloads", found.len());
        let failure = Failure::new(FailureKind::Usage, sentence);
        let names = found.iter().map(|w| self.typed(&w.id));
        Err(names.fold(failure, Failure::hint))
    }

    /// What is done about it is done there and nowhere else.
    fn act_on(&mut self, id: &WorkloadId) {
        if let Some(its) = self.cluster_of(id) {
            self.cluster = its;
        }
    }

    pub fn cluster_of(&self, id: &WorkloadId) -> Option<Cluster> {
        let mut clusters = self.clusters.iter();
        clusters.find(|c| *c.id() == id.cluster).cloned()
    }

    /// What to type to mean this one.
    fn typed(&self, id: &WorkloadId) -> String {
        let typed = format!("{id} -n {}", id.namespace);
        match self.clusters.as_slice() {
            [_] => typed,
            _ => format!("{typed} --context {}", id.cluster),
        }
    }

    /// Every workload of that name.
    pub fn all(&self, service: &str) -> Result<Vec<&Workload>, Failure> {
        let (kind, name) = match service.split_once('/') {
            Some((kind, name)) => (Some(kind_of(kind)?), name),
            None => (None, service),
        };
        let label = self.service_label.as_deref();
        let fits = |w: &&Workload| match kind {
            Some(kind) => *w.id.name == *name && w.id.kind == kind,
            None => *w.id.name == *name || w.service(label) == name,
        };
        let found: Vec<_> = self.fleet.workloads().filter(fits).collect();
        if found.is_empty() {
            let sentence = format!("there is no service named {service} in this scope");
            let failure = Failure::new(FailureKind::NotFound, sentence);
            return Err(failure.hint("rolldeck status lists them; -n and -A choose namespaces"));
        }
        Ok(found)
    }
}

/// What is told of a kind that is no part of Kubernetes when it may not be listed.
fn optional(feed: &Feed) -> Option<&'static str> {
    match feed {
        Feed::Workloads(Kind::Rollout) => Some("Argo Rollouts"),
        Feed::Canaries => Some("Flagger's canaries"),
        _ => None,
    }
}

fn nobody_there(why: String) -> Failure {
    Failure::new(FailureKind::Unreachable, why).hint("rolldeck doctor says what answers")
}

fn revisions_of(workload: &Workload) -> Feed {
    Feed::RevisionsOf {
        workload: workload.id.clone(),
        selector: workload.selector.clone(),
    }
}

fn source(cluster: &ClusterId, namespace: Option<&str>, feed: Feed) -> SourceId {
    SourceId {
        cluster: cluster.clone(),
        namespace: namespace.map(Into::into),
        feed,
    }
}

fn kind_of(word: &str) -> Result<Kind, Failure> {
    let word = word.to_lowercase();
    let names = |kind: &Kind| {
        let name = kind.name().to_lowercase();
        [name, kind.plural().into(), kind.short().into()].contains(&word)
    };
    Kind::ALL.into_iter().find(names).ok_or_else(|| {
        Failure::new(FailureKind::Usage, format!("{word} is no kind of workload"))
            .hint("deploy, sts, ds and rollout are")
    })
}
