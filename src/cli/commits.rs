//! `rolldeck history SERVICE --commits`: what came with the revision that runs, from the source repository.

use jiff::Timestamp;
use serde::Serialize;

use crate::config::{Config, repositories};
use crate::domain::commit::{Between, CheckState, Scheme, Told, in_tag};
use crate::domain::revision::{before, current};
use crate::domain::{Commit, Failure, FailureKind, ImageRef, Known, Manifest, Revision, Workload};
use crate::engine::clock;
use crate::sources::registry::Registries;
use crate::sources::source_repo::Repositories;
use crate::text::commits::whole;

use super::Outcome;
use super::args::Form;
use super::output;
use super::session::Session;

/// Between the newest revision before the one that runs, and that one.
pub async fn run(config: &Config, session: &Session, workload: &Workload, form: Form) -> Outcome {
    let missing = |sentence: String| Failure::new(FailureKind::NotFound, sentence);
    let service = workload.service(config.service_label.as_deref());
    let named = workload.repository.as_deref();
    let Some(repository) = repositories::of(&config.repositories, service, named) else {
        let failure = missing(format!("no repository is configured for {service}"));
        return Err(failure.hint("repositories: in the settings says where sources lie"));
    };
    let revisions = session.fleet.revisions(workload);
    let to = current(workload, revisions);
    let from = to.and_then(|to| before(revisions, to));
    let Some((from, to)) = from.zip(to) else {
        return Err(missing(format!(
            "{} has no revision before the one that runs",
            workload.id
        )));
    };
    let scheme = repository.remote.scheme;
    let of = async |revision: &Revision| {
        let found = commit_of(&session.registries, scheme, revision).await;
        found.ok_or_else(|| {
            let words = "neither its template nor its image or its tag tells from which commit";
            missing(format!("{}: {words}", revision.label()))
        })
    };
    let between = Between {
        from: of(from).await?,
        to: of(to).await?,
        repository,
    };
    tell(config, &between, form).await
}

async fn tell(config: &Config, between: &Between, form: Form) -> Outcome {
    let repositories = Repositories::new(config);
    let commits = repositories.between(between).await;
    let commits = commits.map_err(|why| Failure::new(FailureKind::Failed, why.to_string()))?;
    let (facts, gap) = repositories.facts(&between.repository, &commits.list).await;
    let told = Told {
        commits,
        facts,
        gap,
    };
    match form {
        Form::Json => output::json(
            &told
                .commits
                .list
                .iter()
                .map(|c| row(c, &told))
                .collect::<Vec<_>>(),
        )?,
        Form::Lines => {
            let mut known = Known::default();
            known.learn(told, clock::now());
            for line in whole(between, &known)
                .iter()
                .skip_while(|line| line.is_empty())
            {
                output::line(line)?;
            }
        }
    }
    Ok(0)
}

/// As its template says, its image, or its tag.
async fn commit_of(
    registries: &Registries,
    scheme: Scheme,
    revision: &Revision,
) -> Option<Box<str>> {
    if let Some(commit) = &revision.commit {
        return Some(commit.clone());
    }
    for container in revision.containers.iter().filter(|c| !c.init) {
        if let Some(commit) = in_tag(
            scheme,
            ImageRef::parse(&container.image).tag.unwrap_or_default(),
        ) {
            return Some(commit.into());
        }
        let manifest = registries.manifest(&container.image, &[]).await;
        if let Some(commit) = manifest.ok().as_ref().and_then(Manifest::commit) {
            return Some(commit.into());
        }
    }
    None
}

/// One commit, as JSON; the names are kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    commit: String,
    subject: String,
    author: String,
    at: Option<Timestamp>,
    url: Option<String>,
    pull_request: Option<u64>,
    /// `ok`, `pending`, `failed`; absent where the host was not asked.
    state: Option<&'static str>,
}

fn row(commit: &Commit, told: &Told) -> Row {
    let facts = told.facts.get(&commit.id);
    Row {
        commit: commit.id.to_string(),
        subject: commit.subject.to_string(),
        author: commit.author.to_string(),
        at: commit.at,
        url: commit.url.as_deref().map(Into::into),
        pull_request: facts.and_then(|f| f.pull.as_ref()).map(|pull| pull.number),
        state: facts.and_then(|f| f.state).map(CheckState::word),
    }
}
