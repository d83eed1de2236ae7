//! What is in force, setting by setting, and from where.

use serde_yaml::Value;

use super::error::Error;
use super::layers::{self, Env, Layers, Overrides};
use super::resolve;

/// One line of `rolldeck config`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its path in the file: `display.color`.
    pub name: String,
    pub value: String,
    /// `default`, the file, a variable or a flag.
    pub from: String,
}

/// Everything that can be set, in the order of the file, and the folders it leads to.
///
/// # Errors
/// What is wrong, with its place and the fix.
pub fn explain(overrides: &Overrides, env: Env<'_>) -> Result<Vec<Setting>, Error> {
    let layers = layers::read(overrides, env)?;
    let mut settings = vec![file(&layers, overrides, env)];
    let value = serde_yaml::to_value(&layers.file)
        .map_err(|why| Error::new("config.yaml", why.to_string()))?;
    collect(&value, &layers.written, &Path::new(&layers), &mut settings);
    settings.extend(folders(overrides, env)?);
    Ok(settings)
}

fn file(layers: &Layers, overrides: &Overrides, env: Env<'_>) -> Setting {
    let from = if overrides.config.is_some() {
        "--config"
    } else if layers::filled(env, "ROLLDECK_CONFIG").is_some() {
        "ROLLDECK_CONFIG"
    } else {
        "default"
    };
    let value = match &layers.path {
        Some(path) if path.exists() => path.display().to_string(),
        Some(path) => format!("{} (not there)", path.display()),
        None => "none: HOME is not set".into(),
    };
    setting("file", value, from)
}

fn folders(overrides: &Overrides, env: Env<'_>) -> Result<Vec<Setting>, Error> {
    let (files, from) = match &overrides.kubeconfig {
        Some(path) => (vec![path.clone()], "--kubeconfig"),
        None if layers::filled(env, "KUBECONFIG").is_some() => (resolve::search(env), "KUBECONFIG"),
        None => (resolve::search(env), "default"),
    };
    let files: Vec<_> = files
        .iter()
        .map(|file| file.display().to_string())
        .collect();
    let kubeconfig = setting("kubeconfig", files.join(", "), from);
    let state = resolve::state(env)?.display().to_string();
    let set = layers::absolute(env, "XDG_STATE_HOME").is_some();
    let from = if set { "XDG_STATE_HOME" } else { "default" };
    Ok(vec![kubeconfig, setting("state folder", state, from)])
}

/// The way down to a value, and what is known about who said it.
struct Path<'a> {
    layers: &'a Layers,
    name: String,
}

impl<'a> Path<'a> {
    fn new(layers: &'a Layers) -> Self {
        Self {
            layers,
            name: String::new(),
        }
    }

    fn child(&self, piece: &str) -> Self {
        let dot = if self.name.is_empty() || piece.starts_with('[') {
            ""
        } else {
            "."
        };
        Self {
            layers: self.layers,
            name: format!("{}{dot}{piece}", self.name),
        }
    }

    fn from(&self, written: &Value) -> String {
        if let Some(by) = self.layers.outranked.get(&*self.name) {
            return (*by).into();
        }
        match &self.layers.path {
            Some(path) if !written.is_null() => path.display().to_string(),
            Some(_) | None => "default".into(),
        }
    }
}

/// One line a value; a list of plain values is one.
fn collect(value: &Value, written: &Value, path: &Path<'_>, settings: &mut Vec<Setting>) {
    let inside = |key: &str| written.get(key).unwrap_or(&Value::Null);
    match value {
        Value::Mapping(map) if !map.is_empty() => {
            for (key, value) in map {
                let key = key.as_str().unwrap_or_default();
                collect(value, inside(key), &path.child(key), settings);
            }
        }
        Value::Sequence(list) if list.iter().any(Value::is_mapping) => {
            for (at, value) in list.iter().enumerate() {
                let written = written.get(at).unwrap_or(&Value::Null);
                collect(value, written, &path.child(&format!("[{at}]")), settings);
            }
        }
        value => settings.push(Setting {
            name: path.name.clone(),
            value: words(value),
            from: path.from(written),
        }),
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "not set".into(),
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Sequence(list) if list.is_empty() => "none".into(),
        Value::Sequence(list) => list.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Mapping(_) => "none".into(),
        Value::Tagged(tagged) => words(&tagged.value),
    }
}

fn setting(name: &str, value: String, from: &str) -> Setting {
    Setting {
        name: name.into(),
        value,
        from: from.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_says_who_set_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.yaml");
        let text = "context: f\nreadonly: false\ndisplay: {theme: {bad: magenta}}\n\
            environments: [{name: prod, cluster: eu}]\nkeys: {quit: [a, b]}\n";
        std::fs::write(&file, text).unwrap();
        let overrides = Overrides {
            config: Some(file.clone()),
            ascii: true,
            ..Overrides::default()
        };
        let env = |name: &str| match name {
            "HOME" => Some("/nonexistent/home".to_owned()),
            "ROLLDECK_NAMESPACE" => Some("shop".to_owned()),
            "NO_COLOR" => Some("1".to_owned()),
            _ => None,
        };
        let settings = explain(&overrides, &env).unwrap();
        let place = file.display().to_string();
        for (name, value, from) in [
            ("file", &*place, "--config"),
            ("context", "f", &*place),
            ("namespaces", "shop", "ROLLDECK_NAMESPACE"),
            ("readonly", "false", &*place),
            ("verifySeconds", "30", "default"),
            ("display.color", "false", "NO_COLOR"),
            ("display.ascii", "true", "--ascii"),
            ("display.theme.bad", "magenta", &*place),
            ("display.theme.good", "green", "default"),
            ("display.columns", "not set", "default"),
            ("environments[0].cluster", "eu", &*place),
            ("environments[0].protection", "guarded", "default"),
            ("keys.quit", "a, b", &*place),
            ("kubeconfig", "/nonexistent/home/.kube/config", "default"),
            (
                "state folder",
                "/nonexistent/home/.local/state/rolldeck",
                "default",
            ),
        ] {
            let found = settings.iter().find(|setting| setting.name == name);
            assert_eq!(found, Some(&setting(name, value.into(), from)), "{name}");
        }
    }
}
