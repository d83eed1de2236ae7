//! Plain jobs and builds, to be spoiled by each test in its own way.

use super::{Build, BuildId, Job, JobId, Queued, State};

fn id() -> JobId {
    JobId::new("ci", "shop/checkout/main")
}

/// It never ran.
pub fn job() -> Job {
    Job {
        id: id(),
        url: "https://ci.example/job/shop/job/checkout/job/main/".into(),
        buildable: true,
        managed: false,
        description: None,
        next_number: 1,
        queued: None,
        last: None,
        last_good: None,
        parameters: Vec::new(),
    }
}

pub fn queued() -> Queued {
    Queued {
        job: id(),
        item: Some(1),
        why: None,
        since: None,
        stuck: false,
        parameters: Vec::new(),
    }
}

pub fn build(number: u32, state: State) -> Build {
    Build {
        id: BuildId { job: id(), number },
        state,
        url: format!("{}{number}/", job().url).into(),
        item: None,
        started: None,
        duration: None,
        estimated: None,
        description: None,
        parameters: Vec::new(),
        causes: Vec::new(),
        trigger: super::Trigger::Other,
        sources: Vec::new(),
        commits: Vec::new(),
        culprits: Vec::new(),
        tests: None,
        artefacts: Vec::new(),
        stages: Vec::new(),
        image: None,
    }
}
