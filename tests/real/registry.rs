//! Real registries: what they have, who may see it, and what a plan says of it.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rolldeck::config;
use rolldeck::domain::Presence;
use rolldeck::engine::clock;
use rolldeck::sources::registry::{PullSecret, Registries};
use serde_json::json;

use crate::contract::registry::keeps_its_promises;
use crate::kinds::said;
use crate::screen::{
    QUICK, findings, launch, row_of, wait_first_and_stalled, wait_plan, wait_plan_to,
};
use crate::support::api::RUNTIME;
use crate::support::control_plane::ControlPlane;
use crate::support::fixtures::Service;
use crate::support::pty::Launch;
use crate::support::registries::{self, INDEX, Server, USER};
use crate::support::wait;

fn registries() -> Registries {
    Registries::new(&config::Registries::default(), clock::now)
}

fn presence(image: &str, secrets: &[PullSecret]) -> Presence {
    RUNTIME.block_on(registries().presence(image, secrets))
}

fn is_present(found: &Presence, wanted: &str) -> bool {
    matches!(found, Presence::Present { digest, .. } if **digest == *wanted)
}

fn secret(host: &str, user: (&str, &str)) -> PullSecret {
    PullSecret::DockerConfigJson(registries::login(host, user).to_string().into())
}

#[test]
fn the_contract_of_the_embedded_registry() {
    let server = registries::open();
    for (tag, commit) in [("1.0.0", "c0ffee"), ("1.1.0", "decade")] {
        let labels = json!({"org.opencontainers.image.revision": commit});
        server.push("contract/web", tag, &labels);
    }
    keeps_its_promises(&format!("{}/contract/web", server.host));
}

#[test]
fn an_index_is_known_by_its_own_digest_and_by_that_of_each_platform() {
    let server = registries::open();
    let labels = json!({"org.opencontainers.image.revision": "c0ffee"});
    let child = server.push("shop/index", "amd64", &labels);
    let note = server.push("shop/index", "note", &json!({}));
    let with = |pushed: &registries::Pushed, os: &str, architecture: &str| {
        let mut descriptor = pushed.descriptor.clone();
        descriptor["platform"] = json!({"os": os, "architecture": architecture});
        descriptor
    };
    let manifests = [
        with(&note, "unknown", "unknown"),
        with(&child, "linux", "amd64"),
    ];
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    let pushed = server.put("shop/index", "1.0", INDEX, &index);
    let image = format!("{}/shop/index:1.0", server.host);
    let manifest = RUNTIME
        .block_on(registries().manifest(&image, &[]))
        .unwrap();
    assert_eq!(*manifest.digest, *pushed.digest);
    assert!(
        manifest.is(&pushed.digest) && manifest.is(&child.digest) && !manifest.is(&note.digest)
    );
    assert_eq!(manifest.platforms.len(), 1);
    assert_eq!(manifest.commit(), Some("c0ffee"));
    assert_eq!(
        manifest.created,
        Some("2026-01-02T03:04:05Z".parse().unwrap())
    );
    assert!(is_present(&presence(&image, &[]), &pushed.digest));
}

#[test]
fn a_password_is_taken_from_docker_from_its_helper_and_from_a_pull_secret() {
    let server = registries::with_password();
    let pushed = server.push("shop/secret", "1.0", &json!({}));
    let (host, image) = (&server.host, format!("{}/shop/secret:1.0", server.host));
    let refused = |found: Presence| match found {
        Presence::Unverified(why) => why,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(presence(&image, &[])),
        format!("{host}: it wants a login, and there is none")
    );
    assert_eq!(
        refused(presence(&image, &[secret(host, ("robot", "wrong"))])),
        format!("{host}: the login is not accepted")
    );
    let secrets = [secret(host, USER)];
    assert!(is_present(&presence(&image, &secrets), &pushed.digest));
    let gone = format!("{host}/shop/secret:0.9");
    assert_eq!(presence(&gone, &secrets), Presence::Missing);

    let home = registries::logged_in(host, USER);
    let docker = config::Registries {
        docker_config: Some(home.path().into()),
        ..config::Registries::default()
    };
    let docker = Registries::new(&docker, clock::now);
    let found = RUNTIME.block_on(docker.presence(&image, &[]));
    assert!(is_present(&found, &pushed.digest), "{found:?}");
}

#[test]
fn every_page_of_tags_is_read() {
    let server = registries::paging();
    let pushed = server.push("shop/many", "1", &json!({}));
    let url = format!("{}/shop/many", server.host);
    let manifest =
        json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [pushed.descriptor]});
    for number in 2..=1_205 {
        server.put("shop/many", &number.to_string(), INDEX, &manifest);
    }
    let tags = RUNTIME.block_on(registries().tags(&url, &[])).unwrap();
    assert_eq!((tags.names.len(), tags.whole), (1_205, true));
    assert!(is_present(
        &presence(&format!("{url}:1"), &[]),
        &pushed.digest
    ));
    assert_eq!(presence(&format!("{url}:0"), &[]), Presence::Missing);
}

#[test]
fn an_authority_of_ones_own_is_trusted_when_it_is_named() {
    let server = registries::with_tls();
    let pushed = server.push("shop/safe", "1.0", &json!({}));
    let image = "registry.internal/shop/safe:1.0";
    let known = |ca_file| config::Registries {
        known: vec![config::Registry {
            host: "registry.internal".into(),
            address: Some(server.host.replace("127.0.0.1", "localhost")),
            ca_file,
        }],
        ..config::Registries::default()
    };
    let ask = |settings: config::Registries| {
        RUNTIME.block_on(Registries::new(&settings, clock::now).presence(image, &[]))
    };
    let found = ask(known(Some(server.authority())));
    assert!(is_present(&found, &pushed.digest), "{found:?}");
    let stranger = registries::with_password().authority();
    let unread = format!(
        "registry.internal: the authority in {} cannot be read: entity not found",
        stranger.display()
    );
    assert_eq!(ask(known(Some(stranger))), Presence::Unverified(unread));
    let other = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&other, crate::support::certificates::Authority::new().pem).unwrap();
    let found = ask(known(Some(other.path().into())));
    let words = "registry.internal: its certificate is of an authority that is not trusted here (caFile in the settings)";
    assert_eq!(found, Presence::Unverified(words.into()));
}

#[test]
fn a_copy_has_the_same_digest_and_is_whole() {
    let (from, to) = (registries::open(), registries::with_password());
    let child = from.push("shop/copied", "amd64", &json!({"a": "b"}));
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [child.descriptor]});
    let pushed = from.put("shop/copied", "1.0", INDEX, &index);
    let source = format!("{}/shop/copied:1.0", from.host);
    let elsewhere = format!("{}/prod/copied:1.0", to.host);
    let beside = format!("{}/prod/copied:1.0", from.host);
    let secrets = [secret(&to.host, USER)];
    for target in [&elsewhere, &beside] {
        let copied = RUNTIME.block_on(registries().copy_image(&source, target, &secrets));
        assert_eq!(*copied.unwrap(), *pushed.digest);
        let manifest = RUNTIME
            .block_on(registries().manifest(target, &secrets))
            .unwrap();
        assert!(manifest.is(&pushed.digest) && manifest.is(&child.digest));
        assert_eq!(&*manifest.labels["a"], "b");
    }
    let denied = RUNTIME
        .block_on(registries().copy_image(&source, &elsewhere, &[]))
        .unwrap_err();
    assert!(denied.needs_login(), "{denied}");
    let missing = format!("{}/shop/copied:2.0", from.host);
    let missing = RUNTIME
        .block_on(registries().copy_image(&missing, &beside, &[]))
        .unwrap_err();
    let words = format!(
        "{} does not have shop/copied:2.0: manifest unknown",
        from.host
    );
    assert!(missing.to_string().starts_with(&words), "{missing}");
}

/// rolldeck, with the registry of the fixtures' images at `host`.
fn with_registry(kubeconfig: &Path, home: &Path, host: &str) -> Launch {
    let quick = QUICK.lines().next().unwrap();
    let text = format!("{quick}\nregistries: [{{host: registry.test, address: '{host}'}}]\n");
    launch(kubeconfig, home).config(&text)
}

/// Two versions, the first of which can be gone back to.
fn stuck(plane: &ControlPlane, namespace: &str, name: &str) -> Service {
    let service = Service::new(namespace, name).replicas(1);
    service.run(plane, "1.0");
    service.set_image(plane, "2.0-unpullable");
    service.wait_waiting(plane, "ImagePullBackOff");
    service
}

#[test]
fn a_plan_says_whether_the_registry_has_the_image() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("images");
    let server: &Server = registries::open();
    let pushed = server.push("shop/there", "1.0", &json!({}));
    server.push("shop/gone", "0.9", &json!({}));
    let (there, gone) = (
        stuck(plane, &namespace, "there"),
        stuck(plane, &namespace, "gone"),
    );
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let plan = |host: &str, name: &str, more: &[&str]| {
        let run = with_registry(&kubeconfig, home.path(), host).with(&["rollback", name]);
        said(&run.with(more).run())
    };
    let (code, text) = plan(&server.host, &there.name, &["--dry-run"]);
    let short = &pushed.digest["sha256:".len()..][..6];
    let found = format!("ok         image 1.0 is in the registry ({short})");
    assert!(code == 0 && text.contains(&found), "{text}");

    let (code, text) = plan(&server.host, &gone.name, &["--dry-run"]);
    let missing =
        "BLOCK      registry.test/shop/gone:1.0 is not in its registry, which has other tags of it";
    assert!(code == 3 && text.contains(missing), "{text}");
    let (code, text) = plan(&server.host, &gone.name, &["-o", "json", "--dry-run"]);
    assert!(code == 3 && text.contains(r#""image""#), "{text}");

    // A registry that is away keeps nobody.
    let away = "unverified registry.test: connection refused";
    let (code, text) = plan("127.0.0.1:1", &there.name, &["--dry-run"]);
    assert!(code == 0 && text.contains(away), "{text}");
    let terminal = with_registry(&kubeconfig, home.path(), "127.0.0.1:1").open();
    wait_first_and_stalled(&terminal, &gone, "image");
    terminal.keys("R");
    wait_plan(&terminal);
    let told = findings(&terminal, "unverified");
    assert!(
        told.iter()
            .any(|line| line.ends_with(" registry.test: connection refused")),
        "{}",
        terminal.picture()
    );
    terminal.keys("y");
    terminal.wait_text("rolling back");
}

#[test]
fn pull_secrets_are_read_by_who_may_and_only_when_a_login_is_wanted() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("pullsecret");
    let server = registries::with_password();
    let pushed = server.push("shop/locked", "1.0", &json!({}));
    let service = stuck(plane, &namespace, "locked");
    let home = tempfile::tempdir().unwrap();
    let plan = |kubeconfig: &Path, server: &Server, docker: &[(&str, &str)]| {
        let mut run = with_registry(kubeconfig, home.path(), &server.host);
        for (name, value) in docker {
            run = run.variable(name, value);
        }
        said(&run.with(&["rollback", &service.name, "--dry-run"]).run()).1
    };
    let owner = plane.owner(&namespace, Some(&namespace));
    let wants = "unverified registry.test: it wants a login, and there is none";
    let text = plan(&owner, server, &[]);
    assert!(text.contains(&format!("{wants}\n")), "{text}");

    // The kubelet takes it from the service account, and so do we.
    let data = registries::login("registry.test", USER).to_string();
    let object = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "pull"},
        "type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": data}});
    let secrets = format!("/api/v1/namespaces/{namespace}/secrets");
    plane.admin().create(&secrets, &object).unwrap();
    let account = format!("/api/v1/namespaces/{namespace}/serviceaccounts/default");
    let named = json!({"imagePullSecrets": [{"name": "pull"}]});
    plane.admin().patch(&account, &named).unwrap();
    let short = &pushed.digest["sha256:".len()..][..6];
    let there = format!("ok         image 1.0 is in the registry ({short})");
    let text = plan(&owner, server, &[]);
    assert!(text.contains(&there), "{text}");
    assert!(!text.contains(USER.1), "{text}");

    // Who may not read it goes on without.
    let rules = json!([
        {"apiGroups": ["apps"], "resources": ["*"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods", "events", "serviceaccounts"], "verbs": ["get", "list", "watch"]},
    ]);
    let few = plane.with_rules(&format!("few-{namespace}"), &rules, Some(&namespace));
    let text = plan(&few, server, &[]);
    let denied = format!("{wants}; no rights to read pull secret pull\n");
    assert!(text.contains(&denied), "{text}");

    // Docker's helper knows it as well, is asked for the name that images have, and what it says is not repeated.
    let tools = home.path().join("tools");
    std::fs::create_dir(&tools).unwrap();
    let helper = tools.join("docker-credential-vault");
    let script = "#!/bin/sh\nread host; [ \"$1 $host\" = 'get registry.test' ] || exit 1\n\
        printf '{\"ServerURL\":\"%s\",\"Username\":\"robot\",\"Secret\":\"word\"}' \"$host\"\n";
    std::fs::write(&helper, script).unwrap();
    std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(home.path().join("config.json"), r#"{"credsStore":"vault"}"#).unwrap();
    let path = format!("{}:{}", tools.display(), std::env::var("PATH").unwrap());
    let docker = home.path().display().to_string();
    let with_helper = [("PATH", &*path), ("DOCKER_CONFIG", &*docker)];
    let text = plan(&few, server, &with_helper);
    assert!(text.contains(&there), "{text}");

    // An open registry has nothing to ask them for.
    registries::open().push("shop/locked", "1.0", &json!({}));
    let reader = plane.owner(&format!("open-{namespace}"), Some(&namespace));
    plan(&reader, registries::open(), &[]);
    let asked = plane.asked_by(&format!("open-{namespace}"));
    let read: Vec<_> = asked
        .iter()
        .filter(|asked| asked.what == "secrets")
        .collect();
    assert!(
        read.is_empty(),
        "{:?}",
        read.iter().map(|a| &a.uri).collect::<Vec<_>>()
    );
}

/// From the picker to the write in an environment that pins, and what is said of the past.
#[test]
fn tags_are_chosen_pinned_and_verified_back() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("pinning");
    let server = registries::open();
    let labels =
        json!({"org.opencontainers.image.revision": "a1b9e3c07e0f5a2f3f7e1c0a9d8b7c6e5f4a3b2c"});
    let pushed = ["1.0", "2.0", "3.0"].map(|tag| server.push("shop/pinned", tag, &labels));
    let service = Service::new(&namespace, "pinned").replicas(1);
    service.run(plane, "1.0");
    service.set_image(plane, "2.0");
    service.wait_complete(plane, "2.0");
    let home = tempfile::tempdir().unwrap();
    let kubeconfig = plane.owner(&namespace, Some(&namespace));
    let text = format!(
        "registries: [{{host: registry.test, address: '{}'}}]\nenvironments:\n  - name: prod\n    cluster: prod-eu\n    namespaces: [{namespace}]\n    pin: digest\n",
        server.host
    );
    let rolldeck = launch(&kubeconfig, home.path()).config(&text);
    let terminal = rolldeck.clone().open();
    terminal.wait_for("the row", |screen| row_of(screen, "pinned").is_some());
    terminal.keys("\r");
    terminal.wait_text("1 verified back");
    terminal.keys("i");
    let short = |digest: &str| digest["sha256:".len()..][..6].to_owned();
    terminal.wait_text(&format!("3.0  {}", short(&pushed[2].digest)));
    terminal.wait_text("a1b9e3c");
    terminal.wait_text("3 tags, by date");
    terminal.keys("\x153.0\r");
    wait_plan_to(&terminal, "SET IMAGE");
    terminal.keys("y");
    let want = format!("{}@{}", service.image("3.0"), pushed[2].digest);
    wait::until("the digest is written", || {
        (service.live_image(plane) == want).then_some(())
    });
    // Where nobody tells the digest nothing is planned.
    let (code, text) = said(
        &rolldeck
            .clone()
            .with(&["set-image", "pinned", "4.0", "--yes"])
            .run(),
    );
    assert_eq!(code, 3, "{text}");
    assert_eq!(service.live_image(plane), want);
}
