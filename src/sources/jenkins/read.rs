//! What can be asked of a Jenkins: jobs, builds, stages, and where a ticket has come to.

use std::collections::BTreeSet;

use super::client::{Client, Flavour, below, with_tree};
use super::convert;
use super::error::Error;
use super::wire::{self, BRIEF, CHANGES, DEFINITIONS, JOB, REST};
use crate::domain::build::{Build, BuildId, Job, JobId, Queued, Stage, Ticket, Whereabouts};

/// How far back a build is looked for whose queue item is forgotten: Jenkins keeps that for five minutes.
const NEWEST: usize = 20;

impl Client {
    /// All these jobs by one request, with their newest builds. One that is not there, or not to be seen, is left
    /// out. They are asked for below the folder that they have in common, as deep as the deepest of them.
    pub async fn jobs(&self, paths: &BTreeSet<Box<str>>) -> Result<Vec<Job>, Error> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let (folder, depth) = common(paths);
        let mut tree = String::new();
        for _ in 0..depth {
            let inner = if tree.is_empty() { "" } else { "," };
            tree = format!("jobs[{JOB},lastBuild[{BRIEF}]{inner}{tree}]");
        }
        let url = below(self.job_url(&folder), "api/json");
        let root: wire::Job = self.get("read the jobs", with_tree(url, &tree)).await?;
        let mut found = Vec::new();
        self.collect(&folder, root.jobs, paths, &mut found);
        Ok(found)
    }

    fn collect(
        &self,
        folder: &str,
        jobs: Vec<wire::Job>,
        wanted: &BTreeSet<Box<str>>,
        found: &mut Vec<Job>,
    ) {
        for mut job in jobs {
            let path = match folder {
                "" => job.name.clone(),
                folder => format!("{folder}/{}", job.name),
            };
            let inside = std::mem::take(&mut job.jobs);
            if wanted.contains(&*path) {
                found.push(self.job_of(&path, job));
            }
            self.collect(&path, inside, wanted, found);
        }
    }

    fn job_of(&self, path: &str, wire: wire::Job) -> Job {
        let id = self.job_id(path);
        let url = self.job_url(path).to_string();
        let page = |number| {
            let job = id.clone();
            self.build_url(&BuildId { job, number }).to_string()
        };
        convert::job(id.clone(), wire, url, &page)
    }

    /// One job with all that it asks for: what a plan is made from.
    pub async fn job(&self, path: &str) -> Result<Job, Error> {
        let tree = format!("{JOB},lastBuild[{BRIEF}],{DEFINITIONS}");
        let url = with_tree(below(self.job_url(path), "api/json"), &tree);
        let wire = self.get(&format!("read job {path}"), url).await?;
        Ok(self.job_of(path, wire))
    }

    /// Whether its page to configure it opens, which is how Jenkins says that one may.
    ///
    /// # Errors
    /// In the server's words, why not; or it cannot be said.
    pub async fn may_configure(&self, path: &str) -> Result<(), Error> {
        let url = below(self.job_url(path), "configure");
        let what = format!("open the settings of {path}");
        self.open(&what, url).await.map(drop)
    }

    /// The newest builds of a job, newest first.
    pub async fn builds(&self, path: &str, most: usize) -> Result<Vec<Build>, Error> {
        let tree = format!("builds[{BRIEF},{CHANGES}]{}", self.range(most));
        let url = with_tree(below(self.job_url(path), "api/json"), &tree);
        let wire: wire::Job = self.get(&format!("read the builds of {path}"), url).await?;
        let id = self.job_id(path);
        let builds = wire.builds.into_iter().take(most);
        Ok(builds.map(|wire| self.build_of(&id, wire)).collect())
    }

    /// One build with commits, artefacts and stages. One request, two for a pipeline.
    pub async fn build(&self, id: &BuildId) -> Result<Build, Error> {
        let tree = format!("{BRIEF},{CHANGES},{REST}");
        let url = with_tree(below(self.build_url(id), "api/json"), &tree);
        let what = format!("read build {} of {}", id.number, id.job.path);
        let wire: wire::Build = self.get(&what, url).await?;
        let pipeline = wire.class.ends_with("WorkflowRun");
        let mut build = self.build_of(&id.job, wire);
        if pipeline {
            build.stages = self.stages(id).await?;
        }
        Ok(build)
    }

    fn build_of(&self, job: &JobId, wire: wire::Build) -> Build {
        let id = BuildId {
            job: job.clone(),
            number: wire.number,
        };
        convert::build(job, wire, self.build_url(&id).into())
    }

    /// The stages of a pipeline in their order; none where there is no pipeline, or no plugin that tells them.
    pub async fn stages(&self, id: &BuildId) -> Result<Vec<Stage>, Error> {
        let url = below(self.build_url(id), "wfapi/describe");
        let what = format!("read the stages of build {} of {}", id.number, id.job.path);
        match self.get::<wire::Description>(&what, url).await {
            Ok(told) => Ok(told.stages.into_iter().map(convert::stage).collect()),
            Err(Error::NotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Where a ticket has come to. Between the queue and the build, or when its item is forgotten, that is
    /// unknown for a moment: ask again.
    pub async fn whereabouts(&self, ticket: &Ticket) -> Result<Whereabouts, Error> {
        let Some(item) = ticket.item else {
            return self.by_parameters(ticket).await;
        };
        let path = format!("queue/item/{item}/api/json");
        let tree = "id,why,stuck,inQueueSince,cancelled,executable[number],actions[parameters[name,value]]";
        let url = with_tree(self.server_url(&path), tree);
        let what = format!("read queue item {item}");
        match self.get::<wire::QueueItem>(&what, url).await {
            Ok(told) if told.cancelled => Ok(Whereabouts::Cancelled),
            Ok(told) => Ok(match &told.executable {
                Some(build) => self.found(ticket, build.number),
                None => Whereabouts::Queued(convert::queued(ticket.job.clone(), told)),
            }),
            Err(Error::NotFound { .. }) => self.by_parameters(ticket).await,
            Err(error) => Err(error),
        }
    }

    /// By the item's number that every build keeps; on old servers by what was given, which may be another's.
    async fn by_parameters(&self, ticket: &Ticket) -> Result<Whereabouts, Error> {
        let path = &*ticket.job.path;
        let builds = self.builds(path, NEWEST).await?;
        let fits = |build: &&Build| match ticket.item {
            Some(item) => build.item == Some(item),
            None => {
                build.id.number >= ticket.next_number
                    && convert::fits(&ticket.parameters, &build.parameters)
            }
        };
        // The oldest that fits: others may have asked for the same since.
        if let Some(build) = builds.iter().rfind(fits) {
            return Ok(self.found(ticket, build.id.number));
        }
        if ticket.item.is_some() {
            return Ok(Whereabouts::Unknown);
        }
        let mut waiting = self.queue(path).await?.into_iter();
        let mine = waiting.find(|queued| convert::fits(&ticket.parameters, &queued.parameters));
        Ok(mine.map_or(Whereabouts::Unknown, Whereabouts::Queued))
    }

    fn found(&self, ticket: &Ticket, number: u32) -> Whereabouts {
        let job = self.job_id(&ticket.job.path);
        Whereabouts::Build(BuildId { job, number })
    }

    /// What waits to become a build of this job.
    pub async fn queue(&self, path: &str) -> Result<Vec<Queued>, Error> {
        let tree =
            "items[id,why,stuck,inQueueSince,task[name,url],actions[parameters[name,value]]]";
        let url = with_tree(self.server_url("queue/api/json"), tree);
        let queue: wire::Queue = self.get("read the queue", url).await?;
        // The host may be another than the one we know the server by.
        let own = self.job_url(path);
        let own = own.path().trim_start_matches(self.server_url("").path());
        let of_job = |item: &wire::QueueItem| {
            let url = item.task.as_ref().map_or("", |task| &*task.url);
            url.trim_end_matches('/').ends_with(&format!("/{own}"))
        };
        let id = self.job_id(path);
        let items = queue.items.into_iter().filter(of_job);
        Ok(items
            .map(|item| convert::queued(id.clone(), item))
            .collect())
    }

    /// Hudson says 500 to a range.
    fn range(&self, most: usize) -> String {
        match self.flavour() {
            Flavour::Jenkins(_) => format!("{{0,{most}}}"),
            Flavour::Hudson(_) | Flavour::Unknown => String::new(),
        }
    }
}

/// The deepest folder that holds them all, and how many levels below it they are.
fn common(paths: &BTreeSet<Box<str>>) -> (String, usize) {
    let folders = |path: &str| {
        let segments: Vec<_> = path.split('/').map(str::to_owned).collect();
        segments[..segments.len() - 1].to_vec()
    };
    let mut shared = paths.first().map_or_else(Vec::new, |path| folders(path));
    for path in paths {
        let own = folders(path);
        let same = shared.iter().zip(&own).take_while(|(a, b)| a == b).count();
        shared.truncate(same);
    }
    let deepest = paths.iter().map(|path| path.split('/').count()).max();
    let depth = deepest.unwrap_or(1) - shared.len();
    (shared.join("/"), depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jobs_are_asked_for_where_they_meet() {
        for (paths, folder, depth) in [
            (&["web"][..], "", 1),
            (&["web", "cart"], "", 1),
            (&["shop/web/main", "shop/cart/main"], "shop", 2),
            (&["shop/web/main", "shop/web/next"], "shop/web", 1),
            (&["shop/web", "shop/cart/main"], "shop", 2),
            (&["shop/web", "shopping/web"], "", 2),
        ] {
            let paths = paths.iter().map(|path| (*path).into()).collect();
            assert_eq!(common(&paths), (folder.to_owned(), depth), "{paths:?}");
        }
    }
}
