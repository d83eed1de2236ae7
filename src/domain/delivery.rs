//! One change on its way from a commit to its pods: which build made what a revision runs, and how one knows.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::build::{Build, Outcome, State};
use super::{ImageRef, Kind, Revision, Workload, commit};

/// A build that ended at most so long before a revision was made may have made it, when nothing else tells.
const SOON: SignedDuration = SignedDuration::from_mins(15);

/// What says that a build made the image of a revision, the most trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tie {
    /// It made these very bytes.
    Digest,
    /// A label of the image names its commit or the build itself.
    Label,
    /// It was given the image or its tag.
    Parameter,
    /// The image that its job makes, or the commit in the tag.
    Tag,
    /// It ended shortly before, and nothing else tells: a guess.
    Time,
}

impl Tie {
    /// `by its digest`.
    pub fn words(self) -> &'static str {
        match self {
            Self::Digest => "by its digest",
            Self::Label => "by a label of the image",
            Self::Parameter => "by a parameter",
            Self::Tag => "by its tag",
            Self::Time => "~ by time",
        }
    }
}

/// What is known of an image beside its name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageFacts {
    /// With its algorithm: `sha256:9f2c…`.
    pub digest: Option<Box<str>>,
    /// The source commit, by the label of the image.
    pub commit: Option<Box<str>>,
    /// The address of the build, by the label that the configuration names.
    pub build: Option<Box<str>>,
}

/// A build, the revision that runs what it made, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery<'a> {
    pub build: Option<&'a Build>,
    pub revision: Option<&'a Revision>,
    /// What ties the two.
    pub tie: Option<Tie>,
}

/// Where a delivery has come to before it reaches the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    Building,
    /// It ended so, and no image came of it.
    Stopped(Outcome),
    /// It was good, and no revision runs what it made.
    Built,
    /// A revision of the workload.
    Released,
}

impl Delivery<'_> {
    pub fn stage(&self) -> Stage {
        match (self.revision, self.build.map(|build| build.state)) {
            (Some(_), _) | (None, None) => Stage::Released,
            (None, Some(State::Running)) => Stage::Building,
            (None, Some(State::Done(Outcome::Success | Outcome::Unstable))) => Stage::Built,
            (None, Some(State::Done(outcome))) => Stage::Stopped(outcome),
        }
    }

    /// In full, by the build.
    pub fn commit(&self) -> Option<String> {
        self.build?.commit()
    }

    /// From its newest commit to the build.
    pub fn picked_up(&self) -> Option<SignedDuration> {
        let build = self.build?;
        between(build.commits.first()?.at?, build.started?)
    }

    /// From the end of the build to the revision.
    pub fn waited(&self) -> Option<SignedDuration> {
        let ended = ended(self.build?)?;
        between(ended, self.revision?.created)
    }

    /// From the live revision to when all of it served; of one that ran before nobody knows.
    pub fn rolled_out(&self, workload: &Workload) -> Option<SignedDuration> {
        let revision = self.revision.filter(|r| r.former.is_empty())?;
        let progressing = workload.condition("Progressing")?;
        let done = workload.id.kind == Kind::Deployment && workload.rollout_is_finished();
        between(revision.created, progressing.updated.filter(|_| done)?)
    }
}

/// Clocks differ: what would be negative is not known.
fn between(from: Timestamp, to: Timestamp) -> Option<SignedDuration> {
    Some(to.duration_since(from)).filter(|took| !took.is_negative())
}

/// When it ended, by the server's clock.
pub fn ended(build: &Build) -> Option<Timestamp> {
    let duration = SignedDuration::try_from(build.duration?).ok()?;
    build.started?.checked_add(duration).ok()
}

/// How long it ran, or runs.
pub fn ran(build: &Build, now: Timestamp) -> Option<Duration> {
    let since = |started| Duration::try_from(now.duration_since(started)).ok();
    build.duration.or_else(|| build.started.and_then(since))
}

/// The newest first: builds that no revision runs yet, then the revisions in the order given, each with the build that
/// made it where one is known. `builds` are those of one job, newest first; `facts` tells what is known of an image.
pub fn deliveries<'a>(
    revisions: &[&'a Revision],
    builds: &'a [Build],
    facts: impl Fn(&str) -> ImageFacts,
) -> Vec<Delivery<'a>> {
    let mut tied: Vec<Delivery<'a>> = Vec::new();
    for revision in revisions {
        let best = builds.iter().filter_map(|build| {
            let tie = tie(build, revision, &facts)?;
            // Of the same trust the newest that is not younger than the revision, else the newest.
            let later = build.started > Some(revision.created);
            Some((tie, later, u32::MAX - build.id.number, build))
        });
        let best = best.min_by_key(|(tie, later, number, _)| (*tie, *later, *number));
        let taken = |build: &Build| {
            let same = |d: &&Delivery<'_>| d.build.is_some_and(|other| other.id == build.id);
            tied.iter().any(|d| same(&d))
        };
        // Time is a guess, and no guess takes what another revision has.
        let best = best.filter(|(tie, _, _, build)| *tie != Tie::Time || !taken(build));
        tied.push(Delivery {
            build: best.map(|(_, _, _, build)| build),
            revision: Some(revision),
            tie: best.map(|(tie, ..)| tie),
        });
    }
    let newest = tied.iter().filter_map(|d| Some(d.build?.id.number)).max();
    let on_its_way = builds.iter().filter(|b| Some(b.id.number) > newest);
    let on_its_way = on_its_way.map(|build| Delivery {
        build: Some(build),
        revision: None,
        tie: None,
    });
    let mut all: Vec<_> = on_its_way.collect();
    all.extend(tied);
    all
}

/// Which of these builds, newest first, made an image, and how one knows: of the same trust the newest that began before
/// the image was `made`. Time alone tells nothing here.
pub fn maker<'a>(
    builds: &'a [Build],
    (image, made): (&str, Option<Timestamp>),
    facts: impl Fn(&str) -> ImageFacts,
) -> Option<(&'a Build, Tie)> {
    let tied = builds
        .iter()
        .filter_map(|build| Some((build, by_image(build, image, &facts)?)));
    let later = |build: &Build| made.is_some() && build.started > made;
    tied.min_by_key(|(build, tie)| (*tie, later(build)))
}

fn tie(build: &Build, revision: &Revision, facts: &impl Fn(&str) -> ImageFacts) -> Option<Tie> {
    let containers = revision.containers.iter().filter(|c| !c.init);
    let by_image = containers.filter_map(|container| by_image(build, &container.image, facts));
    by_image.min().or_else(|| by_time(build, revision))
}

fn by_image(build: &Build, image: &str, facts: &impl Fn(&str) -> ImageFacts) -> Option<Tie> {
    let (reference, facts) = (ImageRef::parse(image), facts(image));
    let made = build.image.as_deref().map(ImageRef::parse);
    let digest = reference.digest.or(facts.digest.as_deref());
    if digest.is_some() && made.is_some_and(|made| made.digest == digest) {
        return Some(Tie::Digest);
    }
    let names_build = |address: &str| {
        !build.url.is_empty() && address.trim_end_matches('/') == build.url.trim_end_matches('/')
    };
    if facts.build.as_deref().is_some_and(names_build)
        || facts.commit.as_deref().is_some_and(|id| build.is_of(id))
    {
        return Some(Tie::Label);
    }
    let given = |value: &str| value == image || (value.len() >= 3 && Some(value) == reference.tag);
    if build.parameters.iter().any(|(_, value)| given(value)) {
        return Some(Tie::Parameter);
    }
    let same = |made: ImageRef<'_>| {
        made.tag.is_some() && made.repository == reference.repository && made.tag == reference.tag
    };
    let by_tag = made.is_some_and(same) || reference.tag.is_some_and(|tag| in_tag(build, tag));
    by_tag.then_some(Tie::Tag)
}

/// `main-a1b9e3c`, `r120-b7`; a bare number is a version far more often than a revision of Subversion.
fn in_tag(build: &Build, tag: &str) -> bool {
    let hash = commit::hash_in(tag).is_some_and(|hash| build.is_of(&hash));
    let number = commit::svn_number_in(tag).filter(|_| tag.starts_with('r'));
    hash || number.is_some_and(|number| build.is_of(&number.to_string()))
}

fn by_time(build: &Build, revision: &Revision) -> Option<Tie> {
    let good = matches!(
        build.state,
        State::Done(Outcome::Success | Outcome::Unstable)
    );
    // A build that tells its image made that one, and no other.
    let ended = ended(build).filter(|_| good && build.image.is_none())?;
    let before = revision.created.duration_since(ended);
    (!before.is_negative() && before <= SOON).then_some(Tie::Time)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::build::{Checkout, sample};
    use crate::domain::fixture::{ago, containers, revision, workload};

    const COMMIT: &str = "a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c";

    fn build(number: u32, started: i64) -> Build {
        Build {
            url: format!("https://ci.example/job/checkout/{number}/").into(),
            started: Some(ago(started)),
            duration: Some(Duration::from_secs(60)),
            ..sample::build(number, State::Done(Outcome::Success))
        }
    }

    fn of(number: u64, image: &str, created: i64) -> Revision {
        let mut made = revision(Kind::Deployment, number, "x", image);
        made.containers = containers(image);
        made.created = ago(created);
        made
    }

    fn ties(builds: &[Build], revision: &Revision, facts: &ImageFacts) -> Option<(u32, Tie)> {
        let all = deliveries(&[revision], builds, |_| facts.clone());
        let delivery = all.iter().find(|d| d.revision.is_some())?;
        Some((delivery.build?.id.number, delivery.tie?))
    }

    #[test]
    fn each_tie_is_found_and_the_better_one_counts() {
        let running = of(42, "r/checkout:2.15.0", 100);
        let none = ImageFacts::default();
        let mut builds = [build(7, 400), build(6, 500)];
        assert_eq!(ties(&builds, &running, &none), Some((7, Tie::Time)));
        builds[1].image = Some("r/checkout:2.15.0".into());
        assert_eq!(ties(&builds, &running, &none), Some((6, Tie::Tag)));
        builds[0].parameters = vec![("VERSION".into(), "2.15.0".into())];
        assert_eq!(ties(&builds, &running, &none), Some((7, Tie::Parameter)));
        builds[1].sources = vec![Checkout {
            revision: COMMIT.into(),
            remotes: Vec::new(),
        }];
        let labelled = ImageFacts {
            commit: Some(COMMIT.into()),
            ..ImageFacts::default()
        };
        assert_eq!(ties(&builds, &running, &labelled), Some((6, Tie::Label)));
        let addressed = ImageFacts {
            build: Some("https://ci.example/job/checkout/7".into()),
            ..ImageFacts::default()
        };
        assert_eq!(ties(&builds, &running, &addressed), Some((7, Tie::Label)));
        builds[0].image = Some("r/checkout@sha256:9f2c".into());
        let known = ImageFacts {
            digest: Some("sha256:9f2c".into()),
            ..labelled
        };
        assert_eq!(ties(&builds, &running, &known), Some((7, Tie::Digest)));
    }

    #[test]
    fn a_commit_in_the_tag_is_enough_when_it_is_long_enough() {
        let mut builds = [build(7, 4000)];
        builds[0].sources = vec![Checkout {
            revision: COMMIT.into(),
            remotes: Vec::new(),
        }];
        let none = ImageFacts::default();
        for (tag, want) in [
            ("main-a1b9e3c", Some((7, Tie::Tag))),
            ("main-a1b9e3d", None),
            ("a1b9", None),
            ("latest", None),
        ] {
            let running = of(42, &format!("r/checkout:{tag}"), 10);
            assert_eq!(ties(&builds, &running, &none), want, "{tag}");
        }
    }

    #[test]
    fn a_commit_that_was_given_and_a_number_of_subversion_tie_as_well() {
        let mut builds = [build(7, 4000), build(6, 4100)];
        builds[0].parameters = vec![("GIT_COMMIT".into(), COMMIT.into())];
        builds[1].sources = vec![Checkout {
            revision: "120".into(),
            remotes: Vec::new(),
        }];
        let none = ImageFacts::default();
        let labelled = |commit: &str| ImageFacts {
            commit: Some(commit.into()),
            ..ImageFacts::default()
        };
        for (tag, facts, want) in [
            ("2.15.0", labelled(COMMIT), Some((7, Tie::Label))),
            ("2.15.0", labelled("120"), Some((6, Tie::Label))),
            ("2.15.0", labelled("r120"), Some((6, Tie::Label))),
            ("2.15.0", labelled("12"), None),
            ("main-a1b9e3c", none.clone(), Some((7, Tie::Tag))),
            ("r120-b6", none.clone(), Some((6, Tie::Tag))),
            ("120", none, None),
        ] {
            let running = of(42, &format!("r/checkout:{tag}"), 10);
            assert_eq!(ties(&builds, &running, &facts), want, "{tag} {facts:?}");
        }
        let commits = builds.map(|build| build.commit());
        assert_eq!(commits, [Some(COMMIT.into()), Some("r120".into())]);
    }

    #[test]
    fn each_part_of_the_way_took_its_time() {
        let mut builds = [build(7, 600)];
        builds[0].image = Some("r/checkout:2.15.0".into());
        let mut newest = commit::sample(COMMIT, "new checkout flow");
        newest.at = Some(ago(605));
        builds[0].commits = vec![newest];
        let mut running = of(42, "r/checkout:2.15.0", 500);
        let mut workload = workload(Kind::Deployment);
        for condition in &mut workload.conditions {
            condition.updated = Some(ago(470));
        }
        let all = deliveries(&[&running], &builds, |_| ImageFacts::default());
        let seconds = |took: Option<SignedDuration>| took.map(|took| took.as_secs());
        assert_eq!(seconds(all[0].picked_up()), Some(5));
        assert_eq!(seconds(all[0].waited()), Some(40));
        assert_eq!(seconds(all[0].rolled_out(&workload)), Some(30));
        running.former = [40].into();
        let all = deliveries(&[&running], &builds, |_| ImageFacts::default());
        assert_eq!(all[0].rolled_out(&workload), None, "it came back");
    }

    #[test]
    fn time_is_a_guess_with_limits() {
        let none = ImageFacts::default();
        let running = of(42, "r/checkout:2.15.0", 100);
        let late = [build(7, 90)];
        assert_eq!(ties(&late, &running, &none), None, "it began after");
        let early = [build(7, 2000)];
        assert_eq!(ties(&early, &running, &none), None, "long before");
        let mut failed = [build(7, 400)];
        failed[0].state = State::Done(Outcome::Failure);
        assert_eq!(ties(&failed, &running, &none), None);
        let mut other = [build(7, 400)];
        other[0].image = Some("r/other:1".into());
        assert_eq!(ties(&other, &running, &none), None, "it made another image");
        // One build does not make two revisions by a guess.
        let (newer, older) = (of(42, "r/checkout:2", 100), of(41, "r/checkout:1", 200));
        let builds = [build(7, 400)];
        let all = deliveries(&[&newer, &older], &builds, |_| ImageFacts::default());
        let numbers: Vec<_> = all.iter().map(|d| d.build.map(|b| b.id.number)).collect();
        assert_eq!(numbers, [Some(7), None]);
    }

    #[test]
    fn what_is_on_its_way_comes_first_and_says_how_far_it_is() {
        let mut builds = [build(9, 30), build(8, 300), build(7, 600)];
        builds[0].state = State::Running;
        builds[0].duration = None;
        builds[1].state = State::Done(Outcome::Failure);
        builds[2].image = Some("r/checkout:2.15.0".into());
        let running = of(42, "r/checkout:2.15.0", 500);
        let all = deliveries(&[&running], &builds, |_| ImageFacts::default());
        let stages: Vec<_> = all.iter().map(Delivery::stage).collect();
        let stopped = Stage::Stopped(Outcome::Failure);
        assert_eq!(stages, [Stage::Building, stopped, Stage::Released]);
        assert_eq!(all[2].waited(), Some(SignedDuration::from_secs(40)));
        assert_eq!(ran(&builds[0], ago(0)), Some(Duration::from_secs(30)));
    }
}
