//! From flags, environment and file to what is in force.

use std::collections::BTreeMap;
use std::env::split_paths;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::file::OneOrMore;
use super::k9s;
use super::layers::{self, ALL, Env, Overrides, absolute, filled, home};
use super::{Config, Connection, Display, DockerEngine, Namespaces, Proxy, Registries, handover};
use crate::domain::Environment;

/// Reads the file and puts everything together. File < environment < flags.
///
/// # Errors
/// What is wrong, with its place and the fix.
pub fn load(overrides: Overrides, env: Env<'_>) -> Result<Config, Error> {
    let layers = layers::read(&overrides, env)?;
    let file = layers.file;
    let display = file.display;
    let mut aliases = BTreeMap::new();
    if file.k9s_aliases {
        aliases.extend(k9s::aliases(env)?);
    }
    aliases.extend(file.aliases);
    let (contexts, asked) = clusters(file.context, &file.environments);
    Ok(Config {
        contexts,
        namespaces: namespaces(file.namespaces, asked),
        readonly: file.readonly,
        armed_at_start: overrides.write,
        command: overrides.command.clone(),
        environments: file.environments,
        service_label: file.service_label,
        holds: file.holds,
        display: Display {
            color: display.color.unwrap_or_default(),
            ascii: display.ascii.unwrap_or_default(),
            theme: display.theme,
            columns: display.columns,
        },
        notify: file.notify,
        registries: Registries {
            known: file.registries,
            docker_config: docker(env),
            proxy: proxy(env),
            verify: file.verify_images.unwrap_or_default(),
        },
        jenkins: file.jenkins,
        prometheus: file.prometheus,
        repositories: file.repositories,
        builds: file.builds,
        docker: Some(engine(env)),
        keys: file
            .keys
            .into_iter()
            .map(|(intent, keys)| (intent, keys.into_list()))
            .collect(),
        aliases,
        programs: handover::merged(&file.handover, Path::new("config.yaml"))?,
        state_dir: state(env)?,
        cache_dir: cache(env)?,
        file: layers.path,
        verify_seconds: file.verify_seconds.unwrap_or_default(),
        soak: file.promotion.seconds().unwrap_or_default(),
        way: file.promotion.way,
        at_once: file.at_once.unwrap_or_default(),
        presence: file.presence,
        connection: Connection {
            context: None,
            search: search(env),
            kubeconfig: overrides.kubeconfig.clone(),
            in_cluster: filled(env, "KUBERNETES_SERVICE_HOST").is_some(),
            proxy: proxy(env),
        },
        overrides,
    })
}

/// Environments in several clusters are all shown when no context is asked for.
fn clusters(asked: Option<OneOrMore>, environments: &[Environment]) -> (Vec<String>, Namespaces) {
    let asked = asked.map(OneOrMore::into_list).unwrap_or_default();
    let mut of_environments: Vec<String> = Vec::new();
    for environment in environments {
        if !of_environments.contains(&environment.cluster) {
            of_environments.push(environment.cluster.clone());
        }
    }
    if asked.is_empty() && of_environments.len() > 1 {
        return (of_environments, Namespaces::OfEnvironments);
    }
    (asked, Namespaces::OfContext)
}

/// `otherwise` while none are named.
fn namespaces(names: Option<OneOrMore>, otherwise: Namespaces) -> Namespaces {
    match names {
        None => otherwise,
        Some(OneOrMore::One(word)) if word == ALL => Namespaces::All,
        Some(names) => match names.into_list() {
            list if list.is_empty() => otherwise,
            list => Namespaces::Named(list),
        },
    }
}

/// Where the release record and the log are.
pub fn state(env: Env<'_>) -> Result<PathBuf, Error> {
    let usual = || Some(home(env)?.join(".local/state"));
    let folder = absolute(env, "XDG_STATE_HOME").or_else(usual);
    let folder = folder.ok_or_else(|| {
        let message = "is not set, nor is XDG_STATE_HOME: there is no place for the release record";
        Error::new("HOME", message)
    })?;
    Ok(folder.join("rolldeck"))
}

/// What can be had again.
fn cache(env: Env<'_>) -> Result<PathBuf, Error> {
    let usual = || Some(home(env)?.join(".cache"));
    let folder = absolute(env, "XDG_CACHE_HOME").or_else(usual);
    let folder = folder.ok_or_else(|| {
        let message = "is not set, nor is XDG_CACHE_HOME: there is no place for copies";
        Error::new("HOME", message)
    })?;
    Ok(folder.join("rolldeck"))
}

/// The kubeconfig files, in the order in which they are merged.
pub fn search(env: Env<'_>) -> Vec<PathBuf> {
    let listed = filled(env, "KUBECONFIG").unwrap_or_default();
    let files: Vec<_> = split_paths(&listed)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if files.is_empty() {
        home(env)
            .map(|home| home.join(".kube/config"))
            .into_iter()
            .collect()
    } else {
        files
    }
}

/// By the variables that docker itself reads.
fn engine(env: Env<'_>) -> DockerEngine {
    let folder = filled(env, "DOCKER_CERT_PATH").map(PathBuf::from);
    let folder = folder.or_else(|| docker(env));
    DockerEngine {
        host: filled(env, "DOCKER_HOST"),
        certificates: folder.filter(|_| filled(env, "DOCKER_TLS_VERIFY").is_some()),
    }
}

/// Where docker and its like keep their settings.
fn docker(env: Env<'_>) -> Option<PathBuf> {
    let named = filled(env, "DOCKER_CONFIG").map(PathBuf::from);
    named.or_else(|| Some(home(env)?.join(".docker")))
}

fn proxy(env: Env<'_>) -> Proxy {
    let either = |name: &str| filled(env, name).or_else(|| filled(env, &name.to_lowercase()));
    Proxy {
        https: either("HTTPS_PROXY"),
        http: either("HTTP_PROXY"),
        exclude: either("NO_PROXY"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FailureKind;
    use std::fs;

    fn with(overrides: Overrides, variables: &[(&str, &str)]) -> Result<Config, Error> {
        let env = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found
                .map(|(_, value)| (*value).to_owned())
                .or_else(|| (name == "HOME").then(|| "/nonexistent/home".to_owned()))
        };
        load(overrides, &env)
    }

    fn given(text: &str) -> (tempfile::TempDir, Overrides) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.yaml");
        fs::write(&file, text).unwrap();
        let overrides = Overrides {
            config: Some(file),
            ..Overrides::default()
        };
        (folder, overrides)
    }

    #[test]
    fn nothing_given() {
        let config = with(Overrides::default(), &[]).unwrap();
        assert_eq!(
            config,
            Config {
                file: Some("/nonexistent/home/.config/rolldeck/config.yaml".into()),
                programs: handover::merged(&[], Path::new("")).unwrap(),
                verify_seconds: 30,
                at_once: 3,
                soak: 1800,
                presence: false,
                state_dir: "/nonexistent/home/.local/state/rolldeck".into(),
                cache_dir: "/nonexistent/home/.cache/rolldeck".into(),
                connection: Connection {
                    search: vec!["/nonexistent/home/.kube/config".into()],
                    ..Connection::default()
                },
                docker: Some(DockerEngine::default()),
                registries: Registries {
                    docker_config: Some("/nonexistent/home/.docker".into()),
                    verify: true,
                    ..Registries::default()
                },
                ..Config::default()
            }
        );
        let env = [
            ("DOCKER_CONFIG", "/d"),
            ("DOCKER_HOST", "tcp://b:2376"),
            ("DOCKER_TLS_VERIFY", "1"),
        ];
        let docker = with(Overrides::default(), &env).unwrap();
        assert_eq!(docker.registries.docker_config, Some("/d".into()));
        let engine = docker.docker.unwrap();
        assert_eq!(engine.host.as_deref(), Some("tcp://b:2376"));
        assert_eq!(engine.certificates, Some("/d".into()));
    }

    #[test]
    fn file_then_environment_then_flags() {
        let text = "context: f\nnamespaces: [b, a]\nreadonly: true\nverifySeconds: 5\nkeys: {rollback: ctrl-z, quit: [a, b]}\n";
        let (_folder, mut overrides) = given(text);
        let config = with(overrides.clone(), &[]).unwrap();
        assert_eq!(config.contexts, ["f"]);
        assert_eq!(
            config.namespaces,
            Namespaces::Named(vec!["a".into(), "b".into()])
        );
        assert!(config.readonly);
        assert_eq!(config.verify_seconds, 5);
        assert_eq!(config.keys["rollback"], ["ctrl-z"]);
        assert_eq!(config.keys["quit"], ["a", "b"]);

        let env = [
            ("ROLLDECK_CONTEXT", "e"),
            ("ROLLDECK_NAMESPACE", "x, y"),
            ("ROLLDECK_READONLY", "0"),
        ];
        let config = with(overrides.clone(), &env).unwrap();
        assert_eq!(config.contexts, ["e"]);
        assert_eq!(
            config.namespaces,
            Namespaces::Named(vec!["x".into(), "y".into()])
        );
        assert!(!config.readonly);

        overrides.contexts = vec!["h, g".into(), "h".into()];
        overrides.namespaces = vec!["all".into()];
        overrides.readonly = true;
        let config = with(overrides, &env).unwrap();
        assert_eq!(config.contexts, ["h", "g"]);
        assert_eq!(config.namespaces, Namespaces::Named(vec!["all".into()]));
        assert!(config.readonly);
    }

    #[test]
    fn all_namespaces_by_flag_variable_and_file() {
        let all = Overrides {
            all_namespaces: true,
            ..Overrides::default()
        };
        let env = [("ROLLDECK_NAMESPACE", "shop")];
        assert_eq!(with(all, &env).unwrap().namespaces, Namespaces::All);
        let env = [("ROLLDECK_NAMESPACE", "all")];
        let config = with(Overrides::default(), &env).unwrap();
        assert_eq!(config.namespaces, Namespaces::All);
        let (_folder, overrides) = given("namespaces: all\n");
        assert_eq!(with(overrides, &[]).unwrap().namespaces, Namespaces::All);
    }

    #[test]
    fn what_the_terminal_can_show() {
        let (_folder, forced) = given("display: {ascii: false, color: true}\n");
        let none = Overrides::default;
        let flag = Overrides {
            ascii: true,
            ..none()
        };
        for (overrides, env, want) in [
            (
                none(),
                vec![("TERM", "xterm-256color"), ("LANG", "en_US.UTF-8")],
                (true, false),
            ),
            (none(), vec![("NO_COLOR", "1")], (false, false)),
            (none(), vec![("NO_COLOR", "")], (true, false)),
            (none(), vec![("TERM", "dumb")], (false, false)),
            (none(), vec![("TERM", "linux")], (true, true)),
            (none(), vec![("LANG", "ja_JP.UTF-8")], (true, true)),
            (
                none(),
                vec![("LC_ALL", "C.UTF-8"), ("LANG", "zh_CN.UTF-8")],
                (true, false),
            ),
            (flag, vec![], (true, true)),
            (
                forced,
                vec![("TERM", "linux"), ("NO_COLOR", "1")],
                (false, false),
            ),
        ] {
            let display = with(overrides, &env).unwrap().display;
            assert_eq!((display.color, display.ascii), want, "{env:?}");
        }
    }

    #[test]
    fn where_a_cluster_is_looked_for() {
        let env = [
            ("KUBECONFIG", "/a::/b"),
            ("https_proxy", "http://u:secret@p"),
            ("NO_PROXY", "x"),
            ("KUBERNETES_SERVICE_HOST", "10.0.0.1"),
        ];
        let connection = with(Overrides::default(), &env).unwrap().connection;
        assert_eq!(connection.search, [PathBuf::from("/a"), "/b".into()]);
        assert!(connection.in_cluster);
        assert_eq!(connection.proxy.https.as_deref(), Some("http://u:secret@p"));
        assert_eq!(connection.proxy.exclude.as_deref(), Some("x"));
        assert!(!format!("{connection:?}").contains("secret"));
    }

    #[test]
    fn mistakes() {
        let missing = Overrides {
            config: Some("/nonexistent/c.yaml".into()),
            ..Overrides::default()
        };
        let both = Overrides {
            readonly: true,
            write: true,
            ..Overrides::default()
        };
        let scopes = Overrides {
            all_namespaces: true,
            namespaces: vec!["a".into()],
            ..Overrides::default()
        };
        for (overrides, env, want, kind) in [
            (
                missing,
                ("", ""),
                "/nonexistent/c.yaml: cannot be read: entity not found",
                FailureKind::Config,
            ),
            (
                both,
                ("", ""),
                "--readonly --write: use one of them",
                FailureKind::Usage,
            ),
            (
                scopes,
                ("", ""),
                "-n -A: use one of them",
                FailureKind::Usage,
            ),
            (
                Overrides::default(),
                ("ROLLDECK_READONLY", "maybe"),
                "ROLLDECK_READONLY: maybe is neither 1 nor 0",
                FailureKind::Config,
            ),
            (
                Overrides::default(),
                ("HOME", ""),
                "HOME: is not set, nor is XDG_STATE_HOME: there is no place for the release record",
                FailureKind::Config,
            ),
        ] {
            let failure = with(overrides, &[env]).unwrap_err().failure();
            assert_eq!((failure.sentence.as_str(), failure.kind), (want, kind));
        }
    }
}
