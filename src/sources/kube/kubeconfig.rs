//! The kubeconfig: which files count, which context, and what kube needs to connect with it.

use std::io;
use std::path::Path;

use kube::config::{
    AuthInfo, Cluster, Context, ExecAuthCluster, Kubeconfig, KubeconfigError, LoadDataError,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::credential;
use super::error::Error;
use crate::config::Connection;
use crate::sources::{proxy, words};

/// The id of the cluster that a pod runs in.
const IN_CLUSTER: &str = "in-cluster";

/// Where the kubelet mounts the service account of a pod.
const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// All that is needed to log in and connect.
pub struct Access {
    pub context: String,
    pub in_cluster: bool,
    /// The namespace that the context names.
    pub namespace: Option<String>,
    /// The name of the kubeconfig's user entry.
    pub user: String,
    pub config: kube::Config,
}

impl Access {
    /// What a person does to log in again.
    pub fn login_hint(&self) -> String {
        credential::hint(&self.config, &self.context, &self.user)
    }
}

/// Reads the files that are there, in their order, the first to say something wins. Without any, the service
/// account of the pod. Blocks on files.
pub fn load(connection: &Connection) -> Result<Access, Error> {
    let (merged, files) = read(connection)?;
    match merged {
        Some(kubeconfig) => choose(&kubeconfig, connection, &files),
        None => in_cluster(connection),
    }
}

/// The names of the contexts, in the order of the files, and the current one.
pub fn contexts(connection: &Connection) -> Result<(Vec<String>, Option<String>), Error> {
    let kubeconfig = read(connection)?.0.unwrap_or_default();
    Ok((names(&kubeconfig), kubeconfig.current_context))
}

/// A client that could not be built: certificates and keys that are none.
pub fn unusable(error: &kube::Error) -> Error {
    plain(format!(
        "the kubeconfig cannot be used: {}",
        words::innermost(error)
    ))
}

/// The merged files, `None` when none has a context, and the names of those read.
fn read(connection: &Connection) -> Result<(Option<Kubeconfig>, String), Error> {
    let mut merged = Kubeconfig::default();
    let mut read = Vec::new();
    for file in connection.files() {
        let next = match Kubeconfig::read_from(file) {
            // Like kubectl: files of a list may be missing, one that was named may not.
            Err(KubeconfigError::ReadConfig(why, _))
                if why.kind() == io::ErrorKind::NotFound && connection.kubeconfig.is_none() =>
            {
                continue;
            }
            other => other.map_err(|error| in_file(file, &error))?,
        };
        merged = merged.merge(next).map_err(|error| in_file(file, &error))?;
        read.push(file.display().to_string());
    }
    let named = connection.kubeconfig.is_some() || connection.context.is_some();
    let usable = !merged.contexts.is_empty() || (named && !read.is_empty());
    Ok((usable.then_some(merged), read.join(", ")))
}

fn choose(kubeconfig: &Kubeconfig, connection: &Connection, files: &str) -> Result<Access, Error> {
    let names = names(kubeconfig);
    let name = connection
        .context
        .as_ref()
        .or(kubeconfig.current_context.as_ref())
        .filter(|name| !name.is_empty());
    let Some(name) = name else {
        let sentence = format!("{files}: there is no current context");
        return Err(pick_one(sentence, &names));
    };
    let context = kubeconfig
        .contexts
        .iter()
        .find(|context| &context.name == name);
    let Some(context) = context.and_then(|context| context.context.as_ref()) else {
        let sentence = format!("{files}: there is no context named {name}");
        return Err(pick_one(sentence, &names));
    };
    let place = format!("{files}, context {name}");
    let wrong = |what: String| plain(format!("{place}: {what}"));
    let (cluster, auth) = parts(kubeconfig, context).map_err(wrong)?;
    let config = configure(cluster, auth).map_err(wrong)?;
    Ok(Access {
        context: name.clone(),
        in_cluster: false,
        namespace: context.namespace.clone().filter(|name| !name.is_empty()),
        user: context.user.clone().unwrap_or_default(),
        config: through_proxy(config, cluster.proxy_url.as_deref(), connection)?,
    })
}

/// The cluster and the user that a context names. A context may go without a user.
fn parts<'a>(
    kubeconfig: &'a Kubeconfig,
    context: &Context,
) -> Result<(&'a Cluster, AuthInfo), String> {
    let clusters = &kubeconfig.clusters;
    let cluster = clusters
        .iter()
        .find(|named| named.name == context.cluster)
        .and_then(|named| named.cluster.as_ref())
        .ok_or_else(|| format!("its cluster {} is not in the file", context.cluster))?;
    let Some(user) = context.user.as_ref().filter(|name| !name.is_empty()) else {
        return Ok((cluster, AuthInfo::default()));
    };
    let users = &kubeconfig.auth_infos;
    let named = users
        .iter()
        .find(|named| named.name == *user)
        .ok_or_else(|| format!("its user {user} is not in the file"))?;
    Ok((cluster, named.auth_info.clone().unwrap_or_default()))
}

/// Done here and not by kube's own loader, which reads the proxy variables and fails on a `NO_PROXY` that ends
/// in a comma.
fn configure(cluster: &Cluster, mut auth: AuthInfo) -> Result<kube::Config, String> {
    let server = cluster.server.as_deref().unwrap_or_default();
    let uri: http::Uri = server.parse().map_err(|_| no_address(server))?;
    if !uri
        .scheme_str()
        .is_some_and(|scheme| ["http", "https"].contains(&scheme))
    {
        return Err(no_address(server));
    }
    let told = ExecAuthCluster::try_from(cluster).map_err(|error| authority(&error))?;
    let mut config = kube::Config::new(uri);
    config.root_cert = told
        .certificate_authority_data
        .as_deref()
        .map(certificates)
        .transpose()?;
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name.clone_from(&cluster.tls_server_name);
    if let Some(plugin) = &mut auth.exec
        && plugin.provide_cluster_info
    {
        plugin.cluster = Some(told);
    }
    config.auth_info = auth;
    Ok(config)
}

fn no_address(server: &str) -> String {
    format!("its cluster's server is not an address like https://HOST:PORT: {server:?}")
}

fn certificates(pem: &[u8]) -> Result<Vec<Vec<u8>>, String> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let read = read.ok().filter(|certificates| !certificates.is_empty());
    let read = read.ok_or("its certificate authority is not a certificate")?;
    Ok(read
        .iter()
        .map(|certificate| certificate.to_vec())
        .collect())
}

/// Ours, because kube 5.0 compares `NO_PROXY` with the proxy instead of the cluster.
fn through_proxy(
    mut config: kube::Config,
    explicit: Option<&str>,
    connection: &Connection,
) -> Result<kube::Config, Error> {
    let chosen = proxy::choose(&config.cluster_url, explicit, &connection.proxy);
    // A proxy's address may hold a password, so it is not repeated.
    let refused = || {
        plain("the proxy for this cluster (proxy-url, HTTPS_PROXY) is not an http, https or socks5 address".into())
    };
    config.proxy_url = match chosen {
        None => None,
        Some(text) => {
            let uri: http::Uri = text.parse().map_err(|_| refused())?;
            let known = ["http", "https", "socks5"];
            if !uri
                .scheme_str()
                .is_some_and(|scheme| known.contains(&scheme))
            {
                return Err(refused());
            }
            Some(uri)
        }
    };
    Ok(config)
}

fn in_cluster(connection: &Connection) -> Result<Access, Error> {
    let mut looked: Vec<_> = connection
        .kubeconfig
        .iter()
        .chain(&connection.search)
        .map(|file| {
            let what = if file.exists() {
                "has no context"
            } else {
                "not found"
            };
            format!("kubeconfig  {}  {what}", file.display())
        })
        .collect();
    let other = connection
        .context
        .as_ref()
        .filter(|name| *name != IN_CLUSTER);
    if let Some(name) = other {
        // The pod's own cluster is never shown under the name of another.
        looked.push(format!("context     {name}  is in none of them"));
        return Err(Error::NoCluster { looked });
    }
    if !connection.in_cluster {
        looked.push("in-cluster  no service account here".into());
        return Err(Error::NoCluster { looked });
    }
    let config = kube::Config::incluster_env().map_err(|error| {
        looked.push(format!(
            "in-cluster  {ACCOUNT}: {}",
            words::innermost(&error)
        ));
        Error::NoCluster { looked }
    })?;
    Ok(Access {
        context: IN_CLUSTER.into(),
        in_cluster: true,
        namespace: Some(config.default_namespace.clone()),
        user: "service account".into(),
        config,
    })
}

fn names(kubeconfig: &Kubeconfig) -> Vec<String> {
    let contexts = kubeconfig.contexts.iter();
    contexts.map(|context| context.name.clone()).collect()
}

fn pick_one(sentence: String, names: &[String]) -> Error {
    let hint = if names.is_empty() {
        "it holds no context".to_owned()
    } else {
        format!("choose one with --context: {}", names.join(", "))
    };
    Error::Kubeconfig {
        sentence,
        hints: vec![hint],
    }
}

fn plain(sentence: String) -> Error {
    Error::Kubeconfig {
        sentence,
        hints: Vec::new(),
    }
}

/// The parser's own text shows a piece of the file, in which there may be a secret; only the place is kept.
fn in_file(file: &Path, error: &KubeconfigError) -> Error {
    let file = file.display();
    plain(match error {
        KubeconfigError::ReadConfig(why, _) => {
            format!("kubeconfig {file} cannot be read: {}", reason(why))
        }
        KubeconfigError::Parse(why) => match why.location() {
            Some(at) => {
                let (line, column) = (at.line(), at.column());
                format!("kubeconfig {file}, line {line}, column {column}: this is not a kubeconfig")
            }
            None => format!("kubeconfig {file}: this is not a kubeconfig"),
        },
        other => format!("kubeconfig {file}: {other}"),
    })
}

fn authority(error: &KubeconfigError) -> String {
    match error {
        KubeconfigError::LoadCertificateAuthority(LoadDataError::ReadFile(why, file)) => {
            let file = file.display();
            format!(
                "the certificate authority {file} cannot be read: {}",
                reason(why)
            )
        }
        _ => "its certificate authority is not base64".into(),
    }
}

fn reason(why: &io::Error) -> String {
    let text = why.to_string();
    text.split(" (os error")
        .next()
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Proxy;
    use std::fs;

    const FIRST: &str = "
current-context: eu
clusters:
- {name: eu, cluster: {server: 'https://eu:6443', tls-server-name: k8s}}
- {name: bare, cluster: {server: 'eu:6443'}}
- {name: badca, cluster: {server: 'https://eu', certificate-authority-data: bm90aGluZw==}}
- {name: noca, cluster: {server: 'https://eu', certificate-authority: missing.crt}}
users:
- {name: anna, user: {token: first}}
contexts:
- {name: eu, context: {cluster: eu, user: anna, namespace: shop}}
- {name: bare, context: {cluster: bare, user: anna}}
- {name: badca, context: {cluster: badca, user: anna}}
- {name: noca, context: {cluster: noca, user: anna}}
- {name: lost, context: {cluster: nowhere, user: anna}}
- {name: nobody, context: {cluster: eu, user: ghost}}
";
    const SECOND: &str = "
current-context: us
clusters:
- {name: us, cluster: {server: 'https://us', proxy-url: 'socks5://localhost:1080'}}
- {name: odd, cluster: {server: 'https://us', proxy-url: 'ftp://me:hunter2@proxy'}}
users:
- {name: anna, user: {token: second}}
contexts:
- {name: us, context: {cluster: us, user: anna}}
- {name: odd, context: {cluster: odd}}
";

    struct Home(tempfile::TempDir);

    impl Home {
        fn new() -> Self {
            let home = Self(tempfile::tempdir().unwrap());
            home.write("a", FIRST);
            home.write("b", SECOND);
            home
        }

        fn write(&self, name: &str, text: &str) {
            fs::write(self.0.path().join(name), text).unwrap();
        }

        fn connection(&self, files: &[&str], context: Option<&str>) -> Connection {
            Connection {
                search: files.iter().map(|name| self.0.path().join(name)).collect(),
                context: context.map(String::from),
                ..Connection::default()
            }
        }

        /// With the folder cut off.
        fn error(&self, connection: &Connection) -> (String, Vec<String>) {
            let failure = load(connection).err().unwrap().failure();
            let folder = format!("{}/", self.0.path().display());
            let short = |text: String| text.replace(&folder, "");
            (
                short(failure.sentence),
                failure.hints.into_iter().map(short).collect(),
            )
        }
    }

    #[test]
    fn the_first_file_wins_and_missing_ones_are_left_out() {
        let home = Home::new();
        let merged = home.connection(&["missing", "a", "b"], None);
        let access = load(&merged).unwrap();
        assert_eq!(access.context, "eu");
        assert_eq!(access.namespace.as_deref(), Some("shop"));
        assert_eq!(access.config.tls_server_name.as_deref(), Some("k8s"));
        let us = load(&home.connection(&["a", "b"], Some("us"))).unwrap();
        let auth = serde_json::to_string(&us.config.auth_info).unwrap();
        assert!(auth.contains("first"), "the first file's anna");
        assert_eq!(us.config.proxy_url.unwrap(), "socks5://localhost:1080");
        let (names, current) = contexts(&merged).unwrap();
        assert_eq!(names[0], "eu");
        assert_eq!(names.len(), 8);
        assert_eq!(current.as_deref(), Some("eu"));
    }

    #[test]
    fn a_named_file_counts_alone_and_must_be_there() {
        let home = Home::new();
        let mut connection = home.connection(&["a"], None);
        connection.kubeconfig = Some(home.0.path().join("b"));
        assert_eq!(load(&connection).unwrap().context, "us");
        connection.kubeconfig = Some(home.0.path().join("c"));
        let (sentence, _) = home.error(&connection);
        assert_eq!(
            sentence,
            "kubeconfig c cannot be read: No such file or directory"
        );
    }

    #[test]
    fn mistakes_are_told_in_one_sentence() {
        let home = Home::new();
        let choose = "choose one with --context: eu, bare, badca, noca, lost, nobody";
        for (context, sentence, hint) in [
            ("moon", "a: there is no context named moon", Some(choose)),
            (
                "lost",
                "a, context lost: its cluster nowhere is not in the file",
                None,
            ),
            (
                "nobody",
                "a, context nobody: its user ghost is not in the file",
                None,
            ),
            (
                "bare",
                "a, context bare: its cluster's server is not an address like https://HOST:PORT: \"eu:6443\"",
                None,
            ),
            (
                "badca",
                "a, context badca: its certificate authority is not a certificate",
                None,
            ),
            (
                "noca",
                "a, context noca: the certificate authority missing.crt cannot be read: No such file or directory",
                None,
            ),
        ] {
            let hints: Vec<_> = hint.into_iter().map(String::from).collect();
            let got = home.error(&home.connection(&["a"], Some(context)));
            assert_eq!(got, (sentence.to_owned(), hints));
        }
        let odd = home.error(&home.connection(&["b"], Some("odd"))).0;
        assert!(
            odd.contains("proxy-url") && !odd.contains("hunter2"),
            "{odd}"
        );
    }

    #[test]
    fn a_broken_file_shows_its_place_and_none_of_its_text() {
        let home = Home::new();
        home.write("a", "users:\n- name: anna\n  user: [hunter2\n");
        let (sentence, _) = home.error(&home.connection(&["a"], None));
        assert!(sentence.starts_with("kubeconfig a, line "), "{sentence}");
        assert!(!sentence.contains("hunter2"), "{sentence}");
    }

    #[test]
    fn no_current_context_names_those_there_are() {
        let home = Home::new();
        home.write(
            "a",
            &FIRST.replace("current-context: eu", "current-context: ''"),
        );
        let (sentence, hints) = home.error(&home.connection(&["a"], None));
        assert_eq!(sentence, "a: there is no current context");
        assert!(
            hints[0].starts_with("choose one with --context: eu, "),
            "{hints:?}"
        );
    }

    #[test]
    fn nothing_at_all_says_where_was_looked() {
        let home = Home::new();
        home.write("empty", "");
        let (sentence, hints) = home.error(&home.connection(&["missing", "empty"], None));
        assert_eq!(sentence, "No cluster to show.");
        let want = [
            "kubeconfig  missing  not found",
            "kubeconfig  empty  has no context",
            "in-cluster  no service account here",
        ];
        assert_eq!(hints[..3], want);
    }

    #[test]
    fn a_no_proxy_that_ends_in_a_comma_is_understood() {
        let home = Home::new();
        let mut connection = home.connection(&["a"], None);
        connection.proxy = Proxy {
            https: Some("proxy:3128".into()),
            http: None,
            exclude: Some("localhost,".into()),
        };
        let proxy = load(&connection).unwrap().config.proxy_url.unwrap();
        assert_eq!(proxy, "http://proxy:3128");
        connection.proxy.exclude = Some("localhost,eu,".into());
        assert_eq!(load(&connection).unwrap().config.proxy_url, None);
    }
}
