//! What rolldeck and kubectl ask of a real API server is in the list of shapes that the embedded one is held to.
//! After a change `UPDATE_SHAPES=1 cargo test --test real shapes` adds to it.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::argo;
use crate::contract::kubectl::Kubectl;
use crate::contract::place::{Place, daemon_set, deployment, name_of, stateful_set};
use crate::contract::shape::Shape;
use crate::screen::{QUICK, launch, wait_first_and_stalled, wait_plan};
use crate::support::argo_rollouts::{self, Cart};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::proxy::{Fate, Proxy};
use crate::support::wait;

/// The shapes of what a program asked, whoever used it, without content types, which the log does not have.
fn audited(log: &Path, program: &str) -> BTreeSet<Shape> {
    let text = std::fs::read_to_string(log).expect("the audit log");
    text.lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|event| {
            let agent = event["userAgent"].as_str().unwrap_or_default();
            agent.split('/').next() == Some(program)
        })
        .map(|event| {
            let method = match event["verb"].as_str() {
                Some("create") => "POST",
                Some("patch") => "PATCH",
                Some("delete") => "DELETE",
                _ => "GET",
            };
            let uri = event["requestURI"].as_str().unwrap_or_default();
            Shape::new(program, method, uri, "")
        })
        .collect()
}

type Asked = Arc<Mutex<BTreeSet<Shape>>>;

/// Kinds of Argo CD, Flux, Flagger and the Gateway API are asked for everywhere: this server has them as little as the
/// embedded one, and says so.
fn is_served(shape: &Shape) -> bool {
    let foreign = [
        "/apis/gateway.networking.k8s.io",
        "/apis/kustomize.toolkit.",
        "/apis/helm.toolkit.",
        "/apis/flagger.app",
    ];
    let elsewhere = foreign.iter().any(|group| shape.path.starts_with(group))
        || shape.path.contains("/applications");
    !elsewhere
}

fn recorder(plane: &ControlPlane) -> (Proxy, Asked) {
    let asked = Asked::default();
    let sink = Arc::clone(&asked);
    let proxy = Proxy::start(plane, move |seen| {
        let program = seen.user_agent.split('/').next().unwrap_or_default();
        let shape = Shape::new(program, &seen.method, &seen.uri, &seen.content_type);
        if is_served(&shape) {
            sink.lock().unwrap().insert(shape);
        }
        Fate::Forward
    });
    (proxy, asked)
}

/// Everything that was asked is in the list, or comes into it when that is what one wants.
fn compare(program: &str, asked: &BTreeSet<Shape>) {
    assert!(
        asked.iter().all(|shape| shape.program == program),
        "{asked:?}"
    );
    let mut listed = Shape::listed();
    if std::env::var_os("UPDATE_SHAPES").is_some() {
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _guard = ONE_AT_A_TIME.lock();
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/contract/shapes.txt");
        let old = std::fs::read_to_string(&path).unwrap();
        let mut lines: BTreeSet<_> = old.lines().map(str::to_owned).collect();
        lines.extend(asked.iter().map(ToString::to_string));
        let text: Vec<_> = lines.into_iter().collect();
        std::fs::write(path, text.join("\n") + "\n").unwrap();
        return;
    }
    listed.retain(|shape| shape.program == program);
    let new: Vec<_> = asked.difference(&listed).map(ToString::to_string).collect();
    assert!(
        new.is_empty(),
        "not in tests/contract/shapes.txt:\n{}",
        new.join("\n")
    );
}

fn wait_asked(asked: &Asked, what: &str, is: impl Fn(&Shape) -> bool) {
    wait::until(&format!("it asks for {what}"), || {
        asked.lock().unwrap().iter().any(&is).then_some(())
    });
}

/// Names a ConfigMap, a Secret and an account, all of which are there.
fn named() -> Value {
    json!({"template": {"spec": {
        "serviceAccountName": "default",
        "volumes": [{"name": "settings", "configMap": {"name": "settings"}}],
        "containers": [{"name": "web", "image": "registry.test/shop/web:1", "envFrom": [{"secretRef": {"name": "keys"}}]}],
    }}})
}

/// A StatefulSet of this name, a DaemonSet, and a Deployment whose second release crashes.
fn shop(place: &Place, stateful: &str) -> Service {
    let settings = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"a": "b"}});
    place.create("configmaps", &settings);
    place.secret("keys", &json!({}));
    let quota = json!({"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "wide"}, "spec": {"hard": {"pods": "100"}}});
    place.create("resourcequotas", &quota);
    place.wait("resourcequotas", "wide", "counted", |quota| {
        quota["status"]["hard"]["pods"] == "100"
    });
    place.create(
        "statefulsets",
        &stateful_set(stateful, "1", &json!({"replicas": 1})),
    );
    place.create("daemonsets", &daemon_set("agent", "1", &json!({})));
    for (plural, name) in [("statefulsets", stateful), ("daemonsets", "agent")] {
        place.wait_complete(plural, name, "1");
        place.set_image(plural, name, "2");
        place.wait_complete(plural, name, "2");
    }
    place.create("deployments", &deployment("web", "1", &named()));
    place.wait_complete("deployments", "web", "1");
    let plane = ControlPlane::shared();
    let mut web = Service::new(&place.namespace, "web").replicas(1);
    web.deadline_seconds = 600;
    web.set_image(plane, "2-crash");
    web.wait_waiting(plane, "CrashLoopBackOff");
    web
}

#[test]
fn what_rolldeck_asks_is_listed() {
    let plane = ControlPlane::shared();
    let place = Place::new("shapes");
    let web = shop(&place, "vault");
    place.set_image("statefulsets", "vault", "3-unpullable");
    place.wait_waiting("vault", "ImagePullBackOff");
    let (proxy, asked) = recorder(plane);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&proxy.kubeconfig(Some(&place.namespace)), home.path());
    for words in [
        "status",
        "status -A -o json",
        "status web -l app=web",
        "history web",
        "history vault",
        "history agent",
        "changes",
        "changes web",
        "logs web",
        "logs web --since 5m",
        "logs web --previous",
        "rollback web --dry-run",
        "rollback vault --yes --timeout 60",
        "rollback agent --yes --timeout 60",
        "doctor",
        "doctor -A",
    ] {
        let words: Vec<_> = words.split(' ').collect();
        let output = rolldeck.clone().with(&words).run();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{words:?}: {err}"
        );
    }
    let mut terminal = rolldeck.clone().config(QUICK).open();
    wait_first_and_stalled(&terminal, &web, "");
    let asks = |what: &str, is: &dyn Fn(&Shape) -> bool| wait_asked(&asked, what, is);
    let ends = |end: &'static str| move |shape: &Shape| shape.path.ends_with(end);
    terminal.keys("\r");
    asks("the pods", &|shape| {
        ends("/pods")(shape) && shape.keys.contains(&"watch".to_owned())
    });
    terminal.keys("l");
    asks("the log", &|shape| {
        ends("/log")(shape) && shape.keys.contains(&"follow".to_owned())
    });
    terminal.keys("3");
    asks("the last minutes of it", &|shape| {
        shape.keys.contains(&"sinceSeconds".to_owned())
    });
    terminal.keys("p");
    asks("the log of before", &|shape| {
        shape.keys.contains(&"previous".to_owned())
    });
    terminal.keys("q");
    terminal.wait_gone("PREVIOUS LOG");
    terminal.keys("y");
    terminal.wait_text("apiVersion");
    terminal.keys("q");
    terminal.wait_gone("apiVersion");
    terminal.keys("d");
    terminal.wait_text("POD TEMPLATE");
    terminal.keys("q");
    terminal.wait_gone("POD TEMPLATE");
    terminal.keys("R");
    wait_plan(&terminal);
    terminal.keys("y");
    terminal.wait_text("verified:");
    asks("the write", &|shape| {
        shape.method == "PATCH" && !shape.keys.contains(&"dryRun".to_owned())
    });
    terminal.keys(":ns\r");
    asks("the namespaces", &ends("/namespaces"));
    terminal.keys("\x03");
    terminal.wait_exit();
    let mut terminal = rolldeck.with(&["-A", "-c", "svc vault"]).open();
    asks("its revisions", &|shape| {
        ends("/controllerrevisions")(shape) && shape.keys.contains(&"watch".to_owned())
    });
    terminal.wait_text("HISTORY");
    terminal.keys("y");
    asks("the object", &ends("/statefulsets/{name}"));
    terminal.keys("q");
    terminal.wait_gone("apiVersion");
    terminal.wait_text("vault-0");
    terminal.keys("\t");
    terminal.keys("y");
    asks("a pod", &ends("/pods/{name}"));
    terminal.keys("\x03");
    terminal.wait_exit();
    compare("rolldeck", &asked.lock().unwrap());
    // And so is what the other tests' rolldeck asked so far, as the audit log has it, without content types.
    let bare = |shape: &Shape| (shape.method.clone(), shape.path.clone(), shape.keys.clone());
    let listed: BTreeSet<_> = Shape::listed().iter().map(bare).collect();
    let audited = audited(&plane.folder().join("audit.log"), "rolldeck");
    let new: Vec<_> = audited
        .iter()
        .filter(|shape| !listed.contains(&bare(shape)))
        // A kind that a test made up: the demo knows it as little as any other.
        .filter(|shape| !shape.path.starts_with("/apis/tables.test/") && is_served(shape))
        .map(ToString::to_string)
        .collect();
    assert!(
        new.is_empty(),
        "not in tests/contract/shapes.txt:\n{}",
        new.join("\n")
    );
}

#[test]
fn what_is_asked_of_argo_rollouts_is_listed() {
    let plane = argo_rollouts::plane();
    let namespace = plane.namespace("shapes");
    let cart = Cart::run(plane, &namespace, &argo::steps());
    let (proxy, asked) = recorder(plane);
    let home = tempfile::tempdir().unwrap();
    let rolldeck = launch(&proxy.kubeconfig(Some(&namespace)), home.path());
    let waits = |status: &Value| status["currentStepIndex"] == 1 && status["phase"] == "Paused";
    cart.set_image("1.10.0");
    cart.wait("waiting", waits);
    for words in [
        "status -A",
        "history cart",
        "changes cart",
        "promote cart --dry-run",
        "promote cart --yes",
        "abort cart --yes",
        "retry cart --yes",
        "pause cart --yes",
        "resume cart --yes",
        "promote cart --full --yes",
        "doctor",
    ] {
        let words: Vec<_> = words.split(' ').collect();
        let output = rolldeck.clone().with(&words).run();
        let err = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            matches!(output.status.code(), Some(0 | 1)),
            "{words:?}: {err}"
        );
    }
    cart.set_image("1.11.0");
    cart.wait("waiting again", waits);
    let watches = |what: &str, end: &str| {
        wait_asked(&asked, what, |shape| {
            shape.path.ends_with(end) && shape.keys.contains(&"watch".to_owned())
        });
    };
    // Other tests have services of this name.
    let mut terminal = rolldeck.clone().with(&["-A"]).open();
    watches("the rollouts of all", "/v1alpha1/rollouts");
    terminal.keys("\x03");
    terminal.wait_exit();
    let mut terminal = rolldeck.clone().with(&["-c", "svc cart"]).open();
    watches("its rollout", "/namespaces/{namespace}/rollouts");
    watches("its analyses", "/analysisruns");
    terminal.wait_text("step 2 of 5");
    terminal.keys("y");
    wait_asked(&asked, "the object", |shape| {
        shape.path.ends_with("/rollouts/{name}") && shape.method == "GET"
    });
    terminal.keys("\x03");
    terminal.wait_exit();
    compare("rolldeck", &asked.lock().unwrap());
    asked.lock().unwrap().clear();
    let kubectl = Kubectl::new(&proxy.kubeconfig(None), &namespace);
    let kubectl = kubectl.expect("it comes with the control plane");
    for line in [
        "get rollouts,analysisruns,analysistemplates",
        "get ro cart -o yaml",
        "describe rollout cart",
        "scale rollout/cart --replicas 4",
        "patch rollout cart --type merge -p {\"spec\":{\"paused\":true}}",
        "patch rollout cart --subresource status --type merge -p {\"status\":{\"abort\":true}}",
    ] {
        let said = kubectl.run(line);
        let words = format!("kubectl {line}: {}{}", said.out, said.err);
        assert_eq!(said.code, Some(0), "{words}");
    }
    compare("kubectl", &asked.lock().unwrap());
}

#[test]
fn what_kubectl_asks_is_listed() {
    let plane = ControlPlane::shared();
    let place = Place::new("shapes");
    let web = shop(&place, "safe");
    let (proxy, asked) = recorder(plane);
    let kubectl = Kubectl::new(&proxy.kubeconfig(None), &place.namespace)
        .expect("it comes with the control plane");
    let pod = web.pods(plane).remove(0);
    let crashed = name_of(&pod);
    for line in [
        "get deploy,rs,sts,ds,pods,controllerrevisions,events,cm,secrets,quota,sa",
        "get ns,nodes",
        "get deploy web -o yaml",
        "get deploy -A -o wide",
        "get pods -l app=web -o json",
        "get pods --field-selector status.phase=Running",
        "get pods --sort-by metadata.name",
        "describe deploy web",
        "describe rs -l app=web",
        "describe sts safe",
        "describe ds agent",
        "describe pods",
        "describe quota wide",
        "describe cm settings",
        "describe secret keys",
        "logs safe-0 --tail 3",
        "logs deploy/web --timestamps",
        "logs -l app=safe --prefix",
        &format!("logs {crashed} --previous"),
        "logs safe-0 --since 1h --limit-bytes 100",
        "rollout history deploy/web",
        "rollout history deploy/web --revision 1",
        "rollout undo deploy/web",
        "rollout status deploy/web",
        "set image deploy/web web=registry.test/shop/web:3",
        "rollout status deploy web",
        "rollout undo deploy/web --to-revision 3 --dry-run=server",
        "scale deploy/web --replicas 2",
        "scale deploy/web --current-replicas 2 --replicas 1",
        "rollout history sts/safe",
        "rollout undo sts/safe",
        "rollout status sts/safe",
        "set image sts/safe app=registry.test/shop/safe:3",
        "scale sts/safe --replicas 2",
        "rollout history ds/agent --revision=1",
        "rollout undo ds/agent",
        "rollout status ds/agent",
        "set image ds/agent app=registry.test/shop/agent:3",
        "auth can-i patch deployments",
        "auth can-i --list",
        "auth whoami",
    ] {
        let said = kubectl.run(line);
        assert_eq!(
            said.code,
            Some(0),
            "kubectl {line}: {}{}",
            said.out,
            said.err
        );
    }
    compare("kubectl", &asked.lock().unwrap());
}
