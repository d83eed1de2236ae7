//! The hook that makes a push reach the server that builds: where it is written, and each word of it. Secrets are never
//! in it: it reads them from a file beside it.

use crate::domain::Remote;
use crate::domain::commit::{Host, Scheme};
use crate::plan::kubectl::shell_word;

/// What the hook has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted<'a> {
    pub remote: &'a Remote,
    pub branch: &'a str,
    /// The address of the server, without a slash at its end.
    pub server: &'a str,
    /// The address of the job's page, and its full name.
    pub job_url: &'a str,
    pub job: &'a str,
    /// Before Jenkins: there is no plugin that hosts could call.
    pub hudson: bool,
    /// The address that the job checks out by git itself, as the job writes it.
    pub checks_out: Option<&'a str>,
    /// What the job asks for.
    pub parameters: Vec<&'a str>,
}

/// How it is installed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Hook {
    /// In their order, a sentence each.
    pub steps: Vec<String>,
    /// The program that the repository runs, where it does.
    pub script: Option<Script>,
}

#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Script {
    /// In the folder of the repository on its own machine.
    pub file: String,
    pub text: String,
}

pub fn hook(wanted: &Wanted<'_>) -> Hook {
    match (wanted.remote.scheme, wanted.remote.host) {
        (Scheme::Subversion, _) => subversion(wanted),
        (Scheme::Git, Host::GitHub) if !wanted.hudson => github(wanted),
        (Scheme::Git, Host::GitLab) if !wanted.hudson => gitlab(wanted),
        (Scheme::Git, Host::Gitee) if !wanted.hudson => gitee(wanted),
        (Scheme::Git, _) => git(wanted),
    }
}

fn github(wanted: &Wanted<'_>) -> Hook {
    let page = format!("{}/settings/hooks/new", page(wanted.remote));
    Hook {
        steps: vec![
            format!("in the job {}: Triggers, GitHub hook trigger for GITScm polling; a multibranch job needs nothing", wanted.job),
            format!("at GitHub: {page}"),
            format!("Payload URL: {}/github-webhook/ (with the slash at its end)", wanted.server),
            "Content type: application/json; events: just the push event".into(),
            "Secret: the shared secret of Manage Jenkins, System, GitHub, where there is one; the call needs no crumb and no login".into(),
        ],
        script: None,
    }
}

fn gitlab(wanted: &Wanted<'_>) -> Hook {
    let page = format!("{}/-/hooks", page(wanted.remote));
    Hook {
        steps: vec![
            format!("in the job {}: Triggers, Build when a change is pushed to GitLab; Advanced, Secret token, Generate", wanted.job),
            format!("at GitLab: {page}"),
            format!("URL: {}/project/{}", wanted.server, wanted.job),
            "Secret token: the one that the job generated; trigger: push events".into(),
            "the call needs no crumb; a GitLab that may not call its own network allows it under Admin, Settings, Network".into(),
        ],
        script: None,
    }
}

fn gitee(wanted: &Wanted<'_>) -> Hook {
    let page = format!("{}/hooks", page(wanted.remote));
    Hook {
        steps: vec![
            format!(
                "in the job {}: Triggers, Gitee webhook trigger; Gitee WebHook password, Generate",
                wanted.job
            ),
            format!("at Gitee: {page}"),
            format!(
                "URL: {}/gitee-project/{} (/project/ with the old plugin)",
                wanted.server, wanted.job
            ),
            "WebHook password: the one that the job generated; event: Push".into(),
            "the call needs no crumb and no login".into(),
        ],
        script: None,
    }
}

/// Of the repository, for people.
fn page(remote: &Remote) -> String {
    format!("https://{}/{}", remote.machine, remote.path)
}

const SECRETS: &str = "hooks/jenkins.curl";

fn git(wanted: &Wanted<'_>) -> Hook {
    let place = match wanted.remote.host {
        Host::Other => {
            "on the machine of the repository, in its bare folder: write hooks/post-receive as below, and chmod 755 it"
        }
        Host::GitHub | Host::GitLab | Host::Gitee => {
            "Hudson has no plugin that this host can call: mirror the repository where a post-receive can run, and give the mirror the one below"
        }
    };
    let mut steps = vec![place.to_owned()];
    let (address, query) = if let Some(url) = wanted.checks_out.filter(|_| !wanted.hudson) {
        steps.push(
            "in the job: Triggers, Poll SCM, with an empty schedule; the call makes it look".into(),
        );
        steps.push(format!("write {SECRETS}, chmod 600, with the line  data = \"token=TOKEN\"  where TOKEN is an access token of Manage Jenkins, Security, Git plugin notifyCommit access tokens"));
        let query = [
            format!("--data-urlencode {}", shell_word(&format!("url={url}"))),
            format!(
                "--data-urlencode {}",
                shell_word(&format!("branches={}", wanted.branch))
            ),
            "--data-urlencode \"sha1=$new\"".into(),
        ];
        (
            format!("{}/git/notifyCommit", wanted.server),
            query.to_vec(),
        )
    } else {
        steps.push(
            "in the job: Trigger builds remotely (from scripts), Authentication Token".into(),
        );
        steps.push(format!("write {SECRETS}, chmod 600, with the line  data = \"token=TOKEN\"  where TOKEN is that of the job; and, where guests may not see the job, the line  user = \"NAME:API-TOKEN\""));
        let verb = if wanted.parameters.is_empty() {
            "build"
        } else {
            "buildWithParameters"
        };
        let address = format!("{}/{verb}", wanted.job_url.trim_end_matches('/'));
        (address, given(wanted))
    };
    steps.push("a call with a token is a GET, which needs no crumb".into());
    let text = GIT
        .replace(
            "@BRANCH@",
            &shell_word(&format!("refs/heads/{}", wanted.branch)),
        )
        .replace("@QUERY@", &query.join(" \\\n    "))
        .replace("@ADDRESS@", &shell_word(&address));
    Hook {
        steps,
        script: Some(Script {
            file: "hooks/post-receive".into(),
            text,
        }),
    }
}

const GIT: &str = r#"#!/bin/sh
# Tells the server that builds of each push. Who pushes waits ten seconds at most, and is told when it fails.
while read -r _ new ref; do
  [ "$ref" = @BRANCH@ ] || continue
  case "$new" in *[!0]*) ;; *) continue ;; esac
  curl -sS -f -m 10 -o /dev/null -G -K "$(dirname "$0")/jenkins.curl" \
    @QUERY@ \
    @ADDRESS@ || echo "the server that builds was not told of this push" >&2
done
exit 0
"#;

/// The note tells which commit it was, and the parameters that ask for a commit or a branch are given it.
fn given(wanted: &Wanted<'_>) -> Vec<String> {
    let cause = shell_word(&format!("cause=push {} ", wanted.branch));
    let mut query = vec![format!("--data-urlencode {cause}\"$new\"")];
    for name in &wanted.parameters {
        let upper = name.to_uppercase();
        if ["COMMIT", "SHA", "REVISION"]
            .iter()
            .any(|word| upper.contains(word))
        {
            query.push(format!("--data-urlencode {}=\"$new\"", shell_word(name)));
        } else if upper.contains("BRANCH") {
            let given = format!("{name}={}", wanted.branch);
            query.push(format!("--data-urlencode {}", shell_word(&given)));
        }
    }
    query
}

fn subversion(wanted: &Wanted<'_>) -> Hook {
    let steps = vec![
        "on the machine of the repository, in its folder: write hooks/post-commit as below, and chmod 755 it".into(),
        "in the job: Triggers, Poll SCM, with a schedule that never matters (H H 1 1 *); the call makes it look, and paths that the job does not check out start nothing".into(),
        format!("where guests may not call it: write {SECRETS}, chmod 600, with the line  user = \"NAME:API-TOKEN\""),
        "the script asks for a crumb first: an old server wants one with each POST".into(),
        "the server answers 200 also when no job listens, so look for the build".into(),
    ];
    let text = SUBVERSION.replace("@SERVER@", &shell_word(wanted.server));
    Hook {
        steps,
        script: Some(Script {
            file: "hooks/post-commit".into(),
            text,
        }),
    }
}

const SUBVERSION: &str = r#"#!/bin/sh
# Tells the server that builds of each commit. Who commits waits ten seconds at most, and is told when it fails.
PATH=/usr/local/bin:/usr/bin:/bin
repository=$1 revision=$2 server=@SERVER@ login=$(dirname "$0")/jenkins.curl
set --
[ -r "$login" ] && set -- -K "$login"
crumb=$(curl -sf -m 10 "$@" "$server/crumbIssuer/api/xml?xpath=concat(//crumbRequestField,%22:%22,//crumb)")
[ -n "$crumb" ] && set -- "$@" -H "$crumb"
svnlook changed --revision "$revision" "$repository" |
  curl -sS -f -m 10 -o /dev/null "$@" -H 'Content-Type: text/plain;charset=UTF-8' --data-binary @- \
    "$server/subversion/$(svnlook uuid "$repository")/notifyCommit?rev=$revision" || {
  echo "the server that builds was not told of r$revision" >&2
  exit 1
}
"#;
