//! What the release verbs share: the plan and its checks; with `--yes` the write, followed to a verified end.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use futures::StreamExt;
use serde::Serialize;
use tokio::time::{interval, timeout};

use crate::actions::{self, Order, Recorder};
use crate::config::Config;
use crate::domain::{Failure, FailureKind, Workload, WorkloadId};
use crate::engine::{clock, release};
use crate::plan::check::CheckState;
use crate::plan::{
    self, Answers, Follow, Goal, Missing, Offer, OfferId, Plan, Progress, Request, Target, Verb,
    Verdict, gate,
};
use crate::sources::kube;

use super::Outcome;
use super::args::{Form, Git, How, READS, Release};
use super::batch;
use super::build;
use super::output;
use super::session::Session;

/// What a verb asks for.
pub struct Asked {
    pub verb: Verb,
    pub target: Target,
    /// Those of services that have one of their own.
    pub targets: BTreeMap<WorkloadId, Target>,
    /// The offers of its plan that are taken.
    pub offers: Vec<OfferId>,
    /// Where the change for git goes, in place of everything else.
    pub git_patch: Option<PathBuf>,
    /// So many seconds its job is held, when that offer is taken.
    pub hold_for: Option<u32>,
}

impl Asked {
    /// The verb as it is, without offers.
    pub fn new(verb: Verb, target: Target) -> Self {
        Self {
            verb,
            target,
            targets: BTreeMap::new(),
            offers: Vec::new(),
            git_patch: None,
            hold_for: None,
        }
    }

    /// The ways out where git would undo it, as they were asked for.
    pub fn by(self, git: Git) -> Self {
        Self {
            offers: git.offers(),
            git_patch: git.git_patch,
            ..self
        }
    }
}

pub async fn run(config: &Config, asked: Asked, args: Release) -> Outcome {
    let mut session = Session::connect(config, READS).await?;
    session.workloads(config).await?;
    let mut found: Vec<Workload> = Vec::new();
    for service in &args.services {
        let workload = session.find(service)?;
        if found.iter().any(|other| other.id == workload.id) {
            let sentence = format!("{service} is there twice");
            return Err(Failure::new(FailureKind::Usage, sentence));
        }
        found.push(workload);
    }
    if let [one_alone] = found.as_slice() {
        return one(config, &mut session, one_alone, (&asked, &args.how)).await;
    }
    let at_once = args.concurrency.map_or(config.at_once, usize::from);
    batch::run(config, &mut session, found, (asked, &args.how, at_once)).await
}

/// The verb on one workload.
pub async fn one(
    config: &Config,
    session: &mut Session,
    workload: &Workload,
    (asked, args): (&Asked, &How),
) -> Outcome {
    let plan = make(config, session, workload, asked).await?;
    if let Some(file) = &asked.git_patch {
        return write_patch(&plan, file);
    }
    let sources = session.sources(config, &plan.request);
    let answered = actions::preflight(sources, plan.clone(), config.readonly).collect::<Vec<_>>();
    let verdicts = all_verdicts(&plan, answered.await);
    let answers = answers(config, args);
    let missing = gate::missing(plan.level, &plan, &verdicts, &answers);
    let mut report = Report::new(&plan, &verdicts);
    if args.output == Form::Lines {
        report.print()?;
    }
    let outcome = match (args.yes, missing.as_slice()) {
        (false, missing) => planned(args.dry_run, missing),
        (true, []) => execute(config, args, session, (plan, answers, verdicts)).await,
        (true, missing) => Err(refused(missing)),
    };
    match &outcome {
        Ok(sentence) => report.outcome = Some(sentence.clone()),
        Err(failure) => report.failure = Some(failure.clone()),
    }
    match args.output {
        Form::Json => output::json(&report)?,
        Form::Lines => {
            if let Ok(sentence) = &outcome {
                output::line(sentence)?;
            }
        }
    }
    outcome.map(|_| 0)
}

/// The one thing that is done without a check: it changes nothing but this file.
fn write_patch(plan: &Plan, file: &Path) -> Outcome {
    let offers = plan.offers.iter();
    let mut documents = offers.filter_map(|offer| offer.document.as_deref());
    let Some(document) = documents.next() else {
        let sentence = format!("{} has no change for git", plan.workload);
        let failure = Failure::new(FailureKind::Refused, sentence);
        return Err(failure.hint("only what Argo CD or Flux keep is changed there"));
    };
    std::fs::write(file, &document.text).map_err(|why| {
        let sentence = format!("{} cannot be written: {why}", file.display());
        Failure::new(FailureKind::Failed, sentence)
    })?;
    let words = format!(
        "nothing was changed; the change for git is in {}",
        file.display()
    );
    output::line(&words)?;
    Ok(0)
}

pub async fn make(
    config: &Config,
    session: &Session,
    workload: &Workload,
    asked: &Asked,
) -> Result<Plan, Failure> {
    let mut request = Request {
        verb: asked.verb,
        workload: workload.id.clone(),
        uid: workload.uid.clone(),
        shown: workload.template,
        target: asked
            .targets
            .get(&workload.id)
            .unwrap_or(&asked.target)
            .clone(),
    };
    request.of(workload);
    let mut context = release::context(config, &workload.id);
    let from = request.origin().and_then(|from| session.cluster_of(from));
    context.origin = from.map(|cluster| release::origin(config, cluster));
    context.hold_for = asked.hold_for.unwrap_or(context.hold_for);
    if let Some(why) = request.not_for_its_kind() {
        return Err(why);
    }
    let evidence = actions::gather(&session.cluster, &request, context).await?;
    let made = plan::plan(&session.fleet, &evidence, clock::now());
    let mut plan = made.map_err(|refusal| refusal.failure)?;
    for offer in &asked.offers {
        plan.take(*offer, true);
    }
    let holds = plan.offers.iter().any(|offer| offer.id == OfferId::HoldJob);
    if asked.offers.contains(&OfferId::HoldJob) && !holds {
        return Err(build::no_job(&workload.id));
    }
    Ok(plan)
}

/// What `--yes`, `--write` and `--name` say in place of the keys.
pub fn answers(config: &Config, args: &How) -> Answers {
    Answers {
        readonly: config.readonly,
        armed: config.armed_at_start,
        confirmed: args.yes,
        typed_name: args.name.clone().unwrap_or_default(),
        several: None,
        reason: args.reason.clone(),
        override_reason: args.override_reason.clone(),
    }
}

pub fn all_verdicts(plan: &Plan, asked: Vec<Verdict>) -> Vec<Verdict> {
    let known = plan.checks.iter().filter_map(|check| match &check.state {
        CheckState::Answered(verdict) => Some(verdict.clone()),
        CheckState::Asking(_) => None,
    });
    known.chain(asked).collect()
}

/// `--dry-run` fails when the write would be refused; without either flag nothing was asked for yet.
pub fn planned(dry_run: bool, missing: &[Missing]) -> Result<String, Failure> {
    let open: Vec<_> = missing
        .iter()
        .filter(|m| !matches!(m, Missing::Confirmation | Missing::Name))
        .cloned()
        .collect();
    match (dry_run, open.as_slice()) {
        (true, []) => Ok("nothing was changed; --yes executes this plan".into()),
        (true, open) => Err(refused(open)),
        (false, _) => {
            let sentence = "nothing was changed: --yes executes this plan";
            Err(Failure::new(FailureKind::Refused, sentence))
        }
    }
}

pub fn refused(missing: &[Missing]) -> Failure {
    let failure = Failure::new(FailureKind::Refused, "refused: nothing was changed");
    missing.iter().map(words).fold(failure, Failure::hint)
}

pub fn words(missing: &Missing) -> String {
    match missing {
        Missing::ReadOnly => "read-only: leave --readonly out".into(),
        Missing::Arming => "the environment is protected: --write arms it".into(),
        Missing::Answer(check) => format!("the check {} has not answered", check.name()),
        Missing::Blocked(check) => format!("the check {} blocks", check.name()),
        Missing::Override(check) => {
            let name = check.name();
            format!("the check {name} blocks; --override REASON goes on all the same")
        }
        Missing::Confirmation => "--yes executes".into(),
        Missing::Name => {
            "the environment is protected: --name SERVICE says its name once more".into()
        }
    }
}

async fn execute(
    config: &Config,
    args: &How,
    session: &mut Session,
    (plan, answers, verdicts): (Plan, Answers, Vec<Verdict>),
) -> Result<String, Failure> {
    let identity = kube::identify(&session.cluster).await.ok();
    let mut goal = plan.goal.clone();
    let steps: Vec<_> = plan.all_steps().map(|s| s.what().to_owned()).collect();
    let user = identity.and_then(|identity| identity.user);
    let order = order(config, session, (&plan, &answers, &verdicts), user);
    let mut facts = actions::execute(session.cluster.clone(), order);
    while let Some(fact) = facts.next().await {
        match fact {
            Progress::Sent { .. } | Progress::Done { .. } => {}
            Progress::Waiting { why, .. } => say(args.output, ".. ", &why)?,
            Progress::Accepted {
                step,
                at,
                generation,
            } => {
                let first = if step == 0 { at } else { goal.accepted };
                goal.accept(first, generation);
                say(args.output, "ok ", &steps[step])?;
            }
            Progress::Refused { why, .. } => return Err(why),
            Progress::Unknown { why, .. } => {
                let sentence = format!("it is not known whether it was done: {why}");
                return Err(Failure::new(FailureKind::Failed, sentence)
                    .hint("rolldeck status shows what the cluster says now"));
            }
        }
    }
    let ended = follow(args, session, &goal).await;
    if let Some((outcome, verified)) = end(&ended) {
        let end = release::End {
            id: goal.id.clone(),
            workload: goal.workload.clone(),
            outcome,
            verified,
        };
        release::write_end(&config.state_dir, end).await?;
    }
    ended
}

/// What is handed over to be carried out.
pub fn order(
    config: &Config,
    session: &Session,
    (plan, answers, verdicts): (&Plan, &Answers, &[Verdict]),
    server_user: Option<Box<str>>,
) -> Order {
    let several = answers.several.is_some();
    Order {
        again: several.then(|| session.sources(config, &plan.request)),
        plan: plan.clone(),
        answers: answers.clone(),
        verdicts: verdicts.to_vec(),
        recorder: Recorder::new(&config.state_dir),
        servers: session.servers.clone(),
        server_user,
        presence: config.presence,
        clock: clock::now,
    }
}

fn say(form: Form, mark: &str, words: &str) -> Result<(), Failure> {
    match form {
        Form::Lines => output::line(&format!("{mark}{words}")),
        Form::Json => Ok(()),
    }
}

/// What goes into the record; nothing when we only stopped to look.
fn end(ended: &Result<String, Failure>) -> Option<(String, bool)> {
    match ended {
        Ok(sentence) => Some((sentence.clone(), true)),
        Err(failure) if failure.kind == FailureKind::Failed => {
            Some((failure.sentence.clone(), false))
        }
        Err(_) => None,
    }
}

async fn follow(args: &How, session: &mut Session, goal: &Goal) -> Result<String, Failure> {
    let watching = timeout(
        Duration::from_secs(args.timeout),
        watch(args.output, session, goal),
    );
    tokio::select! {
        ended = watching => ended.unwrap_or_else(|_| Err(late(args, goal))),
        _ = tokio::signal::ctrl_c() => Err(left(goal)),
    }
}

async fn watch(form: Form, session: &mut Session, goal: &Goal) -> Result<String, Failure> {
    if let Some(workload) = session.fleet.workload(&goal.workload).cloned() {
        session.last();
        let seen = session.details(&[&workload]).await;
        seen.map_err(|why| unseen(&why, goal))?;
    }
    let mut tick = interval(Duration::from_secs(1));
    let mut said = Vec::new();
    loop {
        match plan::follow::follow(&session.fleet, goal, clock::now()) {
            Follow::Done(sentence) => return Ok(sentence),
            Follow::Failed(sentence) => return Err(Failure::new(FailureKind::Failed, sentence)),
            Follow::Pending(milestones) => {
                for milestone in &milestones {
                    let mark = if milestone.done { "ok" } else { ".." };
                    let words = format!("{mark} {}", milestone.text);
                    if form == Form::Lines && !said.contains(&words) {
                        output::line(&words)?;
                        said.push(words);
                    }
                }
            }
        }
        tokio::select! {
            () = session.step() => {}
            _ = tick.tick() => {}
        }
    }
}

fn late(args: &How, goal: &Goal) -> Failure {
    let sentence = format!("not verified within {}s; the rollout goes on", args.timeout);
    again(sentence, goal)
}

fn unseen(why: &Failure, goal: &Goal) -> Failure {
    let sentence = format!("what becomes of it cannot be read: {}", why.sentence);
    again(format!("{sentence}; the rollout goes on"), goal)
}

fn left(goal: &Goal) -> Failure {
    again("no longer followed; the rollout goes on".into(), goal)
}

fn again(sentence: String, goal: &Goal) -> Failure {
    let (id, namespace) = (&goal.workload, &goal.workload.namespace);
    Failure::new(FailureKind::TimedOut, sentence)
        .hint(format!("rolldeck -n {namespace} follows it again"))
        .hint(format!(
            "rolldeck status {id} -n {namespace} says how it stands"
        ))
}

/// What one adds to take an offer that is open; `None` for what has no flag.
fn flag(offer: &Offer) -> Option<&'static str> {
    if offer.taken {
        return None;
    }
    match offer.id {
        OfferId::DeletePods => Some("--delete-pods"),
        OfferId::Delete => Some("--delete"),
        OfferId::SuspendSync => Some("--suspend-sync"),
        OfferId::GitPatch => Some("--git-patch FILE"),
        OfferId::Helm => Some("--helm"),
        OfferId::HoldJob => Some("--hold-job"),
        OfferId::Full => Some("--full"),
        // It is a command of its own, which a check names.
        OfferId::Resume | OfferId::CopyImage => None,
    }
}

/// Each with its flag; one that sends nothing is told by its own words.
fn offered(plan: &Plan) -> Vec<String> {
    let open = plan.offers.iter().filter_map(|o| Some((o, flag(o)?)));
    let words = open.flat_map(|(offer, flag)| {
        let steps: Vec<_> = match &*offer.steps {
            [] => vec![offer.text.as_str()],
            steps => steps.iter().map(plan::Step::what).collect(),
        };
        steps
            .into_iter()
            .map(move |what| format!("{what} ({flag})"))
            .collect::<Vec<_>>()
    });
    words.collect()
}

fn first(plan: &Plan) -> usize {
    let own = plan.request.verb == Verb::ResumeSync;
    let before = plan.all_steps().take_while(|step| step.is_beside() && !own);
    before.count()
}

/// Plan, checks and end, as JSON; the names are kept.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    id: String,
    verb: Verb,
    cluster: String,
    namespace: String,
    service: String,
    from: Side,
    to: Side,
    /// What stands on both sides of the arrow, for the lines.
    #[serde(skip)]
    arrow: (String, String),
    /// The rule that chose the target; empty when there was nothing to choose.
    rule: String,
    differences: Vec<String>,
    checks: Vec<Check>,
    /// What is sent, in this order.
    steps: Vec<String>,
    /// So many of them come before what the verb itself writes.
    #[serde(skip)]
    first: usize,
    /// What flags would add, each with its own.
    offered: Vec<String>,
    meanwhile: String,
    /// Until it is verified, where the service's past tells.
    expected_seconds: Option<u32>,
    /// Both in one line.
    #[serde(skip)]
    outlook: String,
    kubectl: String,
    /// What became of it; absent with a failure.
    pub outcome: Option<String>,
    pub failure: Option<Failure>,
}

#[derive(Serialize)]
struct Side {
    revision: u64,
    name: String,
    version: String,
}

/// What a check answered.
#[derive(Serialize)]
pub struct Check {
    #[serde(rename = "check")]
    id: &'static str,
    pub finding: plan::Finding,
    pub sentence: String,
}

impl From<&Verdict> for Check {
    fn from(verdict: &Verdict) -> Self {
        Self {
            id: verdict.check.name(),
            finding: verdict.finding,
            sentence: verdict.sentence.clone(),
        }
    }
}

impl Report {
    pub fn new(plan: &Plan, verdicts: &[Verdict]) -> Self {
        let side = |side: &plan::Side| Side {
            revision: side.revision,
            name: side.name.to_string(),
            version: side.version.clone(),
        };
        Self {
            id: plan.stamp.id.clone(),
            verb: plan.request.verb,
            arrow: plan.arrow.clone(),
            cluster: plan.workload.cluster.to_string(),
            namespace: plan.workload.namespace.to_string(),
            service: plan.workload.to_string(),
            from: side(&plan.from),
            to: side(&plan.to),
            rule: plan.rule.clone(),
            differences: plan
                .differences
                .iter()
                .map(|d| format!("{} {}", d.what, d.text))
                .collect(),
            checks: verdicts.iter().map(Check::from).collect(),
            steps: plan.all_steps().map(|s| s.what().to_owned()).collect(),
            first: first(plan),
            offered: offered(plan),
            meanwhile: plan.meanwhile.clone(),
            expected_seconds: plan.expected.map(|expected| expected.seconds),
            outlook: plan.outlook(),
            kubectl: plan.kubectl.clone(),
            outcome: None,
            failure: None,
        }
    }

    fn print(&self) -> Result<(), Failure> {
        let place = format!("{} / {}", self.cluster, self.namespace);
        let verb = self.verb.words().plain;
        output::line(&format!("{verb} {} in {place}", self.service))?;
        let (from, to) = &self.arrow;
        let chosen = match &*self.rule {
            "" => String::new(),
            rule => format!("   chosen: {rule}"),
        };
        output::line(&format!("{from} -> {to}{chosen}"))?;
        for difference in &self.differences {
            output::line(&format!("  {difference}"))?;
        }
        for check in &self.checks {
            let word = check.finding.word();
            output::line(&format!("{word:<11}{}", check.sentence))?;
        }
        for step in self.steps.iter().take(self.first) {
            output::line(&format!("first      {step}"))?;
        }
        for step in self.steps.iter().skip(self.first + 1) {
            output::line(&format!("then       {step}"))?;
        }
        for step in &self.offered {
            output::line(&format!("offered    {step}"))?;
        }
        output::line(&self.outlook)?;
        output::line(&self.kubectl)
    }
}
