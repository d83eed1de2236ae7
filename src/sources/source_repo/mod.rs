//! Source repositories: what lies between two commits, by git, by svn, or by the host's own interface.

use std::collections::HashMap;
use std::sync::Arc;

use futures::StreamExt;

use crate::config::{self, Config, repositories};
use crate::domain::commit::{Between, CommitFacts, Head, HookCalls, Scheme};
use crate::domain::{Commit, Commits, Repository};

mod copy;
mod error;
mod git;
mod host;
mod log_xml;
mod process;
mod said;
mod svn;
mod work_tree;

use host::Interface;

pub use error::Error;
pub use git::Git;
pub use svn::Svn;
pub use work_tree::work_tree;

/// Of so many commits a host is asked what it knows: three questions each.
const MOST_FACTS: usize = 10;
const AT_ONCE: usize = 4;

/// The repositories that the settings name. Cheap to clone; asks nothing before it is asked.
#[derive(Debug, Clone, Default)]
pub struct Repositories(Option<Arc<Known>>);

#[derive(Debug)]
struct Known {
    rules: Vec<config::Repository>,
    hosts: Vec<Interface>,
    git: Git,
}

impl Repositories {
    pub fn new(config: &Config) -> Self {
        let known = Known {
            rules: config.repositories.clone(),
            hosts: config
                .repositories
                .iter()
                .map(|rule| Interface::new(rule, &config.connection.proxy))
                .collect(),
            git: Git::new(&config.cache_dir),
        };
        Self((!known.hosts.is_empty()).then(|| Arc::new(known)))
    }

    /// Where the source of a service lies: see [`repositories::of`].
    pub fn of(&self, service: &str, named: Option<&str>) -> Option<Repository> {
        repositories::of(&self.0.as_ref()?.rules, service, named)
    }

    /// What `to` has that `from` has not. A copy that is being made goes on when nobody waits any more.
    ///
    /// # Errors
    /// One sentence.
    pub async fn between(&self, between: &Between) -> Result<Commits, Error> {
        let Between {
            repository,
            from,
            to,
        } = between;
        let Some(known) = &self.0 else {
            return Ok(Commits::default());
        };
        let host = known.host_of(repository);
        match (repository.remote.scheme, host) {
            (Scheme::Subversion, _) => Svn.between(repository, from, to).await,
            (Scheme::Git, Some(host)) if host.lists_commits(repository) => {
                host.of(&repository.remote).between(from, to).await
            }
            (Scheme::Git, _) => by_git(known.git.clone(), repository, from, to).await,
        }
    }

    /// The newest commit of a branch as it stands there now; of Subversion, that of the folder. Without a name the branch
    /// is `main`, `master`, or the only one.
    ///
    /// # Errors
    /// One sentence.
    pub async fn newest(
        &self,
        repository: &Repository,
        branch: Option<&str>,
    ) -> Result<Option<Head>, Error> {
        let Some(known) = &self.0 else {
            return Ok(None);
        };
        let host = known.host_of(repository);
        match (repository.remote.scheme, host) {
            (Scheme::Subversion, _) => Svn.newest(repository).await,
            (Scheme::Git, Some(host)) if host.lists_commits(repository) => {
                host.of(&repository.remote).newest(branch).await
            }
            (Scheme::Git, _) => {
                let heads = known.git.heads(&repository.remote).await?;
                Ok(chosen(heads, branch))
            }
        }
    }

    /// What only a host can tell of the newest of these commits, and why it does not tell it all. Without a token a host
    /// is not asked: so few answers an hour are kept for what matters more.
    pub async fn facts(
        &self,
        repository: &Repository,
        commits: &[Commit],
    ) -> (HashMap<Box<str>, CommitFacts>, Option<String>) {
        let host = self.0.as_ref().and_then(|known| known.host_of(repository));
        let Some(host) = host.filter(|host| host.tells_of_commits(repository)) else {
            return (HashMap::new(), None);
        };
        let host = host.of(&repository.remote);
        let newest = commits.iter().take(MOST_FACTS);
        let newest: Vec<_> = newest.map(|commit| commit.id.clone()).collect();
        let ask = |id: Box<str>| async move { host.facts(&id).await.map(|facts| (id, facts)) };
        let mut answers = futures::stream::iter(newest).map(ask).buffered(AT_ONCE);
        let mut facts = HashMap::new();
        while let Some(answer) = answers.next().await {
            match answer {
                Ok((id, of_it)) => drop(facts.insert(id, of_it)),
                // What refuses one question refuses the next.
                Err(why) => return (facts, Some(why.to_string())),
            }
        }
        (facts, None)
    }

    /// What the host knows of the hooks that call this server; `None` where it is not asked: a host tells it only to
    /// who logs in.
    pub async fn calls(
        &self,
        repository: &Repository,
        server: &str,
    ) -> Option<Result<HookCalls, Error>> {
        let host = self.0.as_ref()?.host_of(repository)?;
        if !host.is_asked(repository) {
            return None;
        }
        Some(host.of(&repository.remote).calls(server).await)
    }
}

impl Known {
    fn host_of(&self, repository: &Repository) -> Option<&Interface> {
        let its =
            |host: &&Interface| host.rule().of(&repository.service).as_ref() == Some(repository);
        self.hosts.iter().find(its)
    }
}

fn chosen(mut heads: Vec<Head>, branch: Option<&str>) -> Option<Head> {
    let named = |name: &&str| heads.iter().position(|head| *head.branch == **name);
    let usual = ["main", "master"];
    let at = match branch {
        Some(branch) => named(&branch),
        None => usual.iter().find_map(named),
    };
    let only = || (branch.is_none() && heads.len() == 1).then_some(0);
    at.or_else(only).map(|at| heads.swap_remove(at))
}

async fn by_git(git: Git, repository: &Repository, from: &str, to: &str) -> Result<Commits, Error> {
    let about = repository.remote.to_string();
    let (repository, from, to) = (repository.clone(), from.to_owned(), to.to_owned());
    let work = tokio::spawn(async move { git.between(&repository, &from, &to).await });
    work.await.unwrap_or_else(|_| {
        Err(Error::Failed {
            about,
            said: "the look at it was broken off".into(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_that_nobody_named() {
        let pick = |names: &[&str], branch| {
            let head = |name: &&str| Head {
                branch: (*name).into(),
                id: "a1".into(),
                at: None,
            };
            let found = chosen(names.iter().map(head).collect(), branch)?;
            Some(found.branch.to_string())
        };
        for (names, branch, want) in [
            (&["x", "master", "main"][..], None, Some("main")),
            (&["x", "master"], None, Some("master")),
            (&["x"], None, Some("x")),
            (&["x", "y"], None, None),
            (&["x", "y"], Some("y"), Some("y")),
            (&["x"], Some("y"), None),
            (&[], None, None),
        ] {
            assert_eq!(pick(names, branch).as_deref(), want, "{names:?} {branch:?}");
        }
    }
}
