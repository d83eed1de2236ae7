//! The doctor: what works and what does not, asked one by one.

use crate::app::effect::Effect;
use crate::app::event::{Diagnosis, JobId};
use crate::app::intent::Intent;
use crate::app::layout;
use crate::app::model::{DoctorScreen, Model, Screen};

use super::{key, next_job};

pub fn open(model: &mut Model) -> Vec<Effect> {
    let job = next_job(model);
    let mut effects = Vec::new();
    if let Some(Screen::Doctor(old)) = model.screens.last() {
        effects.push(Effect::Cancel { job: old.job });
        model.screens.pop();
    }
    model.overlay = None;
    model.screens.push(Screen::Doctor(DoctorScreen {
        job,
        findings: Vec::new(),
        done: false,
        offset: 0,
    }));
    effects.push(Effect::Diagnose {
        job,
        clusters: model.cluster_ids(),
    });
    effects
}

pub fn diagnosed(model: &mut Model, job: JobId, finding: Diagnosis) -> Vec<Effect> {
    for screen in &mut model.screens {
        if let Screen::Doctor(screen) = screen
            && screen.job == job
        {
            screen.done |= finding.last;
            screen.findings.push(finding);
            model.dirty = true;
            break;
        }
    }
    Vec::new()
}

pub fn act(model: &mut Model, intent: Intent) -> Vec<Effect> {
    let (page, rows) = (layout::page(model), layout::doctor_rows(model));
    let Some(Screen::Doctor(screen)) = model.screens.last_mut() else {
        return Vec::new();
    };
    // A finding has a hint below it more often than not.
    let last = (screen.findings.len() * 2).saturating_sub(rows);
    if let Some(to) = key::moved(intent, screen.offset, last + 1, page) {
        screen.offset = to;
    } else if intent == Intent::Retry {
        return open(model);
    } else if intent == Intent::Back {
        let job = screen.job;
        model.screens.pop();
        return vec![Effect::Cancel { job }];
    }
    Vec::new()
}
