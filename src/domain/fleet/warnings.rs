//! The newest Warning events of one cluster, found by what they are about.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::Warning;

/// More are dropped, oldest first: a cluster in trouble emits them without end.
pub const MOST: usize = 2_000;

/// Names an event object: its namespace and its own name.
type Name = (Box<str>, Box<str>);

/// A namespace, the name of the object it is about, and the event's own name.
type Place = (Box<str>, Box<str>, Box<str>);

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Recent {
    by_about: BTreeMap<Place, Warning>,
    about: BTreeMap<Name, Box<str>>,
    by_age: BTreeSet<(Timestamp, Name)>,
}

impl Recent {
    /// Returns what had to go for it.
    pub fn put(&mut self, warning: Warning) -> Vec<Warning> {
        let mut dropped: Vec<_> = self
            .remove(&warning.namespace, &warning.name)
            .into_iter()
            .collect();
        let name = (warning.namespace.clone(), warning.name.clone());
        self.about.insert(name.clone(), warning.about.clone());
        self.by_age.insert((warning.last_seen, name));
        self.by_about.insert(place(&warning), warning);
        while self.by_age.len() > MOST {
            let Some((_, (namespace, name))) = self.by_age.first().cloned() else {
                break;
            };
            dropped.extend(self.remove(&namespace, &name));
        }
        dropped
    }

    pub fn is_empty(&self) -> bool {
        self.by_age.is_empty()
    }

    pub fn remove(&mut self, namespace: &str, name: &str) -> Option<Warning> {
        let name = (namespace.into(), name.into());
        let about = self.about.remove(&name)?;
        let warning = self
            .by_about
            .remove(&(name.0.clone(), about, name.1.clone()))?;
        self.by_age.remove(&(warning.last_seen, name));
        Some(warning)
    }

    /// Takes out those of one namespace, or all, that `keep` does not hold back.
    pub fn clear(&mut self, namespace: Option<&str>, keep: impl Fn(&str) -> bool) -> Vec<Warning> {
        let gone: Vec<_> = self
            .about
            .keys()
            .filter(|(ns, _)| namespace.is_none_or(|only| only == &**ns) && !keep(ns))
            .cloned()
            .collect();
        gone.iter()
            .filter_map(|(ns, name)| self.remove(ns, name))
            .collect()
    }

    /// Takes out those last seen before `limit`.
    pub fn expire(&mut self, limit: Timestamp) -> Vec<Warning> {
        let old: Vec<_> = self
            .by_age
            .iter()
            .take_while(|(at, _)| *at < limit)
            .map(|(_, name)| name.clone())
            .collect();
        old.iter()
            .filter_map(|(ns, name)| self.remove(ns, name))
            .collect()
    }

    /// Those about an object whose name begins with `prefix`.
    pub fn about(&self, namespace: &str, prefix: &str) -> Vec<&Warning> {
        self.by_about
            .range((namespace.into(), prefix.into(), "".into())..)
            .take_while(|((ns, about, _), _)| &**ns == namespace && about.starts_with(prefix))
            .map(|(_, warning)| warning)
            .collect()
    }
}

fn place(warning: &Warning) -> Place {
    (
        warning.namespace.clone(),
        warning.about.clone(),
        warning.name.clone(),
    )
}
