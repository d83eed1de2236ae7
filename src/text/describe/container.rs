//! One container of a pod or of a template: what it runs, with what, and how it fares.

use serde_json::Value;

use super::page::{Page, array, pairs, text};

/// All of a pod spec, each with its state when the pod's `status` is known.
pub fn containers(page: &mut Page, spec: &Value, status: &Value) {
    for (list, states, title) in [
        ("initContainers", "initContainerStatuses", "INIT CONTAINER"),
        ("containers", "containerStatuses", "CONTAINER"),
        (
            "ephemeralContainers",
            "ephemeralContainerStatuses",
            "DEBUG CONTAINER",
        ),
    ] {
        for one in array(&spec[list]) {
            let mut all = array(&status[states]).iter();
            let own = all.find(|state| state["name"] == one["name"]);
            page.title(&format!("{title} {}", text(&one["name"])));
            page.under(|page| container(page, one, own));
        }
    }
}

fn container(page: &mut Page, spec: &Value, status: Option<&Value>) {
    if let Some(status) = status {
        page.field("state", &state(page, &status["state"]));
        page.field("before", &state(page, &status["lastState"]));
        let ready = match status["ready"].as_bool() {
            Some(true) => "yes",
            Some(false) | None => "no",
        };
        page.field("ready", ready);
        page.field("restarts", &text(&status["restartCount"]));
    }
    page.field("image", &text(&spec["image"]));
    page.field(
        "image id",
        &text(&status.unwrap_or(&Value::Null)["imageID"]),
    );
    page.field("command", &words(&spec["command"]));
    page.field("arguments", &words(&spec["args"]));
    let ports: Vec<_> = array(&spec["ports"]).iter().map(port).collect();
    page.field("ports", &ports.join(", "));
    page.field("requests", &pairs(&spec["resources"]["requests"]));
    page.field("limits", &pairs(&spec["resources"]["limits"]));
    for (field, label) in [
        ("startupProbe", "startup"),
        ("readinessProbe", "readiness"),
        ("livenessProbe", "liveness"),
    ] {
        page.field(label, &probe(&spec[field]));
    }
    page.fields("env", array(&spec["env"]).iter().map(variable));
    page.fields("env from", array(&spec["envFrom"]).iter().map(source));
    page.fields("mounts", array(&spec["volumeMounts"]).iter().map(mount));
}

/// One of waiting, running and terminated.
fn state(page: &Page, state: &Value) -> String {
    let Some((name, of)) = state.as_object().and_then(|map| map.iter().next()) else {
        return String::new();
    };
    let mut words = match name.as_str() {
        "running" => format!("running since {}", page.moment(&of["startedAt"])),
        "terminated" => format!(
            "ended {}, exit {}",
            page.moment(&of["finishedAt"]),
            text(&of["exitCode"])
        ),
        other => other.to_owned(),
    };
    for said in ["reason", "message"].map(|field| text(&of[field])) {
        if !said.is_empty() {
            words = format!("{words}: {said}");
        }
    }
    words
}

/// As one types them: with quotes where there is a space.
fn words(list: &Value) -> String {
    let quoted = |word: &Value| match word.as_str() {
        Some(plain) if !plain.is_empty() && !plain.contains(char::is_whitespace) => {
            plain.to_owned()
        }
        _ => word.to_string(),
    };
    let words: Vec<_> = array(list).iter().map(quoted).collect();
    words.join(" ")
}

/// `80/TCP http`
fn port(port: &Value) -> String {
    let protocol = port["protocol"].as_str().unwrap_or("TCP");
    let words = format!(
        "{}/{protocol} {}",
        text(&port["containerPort"]),
        text(&port["name"])
    );
    words.trim_end().to_owned()
}

/// `GET :8080/healthz, every 10s, 3 failures`
fn probe(probe: &Value) -> String {
    let (http, tcp, grpc) = (&probe["httpGet"], &probe["tcpSocket"], &probe["grpc"]);
    let asks = if http.is_object() {
        let scheme = match http["scheme"].as_str() {
            Some("HTTPS") => "https ",
            Some(_) | None => "",
        };
        format!(
            "{scheme}GET :{}{}",
            text(&http["port"]),
            text(&http["path"])
        )
    } else if tcp.is_object() {
        format!("connects to :{}", text(&tcp["port"]))
    } else if grpc.is_object() {
        format!("gRPC :{}", text(&grpc["port"]))
    } else if probe["exec"].is_object() {
        format!("runs {}", words(&probe["exec"]["command"]))
    } else {
        return String::new();
    };
    let times = [
        ("initialDelaySeconds", "after ", "s"),
        ("periodSeconds", "every ", "s"),
        ("timeoutSeconds", "within ", "s"),
        ("failureThreshold", "fails after ", ""),
    ];
    let said = times.iter().filter_map(|(field, before, after)| {
        let number = probe[*field].as_u64().filter(|number| *number > 0)?;
        Some(format!("{before}{number}{after}"))
    });
    std::iter::once(asks)
        .chain(said)
        .collect::<Vec<_>>()
        .join(", ")
}

/// A plain value is shown; of everything else where it comes from.
fn variable(variable: &Value) -> String {
    let (name, from) = (text(&variable["name"]), &variable["valueFrom"]);
    let key = |of: &str, kind: &str| {
        let reference = from[of].as_object()?;
        let field = |field: &str| reference.get(field).map(text).unwrap_or_default();
        Some(format!(
            "{name} from {kind} {}, key {}",
            field("name"),
            field("key")
        ))
    };
    key("secretKeyRef", "secret")
        .or_else(|| key("configMapKeyRef", "configmap"))
        .or_else(|| {
            Some(format!(
                "{name} from {}",
                from["fieldRef"]["fieldPath"].as_str()?
            ))
        })
        .or_else(|| {
            Some(format!(
                "{name} from {}",
                from["resourceFieldRef"]["resource"].as_str()?
            ))
        })
        .unwrap_or_else(|| match from {
            Value::Null => format!("{name}={}", text(&variable["value"])),
            other => format!("{name} from {other}"),
        })
}

/// `all of configmap settings`
fn source(source: &Value) -> String {
    let of = |field: &str, kind: &str| {
        let name = source[field]["name"].as_str()?;
        let prefix = text(&source["prefix"]);
        let as_what = match &*prefix {
            "" => String::new(),
            prefix => format!(", as {prefix}…"),
        };
        Some(format!("all of {kind} {name}{as_what}"))
    };
    of("configMapRef", "configmap")
        .or_else(|| of("secretRef", "secret"))
        .unwrap_or_else(|| source.to_string())
}

/// `/etc/app from files, read only`
fn mount(mount: &Value) -> String {
    let mut words = format!(
        "{} from {}",
        text(&mount["mountPath"]),
        text(&mount["name"])
    );
    if let Some(path) = mount["subPath"].as_str() {
        words = format!("{words}, its {path}");
    }
    if mount["readOnly"] == true {
        words.push_str(", read only");
    }
    words
}
