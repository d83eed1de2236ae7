//! The writes: start, stop, take out of the queue, switch a job off and on, describe. Only `actions::send` calls them.

use ::http::StatusCode;
use ::http::header::LOCATION;

use super::client::{Client, Flavour, below};
use super::error::{Error, refusal};
use crate::domain::build::{BuildId, Given, Job, Queued, Ticket};
use crate::sources::http::{Answer, Url};

/// How hard a build is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// It may clean up.
    Ask,
    /// A pipeline that does not heed that.
    Terminate,
    /// The last resort: its agents may stay busy.
    Kill,
}

impl Client {
    /// THE write that starts a build of the job that was just read. What is not given has the job's default.
    /// Nothing is sent when the job is switched off or a value is none that it takes: Hudson answers both as if it
    /// had started something, or with a 500.
    pub async fn trigger_build(&self, job: &Job, given: &[Given]) -> Result<Ticket, Error> {
        let path = &*job.id.path;
        let what = format!("start {path}");
        self.acceptable(job, given, &what)?;
        let with = if job.parameters.is_empty() {
            "build"
        } else {
            "buildWithParameters"
        };
        let mut url = below(self.job_url(path), with);
        url.set_query(Some("delay=0sec"));
        let form: Vec<_> = given.iter().map(|(n, v)| (&**n, &**v)).collect();
        let answer = self.post(&what, url, &form).await?;
        let (item, joined) = self.taken(&what, &answer)?;
        Ok(Ticket {
            job: job.id.clone(),
            item,
            joined,
            next_number: job.next_number,
            parameters: given.to_vec(),
        })
    }

    /// THE write that stops a running build.
    pub async fn stop_build(&self, build: &BuildId, how: Stop) -> Result<(), Error> {
        let piece = match how {
            Stop::Ask => "stop",
            Stop::Terminate => "term",
            Stop::Kill => "kill",
        };
        let url = below(self.build_url(build), piece);
        let what = format!("stop build {} of {}", build.number, build.job.path);
        self.done(&what, url, &[]).await
    }

    /// THE write that takes something out of the queue. A server that does not number its items takes out the
    /// job's first, so it is not asked when there are several.
    pub async fn cancel_queued(&self, queued: &Queued) -> Result<(), Error> {
        let path = &*queued.job.path;
        let what = format!("take {path} out of the queue");
        if let Some(item) = queued.item {
            let mut url = self.server_url("queue/cancelItem");
            url.set_query(Some(&format!("id={item}")));
            return self.done(&what, url, &[]).await;
        }
        let waiting = self.queue(path).await?;
        if waiting.len() != 1 || waiting[0].parameters != queued.parameters {
            let message = "this server can only take out the first of a job, which is another now";
            return Err(self.refused(&what, message));
        }
        let url = below(self.job_url(path), "cancelQueue");
        self.done(&what, url, &[]).await
    }

    /// THE write that switches a job off, or on again.
    pub async fn set_enabled(&self, path: &str, enabled: bool) -> Result<(), Error> {
        let verb = if enabled { "enable" } else { "disable" };
        let url = below(self.job_url(path), verb);
        self.done(&format!("{verb} {path}"), url, &[]).await
    }

    /// THE write that gives a job its description.
    pub async fn describe_job(&self, path: &str, text: &str) -> Result<(), Error> {
        let url = below(self.job_url(path), "submitDescription");
        let what = format!("describe {path}");
        self.done(&what, url, &[("description", text)]).await
    }

    fn acceptable(&self, job: &Job, given: &[Given], what: &str) -> Result<(), Error> {
        if !job.buildable {
            return Err(self.refused(what, "the job is switched off"));
        }
        for (name, value) in given {
            let Some(known) = job.parameters.iter().find(|known| known.name == *name) else {
                return Err(self.refused(what, &format!("the job does not ask for {name}")));
            };
            known.check(value).map_err(|why| self.refused(what, &why))?;
        }
        Ok(())
    }

    /// The queue item of an answer to a trigger, and whether it was there already.
    fn taken(&self, what: &str, answer: &Answer) -> Result<(Option<u64>, bool), Error> {
        let item = item(answer);
        match (answer.status, self.flavour()) {
            (StatusCode::SEE_OTHER, _) if item.is_some() => Ok((item, true)),
            (StatusCode::FOUND, Flavour::Jenkins(_)) if item.is_none() => {
                Err(self.refused(what, "the server did not queue it"))
            }
            (StatusCode::OK | StatusCode::CREATED | StatusCode::FOUND, _) => Ok((item, false)),
            _ => Err(refusal(self.about(what), answer)),
        }
    }

    /// All of these answer by leading back to a page.
    async fn done(&self, what: &str, url: Url, form: &[(&str, &str)]) -> Result<(), Error> {
        let answer = self.post(what, url, form).await?;
        let login = answer
            .headers
            .get(LOCATION)
            .and_then(|to| to.to_str().ok())
            .is_some_and(|to| to.contains("/login") || to.contains("securityRealm"));
        let good = answer.status.is_success() || (answer.status == StatusCode::FOUND && !login);
        if good {
            Ok(())
        } else {
            Err(refusal(self.about(what), &answer))
        }
    }

    fn refused(&self, what: &str, message: &str) -> Error {
        Error::Refused {
            about: self.about(what),
            message: message.to_owned(),
        }
    }
}

/// The number at the end of `…/queue/item/17/`.
fn item(answer: &Answer) -> Option<u64> {
    let location = answer.headers.get(LOCATION)?.to_str().ok()?;
    let (_, rest) = location.split_once("/queue/item/")?;
    rest.trim_end_matches('/').parse().ok()
}
