//! How a registry wants to be logged in to: its `WWW-Authenticate`, and the token that it points to.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::Deserialize;

use super::login::Login;

/// Of a registry that says nothing, by its specification.
const USUAL_SECONDS: i64 = 60;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    Basic,
    Bearer {
        realm: String,
        service: Option<String>,
        scope: Option<String>,
    },
}

impl Challenge {
    /// Bearer when there are both; `None` when it is neither.
    pub fn read<'a>(headers: impl Iterator<Item = &'a str>) -> Option<Self> {
        let mut basic = false;
        for header in headers {
            let (scheme, rest) = header.trim().split_once(' ').unwrap_or((header.trim(), ""));
            if scheme.eq_ignore_ascii_case("basic") {
                basic = true;
            } else if scheme.eq_ignore_ascii_case("bearer") {
                let mut bearer = (None, None, None);
                for (name, value) in parameters(rest) {
                    match name.to_ascii_lowercase().as_str() {
                        "realm" => bearer.0 = Some(value),
                        "service" => bearer.1 = Some(value),
                        "scope" => bearer.2 = Some(value),
                        _ => {}
                    }
                }
                if let (Some(realm), service, scope) = bearer {
                    return Some(Self::Bearer {
                        realm,
                        service,
                        scope,
                    });
                }
            }
        }
        basic.then_some(Self::Basic)
    }
}

/// `realm="https://…",service="…"`: a comma may stand inside of quotes.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',']);
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => after.split_once(',').unwrap_or((after, "")),
        };
        found.push((name.to_owned(), value.trim().to_owned()));
        rest = next;
    }
    found
}

/// What a token server answers.
#[derive(Deserialize)]
pub struct Granted {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<i64>,
}

impl fmt::Debug for Granted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Granted")
    }
}

impl Granted {
    /// The header, and for how many seconds it is good; a little less than it says.
    pub fn header(self) -> Option<(HeaderValue, i64)> {
        let given = |token: &String| !token.is_empty();
        let token = self
            .token
            .filter(given)
            .or(self.access_token.filter(given))?;
        let seconds = self.expires_in.unwrap_or(USUAL_SECONDS);
        Some((secret(&format!("Bearer {token}"))?, seconds - seconds / 10))
    }
}

/// `None` without a name and a password.
pub fn basic(login: &Login) -> Option<HeaderValue> {
    match login {
        Login::Password { user, secret: word } => secret(&format!(
            "Basic {}",
            STANDARD.encode(format!("{user}:{word}"))
        )),
        Login::Anonymous | Login::Identity(_) => None,
    }
}

fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges() {
        let bearer = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            Some(Challenge::Bearer {
                realm: realm.into(),
                service: service.map(Into::into),
                scope: scope.map(Into::into),
            })
        };
        for (headers, want) in [
            (vec![r#"Basic realm="chain""#], Some(Challenge::Basic)),
            (
                vec![
                    r#"Bearer realm="https://a.example/token",service="r",scope="repository:a/b:pull,push""#,
                ],
                bearer(
                    "https://a.example/token",
                    Some("r"),
                    Some("repository:a/b:pull,push"),
                ),
            ),
            (
                vec!["Basic realm=x", r#"bearer Realm="https://a/t" , scope=x"#],
                bearer("https://a/t", None, Some("x")),
            ),
            (vec!["Negotiate"], None),
            (vec!["Bearer", "Bearer x", "Bearer realm"], None),
            (
                vec![r#"Bearer realm="https://a"#],
                bearer("https://a", None, None),
            ),
            (vec![], None),
        ] {
            assert_eq!(
                Challenge::read(headers.iter().copied()),
                want,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn tokens_in_either_field_and_never_shown() {
        for (text, want) in [
            (r#"{"token":"abc"}"#, Some(("Bearer abc", 54))),
            (
                r#"{"token":"","access_token":"d","expires_in":300}"#,
                Some(("Bearer d", 270)),
            ),
            (r#"{"token":"a\nb"}"#, None),
            ("{}", None),
        ] {
            let granted: Granted = serde_json::from_str(text).unwrap();
            assert_eq!(format!("{granted:?}"), "Granted");
            let header = granted.header();
            let header = header
                .as_ref()
                .map(|(value, s)| (value.to_str().unwrap(), *s));
            assert_eq!(header, want, "{text}");
        }
    }
}
