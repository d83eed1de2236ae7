//! A release verb on several services: a row each, confirmed once, a few at a time, none after one that fails.

use std::time::Duration;

use futures::stream::{self, BoxStream, FuturesUnordered, SelectAll, StreamExt};
use serde::Serialize;
use tokio::time::{interval, sleep};

use crate::actions;
use crate::config::Config;
use crate::domain::{Failure, FailureKind, Workload};
use crate::engine::{clock, release as engine};
use crate::plan::batch::{Batch, State};
use crate::plan::{Answers, Finding, Follow, Goal, Plan, Progress, Verdict, gate};
use crate::sources::kube;

use super::Outcome;
use super::args::{Form, How};
use super::output;
use super::release::{self, Asked, Report};
use super::session::Session;

/// So many are read and checked at a time.
const PREPARED: usize = 4;

/// A service with its plan, or why there is none.
struct Row {
    workload: Workload,
    made: Result<(Plan, Vec<Verdict>), Failure>,
}

pub async fn run(
    config: &Config,
    session: &mut Session,
    workloads: Vec<Workload>,
    (asked, how, at_once): (Asked, &How, usize),
) -> Outcome {
    let rows = prepare(config, session, workloads, &asked).await;
    if how.output == Form::Lines {
        print(&asked, &rows)?;
    }
    let mut reports = reports(&rows);
    let answers = Answers {
        several: Some(rows.len()),
        ..release::answers(config, how)
    };
    let missing = missing(&rows, &answers);
    let outcome = match (how.yes, missing.is_empty()) {
        (true, true) => {
            let rows = confirmed(rows);
            let mut run = Run::new(config, how, rows, answers, at_once);
            let ended = run.go(session).await;
            run.tell(&mut reports);
            ended
        }
        (false, true) => release::planned(how.dry_run, &[]),
        (_, false) => Err(refused(&missing)),
    };
    if how.output == Form::Json {
        let (outcome, failure) = match &outcome {
            Ok(words) => (Some(words), None),
            Err(failure) => (None, Some(failure)),
        };
        output::json(&All {
            services: &reports,
            outcome,
            failure,
        })?;
    } else if let Ok(words) = &outcome {
        output::line(words)?;
    }
    outcome.map(|_| 0)
}

/// Everything, as JSON.
#[derive(Serialize)]
struct All<'a> {
    services: &'a [Report],
    outcome: Option<&'a String>,
    failure: Option<&'a Failure>,
}

async fn prepare(
    config: &Config,
    session: &Session,
    workloads: Vec<Workload>,
    asked: &Asked,
) -> Vec<Row> {
    let one = |workload: Workload| async move {
        let made = async {
            let plan = release::make(config, session, &workload, asked).await?;
            let sources = session.sources(config, &plan.request);
            let answered = actions::preflight(sources, plan.clone(), config.readonly);
            let verdicts = release::all_verdicts(&plan, answered.collect().await);
            Ok((plan, verdicts))
        };
        let made = made.await;
        Row { workload, made }
    };
    stream::iter(workloads)
        .map(one)
        .buffered(PREPARED)
        .collect()
        .await
}

fn print(asked: &Asked, rows: &[Row]) -> Result<(), Failure> {
    let verb = asked.verb.words().plain;
    output::line(&format!("{verb} {} services", rows.len()))?;
    let cells = rows.iter().map(|row| {
        let (change, word, sentence) = match &row.made {
            Ok((plan, verdicts)) => {
                let worst = verdicts.iter().max_by_key(|verdict| rank(verdict.finding));
                let worst = worst.filter(|verdict| verdict.finding != Finding::Ok);
                let (finding, sentence) = worst
                    .map_or((Finding::Ok, plan.meanwhile.clone()), |verdict| {
                        (verdict.finding, verdict.sentence.clone())
                    });
                let (from, to) = &plan.arrow;
                (format!("{from} -> {to}"), finding.word(), sentence)
            }
            Err(failure) => (String::new(), "BLOCK", failure.sentence.clone()),
        };
        let id = &row.workload.id;
        vec![
            format!("{}/{id}", id.namespace),
            change,
            word.to_owned(),
            sentence,
        ]
    });
    let cells: Vec<_> = cells.collect();
    output::table(&["SERVICE", "CHANGE", "CHECK", ""], &cells)
}

fn rank(finding: Finding) -> u8 {
    match finding {
        Finding::Ok => 0,
        Finding::Warn => 1,
        Finding::Unverified => 2,
        Finding::Block => 3,
    }
}

/// Those without a plan have none.
fn reports(rows: &[Row]) -> Vec<Report> {
    let made = rows.iter().filter_map(|row| row.made.as_ref().ok());
    made.map(|(plan, verdicts)| Report::new(plan, verdicts))
        .collect()
}

/// What keeps each from being sent: none is left out that was not left out by who typed the names.
fn missing(rows: &[Row], answers: &Answers) -> Vec<String> {
    let strictest = rows.iter().filter_map(|row| row.made.as_ref().ok());
    let strictest = strictest
        .map(|(plan, _)| plan.level)
        .max_by_key(|level| gate::rank(*level));
    let mut found: Vec<String> = Vec::new();
    for row in rows {
        let name = &row.workload.id.name;
        match (&row.made, strictest) {
            (Err(failure), _) => found.push(format!("{name}: {}", failure.sentence)),
            (Ok((plan, verdicts)), Some(level)) => {
                for missing in gate::missing(level, plan, verdicts, answers) {
                    let words = match &missing {
                        gate::Missing::Confirmation => continue,
                        gate::Missing::Name => format!(
                            "the environment is protected: --name {} says how many services",
                            rows.len()
                        ),
                        gate::Missing::ReadOnly | gate::Missing::Arming => release::words(&missing),
                        other => format!("{name}: {}", release::words(other)),
                    };
                    if !found.contains(&words) {
                        found.push(words);
                    }
                }
            }
            (Ok(_), None) => {}
        }
    }
    found
}

fn refused(missing: &[String]) -> Failure {
    let failure = Failure::new(FailureKind::Refused, "refused: nothing was changed");
    missing.iter().cloned().fold(failure, Failure::hint)
}

fn confirmed(rows: Vec<Row>) -> Vec<(Workload, Plan, Vec<Verdict>)> {
    let made: Vec<_> = rows
        .into_iter()
        .filter_map(|row| {
            let (plan, verdicts) = row.made.ok()?;
            Some((row.workload, plan, verdicts))
        })
        .collect();
    let strictest = made.iter().map(|(_, plan, _)| plan.level);
    let strictest = strictest.max_by_key(|level| gate::rank(*level));
    let at_strictest = |(workload, mut plan, verdicts): (Workload, Plan, Vec<Verdict>)| {
        plan.level = strictest.unwrap_or(plan.level);
        (workload, plan, verdicts)
    };
    made.into_iter().map(at_strictest).collect()
}

/// From the first write to the last end.
struct Run<'a> {
    config: &'a Config,
    how: &'a How,
    rows: Vec<(Workload, Plan, Vec<Verdict>)>,
    answers: Answers,
    batch: Batch,
    /// Of those that the server accepted, until they end.
    goals: Vec<Option<Goal>>,
    said: Vec<String>,
    late: bool,
}

/// What happens next.
enum Next {
    Fact(usize, Progress),
    Late(usize),
    News,
    Left,
}

impl<'a> Run<'a> {
    fn new(
        config: &'a Config,
        how: &'a How,
        rows: Vec<(Workload, Plan, Vec<Verdict>)>,
        answers: Answers,
        at_once: usize,
    ) -> Self {
        Self {
            batch: Batch::new(rows.len(), at_once),
            goals: vec![None; rows.len()],
            config,
            how,
            rows,
            answers,
            said: Vec::new(),
            late: false,
        }
    }

    async fn go(&mut self, session: &mut Session) -> Result<String, Failure> {
        let user = kube::identify(&session.cluster).await.ok();
        let user = user.and_then(|identity| identity.user);
        session.last();
        let all: Vec<Workload> = self
            .rows
            .iter()
            .map(|(workload, ..)| workload.clone())
            .collect();
        session.details(&all.iter().collect::<Vec<_>>()).await?;
        let mut facts: SelectAll<BoxStream<'static, (usize, Progress)>> = SelectAll::new();
        let mut limits = FuturesUnordered::new();
        let mut tick = interval(Duration::from_secs(1));
        loop {
            for n in self.batch.start() {
                let order = release::order(
                    self.config,
                    session,
                    (&self.rows[n].1, &self.answers, &self.rows[n].2),
                    user.clone(),
                );
                let sent = actions::execute(session.cluster.clone(), order);
                facts.push(sent.map(move |fact| (n, fact)).boxed());
                let limit = Duration::from_secs(self.how.timeout);
                limits.push(async move {
                    sleep(limit).await;
                    n
                });
            }
            if self.batch.is_over() {
                self.note_untouched(user.as_deref()).await;
                return self.ended();
            }
            let next = tokio::select! {
                Some((n, fact)) = facts.next() => Next::Fact(n, fact),
                Some(n) = limits.next() => Next::Late(n),
                () = session.step() => Next::News,
                _ = tick.tick() => Next::News,
                _ = tokio::signal::ctrl_c() => Next::Left,
            };
            match next {
                Next::Fact(n, fact) => self.heard(n, fact)?,
                Next::Late(n) => self.too_late(n),
                Next::News => {}
                Next::Left => {
                    self.batch.stop("not begun, because you stopped it".into());
                    self.note_untouched(user.as_deref()).await;
                    let words = self.batch.summary();
                    let sentence = format!("no longer followed: {words}; what was sent goes on");
                    return Err(Failure::new(FailureKind::TimedOut, sentence));
                }
            }
            self.look(session).await?;
        }
    }

    /// What was confirmed and never had its turn is on record as well.
    async fn note_untouched(&self, user: Option<&str>) {
        for ((_, plan, verdicts), state) in self.rows.iter().zip(self.batch.rows()) {
            if let State::Untouched(why) = state {
                let given = (plan, &self.answers, &**verdicts);
                let state_dir = &self.config.state_dir;
                engine::write_not_begun(state_dir, given, user, why.clone()).await;
            }
        }
    }

    fn name(&self, n: usize) -> String {
        self.rows[n].0.id.name.to_string()
    }

    fn say(&mut self, n: usize, words: &str) -> Result<(), Failure> {
        let line = format!("{}  {words}", self.rows[n].0.id);
        if self.how.output == Form::Json || self.said.contains(&line) {
            return Ok(());
        }
        output::line(&line)?;
        self.said.push(line);
        Ok(())
    }

    fn end(&mut self, n: usize, how: Result<String, String>) {
        let name = self.name(n);
        self.goals[n] = None;
        self.batch.end(n, how, &name);
    }

    fn heard(&mut self, n: usize, fact: Progress) -> Result<(), Failure> {
        match fact {
            Progress::Sent { .. } | Progress::Done { .. } => Ok(()),
            Progress::Waiting { why, .. } => self.say(n, &format!(".. {why}")),
            Progress::Accepted {
                step,
                at,
                generation,
            } => {
                let mut goal = self.goals[n].take().unwrap_or_else(|| {
                    let mut goal = self.rows[n].1.goal.clone();
                    goal.ready_for = self.config.verify_seconds;
                    goal
                });
                let first = if step == 0 { at } else { goal.accepted };
                goal.accept(first, generation);
                self.goals[n] = Some(goal);
                let steps: Vec<_> = self.rows[n].1.all_steps().collect();
                let what = steps.get(step).map_or("", |step| step.what()).to_owned();
                self.say(n, &format!("ok {what}"))
            }
            Progress::Refused { why, .. } => {
                self.say(n, &why.sentence)?;
                self.end(n, Err(why.sentence));
                Ok(())
            }
            Progress::Unknown { why, .. } => {
                let sentence = format!("it is not known whether it was done: {why}");
                self.say(n, &sentence)?;
                self.end(n, Err(sentence));
                Ok(())
            }
        }
    }

    fn too_late(&mut self, n: usize) {
        if self.batch.rows()[n] == State::UnderWay {
            self.late = true;
            let seconds = self.how.timeout;
            let words = format!("not verified within {seconds}s; the rollout goes on");
            self.end(n, Err(words));
        }
    }

    /// Folds what is known into what is followed.
    async fn look(&mut self, session: &Session) -> Result<(), Failure> {
        for n in 0..self.rows.len() {
            let Some(goal) = self.goals[n].clone() else {
                continue;
            };
            let (words, verified) =
                match crate::plan::follow::follow(&session.fleet, &goal, clock::now()) {
                    Follow::Pending(milestones) => {
                        for milestone in milestones {
                            let mark = if milestone.done { "ok" } else { ".." };
                            self.say(n, &format!("{mark} {}", milestone.text))?;
                        }
                        continue;
                    }
                    Follow::Done(words) => (words, true),
                    Follow::Failed(words) => (words, false),
                };
            self.say(n, &words)?;
            let end = engine::End {
                id: goal.id.clone(),
                workload: goal.workload.clone(),
                outcome: words.clone(),
                verified,
            };
            engine::write_end(&self.config.state_dir, end).await?;
            self.end(n, if verified { Ok(words) } else { Err(words) });
        }
        Ok(())
    }

    fn ended(&self) -> Result<String, Failure> {
        let summary = self.batch.summary();
        if self.batch.is_good() {
            return Ok(summary);
        }
        let kind = if self.late {
            FailureKind::TimedOut
        } else {
            FailureKind::Failed
        };
        let failure = Failure::new(kind, summary);
        let rows = self.rows.iter().zip(self.batch.rows());
        Err(
            rows.fold(failure, |failure, ((workload, ..), state)| match state {
                State::Failed(why) | State::Untouched(why) => {
                    failure.hint(format!("{}: {why}", workload.id.name))
                }
                State::Waiting | State::UnderWay | State::Done(_) => failure,
            }),
        )
    }

    /// What became of each.
    fn tell(&self, reports: &mut [Report]) {
        for (report, state) in reports.iter_mut().zip(self.batch.rows()) {
            match state {
                State::Done(words) => report.outcome = Some(words.clone()),
                State::Failed(words) | State::Untouched(words) => {
                    report.failure = Some(Failure::new(FailureKind::Failed, words.clone()));
                }
                State::Waiting | State::UnderWay => {}
            }
        }
    }
}
