//! The doctor, and what completes as one types.

use super::*;
use crate::app::event::{Diagnosis, JobId};
use crate::app::model::DoctorScreen;

fn doctor(model: &Model) -> &DoctorScreen {
    let Some(Screen::Doctor(screen)) = model.screens.last() else {
        panic!("{:?}", model.screens)
    };
    screen
}

fn typed(model: &Model) -> &str {
    match &model.overlay {
        Some(Overlay::Palette { field, .. } | Overlay::Picker { field, .. }) => field.value(),
        other => panic!("{other:?}"),
    }
}

pub fn finding(model: &mut Model, job: JobId, last: bool) {
    let finding = Diagnosis {
        finding: Finding::Ok,
        about: "server".into(),
        sentence: "answers".into(),
        hint: None,
        hook: None,
        last,
    };
    update(model, Event::Diagnosed { job, finding });
}

#[test]
fn the_doctor_gathers_findings_until_the_last_and_asks_again() {
    let mut model = fleet();
    let effects = keys(&mut model, ":doctor\n");
    assert!(matches!(effects.as_slice(), [Effect::Diagnose { .. }]));
    let first = doctor(&model).job;
    finding(&mut model, first, false);
    assert!(!doctor(&model).done);
    finding(&mut model, first, true);
    assert!(doctor(&model).done && doctor(&model).findings.len() == 2);
    let effects = keys(&mut model, "^r");
    assert!(
        matches!(effects.as_slice(), [Effect::Cancel { job }, Effect::Diagnose { .. }] if *job == first)
    );
    finding(&mut model, first, true);
    assert_eq!(doctor(&model).findings, [], "of the one before");
    let job = doctor(&model).job;
    assert_eq!(keys(&mut model, "q"), [Effect::Cancel { job }]);
    assert!(model.screens.is_empty());
}

#[test]
fn commands_and_services_complete() {
    let mut model = fleet();
    keys(&mut model, ":roll\t");
    assert_eq!(typed(&model), "rollback");
    keys(&mut model, "^usvc che\t");
    assert_eq!(typed(&model), "svc checkout");
    keys(&mut model, "\n");
    assert!(
        matches!(model.screens.last(), Some(Screen::Service(s)) if &*s.workload.name == "checkout")
    );
    keys(&mut model, ":nonsense\n");
    let (cluster, outcome) = ("prod-eu".into(), Ok(Vec::new()));
    update(&mut model, Event::Discovered { cluster, outcome });
    let said = model.notice.unwrap().text;
    assert!(said.contains("no command and no kind nonsense"), "{said}");
}

#[test]
fn the_namespaces_of_the_cluster_complete() {
    let mut model = fleet();
    let effects = keys(&mut model, ":ns\n");
    let [Effect::ListNamespaces { job, .. }] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    let outcome = Ok(["pay", "payments", "shop"].map(String::from).into());
    update(&mut model, Event::NamesListed { job: *job, outcome });
    keys(&mut model, "paym\t");
    assert_eq!(typed(&model), "payments");
    keys(&mut model, "\n");
    assert_eq!(model.clusters[0].scope.namespaces, ["payments".into()]);
}
