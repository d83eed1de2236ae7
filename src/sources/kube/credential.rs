//! Logins: login commands (exec credential plugins), which we run ourselves, and token files.

use std::fmt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::error::Error;
use crate::sources::hidden::Hidden;
use crate::sources::process_group::ProcessGroup;

/// The longest that a login command may run.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often a token file is read, as in every other client.
const TOKEN_FILE: Duration = Duration::from_secs(60);
const LONGEST_OUTPUT: u64 = 1 << 20;
const LONGEST_SENTENCE: usize = 200;

/// What a login is good for. Secrets are in the kube configuration only.
pub struct Login {
    /// When it has to be renewed.
    pub ends: Option<Timestamp>,
    /// When it expires, as far as the login command says.
    pub expires: Option<Timestamp>,
    /// Equal when the credentials are.
    pub fingerprint: [u8; 32],
}

/// Puts a token or certificate into `config`, so that kube neither runs commands nor reads token files: it
/// does the first blocking and three times, and sends the second with its line end. `printed` is what the login
/// command said when a person ran it: then it is not run again.
pub async fn log_in(
    config: &mut kube::Config,
    hint: &str,
    now: impl Fn() -> Timestamp,
    printed: Option<&[u8]>,
) -> Result<Login, Error> {
    let auth = &mut config.auth_info;
    let (mut ends, mut expires) = (None, None);
    if let Some(provider) = &auth.auth_provider
        && provider.name != "oidc"
    {
        return Err(Error::Credential {
            sentence: format!(
                "the auth-provider {} of the kubeconfig is no longer supported by Kubernetes",
                provider.name
            ),
            hints: vec!["create the kubeconfig again with your provider's current tool".into()],
        });
    }
    if auth.token.is_none()
        && let Some(file) = auth.token_file.take()
    {
        auth.token = Some(read_token(Path::new(&file), hint).await?.into());
        ends = now().checked_add(TOKEN_FILE).ok();
    } else if let Some(plugin) = auth.exec.take()
        && auth.token.is_none()
    {
        let status = match printed {
            Some(printed) => Status::read(printed, &plugin).map_err(|what| {
                let sentence = format!("the login command {} {what}", name_of(&plugin));
                let hints = vec![hint.to_owned()];
                Error::Credential { sentence, hints }
            })?,
            None => run(&plugin, hint, PATIENCE).await?,
        };
        expires = status.expiration_timestamp;
        ends = expires;
        status.hand_over(auth);
    }
    Ok(Login {
        ends,
        expires,
        fingerprint: fingerprint(auth).await,
    })
}

/// The login command's name, when the context has one.
pub fn command(config: &kube::Config) -> Option<String> {
    config.auth_info.exec.as_ref().map(name_of)
}

/// The login command as a person runs it, with the terminal; `None` when the context has none.
pub fn by_hand(config: &kube::Config) -> Option<Result<std::process::Command, Error>> {
    let plugin = config.auth_info.exec.as_ref()?;
    Some(command_of(plugin, true))
}

/// What a person does to log in again.
pub fn hint(config: &kube::Config, context: &str, user: &str) -> String {
    let Some(plugin) = &config.auth_info.exec else {
        return format!(
            "log in again with the tool that wrote user {user} into the kubeconfig, then ctrl-r"
        );
    };
    let name = name_of(plugin);
    let known = match name.as_str() {
        "aws" | "aws-iam-authenticator" => Some("aws sso login"),
        "gke-gcloud-auth-plugin" | "gcloud" => Some("gcloud auth login"),
        "kubelogin" => Some("az login"),
        "tsh" => Some("tsh login"),
        "doctl" => Some("doctl auth init"),
        "oci" => Some("oci session authenticate"),
        _ => None,
    };
    let by_hand = format!("kubectl --context {context} get ns");
    match known {
        Some(login) => format!("log in with `{login}`, or run `{by_hand}` in another terminal"),
        None => format!("run `{by_hand}` in another terminal: {name} asks for the login there"),
    }
}

async fn read_token(file: &Path, hint: &str) -> Result<String, Error> {
    let wrong = |what: String| Error::Credential {
        sentence: format!("the token file {} {what}", file.display()),
        hints: vec![hint.to_owned()],
    };
    let read = timeout(PATIENCE, tokio::fs::read_to_string(file)).await;
    let text = read
        .map_err(|_| wrong("does not answer".into()))?
        .map_err(|why| wrong(format!("cannot be read: {}", why.kind())))?;
    match text.trim() {
        "" => Err(wrong("is empty".into())),
        token => Ok(token.to_owned()),
    }
}

/// Runs the command without a terminal and without input, in a process group of its own, so that neither keys
/// nor ctrl-c reach it and all of it is killed when nobody waits any more.
async fn run(plugin: &ExecConfig, hint: &str, patience: Duration) -> Result<Status, Error> {
    let name = name_of(plugin);
    let wrong = |what: &dyn fmt::Display| Error::Credential {
        sentence: format!("the login command {name} {what}"),
        hints: vec![hint.to_owned()],
    };
    if plugin.interactive_mode == Some(ExecInteractiveMode::Always) {
        return Err(wrong(&"wants a terminal (interactiveMode: Always)"));
    }
    let mut child = prepare(plugin)?
        .spawn()
        .map_err(|why| not_started(plugin, &why, hint))?;
    let mut group = ProcessGroup::of(&child);
    let finished = timeout(patience, finish(&mut child)).await;
    let (status, out, err) = finished
        .map_err(|_| {
            wrong(&format_args!(
                "gave no answer in {}s and was stopped",
                patience.as_secs()
            ))
        })?
        .map_err(|why| wrong(&format_args!("could not be read: {}", why.kind())))?;
    group.ended();
    if !status.success() {
        return Err(wrong(&format_args!(
            "failed ({}){}",
            ended(status),
            last_words(&err)
        )));
    }
    Status::read(&out, plugin).map_err(|what| wrong(&what))
}

fn prepare(plugin: &ExecConfig) -> Result<Command, Error> {
    let mut command = Command::from(command_of(plugin, false)?);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

fn command_of(plugin: &ExecConfig, interactive: bool) -> Result<std::process::Command, Error> {
    let command = plugin.command.as_deref().unwrap_or_default();
    let mut command = std::process::Command::new(command);
    command.args(plugin.args.iter().flatten());
    for variable in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    command.env("KUBERNETES_EXEC_INFO", exec_info(plugin, interactive)?);
    Ok(command)
}

fn exec_info(plugin: &ExecConfig, interactive: bool) -> Result<String, Error> {
    let cluster = plugin
        .cluster
        .as_ref()
        .filter(|_| plugin.provide_cluster_info);
    let mut spec = serde_json::json!({ "interactive": interactive });
    if let Some(cluster) = cluster {
        spec["cluster"] = serde_json::to_value(cluster).map_err(|error| Error::Credential {
            sentence: format!("the cluster cannot be told to the login command: {error}"),
            hints: Vec::new(),
        })?;
    }
    let info = serde_json::json!({
        "kind": "ExecCredential",
        "apiVersion": plugin.api_version.as_deref().unwrap_or(V1),
        "spec": spec,
    });
    Ok(info.to_string())
}

/// Both pipes are read while it runs, or a command that writes much would wait for ever.
async fn finish(child: &mut Child) -> std::io::Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
    let (out, err) = (child.stdout.take(), child.stderr.take());
    tokio::try_join!(child.wait(), read(out), read(err))
}

async fn read(pipe: Option<impl AsyncRead + Unpin>) -> std::io::Result<Vec<u8>> {
    let mut text = Vec::new();
    if let Some(pipe) = pipe {
        pipe.take(LONGEST_OUTPUT).read_to_end(&mut text).await?;
    }
    Ok(text)
}

fn not_started(plugin: &ExecConfig, why: &std::io::Error, hint: &str) -> Error {
    let name = name_of(plugin);
    let missing = why.kind() == std::io::ErrorKind::NotFound;
    let sentence = if missing {
        format!("the login command {name} is not installed")
    } else {
        format!("the login command {name} cannot be started: {}", why.kind())
    };
    let install = plugin.install_hint.as_deref().filter(|_| missing);
    let hint = install.map_or_else(
        || hint.to_owned(),
        |text| text.split_whitespace().collect::<Vec<_>>().join(" "),
    );
    Error::Credential {
        sentence,
        hints: vec![hint],
    }
}

/// The command without its folder. Arguments stay out of messages: they may be secret.
fn name_of(plugin: &ExecConfig) -> String {
    let command = plugin.command.as_deref().unwrap_or_default();
    let name = Path::new(command).file_name().unwrap_or_default();
    match name.to_string_lossy() {
        name if name.is_empty() => "(without a name)".into(),
        name => name.into_owned(),
    }
}

fn ended(status: ExitStatus) -> String {
    status
        .code()
        .map_or_else(|| "killed".into(), |code| format!("exit {code}"))
}

/// The last line it wrote to stderr, which is where such commands say what to do.
fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
    line.map(|line| format!(": {}", redact(line)))
        .unwrap_or_default()
}

/// Leaves out what looks like a secret: long words of letters and digits mixed, and what follows a telling name.
fn redact(line: &str) -> String {
    let mut told = false;
    let words = line.split_whitespace().map(|word| {
        let lower = word.to_ascii_lowercase();
        let named = ["token", "secret", "password", "key", "bearer"]
            .iter()
            .any(|name| lower.contains(name));
        let assigned = named
            && word
                .split_once(['=', ':'])
                .is_some_and(|(_, v)| !v.is_empty());
        let secret = told || assigned || looks_secret(word);
        told = named && word.ends_with([':', '=']) || lower == "bearer";
        if secret { "[hidden]" } else { word }
    });
    let line: String = words.collect::<Vec<_>>().join(" ");
    line.chars().take(LONGEST_SENTENCE).collect()
}

fn looks_secret(word: &str) -> bool {
    let has = |test: fn(&char) -> bool| word.chars().any(|c| test(&c));
    let address = word.starts_with("https://") && !word.contains(['?', '@']);
    let file = word.starts_with(['/', '~', '.']);
    word.starts_with("eyJ")
        || (word.len() >= 20
            && !address
            && !file
            && has(char::is_ascii_digit)
            && has(char::is_ascii_alphabetic))
}

const V1: &str = "client.authentication.k8s.io/v1";
const V1BETA1: &str = "client.authentication.k8s.io/v1beta1";

/// What the command prints. Some print YAML, which JSON is a part of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Credential {
    #[serde(default)]
    api_version: String,
    #[serde(default)]
    status: Option<Status>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Status {
    #[serde(default)]
    expiration_timestamp: Option<Timestamp>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    client_certificate_data: Option<String>,
    #[serde(default)]
    client_key_data: Option<String>,
}

impl Status {
    /// The texts of errors never repeat what was printed.
    fn read(out: &[u8], plugin: &ExecConfig) -> Result<Self, String> {
        let credential: Credential = serde_yaml::from_slice(out)
            .map_err(|_| "did not print an ExecCredential".to_owned())?;
        let version = credential.api_version;
        if ![V1, V1BETA1].contains(&version.as_str()) {
            return Err("printed an ExecCredential of an unknown apiVersion".into());
        }
        if plugin
            .api_version
            .as_ref()
            .is_some_and(|asked| *asked != version)
        {
            return Err(format!(
                "answered in {version}, the kubeconfig asks for another version"
            ));
        }
        let status = credential.status.ok_or("printed no status")?;
        let token = status
            .token
            .as_deref()
            .is_some_and(|token| !token.trim().is_empty());
        match (&status.client_certificate_data, &status.client_key_data) {
            (Some(_), None) | (None, Some(_)) => {
                Err("printed a certificate without its key, or a key alone".into())
            }
            (None, None) if !token => Err("printed neither a token nor a certificate".into()),
            (None, None) | (Some(_), Some(_)) => Ok(status),
        }
    }

    fn hand_over(self, auth: &mut AuthInfo) {
        if let Some(token) = self.token.filter(|token| !token.trim().is_empty()) {
            auth.token = Some(token.trim().to_owned().into());
        }
        if let (Some(certificate), Some(key)) = (self.client_certificate_data, self.client_key_data)
        {
            auth.client_certificate_data = Some(STANDARD.encode(certificate));
            auth.client_key_data = Some(STANDARD.encode(key).into());
        }
    }
}

/// What is sent with every request.
pub fn hidden(auth: &AuthInfo) -> Hidden {
    let mut hidden = Hidden::default();
    let all = serde_json::to_value(auth).unwrap_or_default();
    for key in ["token", "password"] {
        if let Some(secret) = all[key].as_str() {
            hidden.add(secret);
        }
    }
    hidden
}

/// Over all that is sent as credentials, files included. A file that cannot be read is kube's to complain of.
async fn fingerprint(auth: &AuthInfo) -> [u8; 32] {
    let mut hash = ring::digest::Context::new(&ring::digest::SHA256);
    hash.update(&serde_json::to_vec(auth).unwrap_or_default());
    for file in [&auth.client_certificate, &auth.client_key]
        .into_iter()
        .flatten()
    {
        let read = timeout(PATIENCE, tokio::fs::read(file)).await;
        hash.update(&read.ok().and_then(Result::ok).unwrap_or_default());
    }
    let mut bytes = [0; 32];
    bytes.copy_from_slice(hash.finish().as_ref());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Duration = Duration::from_secs(15);

    fn plugin(script: &str) -> ExecConfig {
        let exec = serde_json::json!({
            "apiVersion": V1,
            "command": "sh",
            "args": ["-c", script],
            "env": [{"name": "WORD", "value": "from-env"}],
        });
        serde_json::from_value(exec).unwrap()
    }

    fn prints(status: &str) -> String {
        format!(r#"echo '{{"kind":"ExecCredential","apiVersion":"{V1}","status":{status}}}'"#)
    }

    async fn said(plugin: &ExecConfig) -> String {
        match run(plugin, "log in", NONE).await.err().unwrap() {
            Error::Credential { sentence, hints } => {
                assert_eq!(hints.len(), 1);
                sentence
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_token_with_an_end() {
        let script = prints(r#"{"token":" tok\n","expirationTimestamp":"2030-01-02T03:04:05Z"}"#);
        let mut config = kube::Config::new("https://x".parse().unwrap());
        config.auth_info.exec = Some(plugin(&script));
        assert_eq!(command(&config).as_deref(), Some("sh"));
        let login = log_in(&mut config, "", || Timestamp::UNIX_EPOCH, None)
            .await
            .unwrap();
        assert_eq!(login.ends.unwrap().to_string(), "2030-01-02T03:04:05Z");
        assert!(
            config.auth_info.exec.is_none(),
            "kube must not run it as well"
        );
        let auth = serde_json::to_value(&config.auth_info).unwrap();
        assert_eq!(auth["token"], "tok");
    }

    #[tokio::test]
    async fn what_a_person_was_given_is_taken_and_the_command_not_run_again() {
        let mut config = kube::Config::new("https://x".parse().unwrap());
        assert!(by_hand(&config).is_none());
        config.auth_info.exec = Some(plugin("exit 9"));
        let mut command = by_hand(&config).unwrap().unwrap();
        let script = r#"printf '%s' "$KUBERNETES_EXEC_INFO""#;
        let told = command.args(["-c", script]);
        assert!(
            format!("{told:?}").contains(r#"\"interactive\":true"#),
            "{told:?}"
        );
        let printed = format!(r#"{{"apiVersion":"{V1}","status":{{"token":"by hand"}}}}"#);
        let now = || Timestamp::UNIX_EPOCH;
        let taken = log_in(&mut config.clone(), "", now, Some(printed.as_bytes())).await;
        assert!(taken.is_ok());
        let wrong = log_in(&mut config, "hint", now, Some(b"hunter2")).await;
        let failure = wrong.err().unwrap().failure();
        assert_eq!(
            failure.sentence,
            "the login command sh did not print an ExecCredential"
        );
        assert_eq!(failure.hints, ["hint"]);
    }

    #[tokio::test]
    async fn a_certificate_is_handed_over_in_base64() {
        let script = prints(r#"{"clientCertificateData":"CERT","clientKeyData":"KEY"}"#);
        let status = run(&plugin(&script), "", NONE).await.unwrap();
        let mut auth = AuthInfo::default();
        status.hand_over(&mut auth);
        let auth = serde_json::to_value(&auth).unwrap();
        assert_eq!(auth["client-certificate-data"], STANDARD.encode("CERT"));
        assert_eq!(auth["client-key-data"], STANDARD.encode("KEY"));
    }

    #[tokio::test]
    async fn it_gets_its_variables_and_the_cluster_but_no_input() {
        let script = r#"
            read -r line && exit 9
            [ "$WORD" = from-env ] || exit 8
            case "$KUBERNETES_EXEC_INFO" in *'"interactive":false'*'eu:6443'*|*'eu:6443'*'"interactive":false'*) ;; *) exit 7;; esac
            printf 'apiVersion: client.authentication.k8s.io/v1beta1\nkind: ExecCredential\nstatus: {token: yaml}\n'"#;
        let mut plugin = plugin(script);
        plugin.api_version = Some(V1BETA1.into());
        plugin.provide_cluster_info = true;
        plugin.cluster = Some(kube::config::ExecAuthCluster {
            server: Some("https://eu:6443".into()),
            ..Default::default()
        });
        let status = run(&plugin, "", NONE).await.unwrap();
        assert_eq!(status.token.as_deref(), Some("yaml"));
    }

    #[tokio::test]
    async fn what_it_does_wrong_is_told_without_its_secrets() {
        let wrong_version = prints(r#"{"token":"t"}"#).replace("/v1", "/v1alpha1");
        let other_version = prints(r#"{"token":"t"}"#).replace("/v1", "/v1beta1");
        for (script, want) in [
            ("exit 3".into(), "failed (exit 3)"),
            (
                "echo noise >&2; echo 'session expired, run aws sso login' >&2; exit 255".into(),
                "failed (exit 255): session expired, run aws sso login",
            ),
            (
                "echo hunter2; echo 'bad token: hunter2 eyJhbGciOi.x a1b2c3d4e5f6a7b8c9d0e1' >&2; exit 1".into(),
                "failed (exit 1): bad token: [hidden] [hidden] [hidden]",
            ),
            ("echo hunter2 {".into(), "did not print an ExecCredential"),
            (wrong_version, "printed an ExecCredential of an unknown apiVersion"),
            (
                other_version,
                "answered in client.authentication.k8s.io/v1beta1, the kubeconfig asks for another version",
            ),
            (prints("{}"), "printed neither a token nor a certificate"),
            (
                prints(r#"{"clientCertificateData":"hunter2"}"#),
                "printed a certificate without its key, or a key alone",
            ),
        ] {
            let sentence = said(&plugin(&script)).await;
            assert_eq!(sentence, format!("the login command sh {want}"));
        }
    }

    #[tokio::test]
    async fn one_that_is_missing_or_wants_a_terminal_is_not_run() {
        let mut missing = plugin("");
        missing.command = Some("/nonexistent/aws-login".into());
        missing.install_hint = Some("get it\nfrom there".into());
        let error = run(&missing, "log in", NONE).await.err().unwrap();
        let failure = error.failure();
        assert_eq!(
            failure.sentence,
            "the login command aws-login is not installed"
        );
        assert_eq!(failure.hints, ["get it from there"]);

        let mut interactive = plugin("exit 0");
        interactive.interactive_mode = Some(ExecInteractiveMode::Always);
        let sentence = said(&interactive).await;
        assert!(sentence.contains("wants a terminal"), "{sentence}");
    }

    /// The grandchild holds the write end of a fifo: reading it ends only when it is dead.
    #[tokio::test]
    async fn one_that_hangs_is_killed_with_all_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let fifo = folder.path().join("fifo");
        let made = std::process::Command::new("mkfifo").arg(&fifo).status();
        assert!(made.unwrap().success());
        let script = format!(
            "(exec sleep 1000 >'{0}') & echo started >'{0}'; wait",
            fifo.display()
        );
        let watch = tokio::fs::read(fifo);
        let patience = Duration::from_millis(300);
        let hanging = plugin(&script);
        let (outcome, read) = tokio::join!(run(&hanging, "log in", patience), watch);
        assert_eq!(read.unwrap(), b"started\n");
        let sentence = outcome.err().unwrap().to_string();
        assert!(sentence.ends_with("and was stopped"), "{sentence}");
    }

    #[tokio::test]
    async fn a_token_file_is_read_without_its_line_end_and_again_in_a_minute() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        std::fs::write(&file, "abc\n").unwrap();
        let mut config = kube::Config::new("https://x".parse().unwrap());
        let given = config.clone();
        config.auth_info.token_file = Some(file.display().to_string());
        let again = config.clone();
        let now = || Timestamp::UNIX_EPOCH;
        let first = log_in(&mut config, "", now, None).await.unwrap();
        assert_eq!(first.ends.unwrap().as_second(), 60);
        assert_eq!(
            serde_json::to_value(&config.auth_info).unwrap()["token"],
            "abc"
        );
        let same = log_in(&mut again.clone(), "", now, None).await.unwrap();
        assert_eq!(first.fingerprint, same.fingerprint);
        std::fs::write(&file, "other").unwrap();
        let other = log_in(&mut again.clone(), "", now, None).await.unwrap();
        assert_ne!(first.fingerprint, other.fingerprint);
        std::fs::write(&file, "\n").unwrap();
        let empty = log_in(&mut again.clone(), "", now, None)
            .await
            .err()
            .unwrap()
            .to_string();
        assert!(empty.ends_with("is empty"), "{empty}");
        let nothing = log_in(&mut given.clone(), "", now, None).await.unwrap();
        assert_eq!(nothing.ends, None);
    }

    #[test]
    fn secrets_are_hidden_and_advice_is_kept() {
        for (line, want) in [
            (
                "run aws sso login --profile prod",
                "run aws sso login --profile prod",
            ),
            (
                "open https://device.sso.eu-west-1.amazonaws.com/",
                "open https://device.sso.eu-west-1.amazonaws.com/",
            ),
            ("open https://x.example/?code=a1b2c3d4e5f6", "open [hidden]"),
            ("password=hunter2 refused", "[hidden] refused"),
            ("token: hunter2", "token: [hidden]"),
            (
                "Authorization: Bearer abc",
                "Authorization: Bearer [hidden]",
            ),
            ("refresh token expired", "refresh token expired"),
        ] {
            assert_eq!(redact(line), want);
        }
    }

    #[test]
    fn the_hint_names_the_command_that_logs_in() {
        let mut config = kube::Config::new("https://x".parse().unwrap());
        assert!(hint(&config, "eu", "anna").contains("user anna"));
        let mut aws = plugin("");
        aws.command = Some("/opt/aws".into());
        config.auth_info.exec = Some(aws);
        assert!(hint(&config, "eu", "anna").starts_with("log in with `aws sso login`"));
        config.auth_info.exec = Some(plugin(""));
        let text = hint(&config, "eu", "anna");
        assert!(text.contains("kubectl --context eu get ns"), "{text}");
    }
}
