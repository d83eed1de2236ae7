//! Refuses and follows nothing, until the room of plans answers itself.

use jiff::Timestamp;

use crate::domain::{Failure, FailureKind, Fleet, Level, Revision, Workload};
use crate::plan::{Answers, Evidence, Follow, Goal, Missing, Pass, Plan, Refusal, Verdict};

pub fn plan(_: &Fleet, _: &Evidence, _: Timestamp) -> Result<Plan, Refusal> {
    Err(Refusal {
        failure: Failure::new(FailureKind::Refused, "plans cannot be made yet"),
        moved: false,
    })
}

pub fn missing(_: Level, _: &Plan, _: &[Verdict], _: &Answers) -> Vec<Missing> {
    vec![Missing::Confirmation]
}

pub fn pass(_: Level, _: &Plan, _: &[Verdict], _: &Answers) -> Result<Pass, Vec<Missing>> {
    Err(vec![Missing::Confirmation])
}

pub fn follow(_: &Fleet, _: &Goal, _: Timestamp) -> Follow {
    Follow::Pending(Vec::new())
}

pub fn goal_from_note(_: &Workload, _: &[Revision]) -> Option<Goal> {
    None
}

pub fn accept(goal: &mut Goal, at: Timestamp, _: Option<i64>) {
    goal.accepted = at;
}
