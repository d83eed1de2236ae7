//! The embedded world's time: the one place in it that asks for now.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// What timers count by.
#[allow(clippy::disallowed_methods)] // as below
pub fn instant() -> Instant {
    Instant::now()
}

/// Stamps are real time, so that they agree with the client's clock. What is scripted, a pull, a start, a deadline,
/// takes its length divided by the speed.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    speed: u32,
}

impl Clock {
    pub fn new(speed: u32) -> Self {
        Self {
            speed: speed.max(1),
        }
    }

    #[allow(clippy::disallowed_methods)] // this is where the embedded world gets its time
    pub fn now(self) -> Timestamp {
        Timestamp::now()
    }

    /// How long a scripted length lasts.
    pub fn real(self, scripted: Duration) -> Duration {
        scripted / self.speed
    }

    /// The scripted length that lasts so long; nothing for what is over.
    pub fn scripted(self, real: SignedDuration) -> Duration {
        Duration::try_from(real).unwrap_or_default() * self.speed
    }

    /// How much scripted time has gone by since.
    pub fn scripted_since(self, since: Timestamp) -> Duration {
        self.scripted(self.now().duration_since(since))
    }
}
