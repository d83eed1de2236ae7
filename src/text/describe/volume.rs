//! The volumes of a pod spec, and where its pods may run.

use serde_json::Value;

use super::page::{Page, array, text};

pub fn volumes(page: &mut Page, spec: &Value) {
    let volumes = array(&spec["volumes"]);
    if volumes.is_empty() {
        return;
    }
    page.title("VOLUMES");
    for volume in volumes {
        page.under(|page| page.field(&text(&volume["name"]), &source(volume)));
    }
}

/// The only other field of a volume says what it is.
fn source(volume: &Value) -> String {
    let mut fields = volume.as_object().into_iter().flatten();
    let Some((kind, of)) = fields.find(|(field, _)| *field != "name") else {
        return String::new();
    };
    named(kind, of).unwrap_or_else(|| match kind.as_str() {
        "emptyDir" => format!("an empty folder {}", text(&of["medium"]))
            .trim_end()
            .to_owned(),
        "projected" => {
            let parts = array(&of["sources"]).iter().filter_map(|source| {
                let (kind, of) = source.as_object()?.iter().next()?;
                Some(named(kind, of).unwrap_or_else(|| kind.clone()))
            });
            parts.collect::<Vec<_>>().join(" + ")
        }
        kind => format!("{kind} {of}"),
    })
}

fn named(kind: &str, of: &Value) -> Option<String> {
    let (word, field) = match kind {
        "configMap" => ("configmap", "name"),
        "secret" if of["secretName"].is_string() => ("secret", "secretName"),
        "secret" => ("secret", "name"),
        "persistentVolumeClaim" => ("claim", "claimName"),
        "hostPath" => ("the node's", "path"),
        "csi" => ("csi", "driver"),
        "downwardAPI" => return Some("the pod's own fields".into()),
        "serviceAccountToken" => return Some("a token".into()),
        _ => return None,
    };
    let optional = if of["optional"] == true {
        ", if there is one"
    } else {
        ""
    };
    Some(format!("{word} {}{optional}", of[field].as_str()?))
}

pub fn placement(page: &mut Page, spec: &Value) {
    page.map("node selector", &spec["nodeSelector"], |_| true);
    page.field("affinity", &text(&spec["affinity"]));
    page.fields(
        "tolerates",
        array(&spec["tolerations"]).iter().map(toleration),
    );
}

/// `team=x NoSchedule for 300s`
fn toleration(one: &Value) -> String {
    let key = one["key"].as_str().unwrap_or("everything");
    let value = match text(&one["value"]) {
        value if value.is_empty() => value,
        value => format!("={value}"),
    };
    let seconds = match text(&one["tolerationSeconds"]) {
        seconds if seconds.is_empty() => seconds,
        seconds => format!("for {seconds}s"),
    };
    let words = format!("{key}{value} {} {seconds}", text(&one["effect"]));
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}
