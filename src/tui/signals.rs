//! Signals as plain news for the loop.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum News {
    /// TERM, HUP.
    End,
    /// INT.
    Interrupted,
    /// TSTP, from outside.
    Suspend,
    /// CONT: somebody else may have used the terminal.
    Continued,
}

pub struct Signals {
    end: [Signal; 2],
    interrupt: Signal,
    suspend: Signal,
    continued: Signal,
}

impl Signals {
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            end: [
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            ],
            interrupt: signal(SignalKind::interrupt())?,
            suspend: signal(SignalKind::from_raw(rustix::process::Signal::TSTP.as_raw()))?,
            continued: signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?,
        })
    }

    /// Safe to drop half-way: no signal is lost.
    pub async fn next(&mut self) -> News {
        let [term, hup] = &mut self.end;
        tokio::select! {
            _ = term.recv() => News::End,
            _ = hup.recv() => News::End,
            _ = self.interrupt.recv() => News::Interrupted,
            _ = self.suspend.recv() => News::Suspend,
            _ = self.continued.recv() => News::Continued,
        }
    }
}
