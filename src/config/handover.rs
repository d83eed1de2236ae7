//! Programs that the terminal can be handed to: the default ones, and those of the configuration.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::Error;

const DEFAULT: &str = include_str!("../../assets/handover.yaml");
/// What a command may name, beside `{?WORD}`, which a person is asked for.
pub const NAMES: [&str; 8] = [
    "flags",
    "context",
    "kubeconfig",
    "namespace",
    "kind",
    "name",
    "pod",
    "container",
];

/// One program and how it is called.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Program {
    pub name: String,
    /// What chooses it in the menu.
    #[serde(default)]
    pub key: Option<char>,
    #[serde(default)]
    pub on: On,
    /// Its arguments as they are handed over, without a shell. Empty: none of this name is offered.
    pub command: Vec<String>,
    /// It may change something, as far as one knows.
    #[serde(default = "yes")]
    pub writes: bool,
    /// What it said stays until a key is pressed, also when it went well.
    #[serde(default)]
    pub wait: bool,
}

/// What a program can be called for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum On {
    Service,
    Pod,
    /// An object of any kind.
    #[default]
    Any,
}

fn yes() -> bool {
    true
}

/// The default programs with those of the configuration in their place, or behind them.
///
/// # Errors
/// A name or a command that says nothing, a `{word}` that stands for nothing, and two that want one key.
pub fn merged(own: &[Program], file: &Path) -> Result<Vec<Program>, Error> {
    let wrong = |message: String| Error::new(file.display().to_string(), message);
    let mut all: Vec<Program> = serde_yaml::from_str(DEFAULT)
        .map_err(|error| Error::new("handover.yaml", error.to_string()))?;
    for program in own {
        check(program).map_err(|message| wrong(format!("handover: {message}")))?;
        let same = |other: &&mut Program| other.name == program.name && other.on == program.on;
        match all.iter_mut().find(same) {
            Some(other) => *other = program.clone(),
            None => all.push(program.clone()),
        }
    }
    all.retain(|program| !program.command.is_empty());
    match clash(&all) {
        Some((one, two, key)) => Err(wrong(format!(
            "handover: the key {key} cannot mean both {one} and {two}: give one of them another"
        ))),
        None => Ok(all),
    }
}

fn check(program: &Program) -> Result<(), String> {
    let name = &program.name;
    if name.trim().is_empty() {
        return Err("every one needs a name".into());
    }
    if program
        .command
        .first()
        .is_some_and(|first| first.starts_with('{') || first.is_empty())
    {
        return Err(format!("{name}: the command has to begin with a program"));
    }
    let unknown = program
        .command
        .iter()
        .flat_map(|word| named(word))
        .find(|word| !word.starts_with('?') && !NAMES.contains(word));
    match unknown {
        Some(word) => Err(format!(
            "{name}: {{{word}}} stands for nothing; there are {{{}}} and {{?word}}, which is asked for",
            NAMES.join("}, {")
        )),
        None => Ok(()),
    }
}

/// The words in braces that can stand for something: `{a b}` and `{}` are left alone.
pub fn named(argument: &str) -> impl Iterator<Item = &str> {
    let fits = |c: char| c.is_ascii_lowercase() || c == '-' || c == '?';
    argument
        .split('{')
        .skip(1)
        .filter_map(|rest| Some(rest.split_once('}')?.0))
        .filter(move |word| !word.is_empty() && word.chars().all(fits))
}

/// Two that could be offered side by side with the same key.
fn clash(all: &[Program]) -> Option<(&str, &str, char)> {
    all.iter().enumerate().find_map(|(at, one)| {
        let meets = |two: &&Program| {
            two.key == one.key && (two.on == one.on || two.on == On::Any || one.on == On::Any)
        };
        let two = all[at + 1..].iter().find(meets)?;
        Some((&*one.name, &*two.name, one.key?))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Result<Vec<Program>, String> {
        let own: Vec<Program> = serde_yaml::from_str(text).unwrap();
        merged(&own, Path::new("config.yaml")).map_err(|error| error.to_string())
    }

    #[test]
    fn own_programs_come_behind_and_in_place_of_the_default_ones() {
        let default = of("[]").unwrap();
        assert!(default.iter().any(|program| program.name == "edit"));
        let all = of(
            "[{name: edit, key: e, command: [vi]}, {name: stern, key: t, on: service, command: [stern, '{name}'], writes: false}, {name: k9s, command: []}]",
        )
        .unwrap();
        assert_eq!(all.len(), default.len(), "one more, one less");
        let edit = all.iter().find(|program| program.name == "edit").unwrap();
        assert_eq!(edit.command, ["vi"]);
        assert!(edit.writes, "nobody knows that it does not");
        assert_eq!(all.last().unwrap().name, "stern");
        assert!(!all.iter().any(|program| program.name == "k9s"));
    }

    #[test]
    fn mistakes_are_named() {
        for (text, want) in [
            (
                "[{name: x, command: ['{name}']}]",
                "config.yaml: handover: x: the command has to begin with a program",
            ),
            (
                "[{name: x, command: [a, '-n={nmespace}']}]",
                "config.yaml: handover: x: {nmespace} stands for nothing; there are {flags}, {context}, {kubeconfig}, {namespace}, {kind}, {name}, {pod}, {container} and {?word}, which is asked for",
            ),
            (
                "[{name: x, key: s, command: [a]}]",
                "config.yaml: handover: the key s cannot mean both shell and x: give one of them another",
            ),
            (
                "[{name: ' ', command: [a]}]",
                "config.yaml: handover: every one needs a name",
            ),
        ] {
            assert_eq!(of(text).unwrap_err(), want);
        }
        assert!(of("[{name: x, command: [a, '{.items[0]}', '{}']}]").is_ok());
    }
}
