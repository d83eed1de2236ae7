//! Keys as data, and which intent a key means where. The only place in `app` that knows crossterm.

use std::collections::BTreeMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::domain::{Failure, FailureKind};

use super::intent::{Intent, Place, REGISTRY};

const DEFAULT: &str = include_str!("../../assets/keymap.yaml");

/// One key press, free of the terminal library.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub code: Code,
    pub ctrl: bool,
    pub alt: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Code {
    Char(char),
    Enter,
    Esc,
    Backspace,
    Delete,
    Tab,
    BackTab,
    Up,
    Down,
    Left,
    Right,
    Home,
    End,
    PageUp,
    PageDown,
}

/// The names of keys that are not a character.
const NAMED: [(&str, Code); 15] = [
    ("enter", Code::Enter),
    ("esc", Code::Esc),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("tab", Code::Tab),
    ("shift-tab", Code::BackTab),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("page-up", Code::PageUp),
    ("page-down", Code::PageDown),
    ("space", Code::Char(' ')),
];

impl Key {
    pub fn plain(code: Code) -> Self {
        Self {
            code,
            ctrl: false,
            alt: false,
        }
    }

    pub fn char(c: char) -> Self {
        Self::plain(Code::Char(c))
    }

    pub fn ctrl(c: char) -> Self {
        Self {
            ctrl: true,
            ..Self::char(c)
        }
    }

    /// `ctrl-f`, `alt-x`, `G`, `enter`, `space`, `?`.
    pub fn parse(text: &str) -> Option<Self> {
        let (mut ctrl, mut alt, mut rest) = (false, false, text);
        loop {
            if let Some(after) = rest.strip_prefix("ctrl-").filter(|_| !ctrl) {
                (ctrl, rest) = (true, after);
            } else if let Some(after) = rest.strip_prefix("alt-").filter(|_| !alt) {
                (alt, rest) = (true, after);
            } else {
                break;
            }
        }
        let named = NAMED.iter().find(|(name, _)| *name == rest);
        let mut chars = rest.chars();
        let code = match (named, chars.next(), chars.next()) {
            (Some((_, code)), _, _) => *code,
            (None, Some(c), None) if !c.is_control() => Code::Char(c),
            (None, _, _) => return None,
        };
        Some(Self { code, ctrl, alt })
    }

    /// `None` for a release, and for keys that no keymap can name.
    pub fn from_terminal(event: KeyEvent) -> Option<Self> {
        if event.kind == KeyEventKind::Release {
            return None;
        }
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        let code = match event.code {
            // A terminal without the newer protocols sends ctrl and a letter as lower case in any case.
            KeyCode::Char(c) if ctrl => Code::Char(c.to_ascii_lowercase()),
            KeyCode::Char(c) => Code::Char(c),
            KeyCode::Enter => Code::Enter,
            KeyCode::Esc => Code::Esc,
            KeyCode::Backspace => Code::Backspace,
            KeyCode::Delete => Code::Delete,
            KeyCode::Tab if event.modifiers.contains(KeyModifiers::SHIFT) => Code::BackTab,
            KeyCode::Tab => Code::Tab,
            KeyCode::BackTab => Code::BackTab,
            KeyCode::Up => Code::Up,
            KeyCode::Down => Code::Down,
            KeyCode::Left => Code::Left,
            KeyCode::Right => Code::Right,
            KeyCode::Home => Code::Home,
            KeyCode::End => Code::End,
            KeyCode::PageUp => Code::PageUp,
            KeyCode::PageDown => Code::PageDown,
            _ => return None,
        };
        Some(Self { code, ctrl, alt })
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.ctrl {
            f.write_str("ctrl-")?;
        }
        if self.alt {
            f.write_str("alt-")?;
        }
        let named = NAMED.iter().find(|(_, code)| *code == self.code);
        match (named, self.code) {
            (Some((name, _)), _) => f.write_str(name),
            (None, Code::Char(c)) => write!(f, "{c}"),
            (None, _) => Ok(()),
        }
    }
}

/// The keys in force.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Keymap {
    keys: BTreeMap<Intent, Vec<Key>>,
    meanings: BTreeMap<(Place, Key), Intent>,
}

impl Keymap {
    /// The default keys, with those of `overrides` (intent name -> keys) in their stead.
    ///
    /// # Errors
    /// An unknown intent or key, and two intents that want one key in the same place.
    pub fn build(overrides: &BTreeMap<String, Vec<String>>) -> Result<Self, Failure> {
        let mut texts: BTreeMap<String, Vec<String>> =
            serde_yaml::from_str(DEFAULT).map_err(|error| {
                Failure::new(FailureKind::Internal, format!("keymap.yaml: {error}"))
            })?;
        texts.extend(overrides.clone());
        let mut keymap = Self::default();
        for (name, keys) in &texts {
            let intent = Intent::named(name).ok_or_else(|| unknown_intent(name))?;
            for text in keys {
                let key = Key::parse(text).ok_or_else(|| unknown_key(name, text))?;
                keymap.bind(intent, key)?;
            }
        }
        Ok(keymap)
    }

    /// What a key means in a place.
    pub fn intent(&self, place: Place, key: Key) -> Option<Intent> {
        self.meanings.get(&(place, key)).copied()
    }

    /// In the order in which they were given: the first is the one to show.
    pub fn keys(&self, intent: Intent) -> &[Key] {
        self.keys.get(&intent).map_or(&[], Vec::as_slice)
    }

    /// The first key, as text.
    pub fn shown(&self, intent: Intent) -> Option<String> {
        self.keys(intent).first().map(Key::to_string)
    }

    fn bind(&mut self, intent: Intent, key: Key) -> Result<(), Failure> {
        let keys = self.keys.entry(intent).or_default();
        if keys.contains(&key) {
            return Ok(());
        }
        keys.push(key);
        for place in intent.entry().places {
            if let Some(other) = self.meanings.insert((*place, key), intent) {
                let (one, two) = (other.entry().name, intent.entry().name);
                let sentence = format!("the key {key} cannot mean both {one} and {two}");
                let hint = format!(
                    "give one of them another key under keys: in config.yaml, as in {one}: [F]"
                );
                return Err(Failure::new(FailureKind::Config, sentence).hint(hint));
            }
        }
        Ok(())
    }
}

fn unknown_intent(name: &str) -> Failure {
    let names: Vec<_> = REGISTRY.iter().map(|entry| entry.name).collect();
    Failure::new(
        FailureKind::Config,
        format!("keys: there is nothing called {name}"),
    )
    .hint(format!("these have keys: {}", names.join(", ")))
}

fn unknown_key(name: &str, text: &str) -> Failure {
    Failure::new(
        FailureKind::Config,
        format!("keys: {name}: {text:?} is not a key"),
    )
    .hint("write a key as G, ctrl-f, alt-x, enter, space, tab, page-down or ?")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn overrides(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let own = |keys: &[&str]| keys.iter().map(|k| (*k).to_owned()).collect();
        pairs
            .iter()
            .map(|(name, keys)| ((*name).to_owned(), own(keys)))
            .collect()
    }

    #[test]
    fn the_default_keys_do_not_clash_and_read_back_as_they_are_written() {
        let keymap = Keymap::build(&BTreeMap::new()).unwrap();
        assert_eq!(
            keymap.intent(Place::Board, Key::char('y')),
            Some(Intent::Yaml)
        );
        assert_eq!(
            keymap.intent(Place::Plan, Key::char('y')),
            Some(Intent::Confirm)
        );
        assert_eq!(
            keymap.intent(Place::Board, Key::ctrl('z')),
            Some(Intent::OnlyTrouble)
        );
        for entry in REGISTRY {
            for key in keymap.keys(entry.intent) {
                assert_eq!(Key::parse(&key.to_string()), Some(*key));
            }
        }
    }

    #[test]
    fn keys_as_text() {
        for (text, want) in [
            ("ctrl-f", Some(Key::ctrl('f'))),
            ("G", Some(Key::char('G'))),
            ("-", Some(Key::char('-'))),
            ("enter", Some(Key::plain(Code::Enter))),
            ("space", Some(Key::char(' '))),
            ("?", Some(Key::char('?'))),
            (
                "alt-x",
                Some(Key {
                    alt: true,
                    ..Key::char('x')
                }),
            ),
            ("f12", None),
            ("", None),
            ("ctrl-", None),
        ] {
            assert_eq!(Key::parse(text), want, "{text}");
        }
    }

    #[test]
    fn a_clash_names_both_and_the_place_decides() {
        let clash = Keymap::build(&overrides(&[("yaml", &["l"])])).unwrap_err();
        assert!(
            clash.sentence.contains("logs") && clash.sentence.contains("yaml"),
            "{clash:?}"
        );
        assert_eq!(clash.kind, FailureKind::Config);
        // `confirm` is only a key of plans, where `logs` is not.
        assert!(Keymap::build(&overrides(&[("confirm", &["l"])])).is_ok());
        let free = Keymap::build(&overrides(&[("yaml", &[])])).unwrap();
        assert_eq!(free.intent(Place::Board, Key::char('y')), None);
        assert!(
            Keymap::build(&overrides(&[("yamml", &["x"])]))
                .unwrap_err()
                .sentence
                .contains("yamml")
        );
        assert!(
            Keymap::build(&overrides(&[("yaml", &["hyper-x"])]))
                .unwrap_err()
                .sentence
                .contains("hyper-x")
        );
    }
}
