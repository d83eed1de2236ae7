//! Service by environment over two control planes, and what is promoted from one to the next.

use std::path::Path;
use std::process::Output;

use serde_json::{Value, json};

use crate::clusters::merged;
use crate::kinds::{record, said};
use crate::scaling::close;
use crate::screen::{QUICK, launch, wait_plan_to};
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::{Service, note};
use crate::support::keeper::write;
use crate::support::pty::{Terminal, picture};
use crate::support::registries::sha256;
use crate::support::wait;

/// Services in each environment.
const SERVICES: usize = 300;

fn name(n: usize) -> String {
    format!("svc-{n:03}")
}

fn one(namespace: &str, n: usize) -> Service {
    Service::new(namespace, &name(n)).replicas(1)
}

/// All of them, each at 1.0 but those that `make` makes otherwise.
fn run_all(plane: &ControlPlane, namespace: &str, make: impl Fn(Service) -> Value) {
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments");
    for n in 0..SERVICES {
        let object = make(one(namespace, n));
        let created = plane
            .admin()
            .create(&format!("{path}?fieldManager=kubectl-create"), &object);
        created.expect("a deployment is created");
    }
    // A step at a time: each has the whole patience of a wait.
    for some in (1..=6).map(|part| part * SERVICES / 6) {
        wait::until(&format!("{some} services in {namespace}"), || {
            let all = plane.admin().items(&path);
            let serves = |one: &&Value| one["status"]["availableReplicas"] == 1;
            (all.iter().filter(serves).count() >= some).then_some(())
        });
    }
}

fn row(screen: &vt100::Screen, name: &str) -> String {
    let text = picture(screen);
    let mut lines = text.lines().skip_while(|line| !line.contains("SERVICE"));
    let found = lines.find(|line| line.split_whitespace().any(|word| word == name));
    found.unwrap_or_default().to_owned()
}

fn titles(screen: &vt100::Screen) -> String {
    let text = picture(screen);
    let mut lines = text.lines();
    lines
        .find(|line| line.contains("SERVICE"))
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn three_environments_over_two_planes_with_300_services() {
    let (prod, other) = (ControlPlane::shared(), ControlPlane::own());
    let in_prod = prod.namespace("matrix-prod");
    let (in_dev, in_staging) = (
        other.namespace("matrix-dev"),
        other.namespace("matrix-staging"),
    );
    run_all(&other, &in_dev, |service| service.object("1.0"));
    let feature = json!({"env": [{"name": "FEATURE", "value": "word"}]});
    run_all(&other, &in_staging, |service| match &*service.name {
        "svc-007" => service.container(feature.clone()).object("1.0"),
        _ => service.object("1.0"),
    });
    run_all(prod, &in_prod, |service| {
        let elsewhere = json!({"image": "other.test/shop/svc-011:1.0"});
        match &*service.name {
            "svc-011" => service.container(elsewhere).object("1.0"),
            _ => service.object("1.0"),
        }
    });
    let newer = one(&in_staging, 7);
    newer.set_image(&other, "2.0");
    newer.wait_complete(&other, "2.0");

    let home = tempfile::tempdir().unwrap();
    let kubeconfig = home.path().join("both.kubeconfig");
    let first = prod.owner("matrix", Some(&in_prod));
    let second = other.owner("matrix", Some(&in_staging));
    write(&kubeconfig, &merged(&first, &second));
    let config = format!(
        "{QUICK}environments:\n\
         - {{name: dev, cluster: staging-eu, namespaces: [{in_dev}], protection: open}}\n\
         - {{name: staging, cluster: staging-eu, namespaces: [{in_staging}]}}\n\
         - {{name: prod, cluster: prod-eu, namespaces: [{in_prod}], protection: protected, color: red}}\n"
    );
    let rolldeck = launch(&kubeconfig, home.path()).config(&config);
    let terminal = rolldeck.open();
    terminal.wait_text("900 services");
    terminal.keys("m");
    terminal.wait_for("which rows differ, by their digests", |screen| {
        let text = picture(screen);
        let seven = row(screen, "svc-007");
        text.contains("300 services in 3 environments · 2 differ")
            && text.contains("digests ")
            && seven.contains("2.0")
            && seven.contains("1 behind")
            && row(screen, "svc-011").contains("other digest")
            && row(screen, "svc-000").matches("same").count() == 2
    });
    let text = terminal.picture();
    let order = |name: &str| text.lines().position(|line| line.contains(name)).unwrap();
    assert!(
        order("svc-007") < order("svc-011") && order("svc-011") < order("svc-000"),
        "{text}"
    );

    other.stop();
    terminal.wait_for("dev and staging say how old they are", |screen| {
        let titles = titles(screen);
        let (rest, prod) = titles.split_once(" prod").unwrap_or_default();
        rest.matches(" old").count() == 2 && !prod.contains("old")
    });
    one(&in_prod, 3).set_image(prod, "3.0");
    terminal.wait_for("what changes in prod", |screen| {
        let three = row(screen, "svc-003");
        three.contains("3.0") && three.contains("1.0")
    });
    other.start();
    terminal.wait_for("all live", |screen| !titles(screen).contains("old"));

    promoted(&terminal, (prod, &in_prod), (&other, &in_staging));
    twin(&|arguments| rolldeck.clone().with(arguments).run());
    assert_eq!(
        record(home.path())
            .matches(r#""verb":"promote-image""#)
            .count(),
        1
    );
}

/// From the marked cell to the next environment, at the level of that one.
fn promoted(
    terminal: &Terminal,
    (prod, in_prod): (&ControlPlane, &str),
    (other, in_staging): (&ControlPlane, &str),
) {
    terminal.keys("/svc-007\r");
    terminal.wait_text("1 service in 3 environments");
    terminal.keys("lP");
    wait_plan_to(terminal, "PROMOTE");
    let plan = terminal.picture();
    let (here, there) = (one(in_prod, 7), one(in_staging, 7));
    let digest = sha256(there.image("2.0").as_bytes());
    for words in [
        "protected",
        &format!("{} (svc-007) is what staging runs", &digest[7..13]),
        "staging runs it for",
        "30m are asked for",
        "prod does not set FEATURE, as staging does",
    ] {
        assert!(plan.contains(words), "{words}: {plan}");
    }
    assert!(
        !plan.contains("word"),
        "values are nobody's business: {plan}"
    );
    terminal.keys("y");
    terminal.wait_text("arms them");
    terminal.keys("!");
    terminal.keys("y");
    terminal.wait_text("type svc-007");
    terminal.keys("svc-007\r");
    terminal.wait_text("verified: 1/1 pods run 2.0");
    assert_eq!(
        here.live_image(prod),
        format!("{}@{digest}", here.image("2.0"))
    );
    assert_eq!(there.live_image(other), there.image("2.0"));
    assert_eq!(note(prod, &here)["verb"], "promote-image");
    close(terminal);
    terminal.wait_for("prod runs what staging runs", |screen| {
        let seven = row(screen, "svc-007");
        seven.matches("2.0").count() == 2 && seven.contains("same")
    });
    terminal.keys("P");
    terminal.wait_text("deploy/svc-007 in prod runs 2.0");
    terminal.keys("q");
}

fn twin(run: &dyn Fn(&[&str]) -> Output) {
    let (code, text) = said(&run(&[
        "promote",
        "svc-011",
        "--from",
        "staging",
        "--to",
        "prod",
        "--dry-run",
        "--write",
        "--name",
        "svc-011",
    ]));
    assert_eq!(code, 0, "{text}");
    assert!(
        text.contains("rolldeck copy-image deploy/svc-011 other.test/shop/svc-011"),
        "{text}"
    );
    let (code, text) = said(&run(&["promote", "svc-007", "--to", "prod", "--dry-run"]));
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("already, as staging does"), "{text}");
    let (code, text) = said(&run(&["promote", "svc-007", "--to", "nowhere"]));
    assert_eq!(code, 2, "{text}");
    assert!(text.contains("there are: dev, staging, prod"), "{text}");
}

#[test]
fn five_are_promoted_and_the_third_fails_its_check_and_the_rest_is_untouched() {
    let plane = ControlPlane::shared();
    let (from, to) = (
        plane.namespace("five-staging"),
        plane.namespace("five-prod"),
    );
    let names = ["a", "b", "c", "d", "e"].map(|name| format!("svc-{name}"));
    let settings = json!({"env": [{"name": "MODE", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "mode"}}}]});
    let here: Vec<_> = names
        .iter()
        .map(|name| {
            let service = Service::new(&to, name).replicas(1);
            if name == "svc-c" {
                service.container(settings.clone())
            } else {
                service
            }
        })
        .collect();
    let maps = format!("/api/v1/namespaces/{to}/configmaps");
    let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}, "data": {"mode": "calm"}});
    plane.admin().create(&maps, &map).unwrap();
    for (name, service) in names.iter().zip(&here) {
        Service::new(&from, name).replicas(1).create(plane, "2.0");
        service.create(plane, "1.0");
    }
    for (name, service) in names.iter().zip(&here) {
        Service::new(&from, name)
            .replicas(1)
            .wait_complete(plane, "2.0");
        service.wait_complete(plane, "1.0");
    }
    let home = tempfile::tempdir().unwrap();
    // Long enough that what happens after the first write comes before the third turn.
    let config = format!(
        "verifySeconds: 5\nregistries: [{{host: registry.test, address: '127.0.0.1:1'}}]\n\
         namespaces: [{from}, {to}]\nenvironments:\n\
         - {{name: staging, cluster: prod-eu, namespaces: [{from}]}}\n\
         - {{name: prod, cluster: prod-eu, namespaces: [{to}]}}\n"
    );
    let rolldeck = launch(&plane.owner("five-promoted", None), home.path()).config(&config);
    let terminal = rolldeck.open();
    terminal.wait_text("10 services");
    terminal.keys("m");
    terminal.wait_for("five rows that differ", |screen| {
        let text = picture(screen);
        text.contains("5 services in 2 environments · 5 differ") && text.contains("digests ")
    });
    for marks in 1..=5 {
        terminal.keys(" ");
        terminal.wait_text(&format!("{marks} marked"));
        terminal.keys("j");
    }
    terminal.keys("P");
    terminal.wait_for("five plans with their answers", |screen| {
        let text = picture(screen);
        text.contains("PROMOTE  5 services")
            && text.matches("1.0 → 2.0").count() == 5
            && text.contains("y promotes 1 at a time")
    });
    terminal.keys("y");
    let digest = |service: &Service| {
        let image = service.image("2.0");
        format!("{image}@{}", sha256(image.as_bytes()))
    };
    wait::until("the first is written", || {
        (here[0].live_image(plane) == digest(&here[0])).then_some(())
    });
    plane.admin().delete(&format!("{maps}/settings")).unwrap();
    terminal.wait_text("2 verified, 1 failed, 2 not begun");
    let text = terminal.picture();
    assert_eq!(
        text.matches("not begun, because svc-c failed").count(),
        2,
        "{text}"
    );
    assert!(
        text.contains("FAILED") && text.contains("when its turn came"),
        "{text}"
    );
    for (n, service) in here.iter().enumerate() {
        let want = if n < 2 {
            digest(service)
        } else {
            service.image("1.0")
        };
        assert_eq!(service.live_image(plane), want, "{}", service.name);
        assert_eq!(note(plane, service).is_null(), n >= 2);
    }
    wait::until("all of it is on record", || {
        let record = record(home.path());
        (record.matches(r#""event":"not-begun""#).count() == 2).then_some(())
    });
    assert_recorded(home.path());
    close(&terminal);
    terminal.keys(":record\r");
    terminal.wait_for("five actions, and how each stands", |screen| {
        let text = picture(screen);
        text.contains("5 actions")
            && text.matches("verified: 1/1 pods run 2.0").count() >= 2
            && text.matches("not begun, because svc-c failed").count() >= 2
            && text.contains("refused")
    });
    // The newest is on top: the third lies below those that were never begun.
    terminal.keys("jj");
    terminal.wait_text(
        "refused: Nothing was written when its turn came: ConfigMap settings is missing",
    );

    let run = |arguments: &[&str]| said(&rolldeck.clone().with(arguments).run());
    let rest = [
        "promote", "svc-c", "svc-d", "svc-e", "--from", "staging", "--to", "prod", "--yes",
    ];
    let (code, text) = run(&rest);
    assert_eq!(code, 3, "{text}");
    assert!(
        text.contains("nothing was changed") && text.contains("the check config blocks"),
        "{text}"
    );
    assert_eq!(here[3].live_image(plane), here[3].image("1.0"));
    plane.admin().create(&maps, &map).unwrap();
    let (code, text) = run(&rest);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("3 verified"), "{text}");
    for service in &here {
        assert_eq!(service.live_image(plane), digest(service));
    }
}

/// Two that were done, why the third was not, and that the others were never begun.
fn assert_recorded(home: &Path) {
    let record = record(home);
    assert_eq!(
        record.matches(r#""event":"sending""#).count(),
        3,
        "{record}"
    );
    assert_eq!(record.matches(r#""verified":true"#).count(), 2, "{record}");
    let third = record
        .lines()
        .find(|line| line.contains("when its turn came"));
    let third = third.unwrap_or_else(|| panic!("{record}"));
    assert!(third.contains("ConfigMap settings is missing"), "{third}");
    for untouched in ["svc-d", "svc-e"] {
        let mut lines = record.lines().filter(|line| line.contains(untouched));
        let (line, more) = (lines.next().unwrap_or_default(), lines.next());
        assert!(
            line.contains(r#""event":"not-begun""#) && more.is_none(),
            "{record}"
        );
        assert!(line.contains("not begun, because svc-c failed"), "{line}");
    }
}
