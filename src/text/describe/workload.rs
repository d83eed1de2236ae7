//! A workload: how many of its pods there are, how it replaces them, and the template that it makes them from.

use serde_json::Value;

use super::container::containers;
use super::page::{Page, array, conditions, pairs, text};
use super::volume::{placement, volumes};

pub fn workload(page: &mut Page, object: &Value) {
    let (spec, status) = (&object["spec"], &object["status"]);
    page.field("pods", &counts(spec, status));
    let selector = &spec["selector"];
    page.map("selects", &selector["matchLabels"], |_| true);
    page.fields("and", array(&selector["matchExpressions"]).iter().map(text));
    page.field("strategy", &strategy(spec));
    if spec["paused"] == true {
        page.field("paused", "yes");
    }
    for (field, label, unit) in [
        ("minReadySeconds", "ready for", "s"),
        ("progressDeadlineSeconds", "gives up in", "s"),
        ("revisionHistoryLimit", "keeps", " revisions"),
        ("backoffLimit", "tries again", " times"),
    ] {
        if let Some(number) = spec[field].as_u64() {
            page.field(label, &format!("{number}{unit}"));
        }
    }
    page.field("service", &text(&spec["serviceName"]));
    let template = &spec["template"];
    page.title("POD TEMPLATE");
    page.under(|page| {
        page.map("labels", &template["metadata"]["labels"], |_| true);
        page.map("annotations", &template["metadata"]["annotations"], |_| {
            true
        });
        page.field("account", &text(&template["spec"]["serviceAccountName"]));
        page.field("priority", &text(&template["spec"]["priorityClassName"]));
        placement(page, &template["spec"]);
    });
    containers(page, &template["spec"], &Value::Null);
    volumes(page, &template["spec"]);
    conditions(page, array(&status["conditions"]));
}

/// `6 wanted, 6 updated, 5 ready`: what the kind counts, under its own names for it.
fn counts(spec: &Value, status: &Value) -> String {
    let counted = [
        (&spec["replicas"], "wanted"),
        (&status["desiredNumberScheduled"], "wanted"),
        (&status["updatedReplicas"], "updated"),
        (&status["updatedNumberScheduled"], "updated"),
        (&status["readyReplicas"], "ready"),
        (&status["numberReady"], "ready"),
        (&status["availableReplicas"], "available"),
        (&status["numberAvailable"], "available"),
        (&status["numberMisscheduled"], "where they should not be"),
        (&spec["completions"], "to be done"),
        (&status["active"], "running"),
        (&status["succeeded"], "done"),
        (&status["failed"], "failed"),
    ];
    let said = counted.iter().filter_map(|(number, word)| {
        let number = number.as_u64()?;
        let tells = number > 0 || matches!(*word, "wanted" | "ready");
        tells.then(|| format!("{number} {word}"))
    });
    said.collect::<Vec<_>>().join(", ")
}

fn strategy(spec: &Value) -> String {
    let strategy = match &spec["strategy"] {
        Value::Null => &spec["updateStrategy"],
        of_deployment => of_deployment,
    };
    let numbers = pairs(&strategy["rollingUpdate"]);
    let words = format!("{} {numbers}", text(&strategy["type"]));
    words.trim_end().to_owned()
}
