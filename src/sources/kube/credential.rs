//! Logins: login commands (exec credential plugins), which we run ourselves, and token files.

use std::fmt;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use kube::config::{AuthInfo, ExecConfig, ExecInteractiveMode};
use rustix::process::{Pid, Signal, kill_process_group};
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::error::Error;

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
    /// Equal when the credentials are.
    pub fingerprint: [u8; 32],
}

/// Puts a token or certificate into `config`, so that kube neither runs commands nor reads token files: it
/// does the first blocking and three times, and sends the second with its line end.
pub async fn log_in(
    config: &mut kube::Config,
    hint: &str,
    now: impl Fn() -> Timestamp,
) -> Result<Login, Error> {
    let auth = &mut config.auth_info;
    let mut ends = None;
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
        let status = run(&plugin, hint, PATIENCE).await?;
        ends = status.expiration_timestamp;
        status.hand_over(auth);
    }
    Ok(Login {
        ends,
        fingerprint: fingerprint(auth).await,
    })
}

/// The login command's name, when the context has one.
pub fn command(config: &kube::Config) -> Option<String> {
    config.auth_info.exec.as_ref().map(name_of)
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
    let group = Group(child.id().and_then(|id| Pid::from_raw(id.cast_signed())));
    let finished = timeout(patience, finish(&mut child)).await;
    let (status, out, err) = finished
        .map_err(|_| {
            wrong(&format_args!(
                "gave no answer in {}s and was stopped",
                patience.as_secs()
            ))
        })?
        .map_err(|why| wrong(&format_args!("could not be read: {}", why.kind())))?;
    std::mem::forget(group);
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
    let command = plugin.command.as_deref().unwrap_or_default();
    let mut command = Command::new(command);
    command.args(plugin.args.iter().flatten());
    for variable in plugin.env.iter().flatten() {
        if let (Some(name), Some(value)) = (variable.get("name"), variable.get("value")) {
            command.env(name, value);
        }
    }
    command
        .env("KUBERNETES_EXEC_INFO", exec_info(plugin)?)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    Ok(command)
}

fn exec_info(plugin: &ExecConfig) -> Result<String, Error> {
    let cluster = plugin
        .cluster
        .as_ref()
        .filter(|_| plugin.provide_cluster_info);
    let mut spec = serde_json::json!({ "interactive": false });
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

/// Kills the command and all it started, unless it was forgotten after the command had ended.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended in the meantime.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
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
