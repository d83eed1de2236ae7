//! What the parts of the embedded cluster share.

use super::audit::Audit;
use super::clock::Clock;
use super::images::Images;
use super::kube::store::Store;
use super::logs::Logs;

pub struct Cluster {
    pub store: Store,
    pub clock: Clock,
    /// What the registry has: what is not in it cannot be pulled.
    pub images: Images,
    pub logs: Logs,
    /// Every request that the API server answered.
    pub audit: Audit,
}

impl Cluster {
    /// Empty. `window`: how many changes of a kind can be watched again.
    pub fn new(seed: u64, times_faster: u32, window: usize) -> Self {
        Self {
            store: Store::new(seed, window),
            clock: Clock::new(times_faster),
            images: Images::default(),
            logs: Logs::default(),
            audit: Audit::default(),
        }
    }
}
