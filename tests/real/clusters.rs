//! Two control planes on one board: one stops, and the other goes on; what is planned for one is never sent to the
//! other; a login that needs a person is made in the terminal.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::connection::plugin;
use crate::screen::{QUICK, launch, rows, wait_plan_to};
use crate::support::control_plane::{ControlPlane, Login};
use crate::support::fixtures::Service;
use crate::support::keeper::write;
use crate::support::pty::{Terminal, picture};
use crate::support::wait;

/// `web` in both, prod-eu and staging-eu.
struct Two {
    user: &'static str,
    prod: &'static ControlPlane,
    staging: ControlPlane,
    of_prod: Service,
    of_staging: Service,
    kubeconfig: PathBuf,
    home: tempfile::TempDir,
}

impl Two {
    fn start(user: &'static str) -> Self {
        let (prod, staging) = (ControlPlane::shared(), ControlPlane::own());
        let (in_prod, in_staging) = (prod.namespace("two"), staging.namespace("two"));
        let (of_prod, of_staging) = (
            Service::new(&in_prod, "web"),
            Service::new(&in_staging, "web"),
        );
        of_prod.run(prod, "1.0");
        of_staging.run(&staging, "1.0");
        let home = tempfile::tempdir().unwrap();
        let kubeconfig = home.path().join("two.kubeconfig");
        let first = prod.owner(user, Some(&in_prod));
        let second = staging.owner(user, Some(&in_staging));
        write(&kubeconfig, &merged(&first, &second));
        Self {
            user,
            prod,
            staging,
            of_prod,
            of_staging,
            kubeconfig,
            home,
        }
    }

    /// Nobody names a context: the environments do.
    fn config(&self) -> String {
        let (prod, staging) = (&self.of_prod.namespace, &self.of_staging.namespace);
        format!(
            "{QUICK}environments:\n\
             - {{name: prod, cluster: prod-eu, namespaces: [{prod}], protection: protected, color: red}}\n\
             - {{name: staging, cluster: staging-eu, namespaces: [{staging}]}}\n"
        )
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let rolldeck = launch(&self.kubeconfig, self.home.path()).config(&self.config());
        rolldeck.with(arguments).run()
    }

    /// What was really written by us, in prod-eu and in staging-eu.
    fn writes(&self) -> (usize, usize) {
        let count = |plane: &ControlPlane| {
            let asked = plane.asked_by(self.user);
            let writes = asked.iter().filter(|asked| asked.verb == "patch");
            writes.filter(|asked| !asked.dry_run()).count()
        };
        (count(self.prod), count(&self.staging))
    }
}

/// The second file's cluster under the name staging-eu.
pub fn merged(first: &Path, second: &Path) -> String {
    let read = |path: &Path| -> Value {
        serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
    };
    let (mut both, second) = (read(first), read(second));
    let renamed = |value: &Value| {
        let mut value = value.clone();
        value["name"] = json!("staging-eu");
        value
    };
    let (cluster, user) = (
        renamed(&second["clusters"][0]),
        renamed(&second["users"][0]),
    );
    let mut context = renamed(&second["contexts"][0]);
    context["context"]["cluster"] = json!("staging-eu");
    context["context"]["user"] = json!("staging-eu");
    for (list, item) in [
        ("clusters", cluster),
        ("users", user),
        ("contexts", context),
    ] {
        both[list].as_array_mut().unwrap().push(item);
    }
    both.to_string()
}

fn said(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn row_in(screen: &vt100::Screen, environment: &str) -> Option<String> {
    let mut rows = rows(screen).into_iter();
    rows.find(|row| row.split_whitespace().any(|word| word == environment))
}

fn wait_both_live(terminal: &Terminal) {
    terminal.wait_for("two rows, all live", |screen| {
        let text = picture(screen);
        let header = text.lines().next().unwrap_or_default();
        header.contains(" live ")
            && !header.contains(" of 2")
            && rows(screen).len() == 2
            && !text.contains(" old")
    });
}

#[test]
fn one_of_two_clusters_stops_and_the_other_stays_live() {
    let two = Two::start("one-stops");
    let terminal = launch(&two.kubeconfig, two.home.path())
        .config(&two.config())
        .open();
    wait_both_live(&terminal);
    let header = terminal.picture().lines().next().unwrap().to_owned();
    assert!(header.contains("prod and staging"), "{header}");

    two.staging.stop();
    terminal.wait_for("staging says what it cannot, prod is live", |screen| {
        let text = picture(screen);
        let (prod, staging) = (row_in(screen, "prod"), row_in(screen, "staging"));
        text.contains("1 of 2 live")
            && text
                .lines()
                .any(|line| line.contains("staging-eu no answer"))
            && staging.is_some_and(|row| row.contains(" old"))
            && prod.is_some_and(|row| !row.contains(" old"))
    });
    two.of_prod.set_image(two.prod, "2.0");
    terminal.wait_for("the change in prod", |screen| {
        row_in(screen, "prod").is_some_and(|row| row.contains("2.0") && !row.contains(" old"))
    });

    // Away from the dead one, back to it alone, and away from it again by the picker.
    terminal.keys(":ctx prod-eu\r");
    terminal.wait_for("prod alone, live", |screen| {
        let text = picture(screen);
        rows(screen).len() == 1 && !text.contains("of 2 live") && !text.contains("staging")
    });
    terminal.keys(":ctx staging-eu\r");
    terminal.wait_text("No cluster to show.");
    terminal.keys(":ctx\r");
    terminal.wait_for("both contexts to choose from", |screen| {
        let text = picture(screen);
        text.contains("CLUSTERS") && text.contains("prod-eu") && text.contains("staging-eu")
    });
    terminal.keys("prod\r");
    terminal.wait_for("prod alone again", |screen| rows(screen).len() == 1);

    // For scripts: what can be read is told, and so is what cannot.
    let output = two.run(&["status"]);
    let text = said(&output);
    assert_ne!(output.status.code(), Some(0), "{text}");
    assert!(text.contains("prod-eu") && text.contains("2.0"), "{text}");
    assert!(text.contains("staging-eu: "), "{text}");
    let output = two.run(&["history", "web"]);
    assert!(
        said(&output).contains("--context prod-eu leaves it out"),
        "{}",
        said(&output)
    );
    let output = two.run(&["doctor"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(
        text.contains("prod-eu: ") && text.contains("staging-eu: "),
        "{text}"
    );

    two.staging.start();
    terminal.keys(":env\r");
    wait_both_live(&terminal);
}

#[test]
fn a_plan_for_one_cluster_is_never_sent_to_the_other() {
    let two = Two::start("two-plans");
    let output = two.run(&["pause", "web", "--yes"]);
    let text = said(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for context in ["prod-eu", "staging-eu"] {
        assert!(text.contains(&format!("--context {context}")), "{text}");
    }
    assert_eq!(two.writes(), (0, 0));
    let output = two.run(&["pause", "web", "--yes", "--context", "staging-eu"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(two.of_staging.read(&two.staging)["spec"]["paused"], true);
    assert_eq!(two.writes(), (0, 1));

    // The same from the board: each row's plan goes to its own cluster, at its own level.
    let terminal = launch(&two.kubeconfig, two.home.path())
        .config(&two.config())
        .open();
    wait_both_live(&terminal);
    terminal.keys("/staging\r");
    terminal.wait_for("the row of staging", |screen| rows(screen).len() == 1);
    terminal.keys("u");
    wait_plan_to(&terminal, "RESUME");
    assert!(
        terminal.picture().contains("guarded"),
        "{}",
        terminal.picture()
    );
    terminal.keys("y");
    wait::until("staging goes on", || {
        let object = two.of_staging.read(&two.staging);
        (object["spec"]["paused"] != true).then_some(())
    });
    assert_eq!(two.writes(), (0, 2));
    wait::until("the box closed and the filter gone", || {
        terminal.keys("q");
        (rows(&terminal.screen()).len() == 2).then_some(())
    });
    terminal.keys("/prod\r");
    terminal.wait_for("the row of prod", |screen| {
        rows(screen).len() == 1 && row_in(screen, "prod").is_some()
    });
    terminal.keys("u");
    wait_plan_to(&terminal, "PAUSE");
    assert!(
        terminal.picture().contains("protected"),
        "{}",
        terminal.picture()
    );
    terminal.keys("y");
    terminal.wait_text("arms them");
    assert_eq!(two.writes(), (0, 2));
}

#[test]
fn a_login_that_needs_a_person_is_made_in_the_terminal() {
    let plane = ControlPlane::shared();
    let namespace = plane.namespace("login-by-hand");
    Service::new(&namespace, "web").run(plane, "1.0");
    plane.owner("login-by-hand", None);
    let home = tempfile::tempdir().unwrap();
    let credential = home.path().join("credential.json");
    let end = SystemTime::now() + Duration::from_secs(3600);
    let end = end
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let signed = plane.certificate_until("login-by-hand", end);
    let given = json!({
        "apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
        "status": {"clientCertificateData": signed.certificate, "clientKeyData": signed.key},
    });
    write(&credential, &given.to_string());
    let place = credential.display();
    let script = plugin(
        plane,
        "asks",
        &format!(
            "case \"$KUBERNETES_EXEC_INFO\" in *'\"interactive\":true'*) ;; *) exit 7;; esac\n\
             printf 'the password: ' >&2; read -r word\n\
             [ \"$word\" = sesame ] || {{ echo 'that is not it' >&2; exit 4; }}\n\
             cat {place}"
        ),
    );
    let kubeconfig = plane.kubeconfig("login-by-hand", &Login::Plugin(&script), Some(&namespace));
    let text = fs::read_to_string(&kubeconfig).unwrap();
    write(&kubeconfig, &text.replace("\"Never\"", "\"Always\""));
    let terminal = launch(&kubeconfig, home.path()).open();
    terminal.wait_text("wants a terminal");
    terminal.wait_text("L logs in");
    terminal.keys("L");
    terminal.wait_text("the password:");
    terminal.keys("wrong\r");
    terminal.wait_text("a key goes back to rolldeck");
    assert!(
        terminal.picture().contains("that is not it"),
        "{}",
        terminal.picture()
    );
    terminal.keys(" ");
    terminal.wait_text("No cluster to show.");
    terminal.keys("L");
    terminal.wait_for("the question once more", |screen| {
        picture(screen).matches("the password:").count() == 2
    });
    terminal.keys("sesame\r");
    terminal.wait_for("the board", |screen| rows(screen).len() == 1);
    let bytes = terminal.bytes();
    let shown = String::from_utf8_lossy(&bytes);
    assert!(!shown.contains("PRIVATE KEY") && !shown.contains("clientKeyData"));
}

#[test]
fn changes_and_logs_are_read_of_every_cluster_and_of_the_one_that_is_meant() {
    let two = Two::start("two-changes");
    let only = Service::new(&two.of_staging.namespace, "crier").replicas(1);
    only.run(&two.staging, "1.0");
    let read = |arguments: &[&str]| {
        let output = two.run(arguments);
        assert!(output.status.success(), "{}", said(&output));
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let rows = told["changes"].as_array().unwrap().clone();
        let releases = rows.into_iter().filter(|row| row["what"] == "release");
        let mut found: Vec<_> = releases
            .map(|row| {
                format!(
                    "{} {}",
                    row["cluster"].as_str().unwrap(),
                    row["subject"].as_str().unwrap()
                )
            })
            .collect();
        found.sort();
        let missing: Vec<String> = serde_json::from_value(told["missing"].clone()).unwrap();
        (found, missing)
    };
    let json = ["changes", "-o", "json"];
    let all = [
        "prod-eu deploy/web",
        "staging-eu deploy/crier",
        "staging-eu deploy/web",
    ];
    assert_eq!(read(&json), (all.map(Into::into).to_vec(), Vec::new()));
    let of_one = ["changes", "crier", "-o", "json"];
    assert_eq!(read(&of_one).0, ["staging-eu deploy/crier"]);
    let lines = said(&two.run(&["changes"]));
    let place = format!("staging-eu › {}", two.of_staging.namespace);
    assert!(lines.contains(&place), "{lines}");
    // A name that fits in both is never guessed at.
    let output = two.run(&["logs", "web"]);
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(
        said(&output).contains("--context staging-eu"),
        "{}",
        said(&output)
    );

    two.staging.cry("of staging alone");
    wait::until("the line", || {
        let output = two.run(&["logs", "crier"]);
        let text = said(&output);
        (output.status.success() && text.contains("of staging alone")).then_some(())
    });
    two.staging.stop();
    let (found, missing) = read(&json);
    assert_eq!(found, ["prod-eu deploy/web"]);
    assert!(
        missing.len() == 1 && missing[0].starts_with("staging-eu: "),
        "{missing:?}"
    );
}
