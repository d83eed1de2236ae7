//! Commands by name: everything in the registry that does something here, with completion.

use crate::app::effect::Effect;
use crate::app::field::Field;
use crate::app::intent::{Intent, Place, REGISTRY};
use crate::app::keymap::Key;
use crate::app::model::{Model, Overlay, Row};
use crate::app::{settle, wishes, words};

use crate::domain::ApiKind;

use super::key::{self, Typed};
use super::{ask, board, clusters, logs, namespaces, notice, table};

/// One thing that what was typed may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// What the field holds once it is taken.
    pub name: String,
    pub about: String,
}

/// At most this many services are offered.
const SERVICES: usize = 50;

pub fn open(model: &mut Model) -> Vec<Effect> {
    model.overlay = Some(Overlay::Palette {
        field: Field::default(),
        selected: 0,
    });
    Vec::new()
}

/// What fits the text so far, in the order of the registry.
pub fn choices(model: &Model, typed: &str) -> Vec<Choice> {
    let typed = typed.trim_start();
    match typed.split_once(' ') {
        None => commands(model, typed),
        Some(("svc", name)) => services(model, name.trim()),
        Some(("ns", name)) => {
            let fits = model
                .view
                .known
                .iter()
                .filter(|known| known.contains(name.trim()));
            fits.map(|known| choice("ns", known, "namespace".into()))
                .collect()
        }
        Some(("ctx", name)) => {
            let known = clusters::known(model).into_iter();
            let fits = known.filter(|known| known.contains(name.trim()));
            fits.map(|known| choice("ctx", &known, "cluster".into()))
                .collect()
        }
        Some(("env", name)) => {
            let environments = model.settings.environments.iter();
            let fits = environments.filter(|e| e.name.contains(name.trim()));
            fits.map(|e| choice("env", &e.name, words::environment(e)))
                .collect()
        }
        Some(_) => Vec::new(),
    }
}

fn choice(command: &str, name: &str, about: String) -> Choice {
    Choice {
        name: format!("{command} {name}"),
        about,
    }
}

fn commands(model: &Model, typed: &str) -> Vec<Choice> {
    let place = key::place(model);
    let here = REGISTRY
        .iter()
        .filter(|e| e.places.contains(&place) && is_command(e.intent));
    let of_registry = here.map(|e| Choice {
        name: e.name.to_owned(),
        about: e.title.to_owned(),
    });
    let svc = Choice {
        name: "svc".into(),
        about: "open a service by name: svc NAME".into(),
    };
    let aliases = model.settings.aliases.iter();
    let aliases = aliases.map(|(alias, command)| Choice {
        name: alias.clone(),
        about: format!("means {command}"),
    });
    let mut all: Vec<Choice> = of_registry.chain([svc]).chain(aliases).collect();
    // `:resume` is the end of `pause-or-resume`.
    all.retain(|choice| {
        choice.name.split('-').any(|word| word.starts_with(typed)) || choice.name.starts_with(typed)
    });
    all.sort_by_key(|choice| !choice.name.starts_with(typed));
    if !typed.is_empty() {
        let kinds = table::kinds(model).iter();
        let fits = kinds.filter(|kind| kind.plural.starts_with(typed) || kind.is_called(typed));
        let choice = |kind: &ApiKind| Choice {
            name: kind.word(),
            about: format!("every {} as a plain table", kind.kind),
        };
        all.extend(fits.map(choice).take(SERVICES));
    }
    all
}

/// Movements and what works on a typed character are keys only.
fn is_command(intent: Intent) -> bool {
    !matches!(
        intent,
        Intent::Down
            | Intent::Up
            | Intent::Top
            | Intent::Bottom
            | Intent::PageDown
            | Intent::PageUp
            | Intent::Back
            | Intent::Favourite
            | Intent::Palette
    )
}

fn services(model: &Model, name: &str) -> Vec<Choice> {
    let rows = model
        .board
        .rows
        .iter()
        .chain(model.board.hidden_rows.values());
    let fits = rows.filter(|row| row.name().contains(name));
    let choice = fits.map(|row| Choice {
        name: format!("svc {}", row.name()),
        about: format!("{} in {}, {}", row.id, row.id.namespace, row.standing.phase),
    });
    choice.take(SERVICES).collect()
}

pub fn key(model: &mut Model, pressed: Key) -> Vec<Effect> {
    let Some(Overlay::Palette { field, .. }) = &model.overlay else {
        return Vec::new();
    };
    let choices = choices(model, field.value());
    let Some(Overlay::Palette { field, selected }) = &mut model.overlay else {
        return Vec::new();
    };
    let chosen = choices.get(*selected).map(|choice| choice.name.clone());
    match key::typed(field, pressed) {
        Typed::Edited => {
            *selected = 0;
            let typed = field.value().to_owned();
            // What is no command may be a kind.
            if self::choices(model, &typed).is_empty() {
                return table::discover(model);
            }
        }
        Typed::Up => *selected = selected.saturating_sub(1),
        Typed::Down => *selected = (*selected + 1).min(choices.len().saturating_sub(1)),
        Typed::Left => model.overlay = None,
        Typed::Complete => {
            if let Some(text) = chosen {
                *field = Field(tui_input::Input::new(text));
                *selected = 0;
            }
        }
        Typed::Taken => {
            let typed = field.value().trim().to_owned();
            model.overlay = None;
            return run(model, &typed, chosen.as_deref());
        }
    }
    Vec::new()
}

/// The command of the command line, as soon as what it works on is there.
pub fn run_first(model: &mut Model) -> Vec<Effect> {
    let is_ready = |line: &String| ready(model, line);
    if !model.command.as_ref().is_some_and(is_ready) {
        return Vec::new();
    }
    let line = model.command.take().unwrap_or_default();
    // Rows that have come may not have been counted yet.
    settle(model);
    run(model, line.trim(), None)
}

fn ready(model: &Model, line: &str) -> bool {
    let meant = unaliased(model, line.trim());
    let line = meant.as_deref().unwrap_or(line.trim());
    let intent = Intent::named(line.split(' ').next().unwrap_or_default());
    match intent.map(|intent| (intent, intent.entry().places)) {
        Some((Intent::PickNamespace, _)) => model.clusters.iter().any(|c| c.scope.resolved),
        // What can be done on the doctor's screen is not about services.
        Some((_, places)) if places.contains(&Place::Doctor) => true,
        Some(_) | None => wishes::stands(model),
    }
}

/// What was typed in full wins over what is marked; words after a command are its argument.
fn run(model: &mut Model, typed: &str, chosen: Option<&str>) -> Vec<Effect> {
    if typed.is_empty() && chosen.is_none() {
        return Vec::new();
    }
    if typed == "q" {
        return vec![Effect::Quit];
    }
    let meant = unaliased(model, typed);
    let typed = meant.as_deref().unwrap_or(typed);
    let line = if known(typed) {
        typed
    } else {
        chosen.unwrap_or(typed)
    };
    match line
        .split_once(' ')
        .map_or((line, ""), |(a, b)| (a, b.trim()))
    {
        ("svc", name) => open_service(model, name),
        ("since", typed) if !typed.is_empty() && is_here(model, Intent::Since) => {
            logs::since_typed(model, typed)
        }
        ("weight", typed) if !typed.is_empty() && is_here(model, Intent::Weight) => {
            ask::weight_typed(model, typed)
        }
        // What was typed in full is meant, whether it is known or not.
        (of @ ("ns" | "ctx" | "env"), name) if !name.is_empty() => {
            let (_, typed) = typed.split_once(' ').unwrap_or(("", name));
            let name = typed.trim().to_owned();
            go(model, of, &name)
        }
        (name, "") => match Intent::named(name).filter(|intent| is_here(model, *intent)) {
            Some(intent) => key::act(model, intent),
            None if known(name) => unknown(model, name),
            None => table::open(model, name),
        },
        (name, _) => unknown(model, name),
    }
}

/// More than this many aliases of aliases are a circle.
const ALIASES: usize = 8;

/// The command that an alias stands for. A command of ours is never one.
fn unaliased(model: &Model, typed: &str) -> Option<String> {
    let aliases = &model.settings.aliases;
    let mut line = typed.to_owned();
    for _ in 0..ALIASES {
        let (name, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let Some(meant) = aliases.get(name).filter(|_| !known(name)) else {
            break;
        };
        line = format!("{meant} {rest}");
    }
    let line = line.trim_end();
    (line != typed).then(|| line.to_owned())
}

fn go(model: &mut Model, of: &str, name: &str) -> Vec<Effect> {
    match of {
        "ctx" => clusters::go(model, name),
        "env" => clusters::go_environment(model, name),
        _ => {
            namespaces::go(model, name);
            Vec::new()
        }
    }
}

fn known(line: &str) -> bool {
    let name = line.split(' ').next().unwrap_or(line);
    name == "svc" || Intent::named(name).is_some()
}

fn is_here(model: &Model, intent: Intent) -> bool {
    is_command(intent) && intent.entry().places.contains(&key::place(model))
}

fn unknown(model: &mut Model, name: &str) -> Vec<Effect> {
    notice(model, format!("there is no command {name} here"), true);
    Vec::new()
}

/// A name that fits two is settled by `deploy/checkout`; the first in the order of the board is not guessed.
fn open_service(model: &mut Model, name: &str) -> Vec<Effect> {
    let rows = model
        .board
        .rows
        .iter()
        .chain(model.board.hidden_rows.values());
    let exact = |row: &Row| *row.name() == *name || row.id.to_string() == name;
    let found: Vec<_> = rows
        .filter(|row| exact(row))
        .map(|row| (row.id.clone(), row.uid.clone()))
        .collect();
    match found.as_slice() {
        [] => {
            notice(model, format!("there is no service {name} here"), true);
            Vec::new()
        }
        [(id, uid)] => board::open(model, id.clone(), uid.clone()),
        several => {
            let places: Vec<_> = several
                .iter()
                .map(|(id, _)| format!("{id} in {}", id.namespace))
                .collect();
            notice(
                model,
                format!("{name} is {}: filter the board instead", places.join(", ")),
                true,
            );
            Vec::new()
        }
    }
}
