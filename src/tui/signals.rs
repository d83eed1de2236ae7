//! Signals as plain news for the loop.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// TERM, HUP, INT.
    End,
    /// TSTP, from outside.
    Suspend,
    /// CONT: somebody else may have used the terminal.
    Continued,
}

pub struct Signals {
    end: [Signal; 3],
    suspend: Signal,
    continued: Signal,
}

impl Signals {
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            end: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
                signal(SignalKind::interrupt())?,
            ],
            suspend: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            continued: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// Safe to drop half-way: no signal is lost.
    pub async fn next(&mut self) -> News {
        let [term, hup, int] = &mut self.end;
        tokio::select! {
            _ = term.recv() => News::End,
            _ = hup.recv() => News::End,
            _ = int.recv() => News::End,
            _ = self.suspend.recv() => News::Suspend,
            _ = self.continued.recv() => News::Continued,
        }
    }
}
