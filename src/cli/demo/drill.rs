//! What a drill came to: each part with its time, from the world's audit and from the release record.

use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use crate::actions::Recorder;
use crate::actions::record::{self, Limit};
use crate::cli::output;
use crate::demo::Running;
use crate::demo::audit::Asked;
use crate::domain::release_record::{Action, Outcome, Stands};
use crate::domain::{Failure, FailureKind};

/// Runs from the moment at which the screen opens.
pub struct Watch {
    opened: Timestamp,
    /// When the goal held for the first time.
    reached: Arc<OnceLock<Timestamp>>,
    task: JoinHandle<()>,
}

impl Watch {
    pub fn start(runtime: &Runtime, world: &Running) -> Self {
        let (cluster, scenario) = (Arc::clone(&world.cluster), Arc::clone(&world.scenario));
        let opened = cluster.clock.now();
        let reached = Arc::new(OnceLock::new());
        let told = Arc::clone(&reached);
        let task = runtime.spawn(async move {
            let mut news = cluster.store.news();
            while !scenario
                .goal
                .iter()
                .all(|goal| goal.holds(&cluster).is_ok())
            {
                if news.changed().await.is_err() {
                    return;
                }
            }
            let _ = told.set(cluster.clock.now());
        });
        Self {
            opened,
            reached,
            task,
        }
    }

    /// # Errors
    /// The output or the record cannot be used.
    pub fn tell(self, world: &Running) -> Result<(), Failure> {
        self.task.abort();
        let recorder = Recorder::new(&world.state_dir());
        let record = record::read(recorder.path(), Limit::NONE).map_err(|why| {
            let sentence = format!("the record of the drill cannot be read: {}", why.kind());
            Failure::new(FailureKind::Failed, sentence)
        })?;
        let asked = world.cluster.audit.all();
        let mut parts = requests(&asked, world);
        parts.extend(record.actions.iter().flat_map(recorded));
        parts.extend(
            self.reached
                .get()
                .map(|at| (*at, "the goal is reached".to_owned())),
        );
        parts.sort_by_key(|(at, _)| *at);
        output::line(&format!(
            "{}: {}",
            world.scenario.name, world.scenario.title
        ))?;
        for (at, what) in parts.iter().filter(|(at, _)| *at >= self.opened) {
            let since = at.duration_since(self.opened).as_secs_f64();
            output::line(&format!("{since:>7.1}s  {what}"))?;
        }
        let writes = asked
            .iter()
            .filter(|asked| asked.at >= self.opened && asked.writes());
        output::line(&format!(
            "   wrote  {}",
            written(&writes.collect::<Vec<_>>())
        ))?;
        let goal = match world.goal() {
            Ok(()) => "holds".to_owned(),
            Err(missing) => format!("does not hold: {missing}"),
        };
        output::line(&format!("    goal  {goal}"))?;
        output::line(&format!("  record  {}", ended(&record.actions)))
    }
}

/// The first of each part that only the requests tell.
fn requests(asked: &[Asked], world: &Running) -> Vec<(Timestamp, String)> {
    let services = || world.scenario.services.iter().map(|service| &service.name);
    let object = |asked: &&Asked| {
        services()
            .find(|name| asked.path().ends_with(&format!("s/{name}")))
            .cloned()
    };
    let reads = |asked: &&Asked| &*asked.method == "GET";
    let listed = asked
        .iter()
        .find(|a| reads(a) && a.path().ends_with("/deployments"));
    let looked = asked
        .iter()
        .filter(reads)
        .find_map(|a| Some((a, object(&a)?)));
    let tried = asked.iter().find(|a| a.tries());
    let mut parts = Vec::new();
    parts.extend(listed.map(|a| (a.at, "first look: the services were listed".to_owned())));
    parts.extend(looked.map(|(a, name)| (a.at, format!("a plan for {name} was opened"))));
    parts.extend(tried.map(|a| (a.at, format!("its dry run was answered with {}", a.code))));
    parts
}

fn recorded(action: &Action) -> Vec<(Timestamp, String)> {
    let sending = &action.sending;
    let (from, to) = (&sending.from.version, &sending.to.version);
    let what = format!(
        "{} of {}: {from} → {to} was confirmed",
        sending.verb, sending.workload
    );
    let mut parts = vec![(sending.at, what)];
    parts.extend(action.answered.iter().map(|line| {
        let word = match line.outcome {
            Outcome::Accepted => "accepted",
            Outcome::Refused => "refused",
            Outcome::Unknown => "its outcome is not known",
        };
        (line.at, format!("{word}: {}", line.sentence))
    }));
    let ended = action.ended.iter();
    parts.extend(ended.map(|line| (line.at, line.sentence.clone())));
    parts
}

fn written(writes: &[&Asked]) -> String {
    let each = writes
        .iter()
        .map(|a| format!("{} {} ({})", a.method, a.path(), a.code));
    let each: Vec<_> = each.collect();
    if each.is_empty() {
        "nothing".into()
    } else {
        each.join(", ")
    }
}

/// How many actions it holds, and how many of them came to a verified end.
fn ended(actions: &[Action]) -> String {
    let good = |action: &&Action| action.stands() == Stands::Verified;
    let verified = actions.iter().filter(good).count();
    format!("{} sent, {verified} verified", actions.len())
}
