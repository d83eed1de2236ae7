//! Nights of two thousand services for the tests: an ordinary day, old troubles that nobody minds, and the change that
//! broke one service.

use jiff::Timestamp;

use super::{Gathered, Occurrence, Trace, Use, UseKind, What, Written};
use crate::domain::fixture::{self, IMAGE, OLD_IMAGE, ago, occurrence, written};
use crate::domain::{Kind, Revision, Truth, Workload, WorkloadId};

pub const TEMPLATE: &[&str] = &["spec.template"];

/// Numbers from a seed.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % n
    }

    pub fn ago(&mut self, from: u64, to: u64) -> i64 {
        i64::try_from(from + self.below(to - from)).unwrap()
    }
}

const SERVICES: u64 = 2_000;

/// Two thousand services on an ordinary day, and what broke one of them a while before `began`.
pub struct Night {
    pub gathered: Gathered,
    pub service: WorkloadId,
    pub began: Timestamp,
}

pub fn night(seed: u64) -> (Night, What) {
    let mut dice = Dice(seed);
    let (culprit, kind) = (dice.below(SERVICES), dice.below(6));
    let began = dice.ago(60, 7_200);
    let done = began + dice.ago(0, 1_200);
    let mut gathered = Gathered::default();
    for number in 0..SERVICES {
        let changed = if number == culprit && kind < 2 {
            done
        } else {
            dice.ago(60, 3 * 86_400)
        };
        let rolled_back = if number == culprit {
            kind == 1
        } else {
            dice.below(40) == 0
        };
        gathered.add(service(number, changed, rolled_back));
        let id = gathered.traces.last().unwrap().id().clone();
        let trace = gathered.traces.last_mut().unwrap();
        let settings: Box<str> = format!("settings-{number}").into();
        for kind in [UseKind::ConfigMap, UseKind::Secret] {
            let name = settings.clone();
            trace.uses.push(Use { kind, name });
        }
        if dice.below(4) == 0 && number != culprit {
            trace.writes.push(written(
                "kubectl-edit",
                dice.ago(60, 86_400),
                &["spec.replicas"],
            ));
        }
        let what = [What::Config, What::Secret][usize::from(dice.below(2) == 0)];
        if dice.below(3) == 0 && number != culprit {
            gathered
                .others
                .push(occurrence(what, &settings, dice.ago(60, 86_400)));
        }
        if dice.below(3) == 0 {
            gathered.others.push(Occurrence {
                services: vec![id.clone()],
                ..occurrence(What::Autoscaler, &settings, dice.ago(60, 86_400))
            });
        }
        if dice.below(10) == 0 || number == culprit {
            gathered.others.push(Occurrence {
                services: vec![id],
                words: format!("BackOff: {number}"),
                ..occurrence(What::Warning, "pod", dice.ago(1, 3_600))
            });
        }
    }
    nodes(&mut gathered, &mut dice);
    let (service, what) = broken(&mut gathered, (culprit, kind), done);
    let began = ago(began);
    unwell(&mut gathered, &mut dice, (culprit, began));
    (
        Night {
            gathered,
            service,
            began,
        },
        what,
    )
}

/// The one that broke, eight that have not stood well for hours or days, and two rollouts that nobody finished.
fn unwell(gathered: &mut Gathered, dice: &mut Dice, (culprit, began): (u64, Timestamp)) {
    unavailable(gathered, culprit, began);
    for number in 0..10 {
        let other = (culprit + 1 + dice.below(SERVICES - 1)) % SERVICES;
        let since = ago(dice.ago(5 * 3_600, 6 * 86_400));
        if number < 8 {
            unavailable(gathered, other, since);
        } else {
            let workload = workload(gathered, other);
            workload.written_by = Some(("jenkins".into(), since));
            (workload.counts.updated, workload.counts.total) = (2, 7);
            let gave_up =
                fixture::condition("Progressing", Truth::False, "ProgressDeadlineExceeded");
            workload.conditions = [gave_up].into();
        }
    }
}

fn unavailable(gathered: &mut Gathered, number: u64, since: Timestamp) {
    let mut condition = fixture::condition("Available", Truth::False, "Minimum");
    condition.changed = Some(since);
    workload(gathered, number).conditions = [condition].into();
}

fn workload(gathered: &mut Gathered, number: u64) -> &mut Workload {
    &mut gathered.traces[usize::try_from(number).unwrap()].workload
}

fn nodes(gathered: &mut Gathered, dice: &mut Dice) {
    for number in 0..30 {
        let node = format!("node-{number}");
        gathered
            .others
            .push(occurrence(What::Node, &node, dice.ago(60, 86_400)));
    }
}

/// Does to the service what it is that broke it, `done` seconds ago. Releases and rollbacks are done.
fn broken(gathered: &mut Gathered, (culprit, kind): (u64, u64), done: i64) -> (WorkloadId, What) {
    let trace = &mut gathered.traces[usize::try_from(culprit).unwrap()];
    let service = trace.id().clone();
    let what = [
        What::Release,
        What::Rollback,
        What::Config,
        What::Secret,
        What::Scale,
        What::Spec,
    ][usize::try_from(kind).unwrap()];
    let fields: &[&str] = match what {
        What::Scale => &["spec.replicas"],
        What::Spec => &["spec.strategy"],
        _ => &[],
    };
    if !fields.is_empty() {
        trace.writes.push(written("kubectl-edit", done, fields));
    }
    if matches!(what, What::Config | What::Secret) {
        let name = format!("settings-{culprit}");
        gathered.others.push(occurrence(what, &name, done));
    }
    (service, what)
}

/// One of two thousand, which was changed `seconds` ago; with a revision that is used again when it was rolled back.
fn service(number: u64, seconds: i64, rolled_back: bool) -> Gathered {
    let name = format!("svc-{number}");
    let mut workload = deployment(if rolled_back { 3 } else { 2 }, ("jenkins", seconds));
    workload.id.name = name.as_str().into();
    workload.uid = name.as_str().into();
    workload.created = ago(40 * 86_400);
    let own = |mut revision: Revision| {
        revision.workload = workload.id.clone();
        revision.owner = workload.uid.clone();
        revision.uid = format!("{name}-{}", revision.pod_hash).as_str().into();
        revision
    };
    let revisions = if rolled_back {
        let mut again = own(revision(3, "again", IMAGE, 30 * 86_400));
        again.former = [1].into();
        vec![again, own(revision(2, "bad", OLD_IMAGE, 20 * 86_400))]
    } else {
        vec![
            own(revision(2, "new", IMAGE, seconds)),
            own(revision(1, "old", OLD_IMAGE, 39 * 86_400)),
        ]
    };
    let writes = vec![written("jenkins", seconds, TEMPLATE)];
    gathered(trace(workload, writes), revisions)
}

pub fn trace(workload: Workload, writes: Vec<Written>) -> Trace {
    Trace {
        workload,
        writes,
        scaled_by: None,
        uses: Vec::new(),
    }
}

pub fn revision(number: u64, hash: &str, image: &str, seconds: i64) -> Revision {
    let mut revision = fixture::revision(Kind::Deployment, number, hash, image);
    revision.created = ago(seconds);
    revision
}

pub fn deployment(number: u64, written: (&str, i64)) -> Workload {
    let mut workload = fixture::workload(Kind::Deployment);
    workload.revision = Some(number);
    workload.written_by = Some((written.0.into(), ago(written.1)));
    workload
}

pub fn gathered(trace: Trace, revisions: Vec<Revision>) -> Gathered {
    Gathered {
        traces: vec![trace],
        revisions,
        ..Gathered::default()
    }
}
