//! Whether a push reaches the server that builds: what the host of the repository, the builds and the newest commit
//! say, weighed together.

pub mod hook;

use jiff::{SignedDuration, Timestamp};

use super::Finding;
use crate::domain::build::{Build, Trigger};
use crate::domain::commit::{Delivery, Head, HookCalls, commit_hash, short, svn_number_in};
use crate::text;

/// A build that starts so soon after its commit was started by a hook: no polling is as quick.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(60);

/// What was found out. Each answer that is missing has its reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Push {
    /// `main`; of Subversion the last folder, as `trunk`.
    pub branch: Box<str>,
    /// What the host says of hooks that call this server; `None` when it was not asked.
    pub calls: Option<Result<HookCalls, String>>,
    /// Newest first.
    pub builds: Result<Vec<Build>, String>,
    /// The newest commit of the branch; `None` when there is no such branch.
    pub tip: Result<Option<Head>, String>,
}

/// What is to be said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub finding: Finding,
    pub sentence: String,
    /// A hook has to be installed, or put right.
    pub hook: bool,
}

pub fn judge(push: &Push, now: Timestamp) -> Judged {
    let builds = by_builds(push, now);
    let judged = |finding, sentence, hook| Judged {
        finding,
        sentence,
        hook,
    };
    match (&push.calls, builds) {
        (Some(Ok(HookCalls::Last(call))), builds) if answered_well(call) => {
            let called = called(call, now);
            match builds {
                Ok(proof) => judged(Finding::Ok, format!("reaches: {called}; {proof}"), false),
                Err(why) => {
                    let sentence = format!("unproven: {called}, but {why}");
                    judged(Finding::Unverified, sentence, false)
                }
            }
        }
        (Some(Ok(HookCalls::Last(call))), _) => {
            let sentence = format!("does not reach: {}", called(call, now));
            judged(Finding::Warn, sentence, true)
        }
        (_, Ok(proof)) => judged(Finding::Ok, format!("reaches: {proof}"), false),
        (Some(Ok(HookCalls::NoHook)), Err(why)) => {
            let sentence = format!("unproven: no hook of the host calls this server, and {why}");
            judged(Finding::Unverified, sentence, true)
        }
        (Some(Ok(HookCalls::NoCall)), Err(why)) => {
            let sentence = format!(
                "unproven: the host has a hook and tells of no call of it lately, and {why}"
            );
            judged(Finding::Unverified, sentence, false)
        }
        (Some(Err(host)), Err(why)) => {
            let sentence = format!("unproven: {why}; of calls: {host}");
            judged(Finding::Unverified, sentence, true)
        }
        (None, Err(why)) => judged(Finding::Unverified, format!("unproven: {why}"), true),
    }
}

/// A hook that a redirect answers has arrived as well: that is how builds are started.
fn answered_well(call: &Delivery) -> bool {
    call.status.is_some_and(|code| (200..400).contains(&code))
}

/// `the host called its hook (push) 3m ago and was answered 200`.
fn called(call: &Delivery, now: Timestamp) -> String {
    let event = &call.event;
    let at = call.at.map(|at| format!(" {} ago", text::age(at, now)));
    let at = at.unwrap_or_default();
    match call.status {
        Some(code) => format!("the host called its hook ({event}){at} and was answered {code}"),
        None => format!("the host called its hook ({event}){at} and nothing came back"),
    }
}

/// A build that a push started, of the newest commit; or why there is none.
fn by_builds(push: &Push, now: Timestamp) -> Result<String, String> {
    let builds = push.builds.as_ref().map_err(Clone::clone)?;
    let Some(newest) = builds.first() else {
        return Err("the job was never built".into());
    };
    let Some(started) = builds.iter().find(|build| build.trigger != Trigger::Other) else {
        let causes = newest.causes.join(", ");
        let number = newest.id.number;
        return Err(format!(
            "none of its last {} was started by a push (#{number}: {causes})",
            text::count(builds.len(), "build")
        ));
    };
    let named = named(started, now);
    let branch = &push.branch;
    let tip = match &push.tip {
        Ok(Some(tip)) => tip,
        Ok(None) => return Err(format!("there is no branch {branch}")),
        Err(why) => {
            return Ok(format!(
                "{named}; whether it is the newest commit is not known: {why}"
            ));
        }
    };
    let newest = format!("the newest commit of {branch}, {}", short(&tip.id));
    let after = started.started.zip(came(started, tip));
    let after = after.map(|(started, came)| started.duration_since(came));
    let at_once = after.is_some_and(|after| after <= AT_ONCE);
    match built(started) {
        Some(built) if !includes(&built, &tip.id) => Err(format!(
            "{newest}, was not built by a push: the last that was is {named}"
        )),
        Some(_) => {
            let latency =
                after.map_or_else(String::new, |after| format!(", {} after it", span(after)));
            let words = format!("{named}, built {newest}{latency}");
            if started.trigger == Trigger::Change && !at_once {
                return Err(format!("{words}: polling finds it as well"));
            }
            Ok(words)
        }
        // A first build tells of no commit, and so do those without a checkout of the server's own.
        None => match after.filter(|after| at_once && !after.is_negative()) {
            Some(after) => Ok(format!("{named}, {} after {newest}", span(after))),
            None => Err(format!("{named}, and which commit it built is not told")),
        },
    }
}

/// Clocks differ: before its commit no build has begun.
fn span(after: SignedDuration) -> String {
    let seconds = after.max(SignedDuration::ZERO).as_secs();
    text::duration(seconds.unsigned_abs())
}

/// `#812, started by a push 4m ago`.
fn named(build: &Build, now: Timestamp) -> String {
    let by = match build.trigger {
        Trigger::Change => "a change",
        Trigger::Push | Trigger::Other => "a push",
    };
    let age = build
        .started
        .map(|at| format!(" {} ago", text::age(at, now)));
    format!(
        "#{}, started by {by}{}",
        build.id.number,
        age.unwrap_or_default()
    )
}

/// What it checked out, or was told to build: in the note of its cause, or a parameter.
fn built(build: &Build) -> Option<String> {
    if let Some(source) = build.sources.first() {
        return Some(source.revision.to_string());
    }
    let notes = build
        .causes
        .iter()
        .flat_map(|cause| cause.split_whitespace());
    let values = build.parameters.iter().map(|(_, value)| &**value);
    let full = |word: &str| commit_hash(word).filter(|hash| hash.len() >= 40);
    notes.chain(values).find_map(full)
}

/// A checkout of Subversion may have a later number: of what was committed elsewhere in the repository.
fn includes(built: &str, tip: &str) -> bool {
    match (svn_number_in(built), svn_number_in(tip)) {
        (Some(built), Some(tip)) => built >= tip,
        _ => built.eq_ignore_ascii_case(tip),
    }
}

/// When the newest commit came: git itself does not tell it from afar, the build's list of changes does.
fn came(build: &Build, tip: &Head) -> Option<Timestamp> {
    let listed = build.commits.iter().find(|commit| commit.id == tip.id);
    tip.at.or_else(|| listed?.at)
}

#[cfg(test)]
mod tests;
