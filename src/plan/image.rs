//! An image that is built from a folder, or copied between repositories: what is done, in words and as data.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;

use crate::domain::commit::{CREATED_LABEL, REVISION_LABEL, SOURCE_LABEL};
use crate::domain::image_work::ImageWork;
use crate::domain::recipe::time_tag;
use crate::domain::{
    Failure, FailureKind, ImageRef, Level, Presence, Recipe, Uid, WorkTree, Workload, WorkloadId,
    image,
};
use crate::text;

use super::kubectl::shell_word;
use super::{CheckId, Finding, Stamp, Verdict};

/// The record's verbs.
const BUILD: &str = "build-image";
const COPY: &str = "copy-image";
/// Lines of a work's log that are kept, the newest.
const LINES: usize = 20_000;

/// What is asked for, before anything is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageAsk {
    /// The service that it is asked for at.
    pub workload: WorkloadId,
    pub uid: Uid,
    pub level: Level,
    pub what: Asked,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Asked {
    Build {
        recipe: Box<Recipe>,
        /// Without a tag.
        repository: String,
        /// Absent: the commit's.
        tag: Option<String>,
        push: bool,
    },
    Copy {
        from: String,
        /// Without a tag: the same.
        to: String,
    },
}

/// All that is done, and what was found out first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePlan {
    /// Identity of the action in the record.
    pub stamp: Stamp,
    pub workload: WorkloadId,
    pub uid: Uid,
    pub level: Level,
    pub act: ImageAct,
    pub checks: Vec<Verdict>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageAct {
    Build(Box<FolderBuild>),
    Copy(ImageCopy),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderBuild {
    pub recipe: Recipe,
    pub tree: Option<WorkTree>,
    /// `Docker 20.10.24 at unix:///var/run/docker.sock`.
    pub engine: String,
    /// With its tag.
    pub image: String,
    pub push: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageCopy {
    pub from: String,
    /// What it is, for ever.
    pub digest: Box<str>,
    /// With its tag.
    pub to: String,
}

/// How it goes, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageProgress {
    Told(ImageWork),
    /// Nothing was done, or it went wrong on the way; no registry has it.
    Failed(Failure),
    /// Whether the registry has it is not known, and it is not sent again.
    Unknown(String),
    Made(Made),
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// With its tag.
    pub image: String,
    /// In its registry; the engine's own id of what is only there.
    pub digest: Box<str>,
    pub pushed: bool,
}

impl ImageAsk {
    pub fn build(workload: &Workload, level: Level, recipe: Recipe) -> Self {
        let runs = running(workload).map_or("", |image| ImageRef::parse(image).repository);
        let repository = recipe.image.clone().unwrap_or_else(|| runs.to_owned());
        let recipe = Box::new(recipe);
        Self::of(
            workload,
            level,
            Asked::Build {
                recipe,
                repository,
                tag: None,
                push: true,
            },
        )
    }

    /// Of the image that runs, when no other is named.
    pub fn copy(workload: &Workload, level: Level, (from, to): (Option<String>, String)) -> Self {
        let runs = running(workload).unwrap_or_default();
        let from = from.unwrap_or_else(|| runs.to_owned());
        Self::of(workload, level, Asked::Copy { from, to })
    }

    fn of(workload: &Workload, level: Level, what: Asked) -> Self {
        Self {
            workload: workload.id.clone(),
            uid: workload.uid.clone(),
            level,
            what,
        }
    }
}

/// That of the first container.
fn running(workload: &Workload) -> Option<&str> {
    let mut containers = workload.containers.iter();
    containers.find(|c| !c.init).map(|c| &*c.image)
}

impl ImageAct {
    /// It is one of the record's verbs for what makes an image.
    pub fn is_verb(name: &str) -> bool {
        [BUILD, COPY].contains(&name)
    }
}

impl ImagePlan {
    /// In the record.
    pub fn verb(&self) -> &'static str {
        match self.act {
            ImageAct::Build(_) => BUILD,
            ImageAct::Copy(_) => COPY,
        }
    }

    /// Where it comes to be, with its tag.
    pub fn image(&self) -> &str {
        match &self.act {
            ImageAct::Build(build) => &build.image,
            ImageAct::Copy(copy) => &copy.to,
        }
    }

    pub fn pushes(&self) -> bool {
        match &self.act {
            ImageAct::Build(build) => build.push,
            ImageAct::Copy(_) => true,
        }
    }

    /// In one line. The value of an argument is never in it.
    pub fn what(&self) -> String {
        match &self.act {
            ImageAct::Build(build) => {
                let given = build.recipe.arguments.names();
                let given = given.map(|names| format!(" with {names}"));
                let push = if build.push { " and push it" } else { "" };
                format!(
                    "build {} from {}{}{push}",
                    build.image,
                    build.recipe.folder.display(),
                    given.unwrap_or_default()
                )
            }
            ImageAct::Copy(copy) => format!("copy {} ({}) to {}", copy.from, copy.digest, copy.to),
        }
    }

    /// What one types to run it, where that is what it was built for.
    pub fn next(&self, made: &Made) -> Option<String> {
        let (id, namespace) = (&self.workload, &self.workload.namespace);
        let image = shell_word(&made.pinned());
        let next = made.pushed && matches!(self.act, ImageAct::Build(_));
        next.then(|| format!("rolldeck set-image {id} {image} -n {namespace}"))
    }

    /// What there is to read before it is done: what it is about, and what it is.
    pub fn facts(&self) -> Vec<(&'static str, String)> {
        match &self.act {
            ImageAct::Build(build) => build.facts(),
            ImageAct::Copy(copy) => vec![
                ("from", copy.from.clone()),
                ("digest", copy.digest.to_string()),
                ("to", copy.to.clone()),
            ],
        }
    }
}

impl ImageCopy {
    /// By its digest, which is what was shown.
    pub fn pinned(&self) -> String {
        format!("{}@{}", ImageRef::parse(&self.from).repository, self.digest)
    }
}

impl FolderBuild {
    fn facts(&self) -> Vec<(&'static str, String)> {
        let recipe = &self.recipe;
        let folder = format!("{} by its {}", recipe.folder.display(), recipe.dockerfile);
        let push = if self.push {
            format!("to {}", ImageRef::parse(&self.image).repository)
        } else {
            "nowhere: it stays with the engine".into()
        };
        let mut facts = vec![
            ("folder", folder),
            ("source", self.source()),
            ("engine", self.engine.clone()),
            ("image", self.image.clone()),
            ("push", push),
        ];
        if let Some(names) = recipe.arguments.names() {
            facts.push(("with", names));
        }
        facts
    }

    fn source(&self) -> String {
        let Some(tree) = &self.tree else {
            return "no commit is known".into();
        };
        let of = tree.origin.as_deref();
        let of = of.map_or_else(String::new, |origin| format!(" of {origin}"));
        format!("{}{of}", tree.revision())
    }

    /// By which a chain finds from where it came.
    pub fn labels(&self, created: Timestamp) -> HashMap<String, String> {
        let mut labels = HashMap::from([(CREATED_LABEL.to_owned(), created.to_string())]);
        if let Some(tree) = &self.tree {
            labels.insert(REVISION_LABEL.to_owned(), tree.revision());
            if let Some(origin) = &tree.origin {
                labels.insert(SOURCE_LABEL.to_owned(), origin.to_string());
            }
        }
        labels
    }
}

impl Made {
    /// `registry.example/shop/web:a1b9e3c@sha256:…`, which never means anything else.
    pub fn pinned(&self) -> String {
        format!("{}@{}", self.image, self.digest)
    }

    pub fn sentence(&self) -> String {
        if self.pushed {
            format!("{} is in its registry as {}", self.image, self.digest)
        } else {
            format!(
                "{} is built as {}; it was not pushed",
                self.image, self.digest
            )
        }
    }
}

/// The tag that is asked for, else the one that says from where it comes.
pub fn default_tag(tree: Option<&WorkTree>, at: Timestamp) -> String {
    tree.map_or_else(|| time_tag(at), |tree| tree.tag(at))
}

/// # Errors
/// No image could have it.
pub fn check_tag(tag: &str) -> Result<(), Failure> {
    let known = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let good = tag.chars().all(known) && !tag.starts_with(['.', '-']);
    if good && (1..=128).contains(&tag.len()) {
        return Ok(());
    }
    let sentence = format!("{tag:?} is no tag: letters, digits, dots, dashes and underscores are");
    Err(Failure::new(FailureKind::Usage, sentence))
}

/// What git says of the folder: the tree, or why it does not say.
pub fn of_source(tree: &Result<Option<WorkTree>, String>) -> Verdict {
    let (finding, sentence) = match tree {
        Ok(Some(tree)) if tree.changed == 0 => {
            let short = tree.commit.get(..7).unwrap_or(&tree.commit);
            let sentence = format!("the folder is as commit {short} has it");
            (Finding::Ok, sentence)
        }
        Ok(Some(tree)) => {
            let files = text::count(tree.changed, "file");
            let sentence = format!("{files} changed since the commit: the image says -dirty");
            (Finding::Warn, sentence)
        }
        Ok(None) => (
            Finding::Warn,
            "no git has the folder: nothing will say from which commit the image is".into(),
        ),
        Err(why) => (
            Finding::Warn,
            format!("git does not say from which commit the image is: {why}"),
        ),
    };
    Verdict {
        check: CheckId::Commits,
        finding,
        sentence,
    }
}

/// What would be overwritten there. `digest`: what is to be there, where that is known.
pub fn of_target(name: &str, found: &Presence, digest: Option<&str>) -> Verdict {
    let (finding, sentence) = match found {
        Presence::Present { digest: there, .. } if digest == Some(&**there) => (
            Finding::Ok,
            format!("{name} is there already, the same image"),
        ),
        Presence::Present { digest, .. } => {
            let short = image::short_digest(digest).unwrap_or(digest);
            let sentence = format!("{name} is there already ({short}): it would be overwritten");
            (Finding::Block, sentence)
        }
        Presence::Missing => (Finding::Ok, format!("the registry has no {name} yet")),
        Presence::Unverified(why) => (
            Finding::Unverified,
            format!("whether {name} is there already: {why}"),
        ),
    };
    Verdict {
        check: CheckId::Image,
        finding,
        sentence,
    }
}

/// What was said on the way, as lines: news of a layer take the place of what was said of it before.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ImageLog {
    pub lines: Vec<String>,
    /// Where the line of each layer is, since the last line that is none.
    layers: BTreeMap<Box<str>, usize>,
}

impl ImageLog {
    pub fn take(&mut self, work: &ImageWork) {
        if let ImageWork::Layer { id, .. } = work {
            let line = line(work);
            let old = self.layers.get(id);
            if let Some(old) = old.and_then(|at| self.lines.get_mut(*at)) {
                *old = line;
            } else {
                self.layers.insert(id.clone(), self.lines.len());
                self.lines.push(line);
            }
        } else {
            self.say(line(work));
        }
    }

    pub fn say(&mut self, line: String) {
        self.layers.clear();
        self.lines.push(line);
        let over = self.lines.len().saturating_sub(LINES);
        self.lines.drain(..over);
    }
}

/// In one line. It holds what a stranger's program wrote: escape before showing.
pub fn line(work: &ImageWork) -> String {
    const MEGA: u64 = 1_000_000;
    match work {
        ImageWork::Step { number, of, text } => format!("step {number} of {of}: {text}"),
        ImageWork::Output(line) => format!("  {line}"),
        ImageWork::Layer { id, doing, bytes } => {
            let id = if id.is_empty() {
                String::new()
            } else {
                format!("{id} ")
            };
            match bytes {
                Some((done, all)) if *all >= MEGA => {
                    let (done, all) = (done.min(all) / MEGA, all / MEGA);
                    format!("  {id}{doing} {done} of {all} MB")
                }
                _ => format!("  {id}{doing}"),
            }
        }
        ImageWork::Done(id) => format!("ok {id}"),
    }
}

#[cfg(test)]
pub mod sample {
    use super::*;
    use crate::domain::fixture::{id, now};
    use crate::domain::{Arguments, Kind};

    /// From a folder that is changed.
    pub fn plan() -> ImagePlan {
        let recipe = Recipe {
            folder: "/src/checkout".into(),
            dockerfile: "Dockerfile".into(),
            arguments: Arguments([("TOKEN".into(), "hunter2".into())].into()),
            ..Recipe::default()
        };
        ImagePlan {
            stamp: Stamp {
                id: "1".into(),
                by: "ana@here".into(),
                at: now(),
            },
            workload: id(Kind::Deployment),
            uid: "u".into(),
            level: Level::Guarded,
            act: ImageAct::Build(Box::new(FolderBuild {
                recipe,
                tree: Some(WorkTree {
                    commit: "a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c".into(),
                    changed: 2,
                    origin: Some("https://git.example/shop/checkout".into()),
                }),
                engine: "Docker 20.10.24 at unix:///var/run/docker.sock".into(),
                image: "r.example/shop/checkout:2.15".into(),
                push: true,
            })),
            checks: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::{Answers, Missing, gate};

    #[test]
    fn what_is_done_is_said_without_the_values_of_arguments() {
        let plan = sample::plan();
        assert_eq!(
            plan.what(),
            "build r.example/shop/checkout:2.15 from /src/checkout with TOKEN and push it"
        );
        let ImageAct::Build(build) = &plan.act else {
            panic!()
        };
        let labels = build.labels(plan.stamp.at);
        let label = |last: &str| &*labels[&format!("org.opencontainers.image.{last}")];
        assert!(label("revision").ends_with("3b2c-dirty"));
        assert_eq!(label("source"), "https://git.example/shop/checkout");
        assert_eq!(label("created"), plan.stamp.at.to_string());
        let all = format!("{plan:?} {:?}", plan.facts());
        assert!(all.contains("TOKEN") && !all.contains("hunter2"), "{all}");
    }

    #[test]
    fn what_is_there_already_is_only_overwritten_with_a_reason() {
        let mut plan = sample::plan();
        let there = Presence::Present {
            digest: "sha256:0123456789".into(),
            at: plan.stamp.at,
        };
        let found = |presence: &Presence, digest| of_target("web:1", presence, digest).finding;
        assert_eq!(found(&there, Some("sha256:0123456789")), Finding::Ok);
        assert_eq!(found(&there, Some("sha256:ff")), Finding::Block);
        assert_eq!(found(&Presence::Missing, None), Finding::Ok);
        plan.checks = vec![of_target("web:1", &there, None)];
        let mut answers = Answers {
            confirmed: true,
            ..Answers::default()
        };
        let missing = |answers: &Answers| gate::missing_for_image(&plan, answers);
        assert_eq!(missing(&answers), [Missing::Override(CheckId::Image)]);
        assert!(gate::pass_for_image(&plan, &answers).is_err());
        answers.override_reason = Some("it was broken".into());
        assert_eq!(missing(&answers), []);
        answers.readonly = true;
        assert_eq!(missing(&answers), [Missing::ReadOnly]);
    }

    #[test]
    fn news_of_a_layer_take_the_place_of_older_ones() {
        let layer = |doing: &str, done| ImageWork::Layer {
            id: "ab".into(),
            doing: doing.into(),
            bytes: Some((done, 4_000_000)),
        };
        let mut log = ImageLog::default();
        log.take(&ImageWork::Output("made".into()));
        log.take(&layer("Pushing", 1_000_000));
        log.take(&layer("Pushing", 2_000_000));
        log.take(&ImageWork::Done("sha256:ff".into()));
        log.take(&layer("Again", 5_000_000));
        let want = [
            "  made",
            "  ab Pushing 2 of 4 MB",
            "ok sha256:ff",
            "  ab Again 4 of 4 MB",
        ];
        assert_eq!(log.lines, want);
    }

    #[test]
    fn tags() {
        for (tag, good) in [
            ("a1b9e3c", true),
            ("", false),
            ("-a", false),
            ("a b", false),
            ("a:b", false),
        ] {
            assert_eq!(check_tag(tag).is_ok(), good, "{tag}");
        }
    }
}
