//! From flags, environment and file to what is in force.

use std::env::split_paths;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::file::{File, OneOrMore};
use super::{Config, Connection, Display, Namespaces, Proxy};

/// Seconds that pods must stay ready when nothing else is said.
const VERIFY_SECONDS: u32 = 30;

/// What the command line says, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
pub struct Overrides {
    /// `--config FILE`; it has to be there.
    pub config: Option<PathBuf>,
    /// `-c COMMAND`.
    pub command: Option<String>,
    pub kubeconfig: Option<PathBuf>,
    pub context: Option<String>,
    /// `-n`, each time.
    pub namespaces: Vec<String>,
    /// `-A`.
    pub all_namespaces: bool,
    pub readonly: bool,
    /// `--write`: protected environments start armed.
    pub write: bool,
    pub ascii: bool,
}

/// The environment, handed in so that tests can give another.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Reads the file and puts everything together. File < environment < flags.
pub fn load(overrides: Overrides, env: Env<'_>) -> Result<Config, Error> {
    contradictions(&overrides)?;
    let home = || filled(env, "HOME").map(PathBuf::from);
    let file = read_file(&overrides, env, home())?;
    let state = absolute(env, "XDG_STATE_HOME").or_else(|| Some(home()?.join(".local/state")));
    let state = state.ok_or_else(|| {
        let message = "is not set, nor is XDG_STATE_HOME: there is no place for the release record";
        Error::new("HOME", message)
    })?;
    Ok(Config {
        namespaces: namespaces(&overrides, env, file.namespaces),
        readonly: overrides.readonly || flag(env, "ROLLDECK_READONLY")?.unwrap_or(file.readonly),
        armed_at_start: overrides.write,
        command: overrides.command.clone(),
        environments: file.environments,
        display: display(&overrides, env, &file.display),
        keys: file
            .keys
            .into_iter()
            .map(|(intent, keys)| (intent, keys.into_list()))
            .collect(),
        state_dir: state.join("rolldeck"),
        verify_seconds: file.verify_seconds.unwrap_or(VERIFY_SECONDS),
        connection: Connection {
            context: overrides
                .context
                .or_else(|| filled(env, "ROLLDECK_CONTEXT"))
                .or(file.context),
            search: search(env, home()),
            kubeconfig: overrides.kubeconfig,
            in_cluster: filled(env, "KUBERNETES_SERVICE_HOST").is_some(),
            proxy: proxy(env),
        },
    })
}

fn contradictions(overrides: &Overrides) -> Result<(), Error> {
    if overrides.readonly && overrides.write {
        return Err(Error::usage("--readonly --write", "use one of them"));
    }
    if overrides.all_namespaces && !overrides.namespaces.is_empty() {
        return Err(Error::usage("-n -A", "use one of them"));
    }
    Ok(())
}

/// A file that was named has to be there; the usual one may be missing.
fn read_file(overrides: &Overrides, env: Env<'_>, home: Option<PathBuf>) -> Result<File, Error> {
    let named = overrides
        .config
        .clone()
        .or_else(|| filled(env, "ROLLDECK_CONFIG").map(PathBuf::from));
    let usual = || {
        let folder = absolute(env, "XDG_CONFIG_HOME").or_else(|| Some(home?.join(".config")))?;
        Some(folder.join("rolldeck/config.yaml"))
    };
    let must_exist = named.is_some();
    let Some(path) = named.or_else(usual) else {
        return Ok(File::default());
    };
    match fs::read_to_string(&path) {
        Ok(text) => File::parse(&path, &text),
        Err(why) if why.kind() == io::ErrorKind::NotFound && !must_exist => Ok(File::default()),
        Err(why) => Err(unreadable(&path, &why)),
    }
}

fn unreadable(path: &Path, why: &io::Error) -> Error {
    Error::new(
        path.display().to_string(),
        format!("cannot be read: {}", why.kind()),
    )
}

fn namespaces(overrides: &Overrides, env: Env<'_>, file: Option<OneOrMore>) -> Namespaces {
    if overrides.all_namespaces {
        return Namespaces::All;
    }
    let names = if overrides.namespaces.is_empty() {
        filled(env, "ROLLDECK_NAMESPACE")
            .map(|text| vec![text])
            .or_else(|| file.map(OneOrMore::into_list))
            .unwrap_or_default()
    } else {
        overrides.namespaces.clone()
    };
    let names = names.iter().flat_map(|text| text.split(',')).map(str::trim);
    let mut names: Vec<_> = names
        .filter(|name| !name.is_empty())
        .map(String::from)
        .collect();
    names.sort();
    names.dedup();
    match names.as_slice() {
        [] => Namespaces::OfContext,
        // The word is for the variable and the file; `-n all` is a namespace.
        [word] if word == "all" && overrides.namespaces.is_empty() => Namespaces::All,
        _ => Namespaces::Named(names),
    }
}

fn display(overrides: &Overrides, env: Env<'_>, file: &super::file::Display) -> Display {
    let terminal = filled(env, "TERM").unwrap_or_default();
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(|name| filled(env, name));
    // Characters of ambiguous width are two cells wide there.
    let wide = locale.is_some_and(|locale| {
        ["zh", "ja", "ko"]
            .iter()
            .any(|language| locale.to_lowercase().starts_with(language))
    });
    let colorless = filled(env, "NO_COLOR").is_some() || terminal == "dumb";
    Display {
        color: !colorless && file.color.unwrap_or(true),
        ascii: overrides.ascii || file.ascii.unwrap_or(wide || terminal == "linux"),
    }
}

fn search(env: Env<'_>, home: Option<PathBuf>) -> Vec<PathBuf> {
    let listed = filled(env, "KUBECONFIG").unwrap_or_default();
    let files: Vec<_> = split_paths(&listed)
        .filter(|path| !path.as_os_str().is_empty())
        .collect();
    if files.is_empty() {
        home.map(|home| home.join(".kube/config"))
            .into_iter()
            .collect()
    } else {
        files
    }
}

fn proxy(env: Env<'_>) -> Proxy {
    let either = |name: &str| filled(env, name).or_else(|| filled(env, &name.to_lowercase()));
    Proxy {
        https: either("HTTPS_PROXY"),
        http: either("HTTP_PROXY"),
        exclude: either("NO_PROXY"),
    }
}

fn flag(env: Env<'_>, name: &str) -> Result<Option<bool>, Error> {
    match filled(env, name).as_deref() {
        None => Ok(None),
        Some("1" | "true") => Ok(Some(true)),
        Some("0" | "false") => Ok(Some(false)),
        Some(other) => Err(Error::new(name, format!("{other} is neither 1 nor 0"))),
    }
}

fn filled(env: Env<'_>, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

/// The XDG rules: a relative path is to be ignored.
fn absolute(env: Env<'_>, name: &str) -> Option<PathBuf> {
    filled(env, name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::FailureKind;

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
                verify_seconds: 30,
                state_dir: "/nonexistent/home/.local/state/rolldeck".into(),
                connection: Connection {
                    search: vec!["/nonexistent/home/.kube/config".into()],
                    ..Connection::default()
                },
                ..Config::default()
            }
        );
    }

    #[test]
    fn file_then_environment_then_flags() {
        let text = "context: f\nnamespaces: [b, a]\nreadonly: true\nverifySeconds: 5\nkeys: {rollback: ctrl-z, quit: [a, b]}\n";
        let (_folder, mut overrides) = given(text);
        let config = with(overrides.clone(), &[]).unwrap();
        assert_eq!(config.connection.context.as_deref(), Some("f"));
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
        assert_eq!(config.connection.context.as_deref(), Some("e"));
        assert_eq!(
            config.namespaces,
            Namespaces::Named(vec!["x".into(), "y".into()])
        );
        assert!(!config.readonly);

        overrides.context = Some("g".into());
        overrides.namespaces = vec!["all".into()];
        overrides.readonly = true;
        let config = with(overrides, &env).unwrap();
        assert_eq!(config.connection.context.as_deref(), Some("g"));
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
