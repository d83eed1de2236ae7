//! A promotion that ends between its two writes leaves the analysis off: it is said, and one key puts it on again.

use serde_json::{Value, json};

use super::{Owned, wait_row};
use crate::kinds::{record, spoken};
use crate::screen::{launch, wait_plan_to};
use crate::support::wait;

#[test]
fn an_analysis_that_was_left_off_is_told_and_put_on_again() {
    let owned = Owned::new("left-off", &[], 9);
    let web = &owned.web;
    // Its pods do not come, so that the promotion waits between its two writes.
    web.set_image("2.15.0-unpullable");
    web.wait_phase("Progressing");
    let promote = ["promote", "web", "--yes", "--override", "in a hurry"];
    let mut promoting = launch(&owned.kubeconfig, owned.home.path())
        .with(&promote)
        .open();
    let switch = || web.read()["spec"]["skipAnalysis"].clone();
    wait::until("the analysis is off", || (switch() == true).then_some(()));
    promoting.signal("KILL");
    promoting.wait_exit();
    // What Flagger would write over at its next look is not begun.
    for arguments in [
        &["restart", "web-primary"][..],
        &["scale", "web-primary", "5"],
    ] {
        let arguments = [arguments, &["--yes"]].concat();
        owned.refuses(
            &arguments,
            &[
                "skipAnalysis of the Canary web is on",
                "Flagger writes deploy/web over it",
            ],
        );
    }
    let terminal = owned.open();
    terminal.wait_text("promote of deploy/web was interrupted at");
    terminal.wait_text("skipAnalysis of the Canary");
    terminal.keys("q");
    let doctor = || spoken(&launch(&owned.kubeconfig, owned.home.path()).with(&["doctor"])).1;
    let told = doctor();
    let words = "is on: a new template of deploy/web goes to all unchecked";
    assert!(told.contains(words), "{told}");
    // So it does.
    web.set_image("2.16.0");
    wait_row(
        &terminal,
        "skipAnalysis is on: a new template goes to all unchecked",
    );
    assert!(web.primary().ends_with("2.16.0"));
    wait_row(&terminal, "serves · u");
    terminal.keys("u");
    wait_plan_to(&terminal, "RESUME");
    let plan = terminal.picture();
    for part in ["skipAnalysis  yes → no", "the next template is judged"] {
        assert!(plan.contains(part), "{part}: {plan}");
    }
    terminal.keys("y");
    terminal.wait_text("verified: its analysis is on again");
    assert_eq!(switch(), Value::Null);
    assert!(!doctor().contains(words));
    wait_row(&terminal, "web-primary serves");
    let record = record(owned.home.path());
    assert!(record.contains(r#""analysis":true"#), "{record}");
    owned.refuses(&["resume", "web", "--yes"], &["is not suspended"]);
    assert_eq!(web.read()["status"]["phase"], json!("Succeeded"));
}
