//! Where an object differs from its manifest in a file, and the patch that makes it the same.

use serde_json::{Value, json};

use crate::domain::image;

/// One field that is not as the file has it.
#[derive(Debug)]
pub struct Edit<'a> {
    path: Vec<&'a str>,
    /// In the file; absent there, it is removed.
    wanted: Option<&'a Value>,
    live: Option<&'a Value>,
}

/// Labels and annotations that only the live one has are other people's. The number of pods is not looked at where an
/// autoscaler sets it.
pub fn edits<'a>(wanted: &'a Value, live: &'a Value, scaled: bool) -> Vec<Edit<'a>> {
    let mut found = Vec::new();
    for group in ["labels", "annotations"] {
        let (wanted, live) = (&wanted["metadata"][group], &live["metadata"][group]);
        compare(&mut found, &["metadata", group], (wanted, live), false);
    }
    let sections = keys(wanted).chain(keys(live).filter(|key| wanted[key].is_null()));
    for section in sections {
        if !["apiVersion", "kind", "metadata", "status"].contains(&section) {
            compare(
                &mut found,
                &[section],
                (&wanted[section], &live[section]),
                true,
            );
        }
    }
    found.retain(|edit| !(scaled && edit.path == ["spec", "replicas"]));
    found
}

/// Field by field where both have some, else as a whole.
fn compare<'a>(
    found: &mut Vec<Edit<'a>>,
    path: &[&'a str],
    (wanted, live): (&'a Value, &'a Value),
    removes: bool,
) {
    let some = |value: &'a Value| Some(value).filter(|value| !value.is_null());
    if !(wanted.is_object() && live.is_object()) {
        if wanted != live && (removes || !wanted.is_null()) {
            found.push(Edit {
                path: path.to_vec(),
                wanted: some(wanted),
                live: some(live),
            });
        }
        return;
    }
    let more = keys(live).filter(|key| removes && wanted[key].is_null());
    for key in keys(wanted).chain(more) {
        if wanted[key] != live[key] {
            found.push(Edit {
                path: path.iter().copied().chain([key]).collect(),
                wanted: some(&wanted[key]),
                live: some(&live[key]),
            });
        }
    }
}

fn keys(value: &Value) -> impl Iterator<Item = &str> {
    value
        .as_object()
        .into_iter()
        .flat_map(|map| map.keys().map(String::as_str))
}

impl Edit<'_> {
    /// The text of a ConfigMap or an annotation is never in it.
    pub fn words(&self) -> String {
        let path = self.path.join(".");
        match (self.path.as_slice(), self.wanted, self.live) {
            (["spec", "replicas"], Some(wanted), Some(live)) => {
                format!("replicas {live} → {wanted}")
            }
            (["spec", "template"], Some(wanted), Some(live)) => template(wanted, live),
            (_, None, _) => format!("{path}, which the file has not"),
            (_, _, None) => format!("{path}, which is not there"),
            _ => path,
        }
    }

    pub fn operation(&self) -> Value {
        let mut path = String::new();
        for part in &self.path {
            path.push('/');
            path.push_str(&part.replace('~', "~0").replace('/', "~1"));
        }
        match self.wanted {
            Some(wanted) => json!({"op": "add", "path": path, "value": wanted}),
            None => json!({"op": "remove", "path": path}),
        }
    }
}

fn template(wanted: &Value, live: &Value) -> String {
    let containers = |template: &'_ Value| -> Vec<(String, String)> {
        let all = template["spec"]["containers"]
            .as_array()
            .into_iter()
            .flatten();
        let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        all.map(|c| (word(&c["name"]), word(&c["image"]))).collect()
    };
    let live = containers(live);
    let changed = containers(wanted).into_iter().filter_map(|(name, image)| {
        let (_, now) = live.iter().find(|(other, _)| *other == name)?;
        (*now != image).then(|| image::change(now, &image))
    });
    let changed: Vec<_> = changed.collect();
    if changed.is_empty() {
        "the pod template".to_owned()
    } else {
        changed.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_that_differ_are_named_and_patched_one_by_one() {
        let wanted = json!({"kind": "ConfigMap", "metadata": {"labels": {"a/b": "1"}}, "data": {"k": "1", "n": "2"}});
        let live = json!({"kind": "ConfigMap", "metadata": {"labels": {"theirs": "x"}}, "data": {"k": "1", "o": "s3cret"}});
        let found = edits(&wanted, &live, false);
        let words: Vec<_> = found.iter().map(Edit::words).collect();
        assert_eq!(
            words,
            [
                "metadata.labels.a/b, which is not there",
                "data.n, which is not there",
                "data.o, which the file has not"
            ]
        );
        let patch: Vec<_> = found.iter().map(Edit::operation).collect();
        assert_eq!(
            patch,
            [
                json!({"op": "add", "path": "/metadata/labels/a~1b", "value": "1"}),
                json!({"op": "add", "path": "/data/n", "value": "2"}),
                json!({"op": "remove", "path": "/data/o"}),
            ]
        );
        assert!(edits(&wanted, &wanted, false).is_empty());
    }

    #[test]
    fn a_number_that_an_autoscaler_sets_is_no_difference() {
        let with = |replicas: u32| json!({"spec": {"replicas": replicas}});
        assert!(edits(&with(2), &with(7), true).is_empty());
        assert_eq!(edits(&with(2), &with(7), false).len(), 1);
    }
}
