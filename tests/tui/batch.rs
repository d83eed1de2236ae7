//! Marks and the plan of several, in each of their states.

use rolldeck::app::Model;
use rolldeck::app::model::{BatchBox, Overlay, Stage};
use rolldeck::domain::{Failure, FailureKind};
use rolldeck::plan::batch::Batch;
use rolldeck::plan::{CheckId, Finding, Plan};

use super::plans::{asked, back_plan, says};
use super::snapshots::{check, with_keys};

/// Five services marked, `r` pressed, and every row as `make` says.
fn several(width: u16, height: u16, make: impl Fn(&Plan, &mut BatchBox)) -> Model {
    let keys = [
        "space", "j", "space", "j", "space", "j", "space", "j", "space", "R",
    ];
    let mut model = with_keys(width, height, &keys);
    let template = back_plan(&model);
    assert_eq!(model.overlay, Some(Overlay::Batch));
    let mut batch = model.batch.take().expect("R opens a plan of rows");
    for row in &mut batch.rows {
        let mut plan = template.clone();
        plan.workload = row.shown.workload.clone();
        plan.stamp.id = format!("id-{}", plan.workload.name);
        plan.checks.truncate(4);
        let ok = [CheckId::Permission, CheckId::DryRun];
        let verdicts = ok.map(|check| says(check, Finding::Ok, "fine")).into();
        row.shown.stage = asked(Box::new(plan), verdicts);
    }
    make(&template, &mut batch);
    model.batch = Some(batch);
    model
}

fn refuse(batch: &mut BatchBox, n: usize) {
    let sentence = "deploy/x has only one revision, so there is nothing to roll back to.";
    batch.rows[n].shown.stage = Stage::Refused {
        failure: Failure::new(FailureKind::Refused, sentence),
    };
}

#[test]
fn marks_on_the_board() {
    check("board_marks", |w, h| {
        with_keys(w, h, &["space", "j", "j", "space"])
    });
}

#[test]
fn a_plan_of_rows() {
    check("batch", |w, h| {
        several(w, h, |_, batch| {
            refuse(batch, 1);
            if let Stage::Shown { verdicts, .. } = &mut batch.rows[2].shown.stage {
                let sentence = "Helm release search owns it: the next helm upgrade brings its own version back";
                verdicts.push(says(CheckId::Owner, Finding::Warn, sentence));
            }
            batch.rows[4].left_out = true;
        })
    });
}

#[test]
fn a_plan_of_rows_under_way() {
    check("batch_under_way", |w, h| {
        several(w, h, |_, batch| {
            let mut run = Batch::new(batch.rows.len(), 2);
            run.start();
            run.end(
                0,
                Ok("verified: 6/6 pods run 2.14.1, ready for 30s".into()),
                "checkout",
            );
            run.start();
            run.end(1, Err("not verified: image not found".into()), "recommend");
            batch.run = Some(run);
        })
    });
}

#[test]
fn what_is_asked_of_several() {
    check("batch_question", |w, h| {
        with_keys(w, h, &["space", "j", "space", "s", "4"])
    });
}
