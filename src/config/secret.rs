//! Where a secret is to be had; never the secret itself.

use std::fmt;
use std::path::PathBuf;

use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde::{Deserialize, Serialize};

/// `{env: NAME}`, `{file: PATH}` or `{command: [PROGRAM, ARGUMENT]}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretFrom(Place);

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Place {
    Env { env: String },
    File { file: PathBuf },
    Command { command: Vec<String> },
}

impl SecretFrom {
    pub fn place(&self) -> &Place {
        &self.0
    }
}

impl From<Place> for SecretFrom {
    fn from(place: Place) -> Self {
        Self(place)
    }
}

/// Where it comes from, in words.
impl fmt::Display for SecretFrom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Place::Env { env } => write!(f, "the variable {env}"),
            Place::File { file } => write!(f, "the file {}", file.display()),
            Place::Command { command } => {
                let program = command.first().map_or("", String::as_str);
                write!(f, "the command {program}")
            }
        }
    }
}

impl<'de> Deserialize<'de> for SecretFrom {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

/// A secret that stands in the file itself is not repeated in the error.
struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = SecretFrom;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{env: NAME}, {file: PATH} or {command: [PROGRAM]}")
    }

    fn visit_str<E: serde::de::Error>(self, _: &str) -> Result<SecretFrom, E> {
        Err(E::custom(INLINE))
    }

    fn visit_i64<E: serde::de::Error>(self, _: i64) -> Result<SecretFrom, E> {
        Err(E::custom(INLINE))
    }

    fn visit_u64<E: serde::de::Error>(self, _: u64) -> Result<SecretFrom, E> {
        Err(E::custom(INLINE))
    }

    fn visit_f64<E: serde::de::Error>(self, _: f64) -> Result<SecretFrom, E> {
        Err(E::custom(INLINE))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<SecretFrom, A::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase", deny_unknown_fields)]
        struct Raw {
            env: Option<String>,
            file: Option<PathBuf>,
            command: Option<Vec<String>>,
        }
        let raw = Raw::deserialize(serde::de::value::MapAccessDeserializer::new(map))?;
        let place = match (raw.env, raw.file, raw.command) {
            (Some(env), None, None) if !env.is_empty() => Place::Env { env },
            (None, Some(file), None) if file.is_absolute() => Place::File { file },
            (None, Some(_), None) => return Err(A::Error::custom("file: has to begin with /")),
            (None, None, Some(command)) if command.first().is_some_and(|p| !p.is_empty()) => {
                Place::Command { command }
            }
            _ => return Err(A::Error::custom(ONE)),
        };
        Ok(SecretFrom(place))
    }
}

const INLINE: &str =
    "a secret does not stand in this file: write {env: NAME}, {file: PATH} or {command: [PROGRAM]}";
const ONE: &str = "one of {env: NAME}, {file: PATH} and {command: [PROGRAM]}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_places_and_no_secret() {
        for text in ["env: T", "file: /run/t", "command:\n- pass\n- show\n- t"] {
            let read: SecretFrom = serde_yaml::from_str(text).unwrap();
            assert_eq!(serde_yaml::to_string(&read).unwrap().trim(), text);
        }
        for text in ["hunter2", "'1234'", "1234", "-5", "0.5"] {
            let error = serde_yaml::from_str::<SecretFrom>(text).unwrap_err();
            assert!(error.to_string().starts_with(INLINE), "{error}");
        }
        for text in ["{env: ''}", "{}", "{env: A, file: /b}", "{command: []}"] {
            let error = serde_yaml::from_str::<SecretFrom>(text).unwrap_err();
            assert!(error.to_string().starts_with(ONE), "{error}");
        }
        let error = serde_yaml::from_str::<SecretFrom>("{file: t}").unwrap_err();
        assert!(error.to_string().contains("begin with /"), "{error}");
        let error = serde_yaml::from_str::<SecretFrom>("{value: hunter2}").unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}
