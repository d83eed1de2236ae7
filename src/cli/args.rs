//! What can be typed.

use std::path::PathBuf;

use clap::{Args as Arguments, Parser, Subcommand, ValueEnum};
use jiff::SignedDuration;

use crate::config::Overrides;
use crate::domain::LabelSelector;
use crate::plan::OfferId;
use crate::text;

/// A release console for the terminal: what runs where, what is moving, and the key that fixes it.
///
/// Without a command it opens the board.
#[derive(Debug, Parser)]
#[command(
    name = "rolldeck",
    version,
    after_help = "Exit codes: 0 done, 1 failed, 2 usage, 3 refused, 124 timed out."
)]
pub struct Args {
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// A command of the palette to begin with, like `svc checkout`, `doctor` or `ns shop`
    #[arg(short, long, value_name = "COMMAND")]
    command: Option<String>,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Arguments)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
struct Common {
    /// A kubeconfig context; several, given so or as a list, stand on one board
    #[arg(long, global = true, value_name = "NAME")]
    context: Vec<String>,
    /// A namespace; may be given several times or as a list
    #[arg(short, long, global = true, value_name = "NAME")]
    namespace: Vec<String>,
    /// Every namespace
    #[arg(short = 'A', long, global = true)]
    all_namespaces: bool,
    /// The kubeconfig file
    #[arg(long, global = true, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// Send nothing, dry runs included
    #[arg(long, global = true)]
    readonly: bool,
    /// Protected environments start armed
    #[arg(long, global = true)]
    write: bool,
    /// The settings file; `ROLLDECK_CONFIG` names it as well
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Plain ASCII glyphs
    #[arg(long, global = true)]
    ascii: bool,
}

/// How long listings may take, in seconds.
pub const READS: u64 = 30;

#[derive(Debug, Subcommand)]
pub enum Verb {
    /// How services stand: phase, version, counts and why
    Status(Status),
    /// The revisions of one service, newest first
    History(History),
    /// Roll one service back: the plan and its checks; --yes executes and follows
    Rollback(Rollback),
    /// Let one canary go on from the pause it waits at, or with --to what one environment runs to another: the plan and
    /// its checks; --yes executes and follows
    Promote(Promote),
    /// Take one canary back to what serves beside it: the plan and its checks; --yes executes and follows
    Abort(Abort),
    /// Begin one canary that was aborted at its first step again: the plan and its checks; --yes executes and follows
    Retry(Release),
    /// Pause one Deployment or Rollout, so that its rollouts stand still: the plan and its checks; --yes executes and follows
    Pause(Release),
    /// Resume one that is paused: the plan and its checks; --yes executes and follows
    Resume(Release),
    /// Make every pod of one service anew: the plan and its checks; --yes executes and follows
    Restart(Release),
    /// Set the number of replicas of one service, or the bounds of its autoscaler: the plan; --yes executes and follows
    Scale(Scale),
    /// Give a canary another share, where a person sets that: the plan; --yes executes and follows
    Weight(Weight),
    /// Set the image of one container, the first when none is named: the plan; --yes executes and follows
    SetImage(SetImage),
    /// Start a build of one service, with its parameters: what would be asked; --yes asks and follows its log
    Build(Build),
    /// Copy the image of one service to another repository, as it is: the plan; --yes copies
    CopyImage(CopyImage),
    /// What was done from here, newest first: who, where, why, and how it ended
    Record(Record),
    /// The logs of one service's pods together, in the order of their times
    Logs(Logs),
    /// What changed lately: releases, settings, scales, autoscalers, deletions, nodes; the newest first
    Changes(Changes),
    /// Resume the sync of Argo CD or Flux that a rolldeck suspended: the plan and its checks; --yes executes
    ResumeSync(Release),
    /// Evict one pod, or delete it: the plan; --yes executes and follows until another took its place
    #[command(visible_alias = "evict")]
    DeletePod(DeletePod),
    /// Write what runs in the scope to a file, by digest and with what it needs, from which `restore` makes it again
    Snapshot(Snapshot),
    /// Make services again from the file of a snapshot, here or elsewhere: the plan; --yes executes and follows
    Restore(Restore),
    /// What is right and wrong here: kubeconfig, server, login, permissions, files
    Doctor(Doctor),
    /// The settings in force, and from where each comes
    Config(Settings),
    /// The same program on an embedded world: look around, or practise an incident
    Demo(Demo),
    /// What a shell completes: source the output, or put it where the shell looks
    Completions(Completions),
    /// The man page; `rolldeck man | man -l -` shows it
    Man,
}

#[derive(Debug, Arguments)]
pub struct Status {
    /// `checkout` or `deploy/checkout`; all without it
    pub service: Option<String>,
    /// Only those with these labels: key=value, key!=value, key or !key, with commas between
    #[arg(short = 'l', long, value_name = "LABELS", value_parser = LabelSelector::parse)]
    pub selector: Option<LabelSelector>,
    /// How long to wait for the API server, in seconds; one that three attempts cannot connect to is given up earlier
    #[arg(long, value_name = "SECONDS", default_value_t = READS, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// The form of the output
    #[arg(short, long, value_enum, default_value = "lines")]
    pub output: Form,
}

#[derive(Debug, Arguments)]
pub struct History {
    /// `checkout` or `deploy/checkout`
    pub service: String,
    /// What Helm did in place of it: the history of the release that the service is a part of
    #[arg(long)]
    pub helm: bool,
    /// The commits that came with the revision that runs, from the source repository
    #[arg(long, conflicts_with = "helm")]
    pub commits: bool,
    /// How long to wait for the API server, in seconds; one that three attempts cannot connect to is given up earlier
    #[arg(long, value_name = "SECONDS", default_value_t = READS, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// The form of the output
    #[arg(short, long, value_enum, default_value = "lines")]
    pub output: Form,
}

#[derive(Debug, Arguments)]
pub struct Rollback {
    #[command(flatten)]
    pub release: Release,
    /// A revision number or a version; the plan proposes one without it
    #[arg(long, value_name = "REV|VERSION")]
    pub to: Option<String>,
    /// With the update strategy OnDelete: delete the pods as well, each once the one before is ready again
    #[arg(long)]
    pub delete_pods: bool,
    /// By the Helm release that it is a part of, with your own helm, and with all that the chart keeps: to this
    /// revision of the release, or to the last that was deployed
    #[arg(long, value_name = "REV", num_args = 0..=1, default_missing_value = "0", conflicts_with_all = ["to", "delete_pods"])]
    pub helm: Option<u32>,
    /// Hold the job that builds it first, for an hour or so long: it is switched off until somebody resumes it
    #[arg(long, value_name = "TIME", num_args = 0..=1, require_equals = true, default_missing_value = "1h", value_parser = seconds)]
    pub hold_job: Option<u32>,
    #[command(flatten)]
    pub git: Git,
}

#[derive(Debug, Arguments)]
pub struct Scale {
    #[command(flatten)]
    pub release: Release,
    /// How many replicas
    pub replicas: u32,
    #[command(flatten)]
    pub git: Git,
}

#[derive(Debug, Arguments)]
pub struct Weight {
    #[command(flatten)]
    pub release: Release,
    /// So much of a hundred for the canary
    pub percent: u32,
    #[command(flatten)]
    pub git: Git,
}

#[derive(Debug, Arguments)]
pub struct SetImage {
    #[command(flatten)]
    pub release: Release,
    /// A tag, a digest or a whole reference; the container before it settles which one
    #[arg(value_name = "[CONTAINER=]IMAGE")]
    pub image: String,
    #[command(flatten)]
    pub git: Git,
}

#[derive(Debug, Arguments)]
pub struct Build {
    /// `checkout` or `deploy/checkout`
    pub service: String,
    /// A parameter of its job; one that is not given has what the last good build had, else its default. With --local
    /// an argument of its Dockerfile
    #[arg(short, long, value_name = "NAME=VALUE")]
    pub parameter: Vec<String>,
    /// In place of a build: switch the job on again that a rolldeck holds
    #[arg(long, conflicts_with_all = ["parameter", "local"])]
    pub resume_job: bool,
    /// From its folder on this machine, by the Docker engine, and push it; builds: in the configuration says from where
    #[arg(long)]
    pub local: bool,
    /// The tag of the image; the commit of the folder without it
    #[arg(long, requires = "local")]
    pub tag: Option<String>,
    /// Leave the image with the engine
    #[arg(long, requires = "local")]
    pub no_push: bool,
    #[command(flatten)]
    pub how: How,
}

#[derive(Debug, Arguments)]
pub struct CopyImage {
    /// `checkout` or `deploy/checkout`
    pub service: String,
    /// A repository, with a tag or without: then the tag stays
    pub to: String,
    /// This image, in place of the one that the service runs
    #[arg(long, value_name = "IMAGE")]
    pub from: Option<String>,
    #[command(flatten)]
    pub how: How,
}

/// The ways out where Argo CD or Flux would undo a write.
#[derive(Debug, Arguments)]
pub struct Git {
    /// Suspend the sync of Argo CD or Flux first, where it would undo this; `rolldeck resume-sync` resumes it
    #[arg(long)]
    pub suspend_sync: bool,
    /// Write the change for git, as a strategic merge patch, to this file, and change nothing
    #[arg(long, value_name = "FILE", conflicts_with_all = ["yes", "suspend_sync"])]
    pub git_patch: Option<PathBuf>,
}

impl Git {
    pub fn offers(&self) -> Vec<OfferId> {
        let offer = self.suspend_sync.then_some(OfferId::SuspendSync);
        offer.into_iter().collect()
    }
}

#[derive(Debug, Arguments)]
pub struct DeletePod {
    /// The pod's name
    pub pod: String,
    /// Delete it, without asking a disruption budget
    #[arg(long)]
    pub delete: bool,
    #[command(flatten)]
    pub how: How,
}

#[derive(Debug, Arguments)]
pub struct Promote {
    /// To its end at once, without the steps and analyses that are left
    #[arg(long, conflicts_with = "to")]
    pub full: bool,
    /// No canary: what runs in another environment of the settings goes to this one, by its digest; of several services
    /// one after another
    #[arg(long, value_name = "ENVIRONMENT", conflicts_with = "concurrency")]
    pub to: Option<String>,
    /// Where it comes from; the environment before that one without it
    #[arg(long, value_name = "ENVIRONMENT", requires = "to")]
    pub from: Option<String>,
    #[command(flatten)]
    pub git: Git,
    #[command(flatten)]
    pub release: Release,
}

#[derive(Debug, Arguments)]
pub struct Abort {
    #[command(flatten)]
    pub git: Git,
    #[command(flatten)]
    pub release: Release,
}

/// What every release verb takes.
#[derive(Debug, Arguments)]
pub struct Release {
    /// `checkout` or `deploy/checkout`; of several none begins after one that fails
    #[arg(required = true, value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Of several so many are under way at a time; 3 when nothing else is set
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=8))]
    pub concurrency: Option<u8>,
    #[command(flatten)]
    pub how: How,
}

/// How a plan is carried out.
#[derive(Debug, Arguments)]
pub struct How {
    /// Print the plan and its checks, and change nothing
    #[arg(long, conflicts_with = "yes")]
    pub dry_run: bool,
    /// Execute, and follow to a verified end; a protected environment needs --write and --name as well
    #[arg(long)]
    pub yes: bool,
    /// The service's name once more, as a protected environment asks for it; of several how many they are
    #[arg(long, value_name = "SERVICE|N")]
    pub name: Option<String>,
    /// Why, for the record
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Go on although a check blocks; the reason goes into the record
    #[arg(long = "override", value_name = "REASON")]
    pub override_reason: Option<String>,
    /// How long to follow, in seconds; the reads before it are given 30, or three attempts to connect
    #[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// The form of the output
    #[arg(short, long, value_enum, default_value = "lines")]
    pub output: Form,
}

#[derive(Debug, Arguments)]
pub struct Record {
    /// `checkout` or `deploy/checkout`, or the id of one action, which is told whole; all without it
    pub service: Option<String>,
    /// Only what was sent within this time: 30m, 2h, 3d
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub since: Option<SignedDuration>,
    /// First ask the cluster what became of actions that were interrupted, and write it down
    #[arg(long)]
    pub settle: bool,
    /// The form of the output
    #[arg(short, long, value_enum, default_value = "lines")]
    pub output: Form,
}

#[derive(Debug, Arguments)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
pub struct Logs {
    /// `checkout` or `deploy/checkout`
    pub service: String,
    /// Of this pod alone
    #[arg(long, value_name = "NAME")]
    pub pod: Option<String>,
    /// Of this container; the first of the service's template without it
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// Of every container, those that set the pod up included
    #[arg(long, conflicts_with = "container")]
    pub all_containers: bool,
    /// Of the runs before the last restart
    #[arg(short, long, conflicts_with = "follow")]
    pub previous: bool,
    /// Stay, and follow the pods that come and go, until ctrl-c
    #[arg(short, long)]
    pub follow: bool,
    /// No further back than this: 90s, 5m, 1h30m
    #[arg(long, value_name = "TIME", value_parser = span)]
    pub since: Option<SignedDuration>,
    /// So many of the last lines of each pod; without it 1000, or fewer of each where many are read together
    #[arg(long, value_name = "LINES")]
    pub tail: Option<u32>,
    /// The time of each line
    #[arg(long)]
    pub timestamps: bool,
    /// How long to wait for the API server, in seconds; one that three attempts cannot connect to is given up earlier
    #[arg(long, value_name = "SECONDS", default_value_t = READS, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// The form of the output; as JSON each line is an object
    #[arg(short, long, value_enum, default_value = "lines")]
    pub output: Form,
}

/// A day has 24 hours here.
fn span(typed: &str) -> Result<SignedDuration, String> {
    seconds(typed).map(|seconds| SignedDuration::from_secs(seconds.into()))
}

fn seconds(typed: &str) -> Result<u32, String> {
    text::seconds(typed).ok_or_else(|| format!("{typed} is no time like 30m, 2h or 3d"))
}

#[derive(Debug, Arguments)]
pub struct Changes {
    /// `checkout` or `deploy/checkout`: what concerns it; everything without it
    pub service: Option<String>,
    /// How far back, from now or from --before: 30m, 4h, 2d; seven days at most
    #[arg(long, value_name = "TIME", default_value = "1d", value_parser = span)]
    pub since: SignedDuration,
    /// When the trouble began, in UTC: 14:02, 2026-11-27T14:02, or 20m ago; the likeliest cause comes first
    #[arg(long, value_name = "MOMENT")]
    pub before: Option<String>,
    /// How long to wait for the API server, in seconds; what is late is said to be missing
    #[arg(long, value_name = "SECONDS", default_value_t = READS, value_parser = clap::value_parser!(u64).range(1..))]
    pub timeout: u64,
    /// The form of the output
    #[arg(short, long, value_enum, default_value = "lines")]
    pub output: ListForm,
}

#[derive(Debug, Arguments)]
pub struct Snapshot {
    /// The file, which nobody else may read then; stdout without it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, Arguments)]
pub struct Restore {
    /// What `rolldeck snapshot` wrote
    pub file: PathBuf,
    /// `checkout` or `deploy/checkout`; all that the file has without it
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,
    /// Into this environment of the settings, in place of --context and -n
    #[arg(long, value_name = "NAME")]
    pub env: Option<String>,
    /// Of a file with several namespaces only this one: NAMESPACE or CLUSTER/NAMESPACE
    #[arg(long, value_name = "NAMESPACE")]
    pub from: Option<String>,
    /// What is there and differs is made as the file has it; it is left alone without this
    #[arg(long)]
    pub overwrite: bool,
    #[command(flatten)]
    pub how: How,
}

#[derive(Debug, Arguments)]
pub struct Doctor {
    /// The service whose pushes are looked at; all without one
    pub service: Option<String>,
    /// The form of the output
    #[arg(short, long, value_enum, default_value = "lines")]
    pub output: Form,
}

#[derive(Debug, Arguments)]
pub struct Settings {
    /// The form of the output
    #[arg(short, long, value_enum, default_value = "lines")]
    pub output: Form,
}

#[derive(Debug, Arguments)]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}

#[derive(Debug, Arguments)]
pub struct Demo {
    /// What is the matter in the world; --list names them all
    #[arg(long, value_name = "NAME", default_value = "tour")]
    pub scenario: String,
    /// The scenarios and their titles
    #[arg(long, conflicts_with_all = ["serve", "drill"])]
    pub list: bool,
    /// Tell the symptom only, run the clock, and say in the end what was done and how long each part took
    #[arg(long)]
    pub drill: bool,
    /// No screen: print a kubeconfig and the endpoints, and stay until ctrl-c
    #[arg(long, conflicts_with = "drill")]
    pub serve: bool,
    /// How many times faster pulls, starts and deadlines are
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub speed: u32,
    /// The same number makes the same world
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How many services are added, two pods each
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=20_000))]
    pub services: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    Lines,
    Json,
}

/// A list can be pasted into a chat as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListForm {
    Lines,
    Json,
    Markdown,
}

impl Args {
    pub fn overrides(&self) -> Overrides {
        let common = &self.common;
        Overrides {
            config: common.config.clone(),
            command: self.command.clone(),
            kubeconfig: common.kubeconfig.clone(),
            contexts: common.context.clone(),
            namespaces: common.namespace.clone(),
            all_namespaces: common.all_namespaces,
            readonly: common.readonly,
            write: common.write,
            ascii: common.ascii,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn times() {
        for (text, seconds) in [
            ("30m", 1800),
            ("2h", 7200),
            ("3d", 259_200),
            ("1h30m", 5400),
        ] {
            assert_eq!(span(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
        }
        for text in ["", "30", "soon", "1y"] {
            assert!(span(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_definitions_agree_with_each_other() {
        Args::command().debug_assert();
    }
}
