//! A real Kubernetes control plane on free loopback ports: etcd, kube-apiserver, kube-controller-manager,
//! kube-scheduler, and kwok in place of the kubelets. Started by the tests, gone with them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex};

use serde_json::{Value, json};

use super::api::Api;
use super::audit::{self, Asked};
use super::built;
use super::certificates::{Authority, Signed, token_keys};
use super::keeper::{self, Keeper, write};
use super::wait;

/// What `tests/control_plane/go.mod` asks for; every real test asserts it.
pub const VERSION: &str = "v1.36.3";

const STAGES: &str = include_str!("../control_plane/stages.yaml");

/// Who asked for what, without bodies but for what some tests write. `RequestReceived` would only repeat it.
const AUDIT_POLICY: &str = r#"{"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
"rules": [
  {"level": "RequestResponse", "users": ["chaos-a", "chaos-b", "chaos-meddler", "chaos-killed"],
   "verbs": ["create", "patch", "delete"], "resources": [{"group": "apps", "resources": ["deployments"]}]},
  {"level": "None", "userGroups": ["system:masters", "system:serviceaccounts"]},
  {"level": "Metadata"}
]}"#;

pub struct ControlPlane {
    folder: PathBuf,
    programs: PathBuf,
    authority: Authority,
    port: u16,
    etcd_port: u16,
    admin: Api,
    api_server: Mutex<Option<Keeper>>,
    // In the order in which they are to end.
    #[allow(clippy::struct_field_names)]
    others: Vec<Keeper>,
    _remover: Child,
}

/// How a kubeconfig's user proves who it is.
pub enum Login<'a> {
    Certificate(&'a str),
    Token(&'a str),
    /// A program, run as an exec credential plugin.
    Plugin(&'a Path),
}

impl ControlPlane {
    /// The one that all tests of a binary share, each in its own namespace. Nobody stops or freezes it.
    pub fn shared() -> &'static Self {
        static SHARED: LazyLock<ControlPlane> = LazyLock::new(ControlPlane::own);
        let plane = &*SHARED;
        plane.assert_version();
        plane
    }

    /// One for a test that stops or freezes the API server.
    ///
    /// # Panics
    /// When the programs are missing, with the command that builds them.
    pub fn own() -> Self {
        let programs = built::folder("tests/control_plane/build");
        let folder = tempfile::Builder::new()
            .prefix("rolldeck-plane-")
            .tempdir()
            .expect("a temporary folder")
            .keep();
        let remover = keeper::remove_at_the_end(&folder);
        let authority = Authority::new();
        write_files(&folder, &authority);
        let [port, etcd_port, peer_port, node_port] = free_ports();
        write(
            &folder.join("admin.kubeconfig"),
            &kubeconfig(&folder, port, "admin", &admin(&folder), None),
        );
        let etcd = Keeper::start(
            &programs.join("etcd"),
            &etcd_arguments(&folder, etcd_port, peer_port),
            &folder.join("etcd.log"),
        );
        let api_server = start_api_server(&programs, &folder, port, etcd_port);
        let admin = Api::new(&folder.join("admin.kubeconfig"));
        let mut plane = Self {
            folder,
            programs,
            authority,
            port,
            etcd_port,
            admin,
            api_server: Mutex::new(Some(api_server)),
            others: Vec::new(),
            _remover: remover,
        };
        plane.wait_ready();
        plane.start_controllers(node_port);
        plane.others.push(etcd);
        plane.make_nodes();
        plane.assert_version();
        plane
    }

    pub fn admin(&self) -> &Api {
        &self.admin
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn admin_kubeconfig(&self) -> PathBuf {
        self.folder.join("admin.kubeconfig")
    }

    pub fn assert_version(&self) {
        let version = self.admin.get("/version").expect("the server's version");
        assert_eq!(version["gitVersion"], VERSION, "the server under test");
    }

    /// A namespace of its own for one test: `shop-7`.
    pub fn namespace(&self, prefix: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        let name = format!("{prefix}-{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}});
        self.admin
            .create("/api/v1/namespaces", &object)
            .expect("a namespace");
        let account = format!("/api/v1/namespaces/{name}/serviceaccounts/default");
        wait::until("the namespace's service account", || {
            self.admin.get(&account).ok()
        });
        name
    }

    /// A kubeconfig file for `user`, with `namespace` in its context when given.
    pub fn kubeconfig(&self, user: &str, login: &Login<'_>, namespace: Option<&str>) -> PathBuf {
        let credential = match login {
            Login::Certificate(group) => {
                let group = Some(*group).filter(|group| !group.is_empty());
                let signed = self.authority.user(user, group);
                certificate(&self.folder, user, &signed)
            }
            Login::Token(token) => json!({"token": token}),
            Login::Plugin(program) => json!({"exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": program,
                "interactiveMode": "Never",
            }}),
        };
        let path = self.folder.join(format!("{user}.kubeconfig"));
        write(
            &path,
            &kubeconfig(&self.folder, self.port, user, &credential, namespace),
        );
        path
    }

    /// May get, list and watch everything in the cluster, and nothing else.
    pub fn reader(&self, user: &str, namespace: Option<&str>) -> PathBuf {
        let all =
            json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]});
        self.with_rules(user, &json!([all]), namespace)
    }

    /// May do what these RBAC rules allow in the whole cluster, and nothing else.
    pub fn with_rules(&self, user: &str, rules: &Value, namespace: Option<&str>) -> PathBuf {
        let role = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole",
            "metadata": {"name": user},
            "rules": rules,
        });
        let collection = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
        self.admin.create(collection, &role).expect("a role");
        self.bind(
            "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
            user,
            user,
        );
        self.kubeconfig(user, &Login::Certificate(""), namespace)
    }

    /// The role `edit` in one namespace, and no right outside it.
    pub fn editor(&self, user: &str, namespace: &str) -> PathBuf {
        let bindings =
            format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/rolebindings");
        self.bind(&bindings, user, "edit");
        self.kubeconfig(user, &Login::Certificate(""), Some(namespace))
    }

    /// May do everything, and unlike the administrator is audited.
    pub fn owner(&self, user: &str, namespace: Option<&str>) -> PathBuf {
        let bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings";
        self.bind(bindings, user, "cluster-admin");
        self.kubeconfig(user, &Login::Certificate(""), namespace)
    }

    /// A certificate for `user` until `end` (Unix time, in seconds).
    pub fn certificate_until(&self, user: &str, end: u64) -> Signed {
        self.authority.user_until(user, end)
    }

    /// A token of the namespace's service account, an hour long, or as long as this Secret is there.
    pub fn token(&self, namespace: &str, account: &str, bound_to: Option<&str>) -> String {
        let mut spec = json!({});
        if let Some(secret) = bound_to {
            spec["boundObjectRef"] = json!({"apiVersion": "v1", "kind": "Secret", "name": secret});
        }
        let request =
            json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": spec});
        let path = format!("/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token");
        let answer = self.admin.create(&path, &request).expect("a token");
        let token = answer["status"]["token"].as_str().expect("a token");
        token.to_owned()
    }

    fn bind(&self, collection: &str, user: &str, role: &str) {
        let kind = if collection.ends_with("/clusterrolebindings") {
            "ClusterRoleBinding"
        } else {
            "RoleBinding"
        };
        let binding = json!({
            "apiVersion": "rbac.authorization.k8s.io/v1", "kind": kind,
            "metadata": {"name": user},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": role},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}],
        });
        self.admin.create(collection, &binding).expect("a binding");
    }

    /// Everything that `user` asked of the API server so far. The administrator and the controllers are not kept.
    pub fn asked_by(&self, user: &str) -> Vec<Asked> {
        audit::of(&self.folder.join("audit.log"), user)
    }

    /// The API server answers nothing, and keeps its connections open.
    pub fn freeze(&self) {
        self.with_api_server(|server| server.signal("STOP"));
    }

    pub fn thaw(&self) {
        self.with_api_server(|server| server.signal("CONT"));
    }

    /// The API server is gone: connections are refused.
    pub fn stop(&self) {
        drop(self.api_server.lock().expect("no panic").take());
    }

    /// On the same port, with the data of before.
    pub fn start(&self) {
        let server = start_api_server(&self.programs, &self.folder, self.port, self.etcd_port);
        *self.api_server.lock().expect("no panic") = Some(server);
        self.wait_ready();
    }

    /// Where one of the programs lies that were built with it.
    pub fn program(&self, name: &str) -> PathBuf {
        self.programs.join(name)
    }

    /// Runs kubectl as the administrator.
    pub fn kubectl(&self, arguments: &[&str]) -> String {
        let output = Command::new(self.programs.join("kubectl"))
            .arg("--kubeconfig")
            .arg(self.admin_kubeconfig())
            .args(arguments)
            .output()
            .expect("kubectl starts");
        assert!(
            output.status.success(),
            "kubectl {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Runs kubectl as somebody, whatever comes of it.
    pub fn kubectl_as(&self, kubeconfig: &Path, arguments: &[&str]) {
        let output = Command::new(self.programs.join("kubectl"))
            .arg("--kubeconfig")
            .arg(kubeconfig)
            .args(arguments)
            .output();
        output.expect("kubectl starts");
    }

    /// The resident memory and processor time of the API server, for benchmarks that report it beside ours.
    pub fn api_server_process(&self) -> u32 {
        self.with_api_server(Keeper::process_id)
    }

    /// What every pod's log says, unless its container is named in [`Self::set_log`].
    pub fn set_log(&self, lines: &[&str]) {
        write_log(&self.folder.join("pods.log"), lines);
    }

    /// One more line in the log of every container named `crier`, which [`Self::set_log`] does not touch.
    pub fn cry(&self, line: &str) {
        let mut file = std::fs::File::options()
            .append(true)
            .open(self.folder.join("crier.log"))
            .expect("the log");
        let line = log_line(&jiff::Timestamp::now().to_string(), line);
        std::io::Write::write_all(&mut file, line.as_bytes()).expect("room on the disk");
    }

    /// A second API server on the same data, which knows only what is from now on: etcd is made to forget the
    /// cluster's first hundred versions before. Its kubeconfig for the administrator.
    pub fn forgetful(&self) -> (Keeper, PathBuf) {
        let path = self.folder.join("etcd.kubeconfig");
        let text = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "etcd",
            "clusters": [{"name": "etcd", "cluster": {"server": format!("http://127.0.0.1:{}", self.etcd_port)}}],
            "users": [{"name": "etcd", "user": {}}],
            "contexts": [{"name": "etcd", "context": {"cluster": "etcd", "user": "etcd"}}],
        });
        write(&path, &text.to_string());
        let compaction = json!({"revision": "100", "physical": true});
        Api::new(&path)
            .create("/v3/kv/compaction", &compaction)
            .expect("etcd forgets");
        let [port] = free_ports();
        let server = start_api_server(&self.programs, &self.folder, port, self.etcd_port);
        let path = self.folder.join("forgetful.kubeconfig");
        let text = kubeconfig(&self.folder, port, "admin", &admin(&self.folder), None);
        write(&path, &text);
        let api = Api::new(&path);
        wait::until("the second API server is ready", || {
            api.text("/readyz").ok().filter(|text| text == "ok")
        });
        (server, path)
    }

    fn with_api_server<T>(&self, act: impl FnOnce(&Keeper) -> T) -> T {
        let server = self.api_server.lock().expect("no panic");
        act(server.as_ref().expect("the API server was started"))
    }

    fn wait_ready(&self) {
        let said = || self.with_api_server(Keeper::last_words);
        let ready = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            wait::until("the API server is ready", || {
                self.admin.text("/readyz").ok().filter(|text| text == "ok")
            });
        }));
        assert!(
            ready.is_ok(),
            "the API server did not get ready:\n{}",
            said()
        );
    }

    fn start_controllers(&mut self, node_port: u16) {
        let folder = &self.folder;
        for (program, arguments) in [
            (
                "kube-controller-manager",
                controller_manager_arguments(folder),
            ),
            ("kube-scheduler", scheduler_arguments(folder)),
            ("kwok", kwok_arguments(folder, node_port)),
        ] {
            let log = folder.join(format!("{program}.log"));
            let keeper = Keeper::start(&self.programs.join(program), &arguments, &log);
            self.others.push(keeper);
        }
    }

    fn make_nodes(&self) {
        for number in 1..=4 {
            let node = json!({
                "apiVersion": "v1", "kind": "Node",
                "metadata": {"name": format!("node-{number}"), "annotations": {"kwok.x-k8s.io/node": "fake"}},
            });
            self.admin.create("/api/v1/nodes", &node).expect("a node");
        }
        wait::until("every node is ready and takes pods", || {
            let nodes = self.admin.items("/api/v1/nodes");
            nodes.iter().all(takes_pods).then_some(())
        });
    }
}

fn takes_pods(node: &Value) -> bool {
    let conditions = node["status"]["conditions"].as_array();
    let ready = conditions.is_some_and(|conditions| {
        conditions
            .iter()
            .any(|condition| condition["type"] == "Ready" && condition["status"] == "True")
    });
    ready && node["spec"]["taints"].as_array().is_none_or(Vec::is_empty)
}

/// All are held until all are known, so that they differ.
pub fn free_ports<const N: usize>() -> [u16; N] {
    let held: [TcpListener; N] =
        std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    held.map(|socket| socket.local_addr().expect("an address").port())
}

fn write_files(folder: &Path, authority: &Authority) {
    write(&folder.join("ca.crt"), &authority.pem);
    let server = authority.server();
    write(&folder.join("server.crt"), &server.certificate);
    write(&folder.join("server.key"), &server.key);
    let admin = authority.user("admin", Some("system:masters"));
    certificate(folder, "admin", &admin);
    let (private, public) = token_keys();
    write(&folder.join("tokens.key"), &private);
    write(&folder.join("tokens.pub"), &public);
    write(&folder.join("audit.json"), AUDIT_POLICY);
    write_log(&folder.join("pods.log"), &["ready to serve"]);
    write_log(&folder.join("pods-previous.log"), &["panic: out of luck"]);
    write_log(&folder.join("crier.log"), &[]);
    let logs = json!({
        "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "ClusterLogs",
        "metadata": {"name": "all"},
        "spec": {"logs": [{
            "containers": ["crier"],
            "logsFile": folder.join("crier.log"),
            "previousLogsFile": folder.join("pods-previous.log"),
        }, {
            "logsFile": folder.join("pods.log"),
            "previousLogsFile": folder.join("pods-previous.log"),
        }]},
    });
    write(&folder.join("kwok.yaml"), &format!("{STAGES}---\n{logs}\n"));
}

/// In the format of container runtimes, which kwok's kubelet reads.
fn write_log(path: &Path, lines: &[&str]) {
    write(path, &log_lines(lines));
}

fn log_lines(lines: &[&str]) -> String {
    let line = |line: &&str| log_line("2026-01-02T03:04:05.000000006Z", line);
    lines.iter().map(line).collect()
}

fn log_line(at: &str, line: &str) -> String {
    format!("{at} stdout F {line}\n")
}

fn certificate(folder: &Path, user: &str, signed: &Signed) -> Value {
    write(&folder.join(format!("{user}.crt")), &signed.certificate);
    write(&folder.join(format!("{user}.key")), &signed.key);
    json!({
        "client-certificate": folder.join(format!("{user}.crt")),
        "client-key": folder.join(format!("{user}.key")),
    })
}

fn admin(folder: &Path) -> Value {
    json!({"client-certificate": folder.join("admin.crt"), "client-key": folder.join("admin.key")})
}

fn kubeconfig(
    folder: &Path,
    port: u16,
    user: &str,
    credential: &Value,
    namespace: Option<&str>,
) -> String {
    let mut context = json!({"cluster": "prod-eu", "user": user});
    if let Some(namespace) = namespace {
        context["namespace"] = json!(namespace);
    }
    json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "prod-eu",
        "clusters": [{"name": "prod-eu", "cluster": {
            "server": format!("https://127.0.0.1:{port}"),
            "certificate-authority": folder.join("ca.crt"),
        }}],
        "users": [{"name": user, "user": credential}],
        "contexts": [{"name": "prod-eu", "context": context}],
    })
    .to_string()
}

fn etcd_arguments(folder: &Path, port: u16, peer_port: u16) -> Vec<String> {
    let data = folder.join("etcd");
    flags(&[
        ("name", "default"),
        ("data-dir", &data.to_string_lossy()),
        ("unsafe-no-fsync", "true"),
        ("log-level", "warn"),
        ("listen-client-urls", &format!("http://127.0.0.1:{port}")),
        ("advertise-client-urls", &format!("http://127.0.0.1:{port}")),
        ("listen-peer-urls", &format!("http://127.0.0.1:{peer_port}")),
        (
            "initial-advertise-peer-urls",
            &format!("http://127.0.0.1:{peer_port}"),
        ),
        (
            "initial-cluster",
            &format!("default=http://127.0.0.1:{peer_port}"),
        ),
    ])
}

fn start_api_server(programs: &Path, folder: &Path, port: u16, etcd_port: u16) -> Keeper {
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let arguments = flags(&[
        ("etcd-servers", &format!("http://127.0.0.1:{etcd_port}")),
        ("bind-address", "127.0.0.1"),
        ("advertise-address", "127.0.0.1"),
        ("secure-port", &port.to_string()),
        ("endpoint-reconciler-type", "none"),
        ("tls-cert-file", &file("server.crt")),
        ("tls-private-key-file", &file("server.key")),
        ("client-ca-file", &file("ca.crt")),
        ("authorization-mode", "RBAC"),
        ("service-account-key-file", &file("tokens.pub")),
        ("service-account-signing-key-file", &file("tokens.key")),
        ("service-account-issuer", "https://kubernetes.default.svc"),
        ("service-cluster-ip-range", "10.0.0.0/24"),
        ("kubelet-preferred-address-types", "InternalIP"),
        ("audit-policy-file", &file("audit.json")),
        ("audit-log-path", &file("audit.log")),
        ("shutdown-delay-duration", "0s"),
    ]);
    Keeper::start(
        &programs.join("kube-apiserver"),
        &arguments,
        &folder.join("kube-apiserver.log"),
    )
}

fn controller_manager_arguments(folder: &Path) -> Vec<String> {
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    flags(&[
        ("kubeconfig", &file("admin.kubeconfig")),
        ("authentication-kubeconfig", &file("admin.kubeconfig")),
        ("authorization-kubeconfig", &file("admin.kubeconfig")),
        ("service-account-private-key-file", &file("tokens.key")),
        ("root-ca-file", &file("ca.crt")),
        ("use-service-account-credentials", "false"),
        ("secure-port", "0"),
        ("leader-elect", "false"),
        ("controllers", "*,-node-ipam-controller"),
        ("kube-api-qps", "500"),
        ("kube-api-burst", "1000"),
        ("concurrent-deployment-syncs", "20"),
        ("concurrent-replicaset-syncs", "20"),
        ("resource-quota-sync-period", "1s"),
    ])
}

fn scheduler_arguments(folder: &Path) -> Vec<String> {
    let kubeconfig = folder.join("admin.kubeconfig");
    let kubeconfig = kubeconfig.to_string_lossy();
    flags(&[
        ("kubeconfig", &kubeconfig),
        ("authentication-kubeconfig", &kubeconfig),
        ("authorization-kubeconfig", &kubeconfig),
        ("secure-port", "0"),
        ("leader-elect", "false"),
        ("kube-api-qps", "500"),
        ("kube-api-burst", "1000"),
    ])
}

fn kwok_arguments(folder: &Path, node_port: u16) -> Vec<String> {
    let file = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let mut arguments = flags(&[
        ("kubeconfig", &file("admin.kubeconfig")),
        ("config", &file("kwok.yaml")),
        ("manage-all-nodes", "true"),
        ("node-lease-duration-seconds", "40"),
        ("node-ip", "127.0.0.1"),
        ("node-port", &node_port.to_string()),
        ("server-address", &format!("127.0.0.1:{node_port}")),
        ("tls-cert-file", &file("server.crt")),
        ("tls-private-key-file", &file("server.key")),
    ]);
    arguments.push("--enable-crds=".to_owned());
    arguments
}

fn flags(pairs: &[(&str, &str)]) -> Vec<String> {
    pairs
        .iter()
        .map(|(name, value)| format!("--{name}={value}"))
        .collect()
}
