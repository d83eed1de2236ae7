//! Asks, for each service, what tells whether a push reaches the server that builds it.

use std::collections::BTreeMap;

use futures::StreamExt;
use futures::future::join_all;

use super::{kinds, line, namespaces};
use crate::app::event::Diagnosis;
use crate::config::{Config, Jenkins, jenkins, repositories};
use crate::domain::build::{Build, JobId, Trigger};
use crate::domain::commit::{Head, Repository, Scheme};
use crate::domain::{Feed, Item, Remote, SourceId, Workload};
use crate::engine::clock;
use crate::plan::Finding;
use crate::plan::push::hook::{Wanted, hook};
use crate::plan::push::{Push, judge};
use crate::sources::jenkins::{Client, Flavour, connect};
use crate::sources::kube::{self, Cluster};
use crate::sources::source_repo::Repositories;
use crate::text;

/// So many services are asked about; one by its name is asked for alone.
const MOST: usize = 50;
const AT_ONCE: usize = 4;
/// So many builds back a push is looked for.
const BUILDS: usize = 20;
/// Workloads that are read of one kind and namespace.
const WORKLOADS: usize = 10_000;

/// What the lines are about.
const ABOUT: &str = "push";

/// A job, and the repository that it should build each push of.
struct Question {
    services: Vec<String>,
    repository: Repository,
    job: JobId,
}

struct Context<'a> {
    config: &'a Config,
    servers: BTreeMap<&'a str, Result<Client, String>>,
    repositories: Repositories,
}

/// Empty where no server is configured that builds.
pub async fn lines(config: &Config, clusters: &[Cluster], service: Option<&str>) -> Vec<Diagnosis> {
    if config.jenkins.is_empty() {
        return Vec::new();
    }
    if config.repositories.is_empty() {
        let sentence = "whether a push reaches a build is not known: no repository is configured";
        let line = line(Finding::Unverified, ABOUT, sentence.into());
        return vec![line.hint("repositories: in the settings says where sources lie")];
    }
    let (workloads, mut lines) = workloads(config, clusters).await;
    let wanted = |workload: &&Workload| {
        service.is_none_or(|name| workload.service(config.service_label.as_deref()) == name)
    };
    let (questions, without) = questions(config, workloads.iter().filter(wanted));
    let names: Vec<_> = config.jenkins.iter().map(Jenkins::name).collect();
    let proxy = &config.connection.proxy;
    let connected = join_all(config.jenkins.iter().map(|server| connect(server, proxy))).await;
    let connected = connected
        .into_iter()
        .map(|c| c.map_err(|why| why.failure().line()));
    let context = Context {
        config,
        servers: names.into_iter().zip(connected).collect(),
        repositories: Repositories::new(config),
    };
    let left = questions.len().saturating_sub(MOST);
    let asked = questions
        .into_iter()
        .take(MOST)
        .map(|question| one(&context, question));
    lines.extend(
        futures::stream::iter(asked)
            .buffered(AT_ONCE)
            .collect::<Vec<_>>()
            .await,
    );
    if left > 0 {
        let sentence = format!("{} more were not asked about", text::thousands(left));
        lines.push(
            line(Finding::Unverified, ABOUT, sentence)
                .hint("rolldeck doctor SERVICE asks about one"),
        );
    }
    if !without.is_empty() {
        let sentence = format!(
            "{}: no job or no repository is known",
            text::list(&words(&without))
        );
        lines.push(
            line(Finding::Unverified, ABOUT, sentence)
                .hint("jenkins: and repositories: in the settings say which"),
        );
    }
    if lines.is_empty() {
        lines.push(line(
            Finding::Unverified,
            ABOUT,
            "there is no such service".into(),
        ));
    }
    lines
}

/// All that is there, and a line for what could not be read.
async fn workloads(config: &Config, clusters: &[Cluster]) -> (Vec<Workload>, Vec<Diagnosis>) {
    let (mut found, mut lines) = (Vec::new(), Vec::new());
    for cluster in clusters {
        let kinds = kinds(cluster).await;
        for namespace in namespaces(config, cluster) {
            for kind in kinds.iter().copied() {
                let source = SourceId {
                    cluster: cluster.id().clone(),
                    namespace: namespace.as_deref().map(Into::into),
                    feed: Feed::Workloads(kind),
                };
                match kube::list_all(cluster, &source, WORKLOADS).await {
                    Ok(items) => found.extend(items.into_iter().filter_map(|item| match item {
                        Item::Workload(workload) => Some(*workload),
                        _ => None,
                    })),
                    Err(error) => {
                        let why = error.failure().sentence;
                        let sentence = format!("of some services it is not known: {why}");
                        lines.push(line(Finding::Unverified, ABOUT, sentence));
                    }
                }
            }
        }
    }
    (found, lines)
}

/// One for each job and repository, and the services of which one of them is not known.
fn questions<'a>(
    config: &Config,
    workloads: impl Iterator<Item = &'a Workload>,
) -> (Vec<Question>, Vec<String>) {
    let (mut questions, mut without): (Vec<Question>, Vec<String>) = (Vec::new(), Vec::new());
    for workload in workloads {
        let service = workload.service(config.service_label.as_deref());
        let of = (service, &*workload.id.namespace);
        let job = jenkins::job_of(&config.jenkins, workload.job.as_deref(), of);
        let named = workload.repository.as_deref();
        let repository = repositories::of(&config.repositories, service, named);
        let (Some(job), Some(repository)) = (job, repository) else {
            if !without.iter().any(|known| known == service) {
                without.push(service.to_owned());
            }
            continue;
        };
        let same = |q: &&mut Question| q.job == job && q.repository.remote == repository.remote;
        match questions.iter_mut().find(same) {
            Some(question) if question.services.iter().any(|known| known == service) => {}
            Some(question) => question.services.push(service.to_owned()),
            None => questions.push(Question {
                services: vec![service.to_owned()],
                repository,
                job,
            }),
        }
    }
    (questions, without)
}

async fn one(context: &Context<'_>, question: Question) -> Diagnosis {
    let Question {
        services,
        repository,
        job,
    } = question;
    let names = text::list(&words(&services));
    let client = match context.servers.get(&*job.server) {
        Some(Ok(client)) => client,
        Some(Err(why)) => {
            let sentence = format!("{names}: unproven: {why}");
            return line(Finding::Unverified, ABOUT, sentence);
        }
        None => {
            let sentence = format!("{names}: unproven: {} is not configured", job.server);
            return line(Finding::Unverified, ABOUT, sentence);
        }
    };
    let settings = jenkins::named(&context.config.jenkins, &job.server);
    let branch = settings.and_then(branch);
    let server = settings.map_or("", |known| known.url.trim_end_matches('/'));
    let (read, builds, newest, calls) = tokio::join!(
        client.job(&job.path),
        builds(client, &job.path),
        context.repositories.newest(&repository, branch.as_deref()),
        context.repositories.calls(&repository, server)
    );
    let push = Push {
        branch: named(
            newest.as_ref().ok().and_then(Option::as_ref),
            branch.as_deref(),
            &repository,
        ),
        calls: calls.map(|calls| calls.map_err(|why| why.to_string())),
        builds,
        tip: newest.map_err(|why| why.to_string()),
    };
    let judged = judge(&push, clock::now());
    let sentence = format!("{names}: {}", judged.sentence);
    let mut line = line(judged.finding, ABOUT, sentence);
    if judged.hook {
        let job_url = client.job_url(&job.path);
        let read = read.ok();
        let parameters = read.iter().flat_map(|job| &job.parameters);
        let builds = push.builds.as_deref().unwrap_or_default();
        let checks_out = checks_out(builds, &repository.remote);
        line.hook = Some(Box::new(hook(&Wanted {
            remote: &repository.remote,
            branch: &push.branch,
            server,
            job_url: job_url.as_str(),
            job: &job.path,
            hudson: matches!(client.flavour(), Flavour::Hudson(_)),
            checks_out: checks_out.as_deref(),
            parameters: parameters.map(|parameter| &*parameter.name).collect(),
        })));
    }
    line
}

/// The branch whose pushes are built, where the settings say so.
fn branch(settings: &Jenkins) -> Option<String> {
    let jenkins::Jobs {
        pattern, branch, ..
    } = &settings.jobs;
    let by_branch = || {
        let pattern = pattern.as_deref()?;
        pattern.contains("{branch}").then(|| "main".to_owned())
    };
    branch.clone().or_else(by_branch)
}

fn named(newest: Option<&Head>, branch: Option<&str>, repository: &Repository) -> Box<str> {
    match (newest, repository.remote.scheme) {
        (Some(head), _) => head.branch.clone(),
        (None, Scheme::Subversion) => "the folder".into(),
        (None, Scheme::Git) => branch.unwrap_or("main").into(),
    }
}

/// Newest first. Of the one that a push started all that its page tells.
async fn builds(client: &Client, path: &str) -> Result<Vec<Build>, String> {
    let builds = client.builds(path, BUILDS).await;
    let mut builds = builds.map_err(|why| why.failure().line())?;
    builds.truncate(BUILDS);
    let started = builds
        .iter_mut()
        .find(|build| build.trigger != Trigger::Other);
    if let Some(build) = started
        && let Ok(whole) = client.build(&build.id).await
    {
        *build = whole;
    }
    Ok(builds)
}

/// The address by which the job checks this repository out by git; without a login, whatever the job writes.
fn checks_out(builds: &[Build], remote: &Remote) -> Option<String> {
    let remotes = builds.iter().flat_map(|build| &build.sources);
    let mut remotes = remotes.flat_map(|source| &source.remotes);
    remotes.find_map(|url| {
        let parsed = Remote::parse(url).ok()?;
        parsed.same_as(remote).then(|| parsed.url.into())
    })
}

fn words(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}
