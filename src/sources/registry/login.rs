//! Logins of registries: from docker's settings and its helpers, and from the pull secrets of a workload.

use std::collections::HashMap;
use std::fmt;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use serde::Deserialize;

use super::error::Error;
use super::place::{Place, hub_in_one_way};
use crate::domain::image::HUB;
use crate::sources::hidden::Hidden;
use crate::sources::program;

/// The longest that a helper may think. Some ask a cloud.
const PATIENCE: Duration = Duration::from_secs(8);
/// Docker's settings are small.
const LONGEST: u64 = 1 << 20;
/// What docker calls its hub.
const HUB_KEY: &str = "https://index.docker.io/v1/";
/// In place of a user, when what follows is no password.
const IDENTITY: &str = "<token>";
/// Some tools leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Who asks.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Login {
    Anonymous,
    Password {
        user: String,
        secret: String,
    },
    /// What a token server takes in place of a password.
    Identity(String),
}

impl Login {
    /// What a registry or an engine may say back and nobody shall read.
    pub fn hidden(&self) -> Hidden {
        let mut hidden = Hidden::default();
        match self {
            Self::Anonymous => {}
            Self::Password { secret, .. } => hidden.add(secret),
            Self::Identity(token) => hidden.add(token),
        }
        hidden
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Anonymous => "Anonymous",
            Self::Password { .. } => "Password",
            Self::Identity(_) => "Identity",
        })
    }
}

/// The data of a Secret that pulls images, decoded from base64. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum PullSecret {
    /// `.dockerconfigjson` of `kubernetes.io/dockerconfigjson`.
    DockerConfigJson(Bytes),
    /// `.dockercfg` of `kubernetes.io/dockercfg`.
    DockerCfg(Bytes),
}

impl fmt::Debug for PullSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PullSecret")
    }
}

impl PullSecret {
    /// What it says for this repository; nothing when it is of another registry, or cannot be read.
    pub fn login(&self, place: &Place) -> Option<Login> {
        let entries = match self {
            Self::DockerConfigJson(text) => serde_json::from_slice::<Settings>(text).ok()?.auths,
            Self::DockerCfg(text) => serde_json::from_slice(text).ok()?,
        };
        closest(&entries, place)?.login()
    }
}

/// Docker's login for the registry of `place`; none without its settings.
///
/// # Errors
/// The settings or a helper cannot be used.
pub async fn of_docker(folder: &Path, place: &Place) -> Result<Option<Login>, Error> {
    let file = folder.join("config.json");
    let wrong = |what: String| Error::Login {
        sentence: format!("docker's settings {} {what}", file.display()),
    };
    let text = match read(&file).await {
        Ok(text) => text,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(wrong(format!("cannot be read: {}", why.kind()))),
    };
    // Only the place: the words of a parser may hold a piece of the text.
    let settings: Settings = serde_json::from_slice(&text).map_err(|why| {
        let (line, column) = (why.line(), why.column());
        wrong(format!("cannot be read at line {line}, column {column}"))
    })?;
    let own = |(host, _): &(&String, &String)| hub_in_one_way(&bare(host)) == place.host;
    let mut helpers = settings.cred_helpers.iter();
    let helper = helpers.find(own).map(|(host, name)| (host.as_str(), name));
    let store = settings
        .creds_store
        .as_ref()
        .filter(|name| !name.is_empty());
    if let Some((host, name)) = helper.or(store.map(|name| (place.host.as_str(), name))) {
        let host = if hub_in_one_way(host) == HUB {
            HUB_KEY
        } else {
            host
        };
        if let Some(login) = of_helper(name, host).await? {
            return Ok(Some(login));
        }
    }
    Ok(closest(&settings.auths, place).and_then(Entry::login))
}

async fn read(file: &Path) -> std::io::Result<Vec<u8>> {
    use tokio::io::AsyncReadExt as _;
    let mut text = Vec::new();
    let open = tokio::fs::File::open(file).await?;
    open.take(LONGEST).read_to_end(&mut text).await?;
    Ok(text)
}

/// `None` when it has no login for this registry.
async fn of_helper(name: &str, host: &str) -> Result<Option<Login>, Error> {
    let wrong = |what: &str| Error::Login {
        sentence: format!("docker-credential-{name} {what}"),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if !name.chars().all(plain) {
        return Err(wrong("is no name of a helper"));
    }
    let program = format!("docker-credential-{name}");
    let said = match program::run(&program, &["get"], host, PATIENCE).await {
        Ok(Some(said)) => said,
        Ok(None) => {
            let seconds = PATIENCE.as_secs();
            return Err(wrong(&format!(
                "gave no answer in {seconds}s and was stopped"
            )));
        }
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
            return Err(wrong("is not installed"));
        }
        Err(why) => return Err(wrong(&format!("cannot be run: {}", why.kind()))),
    };
    if !said.status.success() {
        let words = [said.out, said.err].concat();
        let words = String::from_utf8_lossy(&words);
        // The words of docker's own helpers; no code tells.
        if words.contains("credentials not found") {
            return Ok(None);
        }
        return Err(wrong("failed"));
    }
    let given: Given = serde_json::from_slice(&said.out)
        .map_err(|_| wrong("printed something else than a login"))?;
    Ok(login(given.username, given.secret))
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    username: String,
    secret: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Settings {
    auths: HashMap<String, Entry>,
    cred_helpers: HashMap<String, String>,
    creds_store: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Entry {
    /// `user:password` in base64.
    auth: Option<String>,
    username: Option<String>,
    password: Option<String>,
    identitytoken: Option<String>,
}

impl Entry {
    fn login(&self) -> Option<Login> {
        let filled = |field: &Option<String>| field.clone().filter(|text| !text.is_empty());
        if let Some(token) = filled(&self.identitytoken) {
            return Some(Login::Identity(token));
        }
        if let Some(auth) = filled(&self.auth) {
            let text = String::from_utf8(BASE64.decode(auth.trim()).ok()?).ok()?;
            let (user, secret) = text.trim_end_matches('\0').split_once(':')?;
            return login(user.to_owned(), secret.to_owned());
        }
        login(filled(&self.username)?, filled(&self.password)?)
    }
}

fn login(user: String, secret: String) -> Option<Login> {
    if secret.is_empty() {
        return None;
    }
    Some(if user == IDENTITY {
        Login::Identity(secret)
    } else {
        Login::Password { user, secret }
    })
}

/// The entry that fits best, as the kubelet chooses: a key may name a part of the registry, or have `*` in its host.
fn closest<'a>(entries: &'a HashMap<String, Entry>, place: &Place) -> Option<&'a Entry> {
    let mut fitting: Vec<_> = entries
        .iter()
        .filter_map(|(key, entry)| {
            let key = bare(key);
            let (host, path) = key.split_once('/').unwrap_or((&key, ""));
            let host = hub_in_one_way(host);
            let under = match place.repository.strip_prefix(path) {
                Some(rest) => path.is_empty() || rest.is_empty() || rest.starts_with('/'),
                None => false,
            };
            (same_host(&host, &place.host) && under).then_some((path.len(), host.len(), entry))
        })
        .collect();
    fitting.sort_by_key(|(path, host, _)| (*path, *host));
    fitting.last().map(|(_, _, entry)| *entry)
}

/// Without what docker and others put around a host: `https://…/v1/`.
fn bare(key: &str) -> String {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    let key = key.trim_end_matches('/');
    let key = ["/v1", "/v2"]
        .iter()
        .find_map(|end| key.strip_suffix(end))
        .unwrap_or(key);
    match key.split_once('/') {
        Some((host, path)) => format!("{}/{path}", host.to_ascii_lowercase()),
        None => key.to_ascii_lowercase(),
    }
}

/// Label by label; `*` stands for one, or for a part of one.
fn same_host(pattern: &str, host: &str) -> bool {
    let (a, b): (Vec<_>, Vec<_>) = (pattern.split('.').collect(), host.split('.').collect());
    let fits = |(pattern, label): (&&str, &&str)| match pattern.split_once('*') {
        None => pattern == label,
        Some((start, end)) => {
            let inner = label.strip_prefix(start);
            inner.is_some_and(|rest| rest.ends_with(end))
        }
    };
    a.len() == b.len() && a.iter().zip(&b).all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn password(user: &str, secret: &str) -> Option<Login> {
        login(user.into(), secret.into())
    }

    fn of(text: &str, image: &str) -> Option<Login> {
        let place = Place::of(image).unwrap();
        PullSecret::DockerConfigJson(Bytes::copy_from_slice(text.as_bytes())).login(&place)
    }

    #[test]
    fn keys_of_a_pull_secret() {
        // a:b
        let entry = r#"{"auth":"YTpi"}"#;
        for (key, image, found) in [
            ("r.example", "r.example/shop/web", true),
            ("https://R.example/v2/", "r.example/shop/web", true),
            ("r.example:5000", "r.example/shop/web", false),
            ("r.example/shop", "r.example/shop/web", true),
            ("r.example/sho", "r.example/shop/web", false),
            ("*.example", "r.example/shop/web", true),
            ("*.example", "a.r.example/shop/web", false),
            ("https://index.docker.io/v1/", "nginx", true),
            ("docker.io", "shop/web", true),
            ("other.example", "r.example/shop/web", false),
        ] {
            let text = format!(r#"{{"auths":{{"{key}":{entry}}}}}"#);
            let want = found.then(|| password("a", "b").unwrap());
            assert_eq!(of(&text, image), want, "{key}");
        }
        let both = r#"{"auths":{"r.example":{"auth":"YTpi"},"r.example/shop":{"username":"c","password":"d"}}}"#;
        assert_eq!(of(both, "r.example/shop/web"), password("c", "d"));
        assert_eq!(of(both, "r.example/other"), password("a", "b"));
        for broken in [
            "",
            "[]",
            r#"{"auths":{"r.example":{"auth":"!"}}}"#,
            r#"{"auths":{"r.example":{}}}"#,
        ] {
            assert_eq!(of(broken, "r.example/a"), None, "{broken}");
        }
        let old = Bytes::from_static(br#"{"r.example":{"auth":"YTpi","email":"x"}}"#);
        let old = PullSecret::DockerCfg(old);
        assert_eq!(
            old.login(&Place::of("r.example/a").unwrap()),
            password("a", "b")
        );
        assert_eq!(
            format!("{old:?} {:?}", password("a", "b")),
            "PullSecret Some(Password)"
        );
    }

    /// A folder with docker's settings.
    fn folder(settings: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.json"), settings).unwrap();
        folder
    }

    async fn asked(settings: &str, image: &str) -> Result<Option<Login>, String> {
        let folder = folder(settings);
        let place = Place::of(image).unwrap();
        let found = of_docker(folder.path(), &place).await;
        found.map_err(|why| {
            why.to_string()
                .replace(&folder.path().display().to_string(), "D")
        })
    }

    #[tokio::test]
    async fn dockers_own_settings() {
        let identity = r#"{"auths":{"r.example":{"auth":"YTpi","identitytoken":"t"}}}"#;
        let found = asked(identity, "r.example/a").await;
        assert_eq!(found, Ok(Some(Login::Identity("t".into()))));
        assert_eq!(asked("{}", "nginx").await, Ok(None));
        let broken = asked("{\"auths\": hunter2", "nginx").await.unwrap_err();
        assert_eq!(
            broken,
            "docker's settings D/config.json cannot be read at line 1, column 11"
        );
        let nginx = Place::of("nginx").unwrap();
        let nowhere = of_docker(Path::new("/nonexistent"), &nginx).await;
        assert_eq!(nowhere, Ok(None));
        let missing = asked(r#"{"credsStore":"rolldeck-none"}"#, "nginx").await;
        assert_eq!(
            missing.unwrap_err(),
            "docker-credential-rolldeck-none is not installed"
        );
        let path = asked(r#"{"credHelpers":{"r.example":"../x"}}"#, "r.example/a").await;
        assert_eq!(
            path.unwrap_err(),
            "docker-credential-../x is no name of a helper"
        );
    }

    #[tokio::test]
    async fn a_helper_is_asked_and_what_it_prints_is_never_told() {
        let folder = tempfile::tempdir().unwrap();
        let script = |text: &str| {
            let file = folder.path().join("helper");
            std::fs::write(&file, format!("#!/bin/sh\n{text}\n")).unwrap();
            std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o755)).unwrap();
            file.display().to_string()
        };
        let patience = Duration::from_secs(5);
        let echo = script(r#"read host; printf '{"Username":"%s","Secret":"%s"}' "$1" "$host""#);
        let said = program::run(&echo, &["get"], "r.example\n", patience).await;
        let given: Given = serde_json::from_slice(&said.unwrap().unwrap().out).unwrap();
        assert_eq!((&*given.username, &*given.secret), ("get", "r.example"));
        // The child of the helper ends with it: nothing holds the pipes open.
        let slow = script("sleep 600 & sleep 600");
        let late = program::run(&slow, &[], "", Duration::from_millis(50)).await;
        assert!(late.unwrap().is_none());
    }
}
