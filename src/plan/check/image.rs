//! Whether the images that a template's pods are started from can still be pulled.

use serde_json::Value;

use super::{CheckId, Finding, Verdict};
use crate::domain::Presence;
use crate::domain::image::{ImageRef, short_digest};

/// More images than these are not asked for, and more reasons are not told.
const MOST: usize = 20;
const TOLD: usize = 3;

/// What a node needs to start a pod: images, and the names of the logins for their registries. Never what these hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pulled {
    pub images: Vec<Box<str>>,
    /// Of the template. Without any, those of its service account count.
    pub secrets: Vec<Box<str>>,
    pub account: Box<str>,
}

/// Each image once, those of the containers first. What is never pulled has to be on the nodes, which nobody can ask.
pub fn of(template: &Value) -> Option<Pulled> {
    let spec = &template["spec"];
    let list = |value: &'static str| spec[value].as_array().into_iter().flatten();
    let mut images: Vec<Box<str>> = Vec::new();
    for container in list("containers").chain(list("initContainers")) {
        let Some(image) = container["image"].as_str().filter(|name| !name.is_empty()) else {
            continue;
        };
        if container["imagePullPolicy"] != "Never" && !images.iter().any(|i| **i == *image) {
            images.push(image.into());
        }
    }
    images.truncate(MOST);
    let names = list("imagePullSecrets").filter_map(|secret| secret["name"].as_str());
    let account = spec["serviceAccountName"].as_str();
    (!images.is_empty()).then(|| Pulled {
        images,
        secrets: names
            .filter(|name| !name.is_empty())
            .map(Into::into)
            .collect(),
        account: account
            .filter(|name| !name.is_empty())
            .unwrap_or("default")
            .into(),
    })
}

/// Missing blocks; what nobody knows is no reason to wait.
pub fn verdict(seen: &[(Box<str>, Presence)]) -> Verdict {
    let mut missing = Vec::new();
    let mut unknown: Vec<String> = Vec::new();
    let mut digests = Vec::new();
    for (image, presence) in seen {
        match presence {
            Presence::Missing => missing.push(format!(
                "{image} is not in its registry, which has other tags of it"
            )),
            Presence::Unverified(why) if unknown.contains(why) => {}
            Presence::Unverified(why) => unknown.push(why.clone()),
            Presence::Present { digest, .. } => {
                digests.push(short_digest(digest).unwrap_or(digest));
            }
        }
    }
    let answer = |finding, sentence| Verdict {
        check: CheckId::Image,
        finding,
        sentence,
    };
    if !missing.is_empty() {
        return answer(Finding::Block, told(&missing));
    }
    if !unknown.is_empty() {
        return answer(Finding::Unverified, told(&unknown));
    }
    let sentence = match seen {
        [(image, _)] => format!(
            "image {} is in the registry ({})",
            end(image),
            digests.concat()
        ),
        several => format!(
            "its {} images are in the registry ({})",
            several.len(),
            digests.join(", ")
        ),
    };
    answer(Finding::Ok, sentence)
}

fn told(words: &[String]) -> String {
    let more = words.len().saturating_sub(TOLD);
    let said = words[..words.len() - more].join("; ");
    if more == 0 {
        return said;
    }
    format!("{said}; and {more} more")
}

/// What tells it from others of its repository.
fn end(image: &str) -> &str {
    let parts = ImageRef::parse(image);
    let pinned = parts.digest.and_then(short_digest);
    parts.tag.or(pinned).unwrap_or("latest")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::fixture::now;
    use serde_json::json;

    #[test]
    fn what_a_template_pulls() {
        let template = json!({"spec": {
            "imagePullSecrets": [{"name": "pull"}, {}],
            "initContainers": [{"image": "r/init:1"}, {"image": "r/web:2"}],
            "containers": [{"image": "r/web:2"}, {"image": "local:dev", "imagePullPolicy": "Never"}, {}]}});
        let pulled = of(&template).unwrap();
        assert_eq!(pulled.images, ["r/web:2".into(), "r/init:1".into()]);
        assert_eq!(pulled.secrets, ["pull".into()]);
        assert_eq!(&*pulled.account, "default");
        assert_eq!(of(&json!({"spec": {"containers": []}})), None);
    }

    #[test]
    fn missing_outranks_unknown_and_unknown_outranks_there() {
        let there = |digest: &str| Presence::Present {
            digest: format!("sha256:{digest}").into(),
            at: now(),
        };
        let unknown = |why: &str| Presence::Unverified(why.into());
        for (seen, finding, words) in [
            (
                vec![("r/web:2.14.1", there("77c01d99"))],
                Finding::Ok,
                "image 2.14.1 is in the registry (77c01d)",
            ),
            (
                vec![("r/web@sha256:77c01d99", there("77c01d99"))],
                Finding::Ok,
                "image 77c01d is in the registry (77c01d)",
            ),
            (
                vec![
                    ("r/web", there("77c01d99")),
                    ("r/side:1", there("aabbccdd")),
                ],
                Finding::Ok,
                "its 2 images are in the registry (77c01d, aabbcc)",
            ),
            (
                vec![
                    ("r/a:1", unknown("r: connection refused")),
                    ("r/b:1", unknown("r: connection refused")),
                    ("s/b:1", there("77c01d99")),
                ],
                Finding::Unverified,
                "r: connection refused",
            ),
            (
                vec![("r/web:2", Presence::Missing), ("r/b:1", unknown("late"))],
                Finding::Block,
                "r/web:2 is not in its registry, which has other tags of it",
            ),
            (
                (0..5)
                    .map(|n| ("r/a", unknown(["a", "b", "c", "d", "e"][n])))
                    .collect(),
                Finding::Unverified,
                "a; b; c; and 2 more",
            ),
        ] {
            let seen: Vec<_> = seen.into_iter().map(|(i, p)| (i.into(), p)).collect();
            let said = verdict(&seen);
            assert_eq!((said.finding, &*said.sentence), (finding, words));
        }
    }
}
