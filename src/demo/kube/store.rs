//! The objects of the embedded cluster as text, in order, with a short history: what lists, watches and controllers read.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::watch;

use crate::demo::random::Random;

use super::kind::Kind;
use super::object::{self, Kept, Key, Object};
use super::refusal::Refusal;
use super::write::{self, Write};

/// What became of an object. A deletion carries its last state, under a version of its own.
#[derive(Debug, Clone)]
pub struct Change {
    pub version: u64,
    /// `None` for a creation.
    pub before: Option<Kept>,
    pub after: Kept,
    pub deleted: bool,
}

/// A version older than the history reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expired {
    /// The oldest that it does reach.
    pub oldest: u64,
}

pub struct Store {
    state: Mutex<State>,
    news: watch::Sender<u64>,
}

struct State {
    version: u64,
    objects: BTreeMap<Key, Kept>,
    owned: HashMap<Box<str>, BTreeSet<Key>>,
    histories: BTreeMap<&'static Kind, History>,
    window: usize,
    random: Random,
}

#[derive(Default)]
struct History {
    changes: VecDeque<Change>,
    /// The newest version that is no longer in it.
    lost: u64,
}

impl Store {
    /// `window`: how many changes of a kind can be watched again.
    pub fn new(seed: u64, window: usize) -> Self {
        let state = State {
            version: 1,
            objects: BTreeMap::new(),
            owned: HashMap::new(),
            histories: BTreeMap::new(),
            window,
            random: Random::new(seed),
        };
        Self {
            state: Mutex::new(state),
            news: watch::Sender::new(1),
        }
    }

    /// The newest version.
    pub fn version(&self) -> u64 {
        self.state().version
    }

    /// Says when there is a newer version.
    pub fn news(&self) -> watch::Receiver<u64> {
        self.news.subscribe()
    }

    pub fn get(&self, key: &Key) -> Option<Kept> {
        self.state().objects.get(key).cloned()
    }

    /// In the order of namespace and name; `None` is every namespace.
    pub fn list(&self, kind: &'static Kind, namespace: Option<&str>) -> Vec<Kept> {
        self.state().list(kind, namespace)
    }

    /// The list as it is, and the version that it is of.
    pub fn snapshot(&self, kind: &'static Kind, namespace: Option<&str>) -> (u64, Vec<Kept>) {
        let state = self.state();
        (state.version, state.list(kind, namespace))
    }

    /// The list as it was at a version, for the later pages of a listing.
    pub fn list_at(
        &self,
        kind: &'static Kind,
        namespace: Option<&str>,
        version: u64,
    ) -> Result<Vec<Kept>, Expired> {
        let state = self.state();
        let now = state.list(kind, namespace);
        let changes = state.since(kind, version)?;
        if changes.is_empty() {
            return Ok(now);
        }
        let mut then: BTreeMap<_, _> = now
            .into_iter()
            .map(|kept| (kept.key.clone(), kept))
            .collect();
        for change in changes.iter().rev() {
            let inside = namespace.is_none_or(|name| *change.after.key.namespace == *name);
            match &change.before {
                _ if !inside => {}
                Some(before) => drop(then.insert(before.key.clone(), Arc::clone(before))),
                None => drop(then.remove(&change.after.key)),
            }
        }
        Ok(then.into_values().collect())
    }

    /// What an owner reference to this uid makes its own.
    pub fn owned_by(&self, uid: &str, kind: &'static Kind) -> Vec<Kept> {
        let state = self.state();
        let keys = state.owned.get(uid).into_iter().flatten();
        keys.filter(|key| key.kind == kind)
            .filter_map(|key| state.objects.get(key).cloned())
            .collect()
    }

    /// Everything with an owner reference to this uid, of whatever kind.
    pub fn all_owned_by(&self, uid: &str) -> Vec<Kept> {
        let state = self.state();
        let keys = state.owned.get(uid).into_iter().flatten();
        keys.filter_map(|key| state.objects.get(key).cloned())
            .collect()
    }

    /// The changes of a kind after a version, oldest first.
    pub fn since(&self, kind: &'static Kind, version: u64) -> Result<Vec<Change>, Expired> {
        self.state().since(kind, version)
    }

    /// As it is, but for uid and version: the world before the first request.
    pub fn plant(&self, kind: &'static Kind, mut value: Value) -> Kept {
        let mut state = self.state();
        if object::text_at(&value, "/metadata/uid").is_empty() {
            let uid = state.random.uid();
            object::set(&mut value, &["metadata", "uid"], uid.into());
        }
        let kept = state.keep(kind, value);
        self.news.send_replace(state.version);
        kept
    }

    pub fn create(
        &self,
        kind: &'static Kind,
        mut value: Value,
        by: &Write<'_>,
    ) -> Result<Kept, Refusal> {
        let mut state = self.state();
        write::prepare_create(kind, &mut value, by, &mut state.random)?;
        let key = Key::of(kind, &value);
        if state.objects.contains_key(&key) {
            return Err(Refusal::AlreadyExists(key));
        }
        if by.dry_run {
            return Ok(Arc::new(Object::new(kind, value, 0)));
        }
        Ok(self.commit(&mut state, kind, None, value))
    }

    /// Reads, changes and writes in one go. A change of nothing is no new version.
    pub fn update(
        &self,
        key: &Key,
        by: &Write<'_>,
        change: impl FnOnce(&mut Value) -> Result<(), Refusal>,
    ) -> Result<Kept, Refusal> {
        let mut state = self.state();
        let Some(kept) = state.objects.get(key).cloned() else {
            return Err(Refusal::NotFound(key.clone()));
        };
        let before = kept.value();
        let mut after = before.clone();
        change(&mut after)?;
        write::prepare_update(key.kind, &before, &mut after, by)?;
        if after == before {
            return Ok(kept);
        }
        if by.dry_run {
            return Ok(Arc::new(Object::new(key.kind, after, kept.version)));
        }
        Ok(self.commit(&mut state, key.kind, Some(kept), after))
    }

    /// Gone at once, whatever its grace period says.
    pub fn remove(&self, key: &Key) -> Option<Kept> {
        let mut state = self.state();
        let before = state.objects.remove(key)?;
        for owner in &before.owners {
            if let Some(keys) = state.owned.get_mut(owner) {
                keys.remove(key);
            }
        }
        state.version += 1;
        let after = Arc::new(Object::new(key.kind, before.value(), state.version));
        let change = Change {
            version: state.version,
            before: Some(before),
            after: Arc::clone(&after),
            deleted: true,
        };
        state.remember(change);
        self.news.send_replace(state.version);
        Some(after)
    }

    fn commit(
        &self,
        state: &mut State,
        kind: &'static Kind,
        before: Option<Kept>,
        value: Value,
    ) -> Kept {
        let after = state.keep(kind, value);
        state.remember(Change {
            version: after.version,
            before,
            after: Arc::clone(&after),
            deleted: false,
        });
        self.news.send_replace(state.version);
        after
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn list(&self, kind: &'static Kind, namespace: Option<&str>) -> Vec<Kept> {
        let first = Key::new(kind, namespace.unwrap_or_default(), "");
        self.objects
            .range(first..)
            .map(|(_, kept)| kept)
            .take_while(|kept| kept.key.kind == kind)
            .take_while(|kept| namespace.is_none_or(|name| *kept.key.namespace == *name))
            .cloned()
            .collect()
    }

    fn since(&self, kind: &'static Kind, version: u64) -> Result<Vec<Change>, Expired> {
        let Some(history) = self.histories.get(kind) else {
            return Ok(Vec::new());
        };
        if version < history.lost {
            return Err(Expired {
                oldest: history.lost,
            });
        }
        let after = history.changes.partition_point(|c| c.version <= version);
        Ok(history.changes.range(after..).cloned().collect())
    }

    fn keep(&mut self, kind: &'static Kind, value: Value) -> Kept {
        self.version += 1;
        let kept = Arc::new(Object::new(kind, value, self.version));
        if let Some(before) = self.objects.insert(kept.key.clone(), Arc::clone(&kept)) {
            for owner in &before.owners {
                if let Some(keys) = self.owned.get_mut(owner) {
                    keys.remove(&kept.key);
                }
            }
        }
        for owner in &kept.owners {
            let keys = self.owned.entry(owner.clone()).or_default();
            keys.insert(kept.key.clone());
        }
        kept
    }

    fn remember(&mut self, change: Change) {
        let history = self.histories.entry(change.after.key.kind).or_default();
        history.changes.push_back(change);
        if history.changes.len() > self.window {
            history.lost = history.changes.pop_front().map_or(0, |lost| lost.version);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::kind::CONFIG_MAPS;
    use super::*;

    fn write() -> Write<'static> {
        Write::by("test", jiff::Timestamp::UNIX_EPOCH)
    }

    fn map(name: &str, data: &str) -> Value {
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"namespace": "shop", "name": name}, "data": {"a": data}})
    }

    #[test]
    fn a_later_page_is_of_the_version_of_the_first() {
        let store = Store::new(1, 10);
        for name in ["a", "b"] {
            store
                .create(&CONFIG_MAPS, map(name, "1"), &write())
                .unwrap();
        }
        let version = store.version();
        let then = store.list(&CONFIG_MAPS, None);
        let key = then[0].key.clone();
        store
            .update(&key, &write(), |value| {
                value["data"]["a"] = "2".into();
                Ok(())
            })
            .unwrap();
        store.create(&CONFIG_MAPS, map("c", "1"), &write()).unwrap();
        store.remove(&then[1].key);
        let texts = |kept: &[Kept]| kept.iter().map(|k| k.text.clone()).collect::<Vec<_>>();
        let again = store.list_at(&CONFIG_MAPS, Some("shop"), version).unwrap();
        assert_eq!(texts(&again), texts(&then));
        assert_eq!(store.list(&CONFIG_MAPS, None).len(), 2);
    }

    #[test]
    fn an_old_version_expires() {
        let store = Store::new(1, 2);
        store.create(&CONFIG_MAPS, map("a", "0"), &write()).unwrap();
        let first = store.version();
        let key = store.list(&CONFIG_MAPS, None)[0].key.clone();
        for data in ["1", "2", "3"] {
            store
                .update(&key, &write(), |value| {
                    value["data"]["a"] = data.into();
                    Ok(())
                })
                .unwrap();
        }
        let expired = Expired { oldest: first + 1 };
        assert_eq!(store.since(&CONFIG_MAPS, first).err(), Some(expired));
        assert_eq!(store.since(&CONFIG_MAPS, first + 1).unwrap().len(), 2);
    }

    #[test]
    fn a_change_of_nothing_is_no_version() {
        let store = Store::new(1, 10);
        let kept = store.create(&CONFIG_MAPS, map("a", "1"), &write()).unwrap();
        let again = store.update(&kept.key, &write(), |_| Ok(())).unwrap();
        assert_eq!(again.version, kept.version);
    }
}
