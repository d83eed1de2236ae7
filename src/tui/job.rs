//! Another program in our terminal, as a job of its own: in front while it runs, and the terminal taken back after it.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sys::signal::{SigSet, Signal as Name};
use rustix::process::{Pid, Signal, WaitOptions, getpgrp, kill_process_group, waitpid};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr, tcsetpgrp};

use crate::app::event::Ended;

/// What a program may leave behind that died in the middle: a synchronized update, the alternate screen (the cursor
/// is saved first, so that it stays where it is when there was none), margins, the mouse, focus and pasting, modes of
/// keys, colours, line drawing, overwriting, wrapping, a hidden cursor.
const LEFT_BEHIND: &[u8] = b"\x1b[?2026l\x1b7\x1b[?1049l\x1b7\x1b[r\x1b8\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1004l\
\x1b[?2004l\x1b[<9u\x1b[>4m\x1b[?1l\x1b>\x1b[m\x1b(B\x0f\x1b[4l\x1b[?7h\x1b[?25h";

pub struct Job {
    group: Pid,
    /// As the terminal was before.
    modes: Option<Termios>,
    /// As it left them when it was stopped.
    own_modes: Option<Termios>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    Runs,
    /// With ctrl-z, or by a signal.
    Stopped,
    Ended(Ended),
}

impl Job {
    /// The terminal has to be given back before.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn start(arguments: &[String]) -> Result<Self, String> {
        let [program, arguments @ ..] = arguments else {
            return Err("it has no name".into());
        };
        let mut command = Command::new(program);
        command.args(arguments);
        Self::of(command, program)
    }

    /// One with variables or an output of its own; `program` is what to call it.
    ///
    /// # Errors
    /// Why not, in words.
    pub fn of(mut command: Command, program: &str) -> Result<Self, String> {
        let modes = tcgetattr(io::stdin()).ok();
        let started = command.process_group(0).spawn();
        // With it goes our end of what it prints to.
        drop(command);
        let child = started.map_err(|why| match why.kind() {
            io::ErrorKind::NotFound => format!("{program} is not on the PATH"),
            other => other.to_string(),
        })?;
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let group = group.ok_or("it has no process id")?;
        let mut job = Self {
            group,
            modes,
            own_modes: None,
        };
        job.go_on();
        Ok(job)
    }

    /// Gives it the terminal. It may have been stopped because it asked for it before it had it: it goes on in any case.
    pub fn go_on(&mut self) {
        give_terminal(self.group);
        if let Some(modes) = self.own_modes.take() {
            set_modes(&modes);
        }
        let _ = kill_process_group(self.group, Signal::CONT);
    }

    /// Asked for after every change of a child.
    pub fn state(&self) -> State {
        let options = WaitOptions::NOHANG | WaitOptions::UNTRACED;
        match waitpid(Some(self.group), options) {
            Ok(None) => State::Runs,
            Ok(Some((_, status))) => match (status.exit_status(), status.terminating_signal()) {
                (Some(code), _) => State::Ended(Ended::Exit(code)),
                (_, Some(signal)) => State::Ended(Ended::Killed(name(signal))),
                (None, None) if status.stopped() => State::Stopped,
                (None, None) => State::Runs,
            },
            Err(why) => State::Ended(Ended::Failed(format!("ended, nobody knows how: {why}"))),
        }
    }

    /// The terminal is ours again, in front and in the modes that it had before.
    pub fn take_back(&mut self) {
        self.own_modes = tcgetattr(io::stdin()).ok();
        give_terminal(getpgrp());
        if let Some(modes) = &self.modes {
            set_modes(modes);
        }
        let mut out = io::stdout();
        let _ = out.write_all(LEFT_BEHIND).and_then(|()| out.flush());
    }

    /// From outside.
    pub fn stop(&self) {
        let _ = kill_process_group(self.group, Signal::TSTP);
    }

    /// As by ctrl-c.
    pub fn interrupt(&self) {
        let _ = kill_process_group(self.group, Signal::INT);
    }

    /// As when the terminal goes away.
    pub fn hang_up(&self) {
        let _ = kill_process_group(self.group, Signal::HUP);
        let _ = kill_process_group(self.group, Signal::CONT);
    }
}

fn name(signal: i32) -> String {
    Name::try_from(signal).map_or_else(|_| format!("signal {signal}"), |name| name.to_string())
}

fn give_terminal(group: Pid) {
    undisturbed(|| {
        if let Err(why) = tcsetpgrp(io::stdin(), group) {
            tracing::warn!(%why, "the terminal changes no hands");
        }
    });
}

fn set_modes(modes: &Termios) {
    undisturbed(|| {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, modes);
    });
}

/// Who is not in front is stopped for touching the terminal, unless it holds that signal back.
fn undisturbed(work: impl FnOnce()) {
    let mut held = SigSet::empty();
    held.add(Name::SIGTTOU);
    let former = held.thread_swap_mask(nix::sys::signal::SigmaskHow::SIG_BLOCK);
    work();
    if let Ok(former) = former {
        let _ = former.thread_set_mask();
    }
}
