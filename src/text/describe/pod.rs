//! A pod: where it runs, its containers and how each fares, its conditions and volumes.

use serde_json::Value;

use super::container::containers;
use super::page::{Page, array, conditions, text};
use super::volume::{placement, volumes};

pub fn pod(page: &mut Page, object: &Value) {
    let (spec, status) = (&object["spec"], &object["status"]);
    let phase = [&status["phase"], &status["reason"], &status["message"]].map(text);
    let phase: Vec<_> = phase.into_iter().filter(|word| !word.is_empty()).collect();
    page.field("phase", &phase.join(": "));
    page.field("node", &text(&spec["nodeName"]));
    page.field("started", &page.moment(&status["startTime"]));
    page.field("address", &text(&status["podIP"]));
    page.field("account", &text(&spec["serviceAccountName"]));
    page.field("priority", &text(&spec["priorityClassName"]));
    page.field("quality", &text(&status["qosClass"]));
    page.field("restarts when", &text(&spec["restartPolicy"]));
    placement(page, spec);
    containers(page, spec, status);
    conditions(page, array(&status["conditions"]));
    volumes(page, spec);
}
