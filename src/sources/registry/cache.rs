//! What was learned before: a bounded map that forgets the oldest first.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

/// Each value until a time, or for ever.
pub struct Cache<K, V> {
    most: usize,
    kept: Mutex<Kept<K, V>>,
}

struct Kept<K, V> {
    values: HashMap<K, (V, Timestamp)>,
    /// In which they came.
    order: VecDeque<K>,
}

impl<K: Clone + Eq + Hash, V: Clone> Cache<K, V> {
    pub fn new(most: usize) -> Self {
        Self {
            most,
            kept: Mutex::new(Kept {
                values: HashMap::new(),
                order: VecDeque::new(),
            }),
        }
    }

    pub fn get(&self, key: &K, now: Timestamp) -> Option<V> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let (value, until) = kept.values.get(key)?;
        (now < *until).then(|| value.clone())
    }

    pub fn put(&self, key: K, value: V, until: Timestamp) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.values.insert(key.clone(), (value, until)).is_none() {
            kept.order.push_back(key);
        }
        if kept.order.len() > self.most
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.values.remove(&oldest);
        }
    }

    pub fn forget(&self, key: &K) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.values.remove(key);
        kept.order.retain(|other| other != key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_and_forgets_in_time() {
        let cache = Cache::new(2);
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        cache.put("a", 1, Timestamp::MAX);
        cache.put("a", 2, Timestamp::MAX);
        cache.put("b", 3, at(10));
        assert_eq!(
            (cache.get(&"a", at(0)), cache.get(&"b", at(9))),
            (Some(2), Some(3))
        );
        assert_eq!(cache.get(&"b", at(10)), None);
        cache.put("c", 4, Timestamp::MAX);
        assert_eq!(
            (cache.get(&"a", at(0)), cache.get(&"c", at(0))),
            (None, Some(4))
        );
        cache.forget(&"c");
        assert_eq!(cache.get(&"c", at(0)), None);
    }
}
