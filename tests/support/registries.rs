//! The registries of the tests: Debian's, open or with a password or with TLS, and one that gives tags in pages.
//! `tests/registry/install` brings them once; a missing one fails the tests.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use rolldeck::actions::Sources;
use rolldeck::config;
use rolldeck::engine::clock;
use rolldeck::sources::jenkins::Servers;
use rolldeck::sources::kube::Cluster;
use rolldeck::sources::prometheus::Prometheus;
use rolldeck::sources::registry::Registries;
use rolldeck::sources::source_repo::Repositories;
use serde_json::{Value, json};

use super::api::RUNTIME;
use super::built;
use super::certificates::Authority;
use super::keeper::{Keeper, remove_at_the_end, write};
use super::wait;

/// Who may use the one with a password.
pub const USER: (&str, &str) = ("robot", "word");
const HTPASSWD: &str = "robot:$2b$04$xk1oX8qm17Odg0TdXGp.FuYhLIcEiegI2dQmewqv.CSX.stt5pqIa\n";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

pub struct Server {
    /// As an image names it: `127.0.0.1:5000`.
    pub host: String,
    folder: PathBuf,
    scheme: &'static str,
    client: reqwest::Client,
    login: Option<(&'static str, &'static str)>,
    keeper: Keeper,
    _remover: Child,
}

/// What docker writes when one logs in.
pub fn login(host: &str, (user, word): (&str, &str)) -> Value {
    let auth = STANDARD.encode(format!("{user}:{word}"));
    json!({"auths": {host: {"auth": auth}}})
}

/// The same in a folder, as docker keeps it.
pub fn logged_in(host: &str, user: (&str, &str)) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = login(host, user).to_string();
    write(&folder.path().join("config.json"), &text);
    folder
}

/// The cluster alone: where the registry of the fixtures' images is said to be, nobody listens.
pub fn nowhere(cluster: Cluster) -> Sources {
    let known = config::Registry {
        host: "registry.test".into(),
        address: Some("127.0.0.1:1".into()),
        ca_file: None,
    };
    let settings = config::Registries {
        known: vec![known],
        ..config::Registries::default()
    };
    Sources {
        cluster,
        registries: Registries::new(&settings, clock::now),
        repositories: Repositories::default(),
        servers: Servers::default(),
        prometheus: Prometheus::new(&config::Config::default(), clock::now),
        origin: None,
    }
}

/// Debian's, without a login.
pub fn open() -> &'static Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| Server::debian(false, false));
    &SERVER
}

/// Debian's, for [`USER`] alone.
pub fn with_password() -> &'static Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| Server::debian(true, false));
    &SERVER
}

/// Debian's, with a certificate of [`Server::authority`].
pub fn with_tls() -> &'static Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| Server::debian(false, true));
    &SERVER
}

/// `ferro-oci-server`, which gives tags in pages.
pub fn paging() -> &'static Server {
    static SERVER: LazyLock<Server> = LazyLock::new(|| {
        let (folder, remover) = folder();
        let host = free_host();
        let listen = format!("FERRO_OCI_LISTEN={host}");
        let program = installed().join("bin/ferro-oci-server");
        let arguments = [listen, program.display().to_string()];
        let keeper = Keeper::start(Path::new("/usr/bin/env"), &arguments, &folder.join("log"));
        Server::started(host, folder, ("http", None), keeper, remover)
    });
    &SERVER
}

/// What `tests/registry/install` made for its present version.
pub fn installed() -> PathBuf {
    built::folder("tests/registry/install")
}

/// An image as it was pushed: the digests of its manifest and of its settings.
pub struct Pushed {
    pub digest: String,
    pub descriptor: Value,
}

impl Server {
    fn debian(password: bool, tls: bool) -> Self {
        let (folder, remover) = folder();
        let host = free_host();
        let mut config = json!({
            "version": 0.1,
            "log": {"level": "warn"},
            "storage": {"filesystem": {"rootdirectory": folder.join("data")}, "delete": {"enabled": true}},
            "http": {"addr": host},
        });
        if password {
            write(&folder.join("htpasswd"), HTPASSWD);
            config["auth"] =
                json!({"htpasswd": {"realm": "tests", "path": folder.join("htpasswd")}});
        }
        if tls {
            let authority = Authority::new();
            let signed = authority.server();
            for (name, text) in [
                ("ca.pem", &authority.pem),
                ("server.pem", &signed.certificate),
                ("server.key", &signed.key),
            ] {
                write(&folder.join(name), text);
            }
            config["http"]["tls"] =
                json!({"certificate": folder.join("server.pem"), "key": folder.join("server.key")});
        }
        let file = folder.join("config.json");
        write(&file, &config.to_string());
        let program = installed().join("usr/bin/docker-registry");
        let arguments = ["serve".to_owned(), file.display().to_string()];
        let keeper = Keeper::start(&program, &arguments, &folder.join("log"));
        let scheme = if tls { "https" } else { "http" };
        Self::started(
            host,
            folder,
            (scheme, password.then_some(USER)),
            keeper,
            remover,
        )
    }

    fn started(
        host: String,
        folder: PathBuf,
        (scheme, login): (&'static str, Option<(&'static str, &'static str)>),
        keeper: Keeper,
        remover: Child,
    ) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let ca = std::fs::read(folder.join("ca.pem")).unwrap_or_default();
        let ca = reqwest::Certificate::from_pem_bundle(&ca).unwrap_or_default();
        let client = reqwest::Client::builder()
            .no_proxy()
            .tls_certs_only(ca)
            .build();
        let server = Self {
            host,
            folder,
            scheme,
            client: client.expect("a client"),
            login,
            keeper,
            _remover: remover,
        };
        wait::until("the registry answers", || {
            let asked = server.request(http::Method::GET, &server.url(""));
            let answer = RUNTIME.block_on(asked.send());
            let answer = answer.ok().filter(|answer| answer.status().is_success());
            answer.map(|_| ()).or_else(|| {
                assert!(
                    Path::new(&format!("/proc/{}", server.keeper.process_id())).exists(),
                    "{}",
                    server.keeper.last_words()
                );
                None
            })
        });
        server
    }

    /// The file that one has to trust.
    pub fn authority(&self) -> PathBuf {
        self.folder.join("ca.pem")
    }

    /// One layer, and settings with these labels.
    pub fn push(&self, repository: &str, tag: &str, labels: &Value) -> Pushed {
        let layer = self.blob(
            repository,
            format!("layer of {repository}:{tag}").as_bytes(),
        );
        let config = json!({
            "created": "2026-01-02T03:04:05Z", "os": "linux", "architecture": "amd64",
            "config": {"Labels": labels}, "rootfs": {"type": "layers", "diff_ids": []},
        });
        let config = self.blob(repository, config.to_string().as_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": config, "layers": [layer],
        });
        self.put(repository, tag, MANIFEST, &manifest)
    }

    /// A manifest or an index, whose parts are there.
    pub fn put(&self, repository: &str, tag: &str, kind: &str, manifest: &Value) -> Pushed {
        let bytes = manifest.to_string().into_bytes();
        let url = self.url(&format!("{repository}/manifests/{tag}"));
        let request = self.request(http::Method::PUT, &url);
        let request = request.header("content-type", kind).body(bytes.clone());
        self.send(request, 201);
        let digest = sha256(&bytes);
        let descriptor = json!({"mediaType": kind, "digest": digest, "size": bytes.len()});
        Pushed { digest, descriptor }
    }

    fn blob(&self, repository: &str, bytes: &[u8]) -> Value {
        let digest = sha256(bytes);
        let url = self.url(&format!("{repository}/blobs/uploads/"));
        let opened = self.send(self.request(http::Method::POST, &url), 202);
        let place = opened.headers()["location"].to_str().expect("an address");
        let mut place = opened.url().join(place).expect("an address");
        place.query_pairs_mut().append_pair("digest", &digest);
        let request = self.request(http::Method::PUT, place.as_str());
        self.send(request.body(bytes.to_vec()), 201);
        json!({"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": bytes.len()})
    }

    fn url(&self, path: &str) -> String {
        format!("{}://{}/v2/{path}", self.scheme, self.host)
    }

    fn request(&self, method: http::Method, url: &str) -> reqwest::RequestBuilder {
        let request = self.client.request(method, url);
        match self.login {
            Some((user, password)) => request.basic_auth(user, Some(password)),
            None => request,
        }
    }

    #[allow(clippy::unused_self)] // it is a registry's answer
    fn send(&self, request: reqwest::RequestBuilder, wanted: u16) -> reqwest::Response {
        let answer = RUNTIME.block_on(request.send()).expect("an answer");
        let status = answer.status().as_u16();
        if status != wanted {
            let body = RUNTIME.block_on(answer.text()).unwrap_or_default();
            panic!("{status}: {body}\n{}", self.keeper.last_words());
        }
        answer
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let digits = digest.as_ref().iter().map(|byte| format!("{byte:02x}"));
    format!("sha256:{}", digits.collect::<String>())
}

fn folder() -> (PathBuf, Child) {
    let folder = tempfile::Builder::new()
        .prefix("rolldeck-registry-")
        .tempdir();
    let folder = folder.expect("a temporary folder").keep();
    let remover = remove_at_the_end(&folder);
    (folder, remover)
}

fn free_host() -> String {
    let held = TcpListener::bind("127.0.0.1:0").expect("a free port");
    held.local_addr().expect("an address").to_string()
}
