use parking_lot::RwLock;
use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::mem;

/// Most values of each of the two generations.
const GENERATION_MAX: usize = 4_096;

/// A bounded cache that keeps what is asked for often.
///
/// Two generations: values enter the young one; when it is full it becomes the old one, and what was
/// old and not asked for since is gone. A value is moved back to the young one when it is asked for.
pub(crate) struct Cache<K, V>(RwLock<Generations<K, V>>);

struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K: Hash + Eq, V: Clone> Cache<K, V> {
    pub(crate) fn new() -> Self {
        Self(RwLock::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }

    pub(crate) fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        {
            let generations = self.0.read();
            if let Some(value) = generations.young.get(key) {
                return Some(value.clone());
            }
            if !generations.old.contains_key(key) {
                return None;
            }
        }
        let mut generations = self.0.write();
        let (key, value) = generations.old.remove_entry(key)?;
        generations.put(key, value.clone());
        Some(value)
    }

    pub(crate) fn put(&self, key: K, value: V) {
        let mut generations = self.0.write();
        generations.old.remove(&key);
        generations.put(key, value);
    }
}

impl<K: Hash + Eq, V> Generations<K, V> {
    fn put(&mut self, key: K, value: V) {
        if self.young.len() >= GENERATION_MAX && !self.young.contains_key(&key) {
            self.old = mem::take(&mut self.young);
        }
        self.young.insert(key, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_within_two_generations_and_keeps_what_is_used() {
        let cache = Cache::new();
        for key in 0..20 * GENERATION_MAX {
            cache.put(key, key);
            assert_eq!(cache.get(&0), Some(0), "asked for all the time");
        }
        let generations = cache.0.read();
        assert!(generations.young.len() + generations.old.len() <= 2 * GENERATION_MAX);
        assert!(!generations.old.contains_key(&1) && !generations.young.contains_key(&1));
    }
}
