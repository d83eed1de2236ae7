//! The terminal handed to another program and taken back. The feeds go on meanwhile; nothing is painted.

use std::io::{self, Write};

use crossterm::event::{Event as Input, EventStream, KeyEventKind};
use futures::StreamExt;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::Receiver;
use tokio::time::Interval;

use crate::app::Event;
use crate::app::effect::HandOver;
use crate::app::event::Ended;
use crate::app::update::handover::sentence;
use crate::engine::clock;

use super::job::{Job, State};
use super::signals::{News, Signals};
use super::{Desk, TICK, guard, panicked, steady, stop_here};

/// What comes in while another program has the terminal.
pub struct Inputs<'a> {
    pub signals: &'a mut Signals,
    pub news: &'a mut Receiver<Event>,
    pub keys: &'a mut EventStream,
}

impl Desk {
    /// Until the program has ended and the screen is to be painted again. `keys` must not have been asked yet: it would
    /// take what is typed for the other program.
    pub async fn hand_over(&mut self, order: HandOver, mut inputs: Inputs<'_>) {
        guard::give_back();
        say(&format!("\r\n$ {}\r\n", order.line()));
        let ended = match signal(SignalKind::child()) {
            Ok(children) => match Job::start(&order.arguments) {
                Ok(job) => self.until_ended(job, children, &mut inputs).await,
                Err(why) => Ended::Failed(format!("could not be started: {why}")),
            },
            Err(why) => Ended::Failed(format!("could not be started: {}", why.kind())),
        };
        if self.over.is_none() && (order.wait || ended != Ended::Exit(0)) {
            say(&format!(
                "\r\n[{}; a key goes back to rolldeck]\r\n",
                sentence(&order.title, &ended)
            ));
            self.until_key(&mut inputs).await;
        }
        if self.over.is_none() {
            self.resume();
        }
        let handed = Box::new(order);
        self.fold(Event::HandedBack { handed, ended });
    }

    async fn until_ended(
        &mut self,
        mut job: Job,
        mut children: Signal,
        inputs: &mut Inputs<'_>,
    ) -> Ended {
        let mut tick = steady(TICK);
        loop {
            match job.state() {
                State::Runs => {}
                // As in a shell: both stop, and both go on.
                State::Stopped => {
                    job.take_back();
                    stop_here();
                    job.go_on();
                }
                State::Ended(ended) => {
                    job.take_back();
                    return ended;
                }
            }
            tokio::select! {
                _ = children.recv() => {}
                signal = inputs.signals.next() => match signal {
                    News::End => self.over = Some(Ok(())),
                    News::Suspend => job.stop(),
                    News::Continued => job.go_on(),
                },
                () = guard::panicked() => self.over = Some(Err(panicked())),
                () = self.meanwhile(inputs.news, &mut tick) => {}
            }
            if self.over.is_some() {
                job.hang_up();
                job.take_back();
                return Ended::Killed("SIGHUP".into());
            }
        }
    }

    /// What a program said last stays until it was read.
    async fn until_key(&mut self, inputs: &mut Inputs<'_>) {
        if guard::raw().is_err() {
            self.over = Some(Ok(()));
        }
        let mut tick = steady(TICK);
        while self.over.is_none() {
            tokio::select! {
                key = inputs.keys.next() => match key {
                    Some(Ok(Input::Key(key))) if key.kind != KeyEventKind::Release => return,
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => self.over = Some(Ok(())),
                },
                signal = inputs.signals.next() => match signal {
                    News::End => self.over = Some(Ok(())),
                    News::Suspend | News::Continued => {}
                },
                () = guard::panicked() => self.over = Some(Err(panicked())),
                () = self.meanwhile(inputs.news, &mut tick) => {}
            }
        }
    }

    /// One event, so that nothing piles up before the servers.
    async fn meanwhile(&mut self, news: &mut Receiver<Event>, tick: &mut Interval) {
        tokio::select! {
            event = news.recv() => match event {
                Some(event) => self.fold(event),
                None => self.over = Some(Err(panicked())),
            },
            _ = tick.tick() => self.fold(Event::Ticked(clock::now())),
        }
    }
}

fn say(words: &str) {
    let mut out = io::stdout();
    let _ = out.write_all(words.as_bytes()).and_then(|()| out.flush());
}
