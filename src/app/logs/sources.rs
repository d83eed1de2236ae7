//! Which containers of a service there is something to read of.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Choice, Containers};
use crate::domain::revision::current;
use crate::domain::{ContainerState, Fleet, Pod, Run, Uid, Workload, WorkloadId};

/// So many logs are read at a time: each is a connection's stream, and work for the API server.
pub const MOST: usize = 50;

/// The logs that are read together, and those of which a line is still kept. By the number that lines name them with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sources {
    read: BTreeMap<u32, Source>,
    /// The number of the next one.
    next: u32,
    /// The pods that were there from the beginning are known: what comes now is new.
    known: bool,
    /// Pods that are beyond the limit.
    pub left_out: usize,
    /// Pods of which nothing can be read (yet): nothing ran, or nothing was restarted.
    pub silent: usize,
    /// The hash of the revision that is current: pods of others are old.
    current: Option<Box<str>>,
}

/// One container whose log is read, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    pub pod: Box<str>,
    pub uid: Uid,
    pub container: Box<str>,
    /// The hash of the pod's revision.
    pub revision: Box<str>,
    pub restarts: u32,
    pub runs: bool,
    /// How the run before this one ended: `OOMKilled (exit 137)`.
    end: Option<String>,
    /// The pod's name in short, and the container's where several are read.
    pub tag: Box<str>,
    /// Its pod is no more.
    pub gone: bool,
}

/// What changed of what is read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct News {
    /// What is to be said, each about the log of that number.
    pub notes: Vec<(u32, String)>,
    /// Whoever reads has to know.
    pub changed: bool,
}

impl Sources {
    /// Makes what is read fit what is known of the pods. `complete`: all of them are known, so one that is not
    /// there is no more. The runs before a restart are chosen once.
    pub fn know(
        &mut self,
        (fleet, id): (&Fleet, &WorkloadId),
        choice: &Choice,
        complete: bool,
    ) -> News {
        let mut news = News::default();
        let Some(workload) = fleet.workload(id) else {
            return news;
        };
        if let Some(revision) = current(workload, fleet.revisions(workload)) {
            self.current = Some(revision.pod_hash.clone());
        }
        if choice.previous && self.known {
            return news;
        }
        let found = self.choose((fleet, workload), choice);
        for (id, source) in &mut self.read {
            if complete && !source.gone && !found.iter().any(|f| f.same(source)) {
                (source.gone, news.changed) = (true, true);
                news.notes.push((*id, format!("{} is gone", source.pod)));
            }
        }
        for source in found {
            self.take(source, &mut news);
        }
        self.known |= complete;
        news
    }

    fn take(&mut self, new: Source, news: &mut News) {
        let mut read = self.read.iter_mut();
        if let Some((id, source)) = read.find(|(_, s)| s.same(&new) && !s.gone) {
            if new.restarts > source.restarts {
                let end = new.end.as_ref().map(|end| format!(": {end}"));
                let words = format!("{} was restarted{}", new.pod, end.unwrap_or_default());
                news.notes.push((*id, words));
            }
            news.changed |= *source != new;
            *source = new;
            return;
        }
        if self.known {
            news.notes.push((self.next, format!("{} is new", new.pod)));
        }
        self.read.insert(self.next, new);
        self.next += 1;
        news.changed = true;
    }

    /// Of a pod that is gone nothing is left when its last line is.
    pub fn forget(&mut self, holds: impl Fn(u32) -> bool) {
        self.read.retain(|id, source| !source.gone || holds(*id));
    }

    pub fn get(&self, id: u32) -> Option<&Source> {
        self.read.get(&id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (u32, &Source)> {
        self.read.iter().map(|(id, source)| (*id, source))
    }

    /// More than one speaks, or did.
    pub fn several(&self) -> bool {
        self.read.len() > 1
    }

    pub fn is_empty(&self) -> bool {
        self.read.is_empty()
    }

    /// Pods of more than one revision speak, or did.
    pub fn revisions_differ(&self) -> bool {
        let mut revisions = self.read.values().map(|source| &source.revision);
        let first = revisions.next();
        self.current.is_some() && revisions.any(|other| Some(other) != first)
    }

    /// `new` or `old`, when the revisions differ.
    pub fn revision_word(&self, source: &Source) -> Option<&'static str> {
        let word = if Some(&source.revision) == self.current.as_ref() {
            "new"
        } else {
            "old"
        };
        self.revisions_differ().then_some(word)
    }

    /// Those that are read already stay; then pods that are not ready, those of the current revision, and the newest.
    fn choose(&mut self, (fleet, workload): (&Fleet, &Workload), choice: &Choice) -> Vec<Source> {
        let is_read = |pod: &Pod| self.read.values().any(|s| !s.gone && s.uid == pod.uid);
        let mut pods = fleet.pods(workload);
        pods.retain(|pod| choice.pod.as_ref().is_none_or(|name| *name == pod.name));
        pods.sort_by_cached_key(|pod| {
            let old = Some(&pod.revision) != self.current.as_ref();
            let interest = (pod.ready || pod.terminating, old, Reverse(pod.created));
            (!is_read(pod), interest, pod.name.clone())
        });
        let mut found = Vec::new();
        (self.left_out, self.silent) = (0, 0);
        for pod in pods {
            let containers = containers(workload, pod, choice);
            if containers.is_empty() {
                self.silent += 1;
            } else if found.len() + containers.len() > MOST && !found.is_empty() {
                self.left_out += 1;
            } else {
                let sources = containers.into_iter();
                found.extend(sources.map(|c| source(&workload.id, pod, c, choice)));
            }
        }
        found
    }
}

impl Source {
    /// The log of the same container.
    fn same(&self, other: &Self) -> bool {
        self.uid == other.uid && self.container == other.container
    }
}

fn source(id: &WorkloadId, pod: &Pod, container: &ContainerState, choice: &Choice) -> Source {
    let mut tag = tag(&id.name, &pod.name).to_owned();
    if choice.containers == Containers::All {
        tag = format!("{tag}/{}", container.name);
    }
    Source {
        pod: pod.name.clone(),
        uid: pod.uid.clone(),
        container: container.name.clone(),
        revision: pod.revision.clone(),
        restarts: container.restarts,
        runs: matches!(container.run, Run::Running { .. }),
        end: container
            .last
            .as_ref()
            .map(|last| format!("{} (exit {})", last.reason, last.exit_code)),
        tag: tag.into(),
        gone: false,
    }
}

fn containers<'a>(workload: &Workload, pod: &'a Pod, choice: &Choice) -> Vec<&'a ContainerState> {
    let first = |name: Option<&str>| {
        let named = pod.containers.iter().find(|c| Some(&*c.name) == name);
        named.or_else(|| pod.containers.iter().find(|c| !c.init))
    };
    let mut wanted: Vec<_> = match &choice.containers {
        Containers::All => pod.containers.iter().collect(),
        Containers::One(name) => pod.containers.iter().filter(|c| c.name == *name).collect(),
        Containers::Main => {
            // What a mutating webhook put into the pod is not in the template.
            let main = workload.containers.iter().find(|c| !c.init);
            first(main.map(|c| &*c.name)).into_iter().collect()
        }
    };
    wanted.retain(|container| {
        let before = container.restarts > 0 || container.last.is_some();
        match container.run {
            _ if choice.previous => before,
            Run::Running { .. } | Run::Ended(_) => true,
            Run::Waiting { .. } | Run::Unknown => before,
        }
    });
    wanted
}

/// What tells a pod from the others of its service: `x2x4k`, `0`.
fn tag<'a>(service: &str, pod: &'a str) -> &'a str {
    let own = pod
        .strip_prefix(service)
        .and_then(|rest| rest.strip_prefix('-'));
    let own = own.filter(|own| !own.is_empty()).unwrap_or(pod);
    own.rsplit_once('-')
        .filter(|(_, last)| !last.is_empty())
        .map_or(own, |(_, last)| last)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::{ago, container, ended, id, pod, revision, waiting, workload};
    use crate::domain::{Change, Item, Kind};

    fn fleet(pods: Vec<Pod>) -> Fleet {
        let kind = Kind::Deployment;
        let mut fleet = Fleet::default();
        let source = crate::domain::SourceId {
            cluster: "prod-eu".into(),
            namespace: None,
            feed: crate::domain::Feed::Warnings,
        };
        let mut put = |item| drop(fleet.apply(&source, Change::Put(item)));
        put(Item::Workload(Box::new(workload(kind))));
        for (number, hash) in [(42, "new"), (41, "old")] {
            let mut revision = revision(kind, number, hash, crate::domain::fixture::IMAGE);
            if hash == "old" {
                revision.containers =
                    crate::domain::fixture::containers(crate::domain::fixture::OLD_IMAGE);
            }
            put(Item::Revision(Box::new(revision)));
        }
        for pod in pods {
            put(Item::Pod(Box::new(pod)));
        }
        fleet
    }

    /// What is read of a choice, beside what is read already.
    fn read(fleet: &Fleet, choice: &Choice, sources: &mut Sources) -> Vec<String> {
        sources.know((fleet, &id(Kind::Deployment)), choice, true);
        let name = |(_, s): (u32, &Source)| format!("{}/{}", s.tag, s.container);
        sources.iter().map(name).collect()
    }

    #[test]
    fn the_interesting_ones_first_and_no_more_than_fifty() {
        let kind = Kind::Deployment;
        let mut pods: Vec<_> = (0..60)
            .map(|i| pod(kind, "old", &format!("o{i:02}")))
            .collect();
        pods.push(pod(kind, "new", "n1"));
        let mut broken = pod(kind, "old", "bad");
        broken.ready = false;
        pods.push(broken);
        let fleet = fleet(pods);
        let mut all = Sources::default();
        let names = read(&fleet, &Choice::default(), &mut all);
        assert_eq!((names.len(), all.left_out, all.silent), (MOST, 12, 0));
        assert_eq!(names[..3], ["bad/web", "n1/web", "o00/web"]);
        // What is read already stays, whatever is more interesting.
        let mut choice = Choice {
            pod: Some("checkout-old-o59".into()),
            ..Choice::default()
        };
        let mut sources = Sources::default();
        assert_eq!(read(&fleet, &choice, &mut sources), ["o59/web"]);
        choice.pod = None;
        let names = read(&fleet, &choice, &mut sources);
        assert_eq!(
            (&*names[0], &*names[1], names.len()),
            ("o59/web", "bad/web", MOST)
        );
    }

    #[test]
    fn containers_that_have_something_to_say() {
        let kind = Kind::Deployment;
        let (mut first, mut second) = (pod(kind, "new", "a"), pod(kind, "new", "b"));
        let named = |name: &str, init, run| {
            let mut container = container(run);
            (container.name, container.init) = (name.into(), init);
            container
        };
        let running = || Run::Running {
            since: Some(ago(5)),
        };
        let mut crashing = named("mesh", false, waiting("CrashLoopBackOff", ""));
        crashing.last = Some(Box::new(ended("Error", 1, "")));
        let init = named(
            "setup",
            true,
            Run::Ended(Box::new(ended("Completed", 0, ""))),
        );
        first.containers = [init, crashing, named("web", false, running())].into();
        second.containers = [named("web", false, waiting("ImagePullBackOff", ""))].into();
        let fleet = fleet(vec![first, second]);
        let of = |containers, previous| {
            let choice = Choice {
                containers,
                previous,
                pod: None,
            };
            let mut sources = Sources::default();
            (read(&fleet, &choice, &mut sources), sources.silent)
        };
        let owned = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(of(Containers::Main, false), (owned(&["a/web"]), 1));
        let all = ["a/setup/setup", "a/mesh/mesh", "a/web/web"];
        assert_eq!(of(Containers::All, false), (owned(&all), 1));
        let mesh = Containers::One("mesh".into());
        assert_eq!(of(mesh.clone(), false), (owned(&["a/mesh"]), 1));
        assert_eq!(of(mesh, true), (owned(&["a/mesh"]), 1));
        assert_eq!(of(Containers::Main, true), (vec![], 2));
    }

    #[test]
    fn short_names_of_pods() {
        for (service, pod, want) in [
            ("checkout", "checkout-7d9fb-x2x4k", "x2x4k"),
            ("web", "web-0", "0"),
            ("web-api", "web-api-12", "12"),
            ("web", "other", "other"),
            ("web", "web-", "web-"),
        ] {
            assert_eq!(tag(service, pod), want, "{pod}");
        }
    }
}
