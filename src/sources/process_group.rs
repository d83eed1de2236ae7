//! The processes that a command of ours started, killed together when nobody waits for it any more.

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

/// Of a child that was started with a group of its own.
pub struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    pub fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(id.cast_signed())))
    }

    /// It has ended by itself.
    pub fn ended(&mut self) {
        self.0 = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended in the meantime.
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}
