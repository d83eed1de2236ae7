//! What stands before the cluster: jobs and their builds, as each server told last. Every server fails alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use jiff::Timestamp;

use super::build::{Build, BuildId, Job, JobHold, JobId, Outcome, State};
use super::commit::{Between, Told};
use super::delivery::ImageFacts;
use super::{ImageRef, Known, Manifest, Presence};

/// So many builds of a job are kept, the newest.
const KEPT: usize = 30;
/// So many answers of source repositories are kept.
const TOLD: usize = 64;
/// So many images are kept, those that were told of last.
const IMAGES: usize = 8_000;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chain {
    /// By their names in the configuration.
    servers: BTreeMap<Box<str>, Known<()>>,
    jobs: BTreeMap<JobId, Entry>,
    /// By the hosts in the names of images.
    registries: BTreeMap<Box<str>, Known<()>>,
    /// What registries said of images, by their whole references.
    images: BTreeMap<Box<str>, ImageTold>,
    /// What lies between two commits, which never changes.
    commits: HashMap<Between, Known<Told>>,
    /// Whether each of the repositories answered, by where it is.
    repositories: BTreeMap<Box<str>, Known<()>>,
    /// Whether the Docker engine answered a plan.
    engine: Known<()>,
}

/// What a registry said of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageTold {
    pub presence: Presence,
    /// Of one that is there, as far as it could be read.
    pub manifest: Option<Manifest>,
    /// Its manifest was asked for as well, not only whether it is there.
    pub whole: bool,
    pub at: Timestamp,
}

impl ImageTold {
    /// The same about whether it is there, and about which bytes.
    fn says(&self, other: &Self) -> bool {
        match (&self.presence, &other.presence) {
            (Presence::Present { digest, .. }, Presence::Present { digest: new, .. }) => {
                digest == new
            }
            (one, other) => one == other,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    job: Job,
    /// Newest first.
    builds: Vec<Build>,
    /// Builds that were asked once for the image they made.
    asked: BTreeSet<u32>,
}

/// How the newest build of a job stands, for a row that has room for a few words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Newest {
    Queued {
        stuck: bool,
    },
    Running {
        number: u32,
        percent: Option<u8>,
    },
    Done {
        number: u32,
        outcome: Outcome,
    },
    /// The job can be built, and never was.
    None,
}

impl Chain {
    /// One look at a server. Gives the jobs that are not as they were.
    pub fn looked(&mut self, server: &str, jobs: Vec<Job>, at: Timestamp) -> Vec<JobId> {
        self.servers.entry(server.into()).or_default().learn((), at);
        let mut changed = Vec::new();
        for job in jobs {
            let known = self.jobs.get_mut(&job.id);
            if known.as_ref().is_some_and(|entry| entry.job == job) {
                continue;
            }
            changed.push(job.id.clone());
            let known = known.map(|entry| {
                let builds = std::mem::take(&mut entry.builds);
                (builds, std::mem::take(&mut entry.asked))
            });
            let (mut builds, asked) = known.unwrap_or_default();
            if let Some(last) = &job.last {
                remember(&mut builds, last.clone());
            }
            let entry = Entry { job, builds, asked };
            self.jobs.insert(entry.job.id.clone(), entry);
        }
        changed
    }

    /// The newest builds of a job, read for themselves.
    pub fn read(&mut self, job: &JobId, builds: Vec<Build>) {
        if let Some(entry) = self.jobs.get_mut(job) {
            for build in builds.into_iter().rev() {
                remember(&mut entry.builds, build);
            }
        }
    }

    /// Those of these builds, by their places, that ended and may still tell the image they made. Each is asked once.
    pub fn ask_images(&mut self, job: &JobId, places: Range<usize>) -> Vec<Build> {
        let Some(Entry { builds, asked, .. }) = self.jobs.get_mut(job) else {
            return Vec::new();
        };
        let oldest = builds.last().map_or(0, |build| build.id.number);
        asked.retain(|number| *number >= oldest);
        let among = builds.iter().skip(places.start).take(places.len());
        let open = among.filter(|build| build.image.is_none() && build.state != State::Running);
        open.filter(|build| asked.insert(build.id.number))
            .cloned()
            .collect()
    }

    /// What it told.
    pub fn made(&mut self, build: &BuildId, image: Box<str>) {
        let entry = self.jobs.get_mut(&build.job);
        let builds = entry.into_iter().flat_map(|entry| &mut entry.builds);
        if let Some(known) = { builds }.find(|known| known.id == *build) {
            known.image = Some(image);
        }
    }

    /// What is known of its jobs stays.
    pub fn failed(&mut self, server: &str, why: impl Into<String>, at: Timestamp) {
        self.servers.entry(server.into()).or_default().fail(why, at);
    }

    /// Whether the image is there is news or not; what its bytes hold stays known while they are the same.
    pub fn told_of(&mut self, image: Box<str>, mut told: ImageTold) -> bool {
        let (host, _) = ImageRef::parse(&image).place();
        let registry = self.registries.entry(host.into()).or_default();
        match &told.presence {
            Presence::Present { .. } | Presence::Missing => registry.learn((), told.at),
            // Trouble of the registry itself names it first; the rest is about one image.
            Presence::Unverified(why) => {
                let words = why.strip_prefix(host);
                if let Some(words) = words.and_then(|why| why.strip_prefix(": ")) {
                    registry.fail(words, told.at);
                }
            }
        }
        let known = self.images.get_mut(&image);
        let news = known.as_ref().is_none_or(|known| !known.says(&told));
        if let Some(known) = known.filter(|known| !told.whole && known.says(&told)) {
            (told.manifest, told.whole) = (known.manifest.take(), known.whole);
        }
        let news = news || told.whole;
        self.images.insert(image, told);
        if self.images.len() > IMAGES {
            let oldest = self.images.iter().min_by_key(|(_, told)| told.at);
            let oldest = oldest.map(|(image, _)| image.clone());
            oldest.map(|image| self.images.remove(&image));
        }
        news
    }

    pub fn registries(&self) -> impl Iterator<Item = (&str, &Known<()>)> {
        let all = self.registries.iter();
        all.map(|(host, known)| (&**host, known))
    }

    pub fn image(&self, image: &str) -> Option<&ImageTold> {
        self.images.get(image)
    }

    /// For what ties a build to a revision. `label` is the one that holds the address of the build.
    pub fn facts(&self, image: &str, label: Option<&str>) -> ImageFacts {
        let Some(manifest) = self.image(image).and_then(|told| told.manifest.as_ref()) else {
            return ImageFacts::default();
        };
        ImageFacts {
            digest: Some(manifest.digest.clone()),
            commit: manifest.commit().map(Into::into),
            build: label.and_then(|label| manifest.labels.get(label).cloned()),
        }
    }

    /// What is known of it, once it was asked for.
    pub fn commits(&self, between: &Between) -> Option<&Known<Told>> {
        self.commits.get(between)
    }

    /// The place for what will be known of it.
    pub fn commits_mut(&mut self, between: &Between) -> &mut Known<Told> {
        if self.commits.len() >= TOLD && !self.commits.contains_key(between) {
            self.commits.clear();
        }
        self.commits.entry(between.clone()).or_default()
    }

    /// What its repository answered. A failure that goes on keeps its first time, whatever was asked meanwhile.
    pub fn told_commits(
        &mut self,
        between: &Between,
        outcome: Result<Told, String>,
        at: Timestamp,
    ) {
        let place = between.repository.remote.to_string().into();
        let repository = self.repositories.entry(place).or_default();
        match outcome {
            Ok(told) => {
                repository.learn((), at);
                self.commits_mut(between).learn(told, at);
            }
            Err(why) => {
                repository.fail(why.clone(), at);
                let since = repository.since().unwrap_or(at);
                self.commits_mut(between).fail(why, since);
            }
        }
    }

    pub fn engine_told(&mut self, outcome: Result<(), &str>, at: Timestamp) {
        match outcome {
            Ok(()) => self.engine.learn((), at),
            Err(why) => self.engine.fail(why, at),
        }
    }

    pub fn engine(&self) -> &Known<()> {
        &self.engine
    }

    pub fn servers(&self) -> impl Iterator<Item = (&str, &Known<()>)> {
        self.servers.iter().map(|(name, known)| (&**name, known))
    }

    pub fn job(&self, id: &JobId) -> Option<&Job> {
        self.jobs.get(id).map(|entry| &entry.job)
    }

    /// The jobs that a rolldeck holds.
    pub fn held(&self) -> impl Iterator<Item = (&JobId, JobHold)> {
        let jobs = self.jobs.iter();
        jobs.filter_map(|(id, entry)| Some((id, entry.job.hold()?)))
    }

    /// Newest first; those that were seen or asked for.
    pub fn builds(&self, id: &JobId) -> &[Build] {
        self.jobs.get(id).map_or(&[], |entry| &entry.builds)
    }

    pub fn newest(&self, id: &JobId, now: Timestamp) -> Option<Newest> {
        let job = self.job(id)?;
        let running = |build: &&Build| build.state == State::Running;
        Some(match (job.last.as_ref(), &job.queued) {
            (Some(build), _) if running(&build) => Newest::Running {
                number: build.id.number,
                percent: build.percent(now),
            },
            (_, Some(queued)) => Newest::Queued {
                stuck: queued.stuck,
            },
            (Some(build), None) => match build.state {
                State::Running => Newest::None,
                State::Done(outcome) => Newest::Done {
                    number: build.id.number,
                    outcome,
                },
            },
            (None, None) => Newest::None,
        })
    }

    /// Since when the builds of a job are bad without a good one between, as far as they are known.
    pub fn red_since(&self, id: &JobId) -> Option<Timestamp> {
        let bad = |build: &&Build| matches!(build.state, State::Done(Outcome::Failure));
        let passing = |build: &&Build| {
            matches!(
                build.state,
                State::Running | State::Done(Outcome::Aborted | Outcome::NotBuilt)
            )
        };
        let ended = self.builds(id).iter().skip_while(passing);
        let red = ended.take_while(|build| bad(build) || passing(build));
        red.filter(bad).last()?.started
    }
}

/// In its place: newer knowledge of a build takes that of the older, and keeps what a short look does not tell.
fn remember(builds: &mut Vec<Build>, mut build: Build) {
    let at = builds.partition_point(|known| known.id.number > build.id.number);
    match builds.get_mut(at).filter(|known| known.id == build.id) {
        Some(known) => {
            if build.stages.is_empty() {
                build.stages = std::mem::take(&mut known.stages);
            }
            if build.image.is_none() {
                build.image = known.image.take();
            }
            if build.commits.is_empty() {
                build.commits = std::mem::take(&mut known.commits);
            }
            if build.sources.is_empty() {
                build.sources = std::mem::take(&mut known.sources);
            }
            *known = build;
        }
        None => builds.insert(at, build),
    }
    builds.truncate(KEPT);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::build::sample::{build, job};
    use crate::domain::fixture::ago;
    use crate::domain::known;

    const FAILED: State = State::Done(Outcome::Failure);

    fn id() -> JobId {
        JobId::new("ci", "shop/checkout/main")
    }

    #[test]
    fn a_server_that_fails_keeps_what_it_told() {
        let mut chain = Chain::default();
        let mut told = job();
        told.last = Some(build(7, State::Running));
        assert_eq!(chain.looked("ci", vec![told.clone()], ago(60)), [id()]);
        assert_eq!(
            chain.looked("ci", vec![told.clone()], ago(50)),
            [],
            "the same"
        );
        chain.failed("ci", "connection refused", ago(40));
        chain.failed("ci", "connection refused", ago(10));
        let (name, known) = chain.servers().next().unwrap();
        assert_eq!((name, known.last), ("ci", Some(((), ago(50)))));
        let since = |known: &Known<()>| match &known.state {
            known::State::Failed { since, .. } => Some(*since),
            _ => None,
        };
        assert_eq!(
            since(known),
            Some(ago(40)),
            "a failure keeps its first time"
        );
        assert_eq!(chain.job(&id()), Some(&told));
    }

    #[test]
    fn each_build_that_ended_is_asked_once_for_its_image() {
        let mut chain = Chain::default();
        chain.looked("ci", vec![job()], ago(0));
        let good = State::Done(Outcome::Success);
        let builds = vec![build(7, State::Running), build(6, good), build(5, good)];
        chain.read(&id(), builds.clone());
        let asked = |chain: &mut Chain, places| {
            let builds = chain.ask_images(&id(), places).into_iter();
            builds.map(|build| build.id.number).collect::<Vec<_>>()
        };
        assert_eq!(asked(&mut chain, 0..2), [6]);
        assert_eq!(asked(&mut chain, 0..3), [5]);
        chain.made(&builds[2].id, "shop/checkout:2".into());
        chain.read(&id(), builds);
        assert_eq!(
            chain.builds(&id())[2].image.as_deref(),
            Some("shop/checkout:2")
        );
        chain.read(&id(), vec![build(7, good)]);
        assert_eq!(asked(&mut chain, 0..9), [7]);
        assert_eq!(asked(&mut chain, 0..9), [0; 0]);
    }

    #[test]
    fn builds_are_kept_newest_first_and_none_twice() {
        let mut chain = Chain::default();
        let mut told = job();
        for number in [5, 6, 6] {
            told.last = Some(build(number, State::Running));
            chain.looked("ci", vec![told.clone()], ago(0));
            told.next_number += 1;
        }
        chain.read(&id(), vec![build(6, FAILED), build(4, FAILED)]);
        let numbers: Vec<_> = chain.builds(&id()).iter().map(|b| b.id.number).collect();
        assert_eq!(numbers, [6, 5, 4]);
        assert_eq!(chain.builds(&id())[0].state, FAILED);
    }

    #[test]
    fn a_registry_says_since_when_it_tells_nothing() {
        let mut chain = Chain::default();
        let mut told = |presence, seconds| {
            let at = ago(seconds);
            let manifest = None;
            let told = ImageTold {
                presence,
                manifest,
                whole: false,
                at,
            };
            chain.told_of("r:5000/shop/web:1".into(), told);
            let (host, known) = chain.registries().next().unwrap();
            assert_eq!(host, "r:5000");
            known.state.clone()
        };
        let unverified = |why: &str| Presence::Unverified(why.into());
        let of_one = unverified("r:5000 does not show shop/web:1, nor another tag of it");
        assert_eq!(told(of_one, 60), known::State::Never);
        let failed = known::State::Failed {
            why: "connection refused".into(),
            since: ago(50),
        };
        for seconds in [50, 40] {
            let away = unverified("r:5000: connection refused");
            assert_eq!(told(away, seconds), failed);
        }
        assert_eq!(told(Presence::Missing, 30), known::State::Fresh);
    }

    #[test]
    fn images_keep_what_their_bytes_hold_and_take_no_more_room_than_they_may() {
        let told = |digest: &str, whole: bool, seconds: i64| ImageTold {
            presence: Presence::Present {
                digest: digest.into(),
                at: ago(seconds),
            },
            manifest: whole.then(|| Manifest {
                digest: digest.into(),
                platforms: Vec::new(),
                created: None,
                labels: BTreeMap::new(),
            }),
            whole,
            at: ago(seconds),
        };
        let mut chain = Chain::default();
        assert!(chain.told_of("a:1".into(), told("sha256:aa", true, 90_000)));
        chain.told_of("a:1".into(), told("sha256:aa", false, 80_000));
        assert!(chain.image("a:1").unwrap().whole);
        assert!(chain.told_of("a:1".into(), told("sha256:bb", false, 70_000)));
        assert_eq!(chain.image("a:1").unwrap().manifest, None);
        assert!(!chain.told_of("a:1".into(), told("sha256:bb", false, 60_000)));
        for n in 0..i64::try_from(IMAGES).unwrap() {
            chain.told_of(
                format!("b:{n}").into(),
                told("sha256:cc", false, 50_000 - n),
            );
        }
        assert_eq!((chain.images.len(), chain.image("a:1")), (IMAGES, None));
    }

    #[test]
    fn what_a_row_says() {
        let mut told = job();
        let newest = |told: &Job| {
            let mut chain = Chain::default();
            chain.looked("ci", vec![told.clone()], ago(0));
            chain.newest(&id(), ago(0)).unwrap()
        };
        assert_eq!(newest(&told), Newest::None);
        told.last = Some(build(7, FAILED));
        let done = |outcome| Newest::Done { number: 7, outcome };
        assert_eq!(newest(&told), done(Outcome::Failure));
        told.queued = Some(super::super::build::sample::queued());
        assert_eq!(newest(&told), Newest::Queued { stuck: false });
        told.last = Some(build(7, State::Running));
        let running = Newest::Running {
            number: 7,
            percent: None,
        };
        assert_eq!(newest(&told), running);
    }

    #[test]
    fn red_counts_from_the_first_bad_build_after_a_good_one() {
        let mut chain = Chain::default();
        chain.looked("ci", vec![job()], ago(0));
        let started = |number, state, seconds| Build {
            started: Some(ago(seconds)),
            ..build(number, state)
        };
        let good = State::Done(Outcome::Success);
        let aborted = State::Done(Outcome::Aborted);
        chain.read(
            &id(),
            vec![
                started(9, State::Running, 10),
                started(8, FAILED, 100),
                started(7, aborted, 150),
                started(6, FAILED, 200),
                started(5, good, 300),
                started(4, FAILED, 400),
            ],
        );
        assert_eq!(chain.red_since(&id()), Some(ago(200)));
        chain.read(&id(), vec![started(10, good, 5)]);
        assert_eq!(chain.red_since(&id()), None);
    }
}
