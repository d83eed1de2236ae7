//! The labels of an object, and the selectors that people type for them.

/// In one piece, because there is one for every workload: `app=web,tier=front`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Labels(Box<str>);

impl Labels {
    pub fn new<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let words: Vec<_> = labels
            .into_iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        Self(words.join(",").into())
    }

    pub fn get(&self, key: &str) -> Option<&str> {
        value(&self.0, key)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        pairs(&self.0)
    }
}

/// Of labels in one piece, or of a selector that asks for them.
pub(super) fn value<'a>(labels: &'a str, key: &str) -> Option<&'a str> {
    pairs(labels)
        .find(|(k, _)| *k == key)
        .map(|(_, value)| value)
}

fn pairs(labels: &str) -> impl Iterator<Item = (&str, &str)> {
    labels.split(',').filter_map(|pair| pair.split_once('='))
}

/// `app=web,tier!=front,team,!legacy`, with the meaning that kubectl gives it. Empty: everything.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Requirement {
    Is(String, String),
    /// Also where the label is not there.
    IsNot(String, String),
    Has(String),
    HasNot(String),
}

impl LabelSelector {
    /// # Errors
    /// A sentence about the part that is not understood, and how to write it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text.split(',').map(str::trim).filter(|p| !p.is_empty());
        parts.map(requirement).collect::<Result<_, _>>().map(Self)
    }

    pub fn fits(&self, labels: &Labels) -> bool {
        self.0.iter().all(|requirement| match requirement {
            Requirement::Is(key, value) => labels.get(key) == Some(value),
            Requirement::IsNot(key, value) => labels.get(key) != Some(value),
            Requirement::Has(key) => labels.get(key).is_some(),
            Requirement::HasNot(key) => labels.get(key).is_none(),
        })
    }
}

fn requirement(part: &str) -> Result<Requirement, String> {
    let (key, requirement) = if let Some((key, value)) = part.split_once("!=") {
        let requirement = Requirement::IsNot(key.trim().into(), value.trim().into());
        (key, requirement)
    } else if let Some((key, value)) = part.split_once('=') {
        let value = value.strip_prefix('=').unwrap_or(value);
        let requirement = Requirement::Is(key.trim().into(), value.trim().into());
        (key, requirement)
    } else if let Some(key) = part.strip_prefix('!') {
        (key, Requirement::HasNot(key.trim().into()))
    } else {
        (part, Requirement::Has(part.into()))
    };
    let key = key.trim();
    let wrong = |c: char| !(c.is_alphanumeric() || "-_./".contains(c));
    if key.is_empty() || key.contains(wrong) {
        return Err(format!(
            "{part:?} is not a label: write key=value, key!=value, key or !key, with commas between"
        ));
    }
    Ok(requirement)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_mean_what_they_mean_to_kubectl() {
        let labels = Labels::new([("app.kubernetes.io/name", "web"), ("tier", ""), ("a", "b")]);
        for (text, want) in [
            ("", true),
            ("a=b", true),
            ("a==b", true),
            ("a = b , tier", true),
            ("a=c", false),
            ("a!=c", true),
            ("a!=b", false),
            ("b!=x", true),
            ("tier=", true),
            ("app.kubernetes.io/name=web,a=b", true),
            ("app.kubernetes.io/name=web,a=c", false),
            ("b", false),
            ("!b", true),
            ("!a", false),
            ("name=web", false),
        ] {
            let selector = LabelSelector::parse(text).unwrap();
            assert_eq!(selector.fits(&labels), want, "{text}");
        }
        assert!(!LabelSelector::parse("a").unwrap().fits(&Labels::default()));
    }

    #[test]
    fn what_is_no_selector_is_said() {
        for text in ["=b", "a in (b)", "!", "a b=c", "a=b,!=c"] {
            let sentence = LabelSelector::parse(text).unwrap_err();
            assert!(sentence.contains("is not a label"), "{text}: {sentence}");
        }
    }
}
