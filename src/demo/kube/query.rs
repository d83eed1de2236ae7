//! The query of a request, and the numbers and truths in it.

use super::kind::Kind;
use super::object::Key;
use super::refusal::Refusal;

#[derive(Debug, Clone, Default)]
pub struct Query(Vec<(String, String)>);

impl Query {
    pub fn parse(text: &str) -> Self {
        let pairs = text.split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (decode(name, true), decode(value, true)))
                .collect(),
        )
    }

    /// The first of that name, empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, value)| value)
    }

    pub fn flag(&self, name: &str) -> bool {
        matches!(self.get(name), "1" | "true" | "True" | "TRUE" | "t" | "T")
    }

    pub fn number(&self, name: &str) -> Result<Option<i64>, Refusal> {
        match self.get(name) {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| {
                Refusal::BadRequest(format!(
                    "strconv.ParseInt: parsing {text:?}: invalid syntax"
                ))
            }),
        }
    }

    /// `dryRun`: `All` is the only one there is.
    pub fn dry_run(&self, options: &'static Kind) -> Result<bool, Refusal> {
        match self.get("dryRun") {
            "" => Ok(false),
            "All" => Ok(true),
            other => Err(bad_option(
                options,
                "dryRun",
                format!(r#"Unsupported value: [{other:?}]: supported values: "All""#),
            )),
        }
    }
}

/// An option that may not be so.
pub fn bad_option(options: &'static Kind, name: &str, why: impl Into<String>) -> Refusal {
    Refusal::Invalid(Key::new(options, "", ""), vec![(name.into(), why.into())])
}

/// Takes `%XX` apart, and `+` where it stands for a blank.
pub fn decode(text: &str, plus: bool) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [byte, after @ ..] = rest {
        rest = after;
        let code = after
            .get(..2)
            .and_then(|digits| str::from_utf8(digits).ok());
        match code.map(|digits| u8::from_str_radix(digits, 16)) {
            Some(Ok(code)) if *byte == b'%' => {
                out.push(code);
                rest = &after[2..];
            }
            _ if plus && *byte == b'+' => out.push(b' '),
            _ => out.push(*byte),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded() {
        let query = Query::parse("labelSelector=app%3Dweb%2Cx+in+(a)&watch=1&limit=5&bad=%zz%4");
        assert_eq!(query.get("labelSelector"), "app=web,x in (a)");
        assert_eq!(query.get("bad"), "%zz%4");
        assert!(query.flag("watch") && !query.flag("none"));
        assert_eq!(query.number("limit"), Ok(Some(5)));
        assert_eq!(query.number("none"), Ok(None));
        assert!(query.number("bad").is_err());
    }
}
