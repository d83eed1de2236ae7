//! The settings file with what the environment and the flags say laid over it, and who said what.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::error::Error;
use super::file::{File, Names, OneOrMore};

/// Seconds that pods must stay ready when nothing else is said.
const VERIFY_SECONDS: u32 = 30;
/// Actions under way at a time, of several that were confirmed together.
const AT_ONCE: usize = 3;
/// How long an image should have run where it is promoted from.
const SOAK: &str = "30m";
/// Every namespace, in the file and in the variable.
pub const ALL: &str = "all";

/// What the command line says, as plain data.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)] // each is a flag of its own
pub struct Overrides {
    /// `--config FILE`; it has to be there.
    pub config: Option<PathBuf>,
    /// `-c COMMAND`.
    pub command: Option<String>,
    pub kubeconfig: Option<PathBuf>,
    /// `--context`, each time.
    pub contexts: Vec<String>,
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

/// Settings as in the file, each with the value that is in force.
pub struct Layers {
    pub file: File,
    /// The file, whether it is there or not; `None` when nothing says where it would be.
    pub path: Option<PathBuf>,
    /// As it is written there.
    pub written: serde_yaml::Value,
    /// The variable or flag that outranks the file, by the path of the setting.
    pub outranked: BTreeMap<&'static str, &'static str>,
}

/// Reads the file, if there is one. File < environment < flags.
///
/// # Errors
/// What is wrong, with its place and the fix.
pub fn read(overrides: &Overrides, env: Env<'_>) -> Result<Layers, Error> {
    contradictions(overrides)?;
    let (path, text) = text(overrides, env)?;
    let place = path.clone().unwrap_or_default();
    let mut layers = Layers {
        file: File::parse(&place, &text)?,
        // It was just read as settings, so it is YAML.
        written: serde_yaml::from_str(&text).unwrap_or_default(),
        path,
        outranked: BTreeMap::new(),
    };
    layers.scope(overrides, env);
    layers.readonly(overrides, env)?;
    layers.display(overrides, env);
    layers.file.verify_seconds.get_or_insert(VERIFY_SECONDS);
    layers.file.at_once.get_or_insert(AT_ONCE);
    let soak = &mut layers.file.promotion.soak;
    soak.get_or_insert_with(|| SOAK.to_owned());
    layers.file.verify_images.get_or_insert(true);
    Ok(layers)
}

impl Layers {
    fn scope(&mut self, overrides: &Overrides, env: Env<'_>) {
        let flag =
            (!overrides.contexts.is_empty()).then(|| (overrides.contexts.clone(), "--context"));
        let variable_of = |name| variable(env, name).map(|(text, by)| (vec![text], by));
        if let Some((contexts, by)) = flag.or_else(|| variable_of("ROLLDECK_CONTEXT")) {
            self.file.context = Some(in_order(&contexts));
            self.outranked.insert("context", by);
        } else if let Some(written) = self.file.context.take() {
            self.file.context = Some(in_order(&written.into_list()));
        }
        let named = sorted(&overrides.namespaces);
        let flag = if overrides.all_namespaces {
            Some((Names::One(ALL.into()), "-A"))
        } else {
            // The word is for the variable and the file; `-n all` is a namespace.
            (!named.is_empty()).then_some((Names::More(named), "-n"))
        };
        let variable = variable_of("ROLLDECK_NAMESPACE");
        let variable = variable.map(|(texts, by)| (names(sorted(&texts)), by));
        if let Some((names, by)) = flag.or(variable) {
            self.file.namespaces = Some(names);
            self.outranked.insert("namespaces", by);
        } else if let Some(written) = self.file.namespaces.take() {
            self.file.namespaces = Some(names(sorted(&written.into_list())));
        }
    }

    fn readonly(&mut self, overrides: &Overrides, env: Env<'_>) -> Result<(), Error> {
        if overrides.readonly {
            self.file.readonly = true;
            self.outranked.insert("readonly", "--readonly");
        } else if let Some(readonly) = flag(env, "ROLLDECK_READONLY")? {
            self.file.readonly = readonly;
            self.outranked.insert("readonly", "ROLLDECK_READONLY");
        }
        Ok(())
    }

    fn display(&mut self, overrides: &Overrides, env: Env<'_>) {
        let display = &mut self.file.display;
        let terminal = filled(env, "TERM").unwrap_or_default();
        let colorless = (terminal == "dumb").then_some("TERM");
        if let Some(by) = filled(env, "NO_COLOR").map(|_| "NO_COLOR").or(colorless) {
            display.color = Some(false);
            self.outranked.insert("display.color", by);
        }
        display.color.get_or_insert(true);
        let by = if overrides.ascii {
            Some("--ascii")
        } else if display.ascii.is_some() {
            None
        } else if terminal == "linux" {
            Some("TERM")
        } else {
            wide_locale(env)
        };
        if let Some(by) = by {
            display.ascii = Some(true);
            self.outranked.insert("display.ascii", by);
        }
        display.ascii.get_or_insert(false);
    }
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
fn text(overrides: &Overrides, env: Env<'_>) -> Result<(Option<PathBuf>, String), Error> {
    let named = overrides
        .config
        .clone()
        .or_else(|| filled(env, "ROLLDECK_CONFIG").map(PathBuf::from));
    let usual = || {
        let home = || Some(home(env)?.join(".config"));
        let folder = absolute(env, "XDG_CONFIG_HOME").or_else(home)?;
        Some(folder.join("rolldeck/config.yaml"))
    };
    let must_exist = named.is_some();
    let Some(path) = named.or_else(usual) else {
        return Ok((None, String::new()));
    };
    match fs::read_to_string(&path) {
        Ok(text) => Ok((Some(path), text)),
        Err(why) if why.kind() == io::ErrorKind::NotFound && !must_exist => {
            Ok((Some(path), String::new()))
        }
        Err(why) => Err(Error::unreadable(&path, &why)),
    }
}

/// With commas between or one by one.
fn split(texts: &[String]) -> impl Iterator<Item = String> {
    let names = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    names.filter(|name| !name.is_empty()).map(String::from)
}

/// As they were given, each once.
fn in_order(texts: &[String]) -> OneOrMore {
    let mut names: Vec<String> = Vec::new();
    for name in split(texts) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    match names.as_slice() {
        [only] => OneOrMore::One(only.clone()),
        _ => OneOrMore::More(names),
    }
}

/// Sorted, each once.
fn sorted(texts: &[String]) -> Vec<String> {
    let mut names: Vec<_> = split(texts).collect();
    names.sort();
    names.dedup();
    names
}

fn names(list: Vec<String>) -> Names {
    if list == [ALL] {
        Names::One(ALL.into())
    } else {
        Names::More(list)
    }
}

/// Characters of ambiguous width are two cells wide there.
fn wide_locale(env: Env<'_>) -> Option<&'static str> {
    let name = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find(|name| filled(env, name).is_some())?;
    let locale = filled(env, name)?.to_lowercase();
    let wide = ["zh", "ja", "ko"];
    wide.iter()
        .any(|language| locale.starts_with(language))
        .then_some(name)
}

fn variable(env: Env<'_>, name: &'static str) -> Option<(String, &'static str)> {
    filled(env, name).map(|text| (text, name))
}

fn flag(env: Env<'_>, name: &str) -> Result<Option<bool>, Error> {
    match filled(env, name).as_deref() {
        None => Ok(None),
        Some("1" | "true") => Ok(Some(true)),
        Some("0" | "false") => Ok(Some(false)),
        Some(other) => Err(Error::new(name, format!("{other} is neither 1 nor 0"))),
    }
}

pub fn home(env: Env<'_>) -> Option<PathBuf> {
    filled(env, "HOME").map(PathBuf::from)
}

pub fn filled(env: Env<'_>, name: &str) -> Option<String> {
    env(name).filter(|value| !value.is_empty())
}

/// The XDG rules: a relative path is to be ignored.
pub fn absolute(env: Env<'_>, name: &str) -> Option<PathBuf> {
    filled(env, name)
        .map(PathBuf::from)
        .filter(|path| path.is_absolute())
}
