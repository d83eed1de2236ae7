//! Who may send what: the only maker of passes, and `actions::send` takes nothing without one.

use crate::domain::{Level, WorkloadId};

use super::check::CheckState;
use super::{BuildWish, CheckId, Finding, ImagePlan, Plan, RestorePlan, Verdict};

/// What the person has given so far.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Answers {
    pub readonly: bool,
    /// `!` armed writes and the ten minutes have not passed.
    pub armed: bool,
    /// enter on the button (`open`), `y` (`guarded`, `protected`), or `--yes`.
    pub confirmed: bool,
    /// The service's name, typed.
    pub typed_name: String,
    /// It is one of so many that were confirmed together: then their number is what is typed.
    pub several: Option<usize>,
    /// Why it is done. Nobody has to say so; it goes into the record.
    pub reason: Option<String>,
    /// `O` with a reason.
    pub override_reason: Option<String>,
}

impl Answers {
    /// What a protected environment wants typed.
    pub fn word(&self, workload: &WorkloadId) -> String {
        match self.several {
            Some(count) => count.to_string(),
            None => workload.name.to_string(),
        }
    }
}

/// What still stands between a plan and its execution, in the order in which to say it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    ReadOnly,
    Arming,
    /// A must-check has not answered.
    Answer(CheckId),
    /// Blocked, and no reason lifts it.
    Blocked(CheckId),
    /// Blocked; `O` and a reason lift it.
    Override(CheckId),
    Confirmation,
    Name,
}

/// Proof that the gate was passed. Only this module makes one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    kind: PassKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassKind {
    DryRun,
    Real,
}

impl Pass {
    pub fn kind(&self) -> PassKind {
        self.kind
    }

    /// A dry run needs no confirmation, but read-only mode sends none.
    pub fn dry_run(readonly: bool) -> Option<Self> {
        (!readonly).then_some(Self {
            kind: PassKind::DryRun,
        })
    }
}

/// Everything that is missing; empty when the plan may be executed.
pub fn missing(level: Level, plan: &Plan, verdicts: &[Verdict], answers: &Answers) -> Vec<Missing> {
    let mut missing = before_checks(level, answers);
    let overridden = overridden(answers);
    let checks = CheckId::ALL.into_iter();
    missing.extend(checks.filter_map(|check| of_check(check, plan, verdicts, overridden)));
    missing.extend(after_checks(level, &answers.word(&plan.workload), answers));
    missing
}

/// The same for what is asked of a server that builds, which nothing but the person's word stands before.
pub fn missing_for_build(wish: &BuildWish, answers: &Answers) -> Vec<Missing> {
    let mut missing = before_checks(wish.level, answers);
    missing.extend(after_checks(
        wish.level,
        &answers.word(&wish.workload),
        answers,
    ));
    missing
}

/// The pass for it.
///
/// # Errors
/// What is missing.
pub fn pass_for_build(wish: &BuildWish, answers: &Answers) -> Result<Pass, Vec<Missing>> {
    real(missing_for_build(wish, answers))
}

/// The same for an image that is built or copied: what was found out with the plan, and the person's word.
pub fn missing_for_image(plan: &ImagePlan, answers: &Answers) -> Vec<Missing> {
    let mut missing = before_checks(plan.level, answers);
    let blocks = plan.checks.iter().filter(|v| v.finding == Finding::Block);
    if !overridden(answers) {
        missing.extend(blocks.map(|verdict| Missing::Override(verdict.check)));
    }
    missing.extend(after_checks(plan.level, &plan.workload.name, answers));
    missing
}

/// The pass for it.
///
/// # Errors
/// What is missing.
pub fn pass_for_image(plan: &ImagePlan, answers: &Answers) -> Result<Pass, Vec<Missing>> {
    real(missing_for_image(plan, answers))
}

/// The same for what is made again from a snapshot: its dry runs have answered.
pub fn missing_for_restore(plan: &RestorePlan, answers: &Answers) -> Vec<Missing> {
    let mut missing = before_checks(plan.level, answers);
    let mut blocks: Vec<_> = plan.checks.iter().collect();
    blocks.retain(|verdict| verdict.finding == Finding::Block);
    blocks.sort_by_key(|verdict| verdict.check);
    blocks.dedup_by_key(|verdict| verdict.check);
    for block in blocks {
        if block.check.final_block() {
            missing.push(Missing::Blocked(block.check));
        } else if !overridden(answers) {
            missing.push(Missing::Override(block.check));
        }
    }
    let asked = |verdict: &Verdict| verdict.check == CheckId::DryRun;
    let silent = |verdict: &Verdict| asked(verdict) && verdict.finding == Finding::Unverified;
    if !plan.checks.iter().any(asked) || plan.checks.iter().any(silent) {
        missing.push(Missing::Answer(CheckId::DryRun));
    }
    missing.extend(after_checks(plan.level, &plan.word(), answers));
    missing
}

/// The pass for it.
///
/// # Errors
/// What is missing.
pub fn pass_for_restore(plan: &RestorePlan, answers: &Answers) -> Result<Pass, Vec<Missing>> {
    real(missing_for_restore(plan, answers))
}

fn overridden(answers: &Answers) -> bool {
    let reason = answers.override_reason.as_deref();
    reason.is_some_and(|reason| !reason.trim().is_empty())
}

fn before_checks(level: Level, answers: &Answers) -> Vec<Missing> {
    let mut missing = Vec::new();
    if answers.readonly {
        missing.push(Missing::ReadOnly);
    }
    if rule(level).arming && !answers.armed {
        missing.push(Missing::Arming);
    }
    missing
}

/// `word` is what a protected environment wants typed.
fn after_checks(level: Level, word: &str, answers: &Answers) -> Vec<Missing> {
    let mut missing = Vec::new();
    if !answers.confirmed {
        missing.push(Missing::Confirmation);
    }
    if rule(level).typed_name && answers.typed_name != word {
        missing.push(Missing::Name);
    }
    missing
}

/// The pass for the real write.
///
/// # Errors
/// What is missing.
pub fn pass(
    level: Level,
    plan: &Plan,
    verdicts: &[Verdict],
    answers: &Answers,
) -> Result<Pass, Vec<Missing>> {
    real(missing(level, plan, verdicts, answers))
}

fn real(missing: Vec<Missing>) -> Result<Pass, Vec<Missing>> {
    if missing.is_empty() {
        Ok(Pass {
            kind: PassKind::Real,
        })
    } else {
        Err(missing)
    }
}

/// The stricter, the higher.
pub fn rank(level: Level) -> u8 {
    match level {
        Level::Open => 0,
        Level::Guarded => 1,
        Level::Protected => 2,
    }
}

struct Rule {
    arming: bool,
    typed_name: bool,
}

/// The table of the levels. Confirmation and the must-checks are asked for at each of them.
fn rule(level: Level) -> Rule {
    let (arming, typed_name) = match level {
        Level::Open | Level::Guarded => (false, false),
        Level::Protected => (true, true),
    };
    Rule { arming, typed_name }
}

fn of_check(
    check: CheckId,
    plan: &Plan,
    verdicts: &[Verdict],
    overridden: bool,
) -> Option<Missing> {
    match worst(check, plan, verdicts) {
        None => check.must().then_some(Missing::Answer(check)),
        Some(Finding::Ok | Finding::Warn) => None,
        Some(Finding::Unverified) => match check {
            // Nobody knows whether this is still the object that was shown.
            CheckId::Unchanged => Some(Missing::Blocked(check)),
            CheckId::DryRun => Some(Missing::Answer(check)),
            // The dry run is authorized like the write: accepted, it proves the permission.
            CheckId::Permission
            | CheckId::Differs
            | CheckId::Image
            | CheckId::Origin
            | CheckId::Soak
            | CheckId::Config
            | CheckId::Settings
            | CheckId::Withdrawn
            | CheckId::Changed
            | CheckId::Owner
            | CheckId::Paused
            | CheckId::Commits
            | CheckId::Strategy
            | CheckId::Hold
            | CheckId::Quota
            | CheckId::Downtime
            | CheckId::Readiness
            | CheckId::History
            | CheckId::Siblings
            | CheckId::Builds
            | CheckId::Autoscaler
            | CheckId::Analysis
            | CheckId::Metrics
            | CheckId::Presence
            | CheckId::Controller => None,
        },
        Some(Finding::Block) if check.final_block() => Some(Missing::Blocked(check)),
        Some(Finding::Block) => (!overridden).then_some(Missing::Override(check)),
    }
}

/// A check that answered twice counts with the worse answer.
fn worst(check: CheckId, plan: &Plan, verdicts: &[Verdict]) -> Option<Finding> {
    let known = plan.checks.iter().filter_map(|line| match &line.state {
        CheckState::Answered(verdict) => Some(verdict),
        CheckState::Asking(_) => None,
    });
    known
        .chain(verdicts)
        .filter(|verdict| verdict.check == check)
        .map(|verdict| verdict.finding)
        .max_by_key(|finding| match finding {
            Finding::Ok => 0,
            Finding::Warn => 1,
            Finding::Unverified => 2,
            Finding::Block => 3,
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::verbs::rollback::sample;

    const FINDINGS: [Option<Finding>; 5] = [
        None,
        Some(Finding::Ok),
        Some(Finding::Warn),
        Some(Finding::Block),
        Some(Finding::Unverified),
    ];

    fn answered(findings: &[(CheckId, Option<Finding>)]) -> Vec<Verdict> {
        let given = findings.iter().filter_map(|(check, finding)| {
            Some(Verdict {
                check: *check,
                finding: (*finding)?,
                sentence: String::new(),
            })
        });
        given.collect()
    }

    fn every_answer() -> Vec<Answers> {
        let mut all = Vec::new();
        for bits in 0..8_u8 {
            for name in ["", "chec", "checkout"] {
                for reason in [None, Some(" "), Some("INC-812")] {
                    all.push(Answers {
                        readonly: bits & 1 > 0,
                        armed: bits & 2 > 0,
                        confirmed: bits & 4 > 0,
                        typed_name: name.into(),
                        several: None,
                        reason: None,
                        override_reason: reason.map(Into::into),
                    });
                }
            }
        }
        all
    }

    fn check_invariants(
        level: Level,
        found: [(CheckId, Option<Finding>); 4],
        answers: &Answers,
        passed: bool,
    ) {
        let [permission, unchanged, dry_run, config] = found.map(|(_, finding)| finding);
        let fine = |finding| matches!(finding, Some(Finding::Ok | Finding::Warn));
        let overridden = answers.override_reason.as_deref() == Some("INC-812");
        let blocked = Some(Finding::Block);
        let may = permission.is_some() && permission != blocked;
        let accepted = fine(dry_run) || (dry_run == blocked && overridden);
        let person = answers.confirmed
            && (level != Level::Protected || (answers.armed && answers.typed_name == "checkout"));
        let want = !answers.readonly
            && person
            && may
            && fine(unchanged)
            && accepted
            && (config != blocked || overridden);
        assert_eq!(passed, want, "{level:?} {found:?} {answers:?}");
    }

    #[test]
    fn the_whole_table() {
        let plan = sample::plan();
        let every = every_answer();
        let mut passes = 0;
        for level in [Level::Open, Level::Guarded, Level::Protected] {
            for n in 0..625_usize {
                let found = [
                    (CheckId::Permission, FINDINGS[n % 5]),
                    (CheckId::Unchanged, FINDINGS[n / 5 % 5]),
                    (CheckId::DryRun, FINDINGS[n / 25 % 5]),
                    (CheckId::Config, FINDINGS[n / 125]),
                ];
                let given = answered(&found);
                for answers in &every {
                    let outcome = pass(level, &plan, &given, answers);
                    assert_eq!(
                        outcome.clone().err().unwrap_or_default(),
                        missing(level, &plan, &given, answers)
                    );
                    check_invariants(level, found, answers, outcome.is_ok());
                    passes += usize::from(outcome.is_ok());
                }
            }
        }
        assert!(passes > 0);
    }

    /// A warning, or an answer that nobody has, of any but the three must-checks holds nothing up; only a block does.
    #[test]
    fn the_checks_that_only_advise() {
        let plan = sample::plan();
        let answers = Answers {
            confirmed: true,
            ..Answers::default()
        };
        let musts = [CheckId::Permission, CheckId::Unchanged, CheckId::DryRun];
        for check in CheckId::ALL.into_iter().filter(|check| !check.must()) {
            for finding in FINDINGS {
                let mut given = answered(&musts.map(|must| (must, Some(Finding::Ok))));
                given.extend(answered(&[(check, finding)]));
                let held = if finding == Some(Finding::Block) {
                    vec![Missing::Override(check)]
                } else {
                    vec![]
                };
                let missing = missing(Level::Guarded, &plan, &given, &answers);
                assert_eq!(missing, held, "{check:?} {finding:?}");
            }
        }
    }

    #[test]
    fn what_is_missing_is_said_in_order() {
        let plan = sample::plan();
        let answers = Answers {
            readonly: true,
            ..Answers::default()
        };
        let given = answered(&[
            (CheckId::Unchanged, Some(Finding::Block)),
            (CheckId::Config, Some(Finding::Block)),
        ]);
        assert_eq!(
            missing(Level::Protected, &plan, &given, &answers),
            [
                Missing::ReadOnly,
                Missing::Arming,
                Missing::Answer(CheckId::Permission),
                Missing::Blocked(CheckId::Unchanged),
                Missing::Answer(CheckId::DryRun),
                Missing::Override(CheckId::Config),
                Missing::Confirmation,
                Missing::Name,
            ]
        );
    }

    #[test]
    fn one_of_several_wants_their_number_and_not_its_name() {
        let plan = sample::plan();
        let must = [CheckId::Permission, CheckId::Unchanged, CheckId::DryRun];
        let given = answered(&must.map(|check| (check, Some(Finding::Ok))));
        for (typed, several, passes) in [
            ("5", Some(5), true),
            ("checkout", Some(5), false),
            ("4", Some(5), false),
            ("5", None, false),
            ("checkout", None, true),
        ] {
            let answers = Answers {
                armed: true,
                confirmed: true,
                typed_name: typed.into(),
                several,
                ..Answers::default()
            };
            let passed = pass(Level::Protected, &plan, &given, &answers).is_ok();
            assert_eq!(passed, passes, "{typed} {several:?}");
        }
    }

    #[test]
    fn read_only_sends_no_dry_run() {
        assert_eq!(Pass::dry_run(true), None);
        assert_eq!(Pass::dry_run(false).unwrap().kind(), PassKind::DryRun);
    }

    #[test]
    fn a_restore_waits_for_its_dry_runs_and_a_reason_does_not_lift_every_block() {
        let missing = |findings: &[(CheckId, Finding)], answers: &Answers| {
            let plan = RestorePlan {
                level: Level::Guarded,
                services: Vec::new(),
                checks: answered(
                    &findings
                        .iter()
                        .map(|(id, f)| (*id, Some(*f)))
                        .collect::<Vec<_>>(),
                ),
            };
            missing_for_restore(&plan, answers)
        };
        let reason = Some("INC-812".into());
        let yes = Answers {
            confirmed: true,
            override_reason: reason,
            ..Answers::default()
        };
        let fine = (CheckId::DryRun, Finding::Ok);
        let blocks = |check| (check, Finding::Block);
        assert_eq!(missing(&[], &yes), [Missing::Answer(CheckId::DryRun)]);
        assert_eq!(missing(&[fine, blocks(CheckId::Config)], &yes), []);
        assert_eq!(
            missing(&[fine, blocks(CheckId::Permission)], &yes),
            [Missing::Blocked(CheckId::Permission)]
        );
        let no = Answers::default();
        assert_eq!(
            missing(&[fine, blocks(CheckId::Config)], &no),
            [Missing::Override(CheckId::Config), Missing::Confirmation]
        );
    }
}
